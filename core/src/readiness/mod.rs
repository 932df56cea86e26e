//! May doors open with this device?
//!
//! One item for each thing a door depends on, in a fixed order, each with what to do about it. The words
//! name no program: every surface shows them as they are.

mod sample;

pub use sample::{ReadBack, sample_code};

use serde::Serialize;

use crate::ids::EventId;
use crate::ledger::{DeviceState, Ledger, LedgerError};
use crate::rules::EventInfo;
use crate::sync::SyncError;
use crate::sync::secrets::{DEVICE_TOKEN, SecretStore};
use crate::ticket::KeyRing;
use crate::words::{clock_offset, count, duration};

/// Unsent scans older than this deserve a word.
const UNSENT_LONG_MS: i64 = 60 * 60_000;

const ENROL: &str = "get an enrolment code from the organiser and enrol this device";
const SYNC: &str = "sync this device";

/// What was looked at. The JSON form is the stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The ledger can be written and is undamaged.
    Storage,
    /// Every scan is as it was written.
    Chain,
    /// The device is enrolled.
    Device,
    /// The keys of an event are here.
    Keys,
    /// The list of an event is here and fresh.
    List,
    /// The time is known well enough for an event.
    Clock,
    /// Scans do not wait for their upload for long.
    Unsent,
    /// Codes are drawn, read and verified as they should be.
    SampleCode,
    /// The server answers.
    Server,
}

impl Check {
    /// The stable code, e.g. `sample_code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Storage => "storage",
            Self::Chain => "chain",
            Self::Device => "device",
            Self::Keys => "keys",
            Self::List => "list",
            Self::Clock => "clock",
            Self::Unsent => "unsent",
            Self::SampleCode => "sample_code",
            Self::Server => "server",
        }
    }
}

/// How one item came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Fine.
    Ready,
    /// Works, but someone should know.
    Warning,
    /// Doors must not open like this.
    NotReady,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckItem {
    /// What was looked at.
    pub check: Check,
    /// How it came out.
    pub state: CheckState,
    /// The event it is about, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// What was found, in words.
    pub detail: String,
    /// What to do about it.
    pub next: Option<String>,
}

impl CheckItem {
    /// An item about no event in particular.
    #[must_use]
    pub fn new(check: Check, state: CheckState, detail: impl Into<String>, next: Option<&str>) -> Self {
        Self { check, state, event_id: None, detail: detail.into(), next: next.map(str::to_owned) }
    }

    fn about(self, event: &EventInfo) -> Self {
        Self { event_id: Some(event.event_id), detail: format!("{}: {}", event.name, self.detail), ..self }
    }

    fn broken(check: Check, error: &LedgerError) -> Self {
        Self::new(check, CheckState::NotReady, error.to_string(), None)
    }
}

/// Whether doors may open: nothing is [`CheckState::NotReady`].
#[must_use]
pub fn is_ready(items: &[CheckItem]) -> bool {
    items.iter().all(|item| item.state != CheckState::NotReady)
}

/// Looks at everything that needs no network. What cannot be looked at is not ready.
#[must_use]
pub fn check(ledger: &mut Ledger, secrets: &dyn SecretStore, keys: &KeyRing) -> Vec<CheckItem> {
    let mut items = vec![storage(ledger), chain(ledger)];
    match ledger.device() {
        Ok(None) => items.push(not_enrolled("this device is not enrolled")),
        Ok(Some(device)) => {
            items.push(enrolled(&device, secrets));
            items.extend(events(ledger, keys));
            items.push(unsent(ledger).unwrap_or_else(|error| CheckItem::broken(Check::Unsent, &error)));
        }
        Err(error) => items.push(CheckItem::broken(Check::Device, &error)),
    }
    let now = ledger.now().now();
    items.push(sample_code(now, &*ledger.entropy(), None));
    items
}

/// The item for an answer of [`crate::sync::SyncEngine::probe`]. A door works without its server, so
/// only a revoked device is not ready.
#[must_use]
pub fn server_item(answer: &Result<(), SyncError>) -> CheckItem {
    let item = |state, detail: String, next| CheckItem::new(Check::Server, state, detail, next);
    match answer {
        Ok(()) => item(CheckState::Ready, "the server answers".to_owned(), None),
        Err(SyncError::Revoked { .. }) => {
            item(CheckState::NotReady, "the organiser revoked this device".to_owned(), Some(ENROL))
        }
        Err(error) => item(
            CheckState::Warning,
            error.to_string(),
            Some("scanning works without it; other doors' scans will not be known here"),
        ),
    }
}

fn storage(ledger: &mut Ledger) -> CheckItem {
    match ledger.check_storage() {
        Ok(()) => CheckItem::new(
            Check::Storage,
            CheckState::Ready,
            "the ledger can be written and is undamaged",
            None,
        ),
        Err(error) => CheckItem::broken(Check::Storage, &error),
    }
}

