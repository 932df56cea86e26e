//! What a scanner hands out.

use std::time::{Duration, SystemTime};

use liventix_core::ids::{EventId, ScanId};
use liventix_core::ledger::record::ScanRecord;
use liventix_core::ledger::{self, DeviceState, Ledger, LedgerError};
use liventix_core::rules::{Confidence, Direction, EventInfo, Evidence, Flag, Outcome, Passage, Reason};
use liventix_core::scan::{self, DoorContext};
use liventix_core::sync::wire::{self, ForeignPassage};
use liventix_core::sync::{self, Progress};

use crate::convert::{duration, time};

/// What was found at the ledger's path.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum OpenReport {
    /// Nothing; an empty ledger was made.
    Created,
    /// A ledger in good order.
    Opened,
    /// A damaged ledger, which was set aside; what could be read is in a new one.
    Rescued {
        /// Where the damaged file lies now. Keep it if anything is missing.
        set_aside: String,
        /// Scans saved.
        scans: u64,
        /// Scans known to be missing. What was lost after the last saved scan cannot be counted.
        missing: u64,
        /// Whether the whole list was saved too. If not, the next sync loads it again.
        list_saved: bool,
    },
}

impl From<ledger::OpenReport> for OpenReport {
    fn from(report: ledger::OpenReport) -> Self {
        match report {
            ledger::OpenReport::Created => Self::Created,
            ledger::OpenReport::Opened => Self::Opened,
            ledger::OpenReport::Rescued(rescue) => Self::Rescued {
                set_aside: rescue.set_aside.display().to_string(),
                scans: rescue.scans,
                missing: rescue.missing,
                list_saved: rescue.manifest,
            },
        }
    }
}

/// What this installation is enrolled as.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Device {
    /// The device.
    pub device_id: String,
    /// What people call it, e.g. `North gate 2`.
    pub device_name: String,
    /// Whose device it is.
    pub organiser_name: String,
    /// Where it syncs.
    pub server_url: String,
    /// What it may scan.
    pub assignments: Vec<Assignment>,
    /// Whether the organiser revoked it: it may then only send what it still holds.
    pub revoked: bool,
}

/// One event a device may scan.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Assignment {
    /// The event.
    pub event_id: String,
    /// Its name.
    pub event_name: String,
    /// The gates it may scan at; empty means every gate of the event.
    pub gate_ids: Vec<String>,
}

impl From<&wire::Assignment> for Assignment {
    fn from(assignment: &wire::Assignment) -> Self {
        Self {
            event_id: assignment.event_id.to_string(),
            event_name: assignment.event_name.clone(),
            gate_ids: assignment.gate_ids.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<DeviceState> for Device {
    fn from(device: DeviceState) -> Self {
        Self {
            device_id: device.device_id.to_string(),
            assignments: device.assignments.iter().map(Assignment::from).collect(),
            device_name: device.device_name,
            organiser_name: device.organiser_name,
            server_url: device.server_url,
            revoked: device.revoked,
        }
    }
}

/// An event as a door knows it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Event {
    /// The event.
    pub event_id: String,
    /// Its name.
    pub name: String,
    /// When it starts.
    pub starts_at: SystemTime,
    /// When it ends.
    pub ends_at: SystemTime,
    /// IANA name of the time zone in which people read its times, e.g. `Europe/Paris`.
    pub time_zone: String,
    /// The gates this device may stand at.
    pub gates: Vec<Gate>,
    /// How old the list is; none if it was never complete.
    pub list_age: Option<Duration>,
}

/// A place where tickets are scanned.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Gate {
    /// Its id.
    pub gate_id: String,
    /// What people call it, e.g. `North gate`.
    pub name: String,
}

impl Event {
    pub(super) fn of(event: EventInfo, assignment: &wire::Assignment, list_age_ms: Option<i64>) -> Self {
        let allowed = &assignment.gate_ids;
        let gates =
            event.gates.into_iter().filter(|gate| allowed.is_empty() || allowed.contains(&gate.gate_id));
        Self {
            event_id: event.event_id.to_string(),
            name: event.name,
            starts_at: time(event.starts_at),
            ends_at: time(event.ends_at),
            time_zone: event.time_zone,
            gates: gates.map(|gate| Gate { gate_id: gate.gate_id.to_string(), name: gate.name }).collect(),
            list_age: list_age_ms.map(duration),
        }
    }
}

/// What came of a scan. It is durable by the time anyone sees it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Verdict {
    /// The scan.
    pub scan_id: String,
    /// Its place in the ledger: 1, 2, 3 … without gaps.
    pub seq: i64,
    /// When, corrected to server time.
    pub at: SystemTime,
    /// May they pass?
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// The reason's stable name, e.g. `already_used`: for logs and translations.
    pub reason_code: String,
    /// How sure is it?
    pub confidence: Confidence,
    /// What could not be checked.
    pub flags: Vec<Flag>,
    /// How many people passed: 0 unless admitted.
    pub people: u16,
    /// How many people may still enter on this ticket; none where unlimited or unknown.
    pub remaining: Option<u32>,
    /// All that in one English line for the door, e.g. `Welcome, Ada Lovelace · Weekend pass`.
    pub line: String,
    /// The ticket, if this device knows it.
    pub ticket: Option<TicketView>,
    /// For a duplicate: the admission it ran into.
    pub first_admission: Option<FirstAdmission>,
}

