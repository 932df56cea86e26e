//! `check`: may doors open with this device?

use liventix_core::ledger::{DeviceState, LedgerError};
use liventix_core::rules::EventInfo;
use liventix_core::sync::SyncError;
use liventix_core::sync::secrets::DEVICE_TOKEN;
use liventix_core::ticket::verify::KeyRing;

use crate::cli::CheckArgs;
use crate::door::Door;
use crate::error::{DoorError, NOT_READY};
use crate::render;
use crate::views::{CheckState, CheckView};

mod sample;

/// Unsent scans older than this deserve a word.
const UNSENT_LONG_MS: i64 = 60 * 60_000;

/// Runs the command.
pub(crate) async fn run(door: &Door, args: &CheckArgs) -> Result<u8, DoorError> {
    let mut items = vec![storage(door), chain(door)];
    let device = door.ledger().device()?;
    items.push(device_item(door, device.as_ref()));
    if let Some(device) = &device {
        let keys = door.engine(&device.server_url)?.load_keys()?;
        let events = door.ledger().events()?;
        if events.is_empty() {
            let next = "run liventix-door sync";
            items.push(item("list", CheckState::NotReady, "no event on this device yet", Some(next)));
        }
        for event in &events {
            items.push(keys_item(event, &keys));
            items.push(list_item(door, event)?);
            items.push(clock_item(door, event));
        }
        items.push(unsent_item(door)?);
        if !args.offline {
            items.push(server_item(door, device).await?);
        }
    }
    items.push(sample::check(door));
    for view in &items {
        if door.output.json {
            door.output.say("check", view, |_, _| String::new())?;
        }
    }
    door.output.tell(&render::check(&items, door.output.look))?;
    let ready = items.iter().all(|item| item.state != CheckState::NotReady);
    Ok(if ready { 0 } else { NOT_READY })
}

fn item(check: &'static str, state: CheckState, detail: impl Into<String>, next: Option<&str>) -> CheckView {
    CheckView { check, state, detail: detail.into(), next: next.map(str::to_owned) }
}

fn storage(door: &Door) -> CheckView {
    match door.ledger().check_storage() {
        Ok(()) => item("storage", CheckState::Ready, "the ledger can be written and is undamaged", None),
        Err(error) => broken("storage", &error),
    }
}

fn chain(door: &Door) -> CheckView {
    match door.ledger().verify_chain() {
        Ok(report) if report.is_whole() => {
            let detail = format!("{} in an unbroken chain", render::count(report.scans, "scan"));
            item("chain", CheckState::Ready, detail, None)
        }
        Ok(report) => {
            let detail = format!(
                "the chain of scans is broken in {}",
                render::count(report.breaks.len() as u64, "place")
            );
            item(
                "chain",
                CheckState::Warning,
                detail,
                Some("tell the organiser: scans were lost or altered on this machine"),
            )
        }
        Err(error) => broken("chain", &error),
    }
}

fn broken(check: &'static str, error: &LedgerError) -> CheckView {
    item(check, CheckState::NotReady, error.to_string(), None)
}

fn device_item(door: &Door, device: Option<&DeviceState>) -> CheckView {
    let enrol = Some("get an enrolment QR from the organiser and run liventix-door enrol");
    let Some(device) = device else {
        return item("device", CheckState::NotReady, "this machine is not enrolled", enrol);
    };
    if device.revoked {
        return item("device", CheckState::NotReady, "the organiser revoked this device", enrol);
    }
    match door.parts.secrets.get(DEVICE_TOKEN) {
        Ok(Some(_)) => {
            let detail = format!("{} of {}", device.device_name, device.organiser_name);
            item("device", CheckState::Ready, detail, None)
        }
        Ok(None) => item("device", CheckState::NotReady, "the device's token is missing", enrol),
        Err(error) => item("device", CheckState::NotReady, error.to_string(), None),
    }
}

fn keys_item(event: &EventInfo, keys: &KeyRing) -> CheckView {
    let sync = Some("run liventix-door sync");
    match keys.version(event.event_id) {
        Some(version) if version >= event.key_version => {
            item("keys", CheckState::Ready, format!("{}: held", event.name), None)
        }
        Some(_) => item("keys", CheckState::NotReady, format!("{}: newer keys exist", event.name), sync),
        None => item("keys", CheckState::NotReady, format!("{}: none held", event.name), sync),
    }
}

fn list_item(door: &Door, event: &EventInfo) -> Result<CheckView, DoorError> {
    let mut ledger = door.ledger();
    let tickets = render::count(ledger.counts(event.event_id)?.tickets, "ticket");
    let sync = Some("run liventix-door sync");
    let limit_ms = i64::from(event.policy.list_max_age_minutes) * 60_000;
    Ok(match ledger.list_age_ms(event.event_id)? {
        None => item(
            "list",
            CheckState::NotReady,
            format!("{}: not complete ({tickets} so far)", event.name),
            sync,
        ),
        Some(age) => {
            let detail = format!("{}: {tickets}, {} old", event.name, render::duration(age));
            let state = if age > limit_ms { CheckState::NotReady } else { CheckState::Ready };
            item("list", state, detail, sync.filter(|_| age > limit_ms))
        }
    })
}

fn clock_item(door: &Door, event: &EventInfo) -> CheckView {
    let reading = door.ledger().now();
    let sync = Some("run liventix-door sync, and set this machine's clock if it stays");
    let Some(error) = reading.error_ms else {
        return item(
            "clock",
            CheckState::NotReady,
            "not to be trusted: never compared, or set by hand",
            sync,
        );
    };
    let offset = render::clock_offset(reading.offset_ms, error);
    let detail = format!("known to {}; this machine's own is {offset}", render::duration(error));
    let fine = error <= i64::from(event.policy.clock_max_error_ms);
    item("clock", if fine { CheckState::Ready } else { CheckState::NotReady }, detail, sync.filter(|_| !fine))
}

fn unsent_item(door: &Door) -> Result<CheckView, DoorError> {
    let unsent = door.ledger().unsent_summary()?;
    let waiting = render::count(unsent.count, "scan");
    Ok(match unsent.oldest_age_ms {
        None => item("unsent", CheckState::Ready, "every scan is uploaded", None),
        Some(age) => {
            let detail = format!("{waiting} to upload, the oldest {} old", render::duration(age));
            let state = if age > UNSENT_LONG_MS { CheckState::Warning } else { CheckState::Ready };
            item("unsent", state, detail, Some("run liventix-door sync"))
        }
    })
}

/// A door works without its server, so this one only warns.
async fn server_item(door: &Door, device: &DeviceState) -> Result<CheckView, DoorError> {
    let engine = door.engine(&device.server_url)?;
    Ok(match engine.probe().await {
        Ok(()) => item("server", CheckState::Ready, format!("{} answers", device.server_url), None),
        Err(SyncError::Revoked { .. }) => item(
            "server",
            CheckState::NotReady,
            "the organiser revoked this device",
            Some("ask for a new enrolment QR"),
        ),
        Err(error) => item(
            "server",
            CheckState::Warning,
            error.to_string(),
            Some("scanning works without it; other doors' scans will not be known here"),
        ),
    })
}
