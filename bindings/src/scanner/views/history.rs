//! What happened, here and at other doors.

use std::time::{Duration, SystemTime};

use liventix_core::ids::{EventId, ScanId};
use liventix_core::ledger::record::ScanRecord;
use liventix_core::ledger::{self, Ledger, LedgerError};
use liventix_core::rules::{
    Confidence, Direction, EventInfo, Evidence, Flag, Outcome, Passage, Reason, TicketStatus,
};
use liventix_core::sync::wire::ForeignPassage;

use crate::convert::{duration, time};

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
    pub(in crate::scanner) fn list(
        ledger: &Ledger,
        event_id: EventId,
    ) -> Result<Vec<(ScanId, Self)>, LedgerError> {
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

/// People who passed at another door, or whose passage was taken back there.
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
    /// Whether a supervisor let them in though the rules did not.
    pub forced: bool,
    /// The passage it took back, where it is no passage but an undo.
    pub undoes: Option<String>,
}

impl OtherDoorScan {
    pub(in crate::scanner) fn list(
        ledger: &Ledger,
        event_id: EventId,
        passages: &[ForeignPassage],
    ) -> Vec<Self> {
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
                forced: passage.forced,
                undoes: passage.undoes.map(|id| id.to_string()),
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
    /// The passage it took back, where it is no attempt but an undo.
    pub undoes: Option<String>,
    /// Where a supervisor let them in: why the rules would not have.
    pub overruled: Option<Reason>,
    /// Why it was forced or taken back, in a person's words.
    pub note: Option<String>,
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
            undoes: scan.undoes.map(|id| id.to_string()),
            overruled: scan.overruled,
            note: scan.note,
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

/// A ticket found by the name of who holds it, and how far it is used, as far as this device knows.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FoundTicket {
    /// The ticket.
    pub ticket_id: String,
    /// Who holds it.
    pub attendee_name: String,
    /// What people call its type.
    pub type_name: String,
    /// Where it stands.
    pub status: TicketStatus,
    /// How many people may still enter on it; none where unlimited.
    pub remaining: Option<u32>,
    /// People inside on it now.
    pub inside: u32,
    /// When it last passed, in or out; none if never.
    pub last_passage_at: Option<SystemTime>,
}

impl From<ledger::FoundTicket> for FoundTicket {
    fn from(found: ledger::FoundTicket) -> Self {
        Self {
            ticket_id: found.ticket_id.to_string(),
            attendee_name: found.attendee_name,
            type_name: found.type_name,
            status: found.status,
            remaining: found.remaining,
            inside: found.inside,
            last_passage_at: found.last_passage_at.map(time),
        }
    }
}
