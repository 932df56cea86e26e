//! Rows of scans.

use std::collections::HashMap;

use liventix_core::ids::{DeviceId, EventId, GateId, LedgerId, OrganiserId, ScanId, TicketId};
use liventix_core::ledger::record::{Medium, ScanRecord, WireCode};
use liventix_core::rules::{Confidence, Direction, Evidence, Flag, Outcome, Passage, Reason};
use liventix_core::sync::wire::ForeignPassage;

use super::types::ScanView;
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx, Value, batches, in_list, padded, values_rows};
use crate::platform::page::Key;
use crate::platform::problem::{ApiError, ApiResult, Code};

/// Ids in one statement.
const CHUNK: usize = 128;
/// Rows in one statement.
const INSERTED: usize = 64;

/// A scan as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct ScanRow {
    pub(crate) view: ScanView,
    pub(crate) fingerprint: [u8; 16],
    pub(crate) remaining: Option<u32>,
    pub(crate) wall_ms: i64,
    pub(crate) mono_ms: i64,
    pub(crate) offset_ms: i64,
    pub(crate) prev_hash: Option<[u8; 32]>,
    /// Of the scan for a device's, of the request for an online one.
    pub(crate) hash: [u8; 32],
    pub(crate) change_seq: Option<i64>,
}

impl ScanRow {
    /// A device's scan.
    pub(crate) fn of_device(record: &ScanRecord, received_at: i64) -> Self {
        Self {
            view: ScanView {
                scan_id: record.scan_id,
                gate_id: record.gate_id,
                device_id: record.device_id,
                ledger_id: Some(record.ledger_id),
                seq: Some(record.seq),
                ticket_id: record.ticket_id,
                direction: record.direction,
                people: record.people,
                medium: record.medium,
                outcome: record.outcome,
                reason: record.reason,
                confidence: record.confidence,
                flags: record.flags.clone(),
                first_admission: record.first_admission.clone(),
                at: record.at(),
                error_ms: record.error_ms,
                received_at,
                overruled: record.overruled,
                undoes: record.undoes,
                note: record.note.clone(),
            },
            fingerprint: record.fingerprint.0,
            remaining: None,
            wall_ms: record.wall_ms,
            mono_ms: record.mono_ms,
            offset_ms: record.offset_ms,
            prev_hash: Some(record.prev_hash.0),
            hash: record.hash.0,
            change_seq: None,
        }
    }

    /// The same, as it is found later.
    pub(super) fn stored(&self, organiser_id: OrganiserId, event_id: EventId) -> Stored {
        Stored {
            organiser_id,
            event_id,
            view: self.view.clone(),
            remaining: self.remaining,
            hash: self.hash,
            fingerprint: self.fingerprint,
        }
    }

    /// As the rules see it.
    pub(super) fn passage(&self) -> Passage {
        Passage {
            scan_id: self.view.scan_id,
            at: self.view.at,
            direction: self.view.direction,
            people: self.view.people,
            gate_id: self.view.gate_id,
            device_id: self.view.device_id,
            undoes: self.view.undoes,
            forced: self.view.overruled.is_some(),
        }
    }

    /// Whether it let people through.
    pub(crate) fn is_passage(&self) -> bool {
        self.view.outcome == Outcome::Admit && self.view.ticket_id.is_some()
    }
}

const VIEW: &str = "scan_id, gate_id, device_id, ledger_id, seq, ticket_id, direction, people, medium, outcome, \
    reason, confidence, flags, first_admission, at, error_ms, received_at, overruled, undoes, note";
/// Columns of [`VIEW`].
const VIEW_COLUMNS: usize = 20;
const REST: &str = "fingerprint, remaining, wall_ms, mono_ms, offset_ms, prev_hash, hash, change_seq";

pub(super) fn code<T: WireCode>(row: &Row, column: usize) -> Result<T, DbError> {
    T::from_wire_code(&row.get::<String>(column)?)
        .ok_or(DbError::Column { column, expected: std::any::type_name::<T>() })
}

fn optional_code<T: WireCode>(row: &Row, column: usize) -> Result<Option<T>, DbError> {
    row.get::<Option<String>>(column)?.map(|_| code(row, column)).transpose()
}