fn chain(ledger: &Ledger) -> CheckItem {
    match ledger.verify_chain() {
        Ok(report) if report.is_whole() => {
            let detail = format!("{} in an unbroken chain", count(report.scans, "scan"));
            CheckItem::new(Check::Chain, CheckState::Ready, detail, None)
        }
        Ok(report) => {
            let places = count(report.breaks.len() as u64, "place");
            let next = "tell the organiser: scans were lost or altered on this device";
            CheckItem::new(
                Check::Chain,
                CheckState::Warning,
                format!("the chain of scans is broken in {places}"),
                Some(next),
            )
        }
        Err(error) => CheckItem::broken(Check::Chain, &error),
    }
}

fn not_enrolled(detail: &str) -> CheckItem {
    CheckItem::new(Check::Device, CheckState::NotReady, detail, Some(ENROL))
}

fn enrolled(device: &DeviceState, secrets: &dyn SecretStore) -> CheckItem {
    if device.revoked {
        return not_enrolled("the organiser revoked this device");
    }
    match secrets.get(DEVICE_TOKEN) {
        Ok(Some(_)) => {
            let detail = format!("{} of {}", device.device_name, device.organiser_name);
            CheckItem::new(Check::Device, CheckState::Ready, detail, None)
        }
        Ok(None) => not_enrolled("the device's token is missing"),
        Err(error) => CheckItem::new(Check::Device, CheckState::NotReady, error.to_string(), None),
    }
}

fn events(ledger: &mut Ledger, keys: &KeyRing) -> Vec<CheckItem> {
    let events = match ledger.events() {
        Ok(events) => events,
        Err(error) => return vec![CheckItem::broken(Check::List, &error)],
    };
    if events.is_empty() {
        let detail = "no event on this device yet";
        return vec![CheckItem::new(Check::List, CheckState::NotReady, detail, Some(SYNC))];
    }
    let items = events.iter().flat_map(|event| {
        let list = list(ledger, event).unwrap_or_else(|error| CheckItem::broken(Check::List, &error));
        [held_keys(event, keys), list, clock(ledger, event)].map(|item| item.about(event))
    });
    items.collect()
}

fn held_keys(event: &EventInfo, keys: &KeyRing) -> CheckItem {
    match keys.version(event.event_id) {
        Some(version) if version >= event.key_version => {
            CheckItem::new(Check::Keys, CheckState::Ready, "keys held", None)
        }
        Some(_) => CheckItem::new(Check::Keys, CheckState::NotReady, "newer keys exist", Some(SYNC)),
        None => CheckItem::new(Check::Keys, CheckState::NotReady, "no keys held", Some(SYNC)),
    }
}

fn list(ledger: &mut Ledger, event: &EventInfo) -> Result<CheckItem, LedgerError> {
    let tickets = count(ledger.counts(event.event_id)?.tickets, "ticket");
    let limit_ms = i64::from(event.policy.list_max_age_minutes) * 60_000;
    let (fine, detail) = match ledger.list_age_ms(event.event_id)? {
        None => (false, format!("not complete ({tickets} so far)")),
        Some(age) => (age <= limit_ms, format!("{tickets}, {} old", duration(age))),
    };
    Ok(needs_sync(Check::List, fine, detail, SYNC))
}

fn clock(ledger: &mut Ledger, event: &EventInfo) -> CheckItem {
    let next = "sync this device, and set its clock if it stays";
    let reading = ledger.now();
    let Some(error) = reading.error_ms else {
        let detail = "time not to be trusted: never compared, or set by hand";
        return needs_sync(Check::Clock, false, detail.to_owned(), next);
    };
    let offset = clock_offset(reading.offset_ms, error);
    let detail = format!("time known to {}; this device's own clock is {offset}", duration(error));
    needs_sync(Check::Clock, error <= i64::from(event.policy.clock_max_error_ms), detail, next)
}

fn needs_sync(check: Check, fine: bool, detail: String, next: &str) -> CheckItem {
    let state = if fine { CheckState::Ready } else { CheckState::NotReady };
    CheckItem::new(check, state, detail, (!fine).then_some(next))
}

fn unsent(ledger: &mut Ledger) -> Result<CheckItem, LedgerError> {
    let unsent = ledger.unsent_summary()?;
    let Some(age) = unsent.oldest_age_ms else {
        return Ok(CheckItem::new(Check::Unsent, CheckState::Ready, "every scan is uploaded", None));
    };
    let detail = format!("{} to upload, the oldest {} old", count(unsent.count, "scan"), duration(age));
    let state = if age > UNSENT_LONG_MS { CheckState::Warning } else { CheckState::Ready };
    Ok(CheckItem::new(Check::Unsent, state, detail, Some(SYNC)))
}