/// What a door shows of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TicketView {
    /// The ticket.
    pub ticket_id: String,
    /// What people call its type.
    pub type_name: String,
    /// Who holds it.
    pub attendee_name: Option<String>,
}

/// The admission that a duplicate ran into.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FirstAdmission {
    /// The scan that admitted.
    pub scan_id: String,
    /// When, corrected to server time.
    pub at: SystemTime,
    /// At which gate.
    pub gate_id: String,
    /// What people call that gate, if this device knows it.
    pub gate_name: Option<String>,
    /// By which device.
    pub device_id: String,
    /// Whether that was this device.
    pub this_device: bool,
}

impl Verdict {
    pub(super) fn of(verdict: scan::Verdict, context: &DoorContext) -> Self {
        let decision = verdict.decision;
        let first_gate = verdict.first_gate;
        Self {
            scan_id: verdict.scan_id.to_string(),
            seq: verdict.seq,
            at: time(verdict.at),
            outcome: decision.outcome,
            reason: decision.reason,
            reason_code: decision.reason.code().to_owned(),
            confidence: decision.confidence,
            flags: decision.flags,
            people: decision.people,
            remaining: decision.remaining,
            line: verdict.line,
            ticket: verdict.ticket.map(TicketView::from),
            first_admission: decision.first_admission.map(|first| FirstAdmission {
                scan_id: first.scan_id.to_string(),
                at: time(first.at),
                gate_id: first.gate_id.to_string(),
                gate_name: first_gate,
                device_id: first.device_id.to_string(),
                this_device: first.device_id == context.device_id,
            }),
        }
    }
}

impl From<scan::TicketView> for TicketView {
    fn from(ticket: scan::TicketView) -> Self {
        Self {
            ticket_id: ticket.ticket_id.to_string(),
            type_name: ticket.type_name,
            attendee_name: ticket.attendee_name,
        }
    }
}

/// Live numbers of one event, as far as this device knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Counts {
    /// Tickets on the list.
    pub tickets: u64,
    /// People who came in, at any door.
    pub admitted_people: u64,
    /// People inside now.
    pub inside: u64,
    /// Tickets that were admitted more often than they allow.
    pub conflicts: u64,
    /// Scans made on this device.
    pub scans_here: u64,
    /// Those of them that were refused.
    pub refused_here: u64,
    /// Those of them that showed an unsigned code of an older system.
    pub legacy_here: u64,
    /// Those of them that could not be sure of something.
    pub flagged_here: u64,
}

impl From<ledger::Counts> for Counts {
    fn from(counts: ledger::Counts) -> Self {
        let ledger::Counts {
            tickets,
            admitted_people,
            inside,
            conflicts,
            scans_here,
            refused_here,
            legacy_here,
            flagged_here,
        } = counts;
        Self {
            tickets,
            admitted_people,
            inside,
            conflicts,
            scans_here,
            refused_here,
            legacy_here,
            flagged_here,
        }
    }
}

/// A ticket that was admitted more often than it allows.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Conflict {
    /// The event.
    pub event_id: String,
    /// The ticket.
    pub ticket_id: String,
    /// Who holds it, if the list says.
    pub attendee_name: Option<String>,
    /// How many people were too many.
    pub people: u32,
    /// The earliest admission, which stands.
    pub standing: Side,
    /// The later one, which should not have been.
    pub excess: Side,
}

