//! One scan into the ledger: look up, decide and append in a single transaction.

use rusqlite::{Connection, OptionalExtension};

use super::cache::KnownEvent;
use super::history::passages;
use super::manifest::{KnownTicket, list_age, ticket_by_legacy_tag, ticket_by_manual_tag, ticket_row};
use super::record::{Fingerprint, Hash, Medium, ScanRecord, genesis};
use super::rows::{INSERT_SCAN, insert_scan, scan_key, seq_of};
use super::{Ledger, LedgerError, Note};
use crate::clock::TimeReading;
use crate::ids::{DeviceId, EventId, GateId, ScanId, TicketId};
use crate::rules::{Decision, Direction, Presented, Reason, Request, decide, force};
use crate::sync::wire::TicketEntry;
use crate::ticket::manual::LookupTag;

/// A scan about to be decided and recorded.
pub(crate) struct Attempt {
    pub(crate) event_id: EventId,
    pub(crate) gate_id: GateId,
    pub(crate) device_id: DeviceId,
    pub(crate) direction: Direction,
    pub(crate) people: u16,
    /// How it was presented, unless a lookup tells better.
    pub(crate) medium: Medium,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) time: TimeReading,
    pub(crate) subject: Subject,
    /// A supervisor overrules what may be overruled, for this reason.
    pub(crate) force: Option<Note>,
}

/// What the scanned text turned out to be.
pub(crate) enum Subject {
    /// Refused before any ticket comes into play.
    Refused(Reason),
    /// A code whose signature is good.
    Signed { ticket_id: TicketId, presented: Presented },
    /// A typed code; if no ticket has it, the same text may be a code of an older system.
    Manual { tag: LookupTag, legacy_tag: LookupTag },
    /// An unsigned code; refused for `unknown` if no ticket fits.
    Legacy { ticket_id: Option<TicketId>, tag: LookupTag, unknown: Reason },
    /// No code: somebody picked the ticket from the list.
    Listed { ticket_id: TicketId },
}

/// A scan that is durable.
pub(crate) struct Recorded {
    pub(crate) scan: ScanRecord,
    pub(crate) decision: Decision,
    pub(crate) ticket: Option<SeenTicket>,
    /// Where the first admission was, in words.
    pub(crate) first_gate: Option<String>,
}

/// What a door shows of a ticket.
pub(crate) struct SeenTicket {
    pub(crate) ticket_id: TicketId,
    pub(crate) type_name: String,
    pub(crate) attendee_name: Option<String>,
    /// Entries in all; none where unlimited.
    pub(crate) entries: Option<u32>,
    /// The gates it may use; empty means every gate.
    pub(crate) gates: Vec<String>,
}

/// The last scan in the chain.
pub(super) struct Tail {
    /// 0 before the first scan.
    pub(super) seq: i64,
    /// [`genesis`] before the first scan.
    hash: Hash,
    scan_id: Option<ScanId>,
}

/// What was decided, and about which ticket.
struct Judged {
    medium: Medium,
    ticket_id: Option<TicketId>,
    ticket: Option<SeenTicket>,
    decision: Decision,
}

impl Ledger {
    /// Decides one attempt and records it. When this returns, the scan is durable.
    pub(crate) fn record_scan(&mut self, attempt: &Attempt) -> Result<Recorded, LedgerError> {
        let recorded = self.write(|transaction| {
            let event = self.need_event(transaction, attempt.event_id)?;
            let tail = self.tail(transaction)?;
            self.time.store(transaction, tail.seq)?;
            let judged = judge(transaction, &event, attempt)?;
            let scan_id = self.next_scan_id(attempt.time.now(), &tail);
            let scan = self.append(transaction, event.number, &tail, describe(attempt, &judged, scan_id))?;
            let first = judged.decision.first_admission.as_ref();
            let first_gate = first.and_then(|first| event.gate_name(first.gate_id)).map(str::to_owned);
            Ok(Recorded { scan, decision: judged.decision, ticket: judged.ticket, first_gate })
        })?;
        self.time.stored();
        self.count_scan(&recorded.scan);
        Ok(recorded)
    }

    /// Gives a scan of the event with this number its place at the end of the chain, and writes it.
    pub(super) fn append(
        &self,
        transaction: &Connection,
        event: i64,
        tail: &Tail,
        mut scan: ScanRecord,
    ) -> Result<ScanRecord, LedgerError> {
        scan.ledger_id = self.own.ledger_id;
        scan.seq = tail.seq + 1;
        scan.prev_hash = tail.hash;
        scan.hash = scan.compute_hash();
        let mut insert = transaction.prepare_cached(INSERT_SCAN)?;
        insert_scan(&mut insert, self.own.number, event, &scan)?;
        Ok(scan)
    }

    /// The scan that the next one follows.
    pub(super) fn tail(&self, connection: &Connection) -> Result<Tail, LedgerError> {
        let mut select = connection
            .prepare_cached("SELECT id, hash, scan_id FROM scans WHERE id > ?1 ORDER BY id DESC LIMIT 1")?;
        let last = select
            .query_row([scan_key(self.own.number, 0)], |row| {
                Ok(Tail { seq: seq_of(row.get(0)?), hash: row.get(1)?, scan_id: Some(row.get(2)?) })
            })
            .optional()?;
        Ok(last.unwrap_or_else(|| Tail { seq: 0, hash: genesis(self.own.ledger_id), scan_id: None }))
    }

    /// The last scan's `seq`; 0 before the first.
    pub(super) fn last_seq(&self, connection: &Connection) -> Result<i64, LedgerError> {
        Ok(self.tail(connection)?.seq)
    }

