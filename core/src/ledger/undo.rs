//! A passage taken back: looked up, checked and recorded in a single transaction.

use rusqlite::Connection;

use super::cache::KnownEvent;
use super::device::DeviceState;
use super::history::passages;
use super::manifest::{KnownTicket, ticket_row};
use super::outbox::Names;
use super::record::{Hash, ScanRecord};
use super::rows::scan_columns;
use super::{Ledger, LedgerError, Note};
use crate::clock::TimeReading;
use crate::ids::{ScanId, TicketId};
use crate::rules::{Confidence, Outcome, Passage, Reason, Standing, UndoRefusal, may_undo};

/// A passage about to be taken back.
pub(crate) struct UndoAttempt<'a> {
    pub(crate) device: &'a DeviceState,
    pub(crate) scan_id: ScanId,
    pub(crate) note: Note,
    pub(crate) time: TimeReading,
}

/// Why it stays. Nothing was recorded.
pub(crate) enum UndoFailure {
    /// This device made no such scan.
    Unknown,
    /// The device may no longer scan where it was made.
    NotAssigned,
    /// The rules say no.
    Refused(UndoRefusal),
}

/// A passage taken back, durably.
pub(crate) struct Taken {
    pub(crate) scan: ScanRecord,
    pub(crate) ticket_id: TicketId,
    /// How many people may enter on the ticket now; none where unlimited or unknown.
    pub(crate) remaining: Option<u32>,
}

impl Ledger {
    /// Takes a passage back, if that may be. When this returns, it is durable.
    pub(crate) fn record_undo(
        &mut self,
        attempt: &UndoAttempt<'_>,
    ) -> Result<Result<Taken, UndoFailure>, LedgerError> {
        let taken = self.write(|transaction| {
            let target = match find(transaction, attempt)? {
                Ok(target) => target,
                Err(failure) => return Ok(Err(failure)),
            };
            let event = self.need_event(transaction, target.scan.event_id)?;
            let mut known = passages(transaction, event.number, target.ticket_id)?;
            let policy = &event.info.policy;
            if let Err(refusal) = may_undo(&target.passage, &known, policy, attempt.time.now()) {
                return Ok(Err(UndoFailure::Refused(refusal)));
            }
            let tail = self.tail(transaction)?;
            self.time.store(transaction, tail.seq)?;
            let scan_id = self.next_scan_id(attempt.time.now(), &tail);
            let scan = self.append(transaction, event.number, &tail, describe(attempt, &target, scan_id))?;
            known.extend(scan.passage());
            let remaining = remaining(transaction, &event, target.ticket_id, &known)?;
            Ok(Ok(Taken { scan, ticket_id: target.ticket_id, remaining }))
        })?;
        if let Ok(taken) = &taken {
            self.time.stored();
            self.count_scan(&taken.scan);
        }
        Ok(taken)
    }
}

/// What is to be taken back.
struct Target {
    scan: ScanRecord,
    ticket_id: TicketId,
    passage: Passage,
}

fn find(
    connection: &Connection,
    attempt: &UndoAttempt<'_>,
) -> Result<Result<Target, UndoFailure>, LedgerError> {
    let names = Names::load(connection)?;
    // No index has the id: what is taken back is among the last scans.
    let mut select = connection.prepare_cached(concat!(
        "SELECT ",
        scan_columns!(),
        " FROM scans WHERE scan_id = ?1 ORDER BY id DESC LIMIT 1"
    ))?;
    let mut rows = select.query([attempt.scan_id])?;
    let Some(row) = rows.next()? else { return Ok(Err(UndoFailure::Unknown)) };
    let scan = names.record(row)?;
    if scan.device_id != attempt.device.device_id {
        return Ok(Err(UndoFailure::Unknown));
    }
    if !attempt.device.may_scan(scan.event_id, scan.gate_id) {
        return Ok(Err(UndoFailure::NotAssigned));
    }
    Ok(match (scan.ticket_id, scan.passage()) {
        (Some(ticket_id), Some(passage)) => Ok(Target { scan, ticket_id, passage }),
        _ => Err(UndoFailure::Refused(UndoRefusal::NotAPassage)),
    })
}

/// The record that takes `target` back, but for its place in the chain.
fn describe(attempt: &UndoAttempt<'_>, target: &Target, scan_id: ScanId) -> ScanRecord {
    ScanRecord {
        scan_id,
        outcome: Outcome::Admit,
        reason: Reason::Undone,
        confidence: Confidence::Green,
        flags: Vec::new(),
        first_admission: None,
        wall_ms: attempt.time.wall_ms,
        mono_ms: attempt.time.mono_ms,
        offset_ms: attempt.time.offset_ms,
        error_ms: attempt.time.error_ms,
        overruled: None,
        undoes: Some(target.scan.scan_id),
        note: Some(attempt.note.as_str().to_owned()),
        prev_hash: Hash([0; 32]),
        hash: Hash([0; 32]),
        ..target.scan.clone()
    }
}

fn remaining(
    connection: &Connection,
    event: &KnownEvent,
    ticket_id: TicketId,
    passages: &[Passage],
) -> Result<Option<u32>, LedgerError> {
    let Some(entry) = ticket_row(connection, event.number, ticket_id)? else { return Ok(None) };
    let allowance = KnownTicket::new(event, entry).facts().allowance();
    Ok(Standing::fold(allowance, passages).remaining(allowance))
}
