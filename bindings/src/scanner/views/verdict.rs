//! What came of an attempt.

use std::time::SystemTime;

use liventix_core::rules::{Confidence, Direction, Flag, Outcome, Reason};
use liventix_core::scan::{self, DoorContext};

use crate::convert::time;

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
    /// Where a supervisor let them in: why the rules would not have.
    pub overruled: Option<Reason>,
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
    pub(in crate::scanner) fn of(verdict: scan::Verdict, context: &DoorContext) -> Self {
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
            overruled: decision.overruled,
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

/// A passage that was taken back. That is durable by the time anyone sees it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Undone {
    /// The scan that says so.
    pub scan_id: String,
    /// Its place in the ledger.
    pub seq: i64,
    /// The scan that was taken back.
    pub undoes: String,
    /// When it was taken back, corrected to server time.
    pub at: SystemTime,
    /// How many people had passed.
    pub people: u16,
    /// Which way.
    pub direction: Direction,
    /// The ticket.
    pub ticket_id: String,
    /// How many people may enter on the ticket now; none where unlimited or unknown.
    pub remaining: Option<u32>,
}

impl From<scan::Undone> for Undone {
    fn from(undone: scan::Undone) -> Self {
        Self {
            scan_id: undone.scan_id.to_string(),
            seq: undone.seq,
            undoes: undone.undoes.to_string(),
            at: time(undone.at),
            people: undone.people,
            direction: undone.direction,
            ticket_id: undone.ticket_id.to_string(),
            remaining: undone.remaining,
        }
    }
}
