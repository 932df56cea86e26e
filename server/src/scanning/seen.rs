//! Scans as evidence: what anomalies are found from, and shown with.

use liventix_core::ids::{DeviceId, EventId, GateId, LedgerId, ScanId, TicketId};
use liventix_core::ledger::record::Fingerprint;
use liventix_core::rules::{Direction, Outcome, Reason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store::{ScanRow, code};
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Value, in_list, padded};

/// Ids in one statement.
const CHUNK: usize = 128;
/// Ranges in one statement.
const RANGES: usize = 32;
/// The most scans of codes that are not authentic looked at together, the latest of them.
const MAX_FORGED: u32 = 1_000;

/// A scan as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Seen {
    /// The scan.
    pub scan_id: ScanId,
    /// At which event.
    pub event_id: EventId,
    /// Where.
    pub gate_id: GateId,
    /// By which device; for an online scanner, its API key's id.
    pub device_id: DeviceId,
    /// The device's ledger and the place in it; none for online scans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_id: Option<LedgerId>,
    /// See `ledger_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// The ticket, where the code named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_id: Option<TicketId>,
    /// Which code it was.
    pub fingerprint: Fingerprint,
    /// In or out.
    pub direction: Direction,
    /// People who passed.
    pub people: u16,
    /// May they pass?
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// Whether a supervisor overruled the rules.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// The passage it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<ScanId>,
    /// When it happened, corrected to server time (UTC milliseconds).
    pub at: i64,
    /// How far that may be off, either way (milliseconds); none if nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_ms: Option<i64>,
    /// What the device's wall clock showed (UTC milliseconds).
    pub wall_ms: i64,
    /// What its monotonic clock showed (milliseconds since it was switched on).
    pub mono_ms: i64,
    /// Wall clock plus this was server time (milliseconds).
    pub offset_ms: i64,
    /// When the server got it (UTC milliseconds).
    pub received_at: i64,
}

impl Seen {
    /// A scan of `event`.
    pub(crate) fn of(event_id: EventId, row: &ScanRow) -> Self {
        let view = &row.view;
        Self {
            scan_id: view.scan_id,
            event_id,
            gate_id: view.gate_id,
            device_id: view.device_id,
            ledger_id: view.ledger_id,
            seq: view.seq,
            ticket_id: view.ticket_id,
            fingerprint: Fingerprint(row.fingerprint),
            direction: view.direction,
            people: view.people,
            outcome: view.outcome,
            reason: view.reason,
            forced: view.overruled.is_some(),
            undoes: view.undoes,
            at: view.at,
            error_ms: view.error_ms,
            wall_ms: row.wall_ms,
            mono_ms: row.mono_ms,
            offset_ms: row.offset_ms,
            received_at: view.received_at,
        }
    }

    /// Whether its code was not authentic.
    #[must_use]
    pub const fn is_forged(&self) -> bool {
        matches!(self.reason, Reason::BadSignature | Reason::UnknownKey)
    }

    /// Whether an authentic ticket was refused because it had been used: somebody stood there with it.
    #[must_use]
    pub const fn is_used_again(&self) -> bool {
        matches!(self.reason, Reason::AlreadyUsed | Reason::AlreadyOut | Reason::GroupExceeded)
    }
}

const SEEN: &str = "scan_id, event_id, gate_id, device_id, ledger_id, seq, ticket_id, fingerprint, direction, people, \
    outcome, reason, overruled, undoes, at, error_ms, wall_ms, mono_ms, offset_ms, received_at";
/// The conditions of the indexes `scans_forged` and `scans_used_again`.
const FORGED: &str = "reason IN ('bad_signature', 'unknown_key')";
const USED_AGAIN: &str = "reason IN ('already_used', 'already_out', 'group_exceeded')";

fn read(row: &Row) -> Result<Seen, DbError> {
    Ok(Seen {
        scan_id: row.get(0)?,
        event_id: row.get(1)?,
        gate_id: row.get(2)?,
        device_id: row.get(3)?,
        ledger_id: row.get(4)?,
        seq: row.get(5)?,
        ticket_id: row.get(6)?,
        fingerprint: Fingerprint(row.get(7)?),
        direction: code(row, 8)?,
        people: row.get(9)?,
        outcome: code(row, 10)?,
        reason: code(row, 11)?,
        forced: row.get::<Option<String>>(12)?.is_some(),
        undoes: row.get(13)?,
        at: row.get(14)?,
        error_ms: row.get(15)?,
        wall_ms: row.get(16)?,
        mono_ms: row.get(17)?,
        offset_ms: row.get(18)?,
        received_at: row.get(19)?,
    })
}

