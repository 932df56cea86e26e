//! One scan at a place, and what it looks like afterwards.

use liventix_core::ids::TicketId;
use liventix_core::ledger::Ledger;
use liventix_core::rules::Direction;
use liventix_core::scan::{DoorContext, Verdict, admit_listed, force, force_listed, scan};
use liventix_core::ticket::verify::KeyRing;

use crate::cli::PassingArgs;
use crate::door::Place;
use crate::error::DoorError;
use crate::views::{FirstView, VerdictView};

/// How people pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passing {
    /// In or out.
    pub(crate) direction: Direction,
    /// How many on one code.
    pub(crate) people: u16,
}

impl Passing {
    /// As the arguments say.
    pub(crate) const fn of(args: &PassingArgs) -> Self {
        let direction = if args.exit { Direction::Exit } else { Direction::Entry };
        Self { direction, people: args.people }
    }
}

/// What a guest shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A code, scanned or typed.
    Text(String),
    /// Themselves: the ticket was found by name.
    Listed(TicketId),
}

/// Scans what a guest shows; with `why`, a supervisor lets them pass in spite of a refusal. The verdict is
/// durable when this returns.
pub(crate) fn pass(
    ledger: &mut Ledger,
    keys: &KeyRing,
    place: &Place,
    passing: Passing,
    shown: &Shown,
    why: Option<&str>,
) -> Result<VerdictView, DoorError> {
    let context = DoorContext {
        event_id: place.event.event_id,
        gate_id: place.gate.gate_id,
        device_id: place.device_id,
        direction: passing.direction,
        people: passing.people,
    };
    let verdict = match (shown, why) {
        (Shown::Text(text), None) => scan(ledger, keys, &context, text)?,
        (Shown::Text(text), Some(why)) => force(ledger, keys, &context, text, why)?,
        (Shown::Listed(ticket_id), None) => admit_listed(ledger, &context, *ticket_id)?,
        (Shown::Listed(ticket_id), Some(why)) => force_listed(ledger, &context, *ticket_id, why)?,
    };
    Ok(view(verdict, place, passing.direction))
}

fn view(verdict: Verdict, place: &Place, direction: Direction) -> VerdictView {
    let decision = verdict.decision;
    let (ticket_id, ticket_type, attendee_name) = match verdict.ticket {
        Some(ticket) => (Some(ticket.ticket_id), Some(ticket.type_name), ticket.attendee_name),
        None => (None, None, None),
    };
    let first_admission = decision.first_admission.map(|first| FirstView {
        scan_id: first.scan_id,
        at: first.at,
        gate_id: first.gate_id,
        gate: place.event.gate(first.gate_id).map(|gate| gate.name.clone()),
        device_id: first.device_id,
        this_device: first.device_id == place.device_id,
    });
    VerdictView {
        scan_id: verdict.scan_id,
        seq: verdict.seq,
        at: verdict.at,
        outcome: decision.outcome,
        confidence: decision.confidence,
        reason: decision.reason,
        line: verdict.line,
        flags: decision.flags,
        overruled: decision.overruled,
        direction,
        people: decision.people,
        remaining: decision.remaining,
        ticket_id,
        ticket_type,
        attendee_name,
        gate: place.gate.name.clone(),
        first_admission,
        file: None,
    }
}
