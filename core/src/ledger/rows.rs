//! Values to columns and back.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Row, Statement};

use super::record::{Fingerprint, Hash, ScanRecord, WireCode};
use crate::ids::{DeviceId, EventId, GateId, LedgerId, ScanId, TicketId, TicketTypeId};
use crate::rules::{Evidence, Flag, Passage};
use crate::ticket::manual::LookupTag;

/// Where a ledger's number ends and a scan's `seq` begins inside `scans.id`.
const SEQ_BITS: u32 = 40;

/// `scans.id` of one scan.
pub(super) const fn scan_key(ledger: i64, seq: i64) -> i64 {
    (ledger << SEQ_BITS) | seq
}

/// The `seq` inside a `scans.id`.
pub(super) const fn seq_of(key: i64) -> i64 {
    key & ((1 << SEQ_BITS) - 1)
}

/// The ledger number inside a `scans.id`.
pub(super) const fn ledger_of(key: i64) -> i64 {
    key >> SEQ_BITS
}

macro_rules! blob_columns {
    ($($name:ident),*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                <[u8; 16]>::column_result(value).map(Self::from_bytes)
            }
        }
    )*};
}

blob_columns!(DeviceId, EventId, GateId, LedgerId, ScanId, TicketId, TicketTypeId);

macro_rules! digest_columns {
    ($($name:ident),*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                FromSql::column_result(value).map(Self)
            }
        }
    )*};
}

digest_columns!(Hash, Fingerprint);

/// A tag is stored as an integer: half the size of a blob in the row and quick to compare.
impl ToSql for LookupTag {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(i64::from_be_bytes(self.0)))
    }
}

impl FromSql for LookupTag {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|number| Self(number.to_be_bytes()))
    }
}

/// A number of rows.
pub(super) struct Count(pub(super) u64);

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let count = value.as_i64()?;
        u64::try_from(count).map(Self).map_err(|_| FromSqlError::OutOfRange(count))
    }
}

/// A value whose column holds its stable code.
pub(super) struct Code<T>(pub(super) T);

impl<T: WireCode> ToSql for Code<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0.wire_code().as_bytes())))
    }
}

impl<T: WireCode> FromSql for Code<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        T::from_wire_code(value.as_str()?).map(Self).ok_or(FromSqlError::InvalidType)
    }
}

/// Flags as codes with commas between; none as NULL, the usual case.
struct Flags(Vec<Flag>);

impl ToSql for Flags {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        if self.0.is_empty() {
            return Ok(ToSqlOutput::Borrowed(ValueRef::Null));
        }
        let codes: Vec<&str> = self.0.iter().map(WireCode::wire_code).collect();
        Ok(ToSqlOutput::from(codes.join(",")))
    }
}

impl FromSql for Flags {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let Some(text) = value.as_str_or_null()? else { return Ok(Self(Vec::new())) };
        text.split(',')
            .map(|code| Flag::from_wire_code(code).ok_or(FromSqlError::InvalidType))
            .collect::<FromSqlResult<_>>()
            .map(Self)
    }
}

/// The admission a duplicate ran into: scan id, time, gate, device, 56 bytes in all.
struct First(Option<Evidence>);

impl ToSql for First {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let Some(first) = &self.0 else { return Ok(ToSqlOutput::Borrowed(ValueRef::Null)) };
        let mut bytes = Vec::with_capacity(56);
        bytes.extend_from_slice(first.scan_id.as_bytes());
        bytes.extend_from_slice(&first.at.to_be_bytes());
        bytes.extend_from_slice(first.gate_id.as_bytes());
        bytes.extend_from_slice(first.device_id.as_bytes());
        Ok(ToSqlOutput::from(bytes))
    }
}

impl FromSql for First {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let Some(bytes) = value.as_blob_or_null()? else { return Ok(Self(None)) };
        let wrong = || FromSqlError::InvalidBlobSize { expected_size: 56, blob_size: bytes.len() };
        let (scan_id, rest) = bytes.split_first_chunk().ok_or_else(wrong)?;
        let (at, rest) = rest.split_first_chunk().ok_or_else(wrong)?;
        let (gate_id, rest) = rest.split_first_chunk().ok_or_else(wrong)?;
        let device_id: &[u8; 16] = rest.try_into().map_err(|_| wrong())?;
        Ok(Self(Some(Evidence {
            scan_id: ScanId::from_bytes(*scan_id),
            at: i64::from_be_bytes(*at),
            gate_id: GateId::from_bytes(*gate_id),
            device_id: DeviceId::from_bytes(*device_id),
        })))
    }
}