/// One side of a conflict.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Side {
    /// The scan.
    pub scan_id: String,
    /// When, corrected to server time.
    pub at: SystemTime,
    /// How many people.
    pub people: u16,
    /// At which gate.
    pub gate_id: String,
    /// What people call that gate, if this device knows it.
    pub gate_name: Option<String>,
    /// By which device.
    pub device_id: String,
}

fn gate_name(event: Option<&EventInfo>, passage: &Passage) -> Option<String> {
    event?.gate(passage.gate_id).map(|gate| gate.name.clone())
}

impl Side {
    fn of(event: Option<&EventInfo>, passage: &Passage) -> Self {
        Self {
            scan_id: passage.scan_id.to_string(),
            at: time(passage.at),
            people: passage.people,
            gate_id: passage.gate_id.to_string(),
            gate_name: gate_name(event, passage),
            device_id: passage.device_id.to_string(),
        }
    }
}

impl Conflict {
    /// Every conflict of an event, each with the scan that is too many.
    pub(super) fn list(ledger: &Ledger, event_id: EventId) -> Result<Vec<(ScanId, Self)>, LedgerError> {
        let event = ledger.event(event_id)?;
        let conflicts = ledger.conflicts(event_id)?.into_iter().map(|found| {
            let conflict = Self {
                event_id: event_id.to_string(),
                ticket_id: found.ticket_id.to_string(),
                attendee_name: found.attendee_name,
                people: found.conflict.people,
                standing: Side::of(event.as_ref(), &found.conflict.standing),
                excess: Side::of(event.as_ref(), &found.conflict.excess),
            };
            (found.conflict.excess.scan_id, conflict)
        });
        Ok(conflicts.collect())
    }
}

/// People who passed at another door.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OtherDoorScan {
    /// The event.
    pub event_id: String,
    /// The scan.
    pub scan_id: String,
    /// The ticket.
    pub ticket_id: String,
    /// Who holds it, if the list says.
    pub attendee_name: Option<String>,
    /// When, corrected to server time.
    pub at: SystemTime,
    /// In or out.
    pub direction: Direction,
    /// How many people.
    pub people: u16,
    /// At which gate.
    pub gate_id: String,
    /// What people call that gate, if this device knows it.
    pub gate_name: Option<String>,
    /// By which device.
    pub device_id: String,
}

impl OtherDoorScan {
    pub(super) fn list(ledger: &Ledger, event_id: EventId, passages: &[ForeignPassage]) -> Vec<Self> {
        let event = ledger.event(event_id).ok().flatten();
        let of = |foreign: &ForeignPassage| {
            let passage = &foreign.passage;
            let ticket = ledger.ticket(event_id, foreign.ticket_id).ok().flatten();
            Self {
                event_id: event_id.to_string(),
                scan_id: passage.scan_id.to_string(),
                ticket_id: foreign.ticket_id.to_string(),
                attendee_name: ticket.and_then(|ticket| ticket.attendee_name),
                at: time(passage.at),
                direction: passage.direction,
                people: passage.people,
                gate_id: passage.gate_id.to_string(),
                gate_name: gate_name(event.as_ref(), passage),
                device_id: passage.device_id.to_string(),
            }
        };
        passages.iter().map(of).collect()
    }
}

/// A scan made on this device.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ScanRow {
    /// The scan.
    pub scan_id: String,
    /// Its place in the ledger: 1, 2, 3 … without gaps.
    pub seq: i64,
    /// The event.
    pub event_id: String,
    /// The gate.
    pub gate_id: String,
    /// The ticket, where the code named one.
    pub ticket_id: Option<String>,
    /// In or out.
    pub direction: Direction,
    /// People who passed.
    pub people: u16,
    /// May they pass?
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// How sure was it?
    pub confidence: Confidence,
    /// What could not be checked.
    pub flags: Vec<Flag>,
    /// When, corrected to server time.
    pub at: SystemTime,
    /// How far that may be off; none if nobody knows.
    pub clock_error: Option<Duration>,
    /// The admission a duplicate ran into.
    pub first_admission: Option<String>,
}