    /// An id for a scan at `at` that sorts after the one before it: of two scans in one millisecond
    /// the id says which came first.
    pub(super) fn next_scan_id(&self, at: i64, tail: &Tail) -> ScanId {
        let after = tail.scan_id.map_or(i64::MIN, |last| last.unix_ms().saturating_add(1));
        ScanId::generate(at.max(after), &*self.entropy)
    }
}

/// The record of an attempt, but for its place in the chain.
fn describe(attempt: &Attempt, judged: &Judged, scan_id: ScanId) -> ScanRecord {
    let decision = &judged.decision;
    ScanRecord {
        scan_id,
        device_id: attempt.device_id,
        ledger_id: crate::ids::LedgerId::from_bytes([0; 16]),
        seq: 0,
        event_id: attempt.event_id,
        gate_id: attempt.gate_id,
        ticket_id: judged.ticket_id,
        direction: attempt.direction,
        people: decision.people,
        medium: judged.medium,
        fingerprint: attempt.fingerprint,
        outcome: decision.outcome,
        reason: decision.reason,
        confidence: decision.confidence,
        flags: decision.flags.clone(),
        first_admission: decision.first_admission.clone(),
        wall_ms: attempt.time.wall_ms,
        mono_ms: attempt.time.mono_ms,
        offset_ms: attempt.time.offset_ms,
        error_ms: attempt.time.error_ms,
        overruled: decision.overruled,
        undoes: None,
        note: decision.overruled.and(attempt.force.as_ref()).map(|note| note.as_str().to_owned()),
        prev_hash: Hash([0; 32]),
        hash: Hash([0; 32]),
    }
}

fn judge(connection: &Connection, event: &KnownEvent, attempt: &Attempt) -> Result<Judged, LedgerError> {
    let found = |entry: TicketEntry, medium, presented| {
        let judged = judge_ticket(connection, event, attempt, entry.ticket_id, Some(entry), presented)?;
        Ok(Judged { medium, ..judged })
    };
    match &attempt.subject {
        Subject::Refused(reason) => Ok(refused(attempt, *reason)),
        Subject::Signed { ticket_id, presented } => {
            let entry = ticket_row(connection, event.number, *ticket_id)?;
            judge_ticket(connection, event, attempt, *ticket_id, entry, *presented)
        }
        Subject::Manual { tag, legacy_tag } => {
            if let Some(entry) = ticket_by_manual_tag(connection, event.number, *tag)? {
                return found(entry, Medium::Manual, Presented::Manual);
            }
            match ticket_by_legacy_tag(connection, event.number, *legacy_tag)? {
                Some(entry) => found(entry, Medium::Legacy, Presented::Legacy),
                None => Ok(refused(attempt, Reason::ManualUnknown)),
            }
        }
        // Gone from the list since it was picked.
        Subject::Listed { ticket_id } => match ticket_row(connection, event.number, *ticket_id)? {
            Some(entry) => found(entry, Medium::Listed, Presented::Manual),
            None => Ok(refused(attempt, Reason::Unlisted)),
        },
        Subject::Legacy { ticket_id, tag, unknown } => {
            let by_id = match ticket_id {
                Some(ticket_id) => ticket_row(connection, event.number, *ticket_id)?,
                None => None,
            };
            let entry = match by_id {
                Some(entry) => Some(entry),
                None => ticket_by_legacy_tag(connection, event.number, *tag)?,
            };
            match entry {
                Some(entry) => found(entry, Medium::Legacy, Presented::Legacy),
                None => Ok(refused(attempt, *unknown)),
            }
        }
    }
}

const fn refused(attempt: &Attempt, reason: Reason) -> Judged {
    Judged { medium: attempt.medium, ticket_id: None, ticket: None, decision: Decision::refuse(reason) }
}

fn judge_ticket(
    connection: &Connection,
    event: &KnownEvent,
    attempt: &Attempt,
    ticket_id: TicketId,
    entry: Option<TicketEntry>,
    presented: Presented,
) -> Result<Judged, LedgerError> {
    let passages = passages(connection, event.number, ticket_id)?;
    let known = entry.map(|entry| KnownTicket::new(event, entry));
    // A manifest that contradicts itself is not a fresh one.
    let consistent = known.as_ref().is_none_or(|known| !known.type_missing);
    let fresh_at = event.fresh_at.filter(|_| consistent);
    let request = Request {
        event: &event.info,
        gate_id: attempt.gate_id,
        device_id: attempt.device_id,
        direction: attempt.direction,
        people: attempt.people,
        time: attempt.time,
        list_age_ms: fresh_at.map(|fresh_at| list_age(attempt.time.now(), fresh_at)),
        presented,
        ticket: known.as_ref().map(KnownTicket::facts),
        passages: &passages,
    };
    let decision = if attempt.force.is_some() { force(&request) } else { decide(&request) };
    let ticket = known.map(|known| seen(event, known));
    Ok(Judged { medium: attempt.medium, ticket_id: Some(ticket_id), ticket, decision })
}

fn seen(event: &KnownEvent, known: KnownTicket<'_>) -> SeenTicket {
    let facts = known.facts();
    let gates = facts.ticket_type.gate_ids.iter();
    SeenTicket {
        ticket_id: known.entry.ticket_id,
        type_name: known.type_name().to_owned(),
        entries: facts.allowance().entries(),
        gates: gates.filter_map(|id| event.gate_name(*id)).map(str::to_owned).collect(),
        attendee_name: known.entry.attendee_name,
    }
}