fn read_view(row: &Row) -> Result<ScanView, DbError> {
    let first: Option<String> = row.get(13)?;
    Ok(ScanView {
        scan_id: row.get(0)?,
        gate_id: row.get(1)?,
        device_id: row.get(2)?,
        ledger_id: row.get::<Option<LedgerId>>(3)?,
        seq: row.get(4)?,
        ticket_id: row.get(5)?,
        direction: code::<Direction>(row, 6)?,
        people: row.get(7)?,
        medium: code::<Medium>(row, 8)?,
        outcome: code::<Outcome>(row, 9)?,
        reason: code::<Reason>(row, 10)?,
        confidence: code::<Confidence>(row, 11)?,
        flags: row.json::<Vec<Flag>>(12)?,
        first_admission: first.map(|_| row.json::<Evidence>(13)).transpose()?,
        at: row.get(14)?,
        error_ms: row.get(15)?,
        received_at: row.get(16)?,
        overruled: optional_code::<Reason>(row, 17)?,
        undoes: row.get(18)?,
        note: row.get(19)?,
    })
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Statement(error.to_string()))
}

fn values(organiser: OrganiserId, event: EventId, row: &ScanRow) -> Result<Vec<Value>, DbError> {
    let view = &row.view;
    Ok(params![
        view.scan_id,
        view.gate_id,
        view.device_id,
        view.ledger_id,
        view.seq,
        view.ticket_id,
        view.direction.wire_code(),
        view.people,
        view.medium.wire_code(),
        view.outcome.wire_code(),
        view.reason.wire_code(),
        view.confidence.wire_code(),
        json(&view.flags)?,
        view.first_admission.as_ref().map(json).transpose()?,
        view.at,
        view.error_ms,
        view.received_at,
        view.overruled.map(Reason::code),
        view.undoes,
        view.note.as_deref(),
        row.fingerprint,
        row.remaining,
        row.wall_ms,
        row.mono_ms,
        row.offset_ms,
        row.prev_hash,
        row.hash,
        row.change_seq,
        organiser,
        event,
    ]
    .to_vec())
}

/// What a scanner is told whose scan id belongs to another scan, perhaps one that its organiser cannot see.
pub(super) fn id_taken() -> ApiError {
    let detail = "This scan id was used for another scan. Make a new id for every scan.";
    ApiError::new(Code::ScanIdConflict, detail)
}

/// Inserts scans made here. Their ids were not found among the organiser's; another one's may have one.
pub(super) async fn insert_new(
    tx: &mut Tx,
    organiser: OrganiserId,
    event: EventId,
    rows: &[ScanRow],
) -> ApiResult<()> {
    let inserted = insert(tx, organiser, event, rows).await;
    inserted.map_err(|error| if error.is_constraint() { id_taken() } else { error.into() })
}

/// Inserts scans of one event.
pub(super) async fn insert(
    tx: &mut Tx,
    organiser: OrganiserId,
    event: EventId,
    rows: &[ScanRow],
) -> Result<(), DbError> {
    for chunk in batches(rows, INSERTED) {
        let mut all = Vec::with_capacity(chunk.len() * (VIEW_COLUMNS + 10));
        for row in chunk {
            all.extend(values(organiser, event, row)?);
        }
        let placeholders = values_rows(all.len() / chunk.len(), chunk.len());
        let sql = format!("INSERT INTO scans ({VIEW}, {REST}, organiser_id, event_id) VALUES {placeholders}");
        tx.execute(&sql, &all).await?;
    }
    Ok(())
}

/// A stored scan with what tells a repeat from a clash: whose it is, and its hash.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) organiser_id: OrganiserId,
    pub(super) event_id: EventId,
    pub(super) view: ScanView,
    pub(super) remaining: Option<u32>,
    pub(super) hash: [u8; 32],
    pub(super) fingerprint: [u8; 16],
}

/// Those of `ids` that are stored.
pub(super) async fn find(conn: &mut Conn, ids: &[ScanId]) -> Result<HashMap<ScanId, Stored>, DbError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let ids = padded(chunk.iter().map(|id| Value::from(*id)).collect());
        let sql = format!(
            "SELECT {VIEW}, remaining, hash, organiser_id, event_id, fingerprint FROM scans \
             WHERE scan_id IN ({})",
            in_list(1, ids.len())
        );
        for row in conn.query(&sql, &ids).await? {
            let stored = read_stored(&row)?;
            found.insert(stored.view.scan_id, stored);
        }
    }
    Ok(found)
}

pub(super) async fn find_one(conn: &mut Conn, id: ScanId) -> Result<Option<Stored>, DbError> {
    Ok(find(conn, &[id]).await?.remove(&id))
}