impl From<ScanRecord> for ScanRow {
    fn from(scan: ScanRecord) -> Self {
        Self {
            scan_id: scan.scan_id.to_string(),
            seq: scan.seq,
            event_id: scan.event_id.to_string(),
            gate_id: scan.gate_id.to_string(),
            ticket_id: scan.ticket_id.map(|id| id.to_string()),
            direction: scan.direction,
            people: scan.people,
            outcome: scan.outcome,
            reason: scan.reason,
            confidence: scan.confidence,
            at: time(scan.at()),
            clock_error: scan.error_ms.map(duration),
            flags: scan.flags,
            first_admission: scan.first_admission.map(|first: Evidence| first.scan_id.to_string()),
        }
    }
}

/// A scan the server set aside.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct QuarantinedScan {
    /// The scan.
    pub scan: ScanRow,
    /// The stable code that says why, e.g. `device_revoked`.
    pub code: String,
}

/// What waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Unsent {
    /// How many scans.
    pub count: u64,
    /// How long the oldest has waited; none if nothing waits.
    pub oldest_age: Option<Duration>,
}

impl From<ledger::Unsent> for Unsent {
    fn from(unsent: ledger::Unsent) -> Self {
        Self { count: unsent.count, oldest_age: unsent.oldest_age_ms.map(duration) }
    }
}

/// What one sync did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct SyncReport {
    /// Scans the server stored and merged now.
    pub pushed: u64,
    /// Scans it already had: an earlier upload whose answer was lost.
    pub duplicates: u64,
    /// Scans it set aside: see [`crate::Scanner::quarantined`].
    pub quarantined: u64,
    /// Tickets that came or changed.
    pub tickets: u64,
    /// Passages at other doors that came.
    pub passages: u64,
    /// Bytes received, after decompression.
    pub bytes: u64,
    /// Server time minus this machine's wall clock (milliseconds).
    pub clock_offset_ms: i64,
    /// How far that may be off; none if nobody knows.
    pub clock_error: Option<Duration>,
    /// How long it took.
    pub took: Duration,
}

impl From<sync::SyncReport> for SyncReport {
    fn from(report: sync::SyncReport) -> Self {
        Self {
            pushed: report.pushed,
            duplicates: report.duplicates,
            quarantined: report.quarantined,
            tickets: report.tickets,
            passages: report.passages,
            bytes: report.bytes,
            clock_offset_ms: report.offset_ms,
            clock_error: report.error_ms.map(duration),
            took: duration(report.duration_ms),
        }
    }
}

/// How far a sync is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum SyncProgress {
    /// Comparing clocks.
    Clock,
    /// Uploading scans.
    Pushing {
        /// Scans with a receipt so far.
        sent: u64,
        /// Scans without one.
        remaining: u64,
    },
    /// Fetching the keys of an event.
    Keys {
        /// The event.
        event_id: String,
    },
    /// Downloading an event's list.
    Pulling {
        /// The event.
        event_id: String,
        /// Rows (tickets and passages) applied so far.
        done: u64,
        /// Rows in all.
        total: u64,
    },
}

impl SyncProgress {
    /// None for what is told elsewhere.
    pub(super) fn of(progress: &Progress) -> Option<Self> {
        Some(match *progress {
            Progress::Clock => Self::Clock,
            Progress::Pushing { sent, remaining } => Self::Pushing { sent, remaining },
            Progress::Keys { event_id } => Self::Keys { event_id: event_id.to_string() },
            Progress::Pulling { event_id, done, total } => {
                Self::Pulling { event_id: event_id.to_string(), done, total }
            }
            Progress::Merged { .. } => return None,
        })
    }
}

/// Whether the server is in touch.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum LinkState {
    /// It is.
    Online,
    /// It is not; it is tried again by itself. Scanning goes on.
    Offline {
        /// The stable code of the cause, e.g. `offline`, `intercepted`.
        code: String,
        /// For people.
        detail: String,
        /// How long until the next try.
        retry_in: Duration,
    },
    /// Watching ended: a person has to do something.
    Stopped {
        /// The stable code of the cause, e.g. `device_revoked`.
        code: String,
        /// For people.
        detail: String,
    },
}

impl LinkState {
    /// Whether telling it after `other` tells nothing new: another try that failed alike is no news.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Online, Self::Online) => true,
            (Self::Offline { code: a, .. }, Self::Offline { code: b, .. }) => a == b,
            _ => self == other,
        }
    }
}