fn ids<T: Copy + Into<Value>>(chunk: &[T]) -> Vec<Value> {
    padded(chunk.iter().map(|id| (*id).into()).collect())
}

/// Those of `ids` that are stored.
pub(crate) async fn by_id(conn: &mut Conn, wanted: &[ScanId]) -> Result<Vec<Seen>, DbError> {
    let mut found = Vec::new();
    for chunk in wanted.chunks(CHUNK) {
        let ids = ids(chunk);
        let sql = format!("SELECT {SEEN} FROM scans WHERE scan_id IN ({})", in_list(1, ids.len()));
        for row in conn.query(&sql, &ids).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// Those of `tickets` that passed, or were refused because they had been used, at more than one gate.
pub(crate) async fn at_several_gates(
    conn: &mut Conn,
    event: EventId,
    tickets: &[TicketId],
) -> Result<Vec<TicketId>, DbError> {
    let mut found = Vec::new();
    for chunk in tickets.chunks(CHUNK) {
        let mut values = ids(chunk);
        let list = in_list(1, values.len());
        let at = values.len() + 1;
        values.push(event.into());
        let sql = format!(
            "SELECT ticket_id FROM (\
             SELECT ticket_id, gate_id FROM scans WHERE change_seq IS NOT NULL AND ticket_id IN ({list}) AND event_id = ${at} \
             UNION SELECT ticket_id, gate_id FROM scans WHERE {USED_AGAIN} AND ticket_id IN ({list}) AND event_id = ${at}\
             ) seen GROUP BY ticket_id HAVING COUNT(*) > 1"
        );
        for row in conn.query(&sql, &values).await? {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// Where tickets were seen: every passage, and every refusal of a used ticket.
pub(crate) async fn of_tickets(
    conn: &mut Conn,
    event: EventId,
    tickets: &[TicketId],
) -> Result<Vec<Seen>, DbError> {
    let mut found = Vec::new();
    for chunk in tickets.chunks(CHUNK) {
        let mut values = ids(chunk);
        let list = in_list(1, values.len());
        let at = values.len() + 1;
        values.push(event.into());
        for condition in ["change_seq IS NOT NULL", USED_AGAIN] {
            let sql = format!(
                "SELECT {SEEN} FROM scans WHERE {condition} AND ticket_id IN ({list}) AND event_id = ${at}"
            );
            for row in conn.query(&sql, &values).await? {
                found.push(read(&row)?);
            }
        }
    }
    Ok(found)
}

/// Scans of codes that were not authentic, from one moment to another, both included; of too many the latest.
pub(crate) async fn forged(
    conn: &mut Conn,
    event: EventId,
    (from, to): (i64, i64),
) -> Result<Vec<Seen>, DbError> {
    let sql = format!(
        "SELECT {SEEN} FROM scans WHERE event_id = $1 AND at >= $2 AND at <= $3 AND {FORGED} \
         ORDER BY at DESC LIMIT $4"
    );
    conn.query(&sql, params![event, from, to, MAX_FORGED]).await?.iter().map(read).collect()
}

/// The scans of a ledger at the places of `ranges`, both ends included.
pub(crate) async fn of_ledger(
    conn: &mut Conn,
    ledger: LedgerId,
    ranges: &[(i64, i64)],
) -> Result<Vec<Seen>, DbError> {
    let mut found = Vec::new();
    for chunk in ranges.chunks(RANGES) {
        let mut values = params![ledger].to_vec();
        let mut places = Vec::with_capacity(chunk.len());
        for (from, to) in chunk {
            places.push(format!("(seq >= ${} AND seq <= ${})", values.len() + 1, values.len() + 2));
            values.extend([Value::from(*from), Value::from(*to)]);
        }
        let sql = format!("SELECT {SEEN} FROM scans WHERE ledger_id = $1 AND ({})", places.join(" OR "));
        for row in conn.query(&sql, &values).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}