fn read_stored(row: &Row) -> Result<Stored, DbError> {
    Ok(Stored {
        view: read_view(row)?,
        remaining: row.get(VIEW_COLUMNS)?,
        hash: row.get(VIEW_COLUMNS + 1)?,
        organiser_id: row.get(VIEW_COLUMNS + 2)?,
        event_id: row.get(VIEW_COLUMNS + 3)?,
        fingerprint: row.get(VIEW_COLUMNS + 4)?,
    })
}

/// The hashes of those of `ids` that are stored.
pub(super) async fn hashes(conn: &mut Conn, ids: &[ScanId]) -> Result<HashMap<ScanId, [u8; 32]>, DbError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let ids = padded(chunk.iter().map(|id| Value::from(*id)).collect());
        let sql = format!("SELECT scan_id, hash FROM scans WHERE scan_id IN ({})", in_list(1, ids.len()));
        for row in conn.query(&sql, &ids).await? {
            found.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(found)
}

pub(super) async fn views(conn: &mut Conn, ids: &[ScanId]) -> Result<HashMap<ScanId, ScanView>, DbError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let ids = padded(chunk.iter().map(|id| Value::from(*id)).collect());
        let sql = format!("SELECT {VIEW} FROM scans WHERE scan_id IN ({})", in_list(1, ids.len()));
        for row in conn.query(&sql, &ids).await? {
            let view = read_view(&row)?;
            found.insert(view.scan_id, view);
        }
    }
    Ok(found)
}

pub(super) async fn list(
    conn: &mut Conn,
    event: EventId,
    after: Key,
    limit: u32,
) -> Result<Vec<ScanView>, DbError> {
    let sql = format!(
        "SELECT {VIEW} FROM scans WHERE event_id = $1 AND (received_at > $2 OR (received_at = $2 AND scan_id > $3)) \
         ORDER BY received_at, scan_id LIMIT $4"
    );
    conn.query(&sql, params![event, after.at, after.id, limit]).await?.iter().map(read_view).collect()
}

/// Every passage of `tickets`.
pub(super) async fn passages(
    conn: &mut Conn,
    tickets: &[TicketId],
) -> Result<HashMap<TicketId, Vec<Passage>>, DbError> {
    let mut found: HashMap<TicketId, Vec<Passage>> = HashMap::new();
    for chunk in tickets.chunks(CHUNK) {
        let ids = padded(chunk.iter().map(|id| Value::from(*id)).collect());
        let sql = format!(
            "SELECT {PASSAGE} FROM scans WHERE change_seq IS NOT NULL AND ticket_id IN ({})",
            in_list(1, ids.len())
        );
        for row in conn.query(&sql, &ids).await? {
            found.entry(row.get(0)?).or_default().push(read_passage(&row)?);
        }
    }
    Ok(found)
}

/// Those of `ids` that let people pass, with their tickets.
pub(super) async fn passages_by_scan(
    conn: &mut Conn,
    ids: &[ScanId],
) -> Result<HashMap<ScanId, ForeignPassage>, DbError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let ids = padded(chunk.iter().map(|id| Value::from(*id)).collect());
        let sql = format!(
            "SELECT {PASSAGE} FROM scans WHERE change_seq IS NOT NULL AND scan_id IN ({})",
            in_list(1, ids.len())
        );
        for row in conn.query(&sql, &ids).await? {
            let foreign = ForeignPassage { ticket_id: row.get(0)?, passage: read_passage(&row)? };
            found.insert(foreign.passage.scan_id, foreign);
        }
    }
    Ok(found)
}

/// A ticket and its passage, as [`read_passage`] reads it.
pub(super) const PASSAGE: &str =
    "ticket_id, scan_id, at, direction, people, gate_id, device_id, undoes, overruled";
/// Columns of [`PASSAGE`].
pub(super) const PASSAGE_COLUMNS: usize = 9;

/// The passage in the columns of [`PASSAGE`].
pub(super) fn read_passage(row: &Row) -> Result<Passage, DbError> {
    Ok(Passage {
        scan_id: row.get(1)?,
        at: row.get(2)?,
        direction: code::<Direction>(row, 3)?,
        people: row.get(4)?,
        gate_id: row.get::<GateId>(5)?,
        device_id: row.get::<DeviceId>(6)?,
        undoes: row.get(7)?,
        forced: row.get::<Option<String>>(8)?.is_some(),
    })
}