/// The columns of `scans`, in the order of [`insert_scan`] and [`read_scan`].
macro_rules! scan_columns {
    () => {
        "id, scan_id, device_id, event, gate_id, ticket_id, direction, people, medium, fingerprint, \
         outcome, reason, confidence, flags, first_admission, wall_ms, mono_ms, offset_ms, error_ms, \
         prev_hash, hash, overruled, undoes, note"
    };
}
pub(super) use scan_columns;

/// How many columns `scans` has.
pub(super) const SCAN_COLUMNS: usize = 24;
/// How many it had in the first version; those added since may be missing at the end of a row.
pub(super) const FIRST_SCAN_COLUMNS: usize = 21;

/// Adds one scan.
pub(super) const INSERT_SCAN: &str = concat!(
    "INSERT INTO scans (",
    scan_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
     ?22, ?23, ?24)"
);

/// Runs [`INSERT_SCAN`] for a scan of the ledger and event with these numbers.
pub(super) fn insert_scan(
    insert: &mut Statement<'_>,
    ledger: i64,
    event: i64,
    scan: &ScanRecord,
) -> rusqlite::Result<()> {
    insert.execute(rusqlite::params![
        scan_key(ledger, scan.seq),
        scan.scan_id,
        scan.device_id,
        event,
        scan.gate_id,
        scan.ticket_id,
        Code(scan.direction),
        scan.people,
        Code(scan.medium),
        scan.fingerprint,
        Code(scan.outcome),
        Code(scan.reason),
        Code(scan.confidence),
        Flags(scan.flags.clone()),
        First(scan.first_admission.clone()),
        scan.wall_ms,
        scan.mono_ms,
        scan.offset_ms,
        scan.error_ms,
        scan.prev_hash,
        scan.hash,
        scan.overruled.map(Code),
        scan.undoes,
        scan.note,
    ])?;
    Ok(())
}

/// One row of `scans`: the number of its event, and the scan, still without the two ids that stand
/// in other tables.
#[derive(Clone)]
pub(super) struct ScanRow {
    pub(super) key: i64,
    pub(super) event: i64,
    scan: ScanRecord,
}

impl ScanRow {
    /// Adds the ids that its numbers stand for.
    pub(super) fn into_record(mut self, ledger_id: LedgerId, event_id: EventId) -> ScanRecord {
        self.scan.ledger_id = ledger_id;
        self.scan.event_id = event_id;
        self.scan
    }
}

/// Reads the columns of [`scan_columns`].
pub(super) fn read_scan(row: &Row<'_>) -> rusqlite::Result<ScanRow> {
    let key: i64 = row.get(0)?;
    let scan = ScanRecord {
        scan_id: row.get(1)?,
        device_id: row.get(2)?,
        ledger_id: LedgerId::from_bytes([0; 16]),
        seq: seq_of(key),
        event_id: EventId::from_bytes([0; 16]),
        gate_id: row.get(4)?,
        ticket_id: row.get(5)?,
        direction: row.get::<_, Code<_>>(6)?.0,
        people: row.get(7)?,
        medium: row.get::<_, Code<_>>(8)?.0,
        fingerprint: row.get(9)?,
        outcome: row.get::<_, Code<_>>(10)?.0,
        reason: row.get::<_, Code<_>>(11)?.0,
        confidence: row.get::<_, Code<_>>(12)?.0,
        flags: row.get::<_, Flags>(13)?.0,
        first_admission: row.get::<_, First>(14)?.0,
        wall_ms: row.get(15)?,
        mono_ms: row.get(16)?,
        offset_ms: row.get(17)?,
        error_ms: row.get(18)?,
        prev_hash: row.get(19)?,
        hash: row.get(20)?,
        overruled: row.get::<_, Option<Code<_>>>(21)?.map(|code| code.0),
        undoes: row.get(22)?,
        note: row.get(23)?,
    };
    Ok(ScanRow { key, event: row.get(3)?, scan })
}

/// Reads a passage from `scan_id, at, direction, people, gate_id, device_id, undoes, forced`, from column
/// `from` on.
pub(super) fn read_passage(row: &Row<'_>, from: usize) -> rusqlite::Result<Passage> {
    Ok(Passage {
        scan_id: row.get(from)?,
        at: row.get(from + 1)?,
        direction: row.get::<_, Code<_>>(from + 2)?.0,
        people: row.get(from + 3)?,
        gate_id: row.get(from + 4)?,
        device_id: row.get(from + 5)?,
        undoes: row.get(from + 6)?,
        forced: row.get(from + 7)?,
    })
}
