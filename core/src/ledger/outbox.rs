//! Scans the server has not confirmed yet.
//!
//! Every receipt is final, so one number per ledger says it all: the last confirmed `seq`. Scans of
//! a rescued ledger go out under its own id, before newer ones.

use std::collections::HashMap;
use std::io::Write;

use rusqlite::{Connection, Row};

use super::rows::{Count, ledger_of, read_scan, scan_columns, scan_key, seq_of};
use super::{Ledger, LedgerError};
use crate::ids::{EventId, LedgerId, ScanId};
use crate::ledger::record::ScanRecord;
use crate::sync::wire::{MAX_UPLOAD_SCANS, Receipt, ReceiptStatus, UploadRequest};

/// What waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsent {
    /// How many scans.
    pub count: u64,
    /// How long the oldest has waited (milliseconds); none if nothing waits.
    pub oldest_age_ms: Option<i64>,
}

/// One row of `ledgers`.
#[derive(Debug, Clone, Copy)]
pub(super) struct LedgerRow {
    pub(super) number: i64,
    pub(super) ledger_id: LedgerId,
    pub(super) acknowledged: i64,
}

/// Every ledger whose scans are in the file, the device's own last.
pub(super) fn ledgers(connection: &Connection) -> Result<Vec<LedgerRow>, LedgerError> {
    let mut select =
        connection.prepare_cached("SELECT number, ledger_id, acknowledged FROM ledgers ORDER BY number")?;
    let rows = select.query_map([], |row| {
        Ok(LedgerRow { number: row.get(0)?, ledger_id: row.get(1)?, acknowledged: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Turns the numbers inside rows into ids.
pub(super) struct Names {
    ledgers: HashMap<i64, LedgerId>,
    events: HashMap<i64, EventId>,
}

impl Names {
    pub(super) fn load(connection: &Connection) -> Result<Self, LedgerError> {
        let mut select = connection.prepare_cached("SELECT number, event_id FROM events")?;
        let events = select
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, rusqlite::Error>>()?;
        let ledgers = ledgers(connection)?.iter().map(|row| (row.number, row.ledger_id)).collect();
        Ok(Self { ledgers, events })
    }

    pub(super) fn record(&self, row: &Row<'_>) -> Result<ScanRecord, LedgerError> {
        let scan = read_scan(row)?;
        let ledger_id = self.ledgers.get(&ledger_of(scan.key));
        let event_id = self.events.get(&scan.event);
        match (ledger_id, event_id) {
            (Some(ledger_id), Some(event_id)) => Ok(scan.into_record(*ledger_id, *event_id)),
            _ => Err(LedgerError::corrupt("a scan names a ledger or an event that is not there")),
        }
    }
}

/// Unconfirmed scans of one ledger, oldest first.
fn waiting(connection: &Connection, ledger: &LedgerRow, limit: i64) -> Result<Vec<ScanRecord>, LedgerError> {
    let names = Names::load(connection)?;
    let mut select = connection.prepare_cached(concat!(
        "SELECT ",
        scan_columns!(),
        " FROM scans WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3"
    ))?;
    let mut rows = select.query((
        scan_key(ledger.number, ledger.acknowledged),
        scan_key(ledger.number + 1, 0),
        limit,
    ))?;
    let mut scans = Vec::new();
    while let Some(row) = rows.next()? {
        scans.push(names.record(row)?);
    }
    Ok(scans)
}

impl Ledger {
    /// The next batch to upload: at most `limit` (and [`MAX_UPLOAD_SCANS`]) scans of one ledger.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn unsent(&self, limit: usize) -> Result<Option<UploadRequest>, LedgerError> {
        let limit = i64::try_from(limit.clamp(1, MAX_UPLOAD_SCANS)).unwrap_or(1);
        for ledger in ledgers(&self.connection)? {
            let scans = waiting(&self.connection, &ledger, limit)?;
            if !scans.is_empty() {
                return Ok(Some(UploadRequest { ledger_id: ledger.ledger_id, scans }));
            }
        }
        Ok(None)
    }

    /// Notes what the server did with scans of `ledger_id`. Only an unbroken run from the oldest
    /// unconfirmed scan counts; a receipt that was noted before changes nothing.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn acknowledge(&mut self, ledger_id: LedgerId, receipts: &[Receipt]) -> Result<(), LedgerError> {
        let by_scan: HashMap<ScanId, &Receipt> =
            receipts.iter().map(|receipt| (receipt.scan_id, receipt)).collect();
        self.write(|transaction| {
            let Some(ledger) = ledgers(transaction)?.into_iter().find(|row| row.ledger_id == ledger_id)
            else {
                return Ok(());
            };
            acknowledge(transaction, &ledger, &by_scan)
        })
    }

    /// Puts every scan back into the outbox, for a server that lost what it had: it answers those it
    /// still has as duplicates.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn send_again(&mut self) -> Result<(), LedgerError> {
        self.write(|transaction| {
            transaction.execute("UPDATE ledgers SET acknowledged = 0", [])?;
            Ok(())
        })
    }

    /// How much waits to be sent, and since when.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn unsent_summary(&mut self) -> Result<Unsent, LedgerError> {
        let now = self.time.now().now();
        let mut count = 0;
        let mut oldest: Option<i64> = None;
        let mut select = self.connection.prepare_cached(
            "SELECT count(*), min(wall_ms + offset_ms) FROM scans WHERE id > ?1 AND id < ?2",
        )?;
        for ledger in ledgers(&self.connection)? {
            let range = (scan_key(ledger.number, ledger.acknowledged), scan_key(ledger.number + 1, 0));
            let (Count(waiting), since): (Count, Option<i64>) =
                select.query_row(range, |row| Ok((row.get(0)?, row.get(1)?)))?;
            count += waiting;
            oldest = oldest.into_iter().chain(since).min();
        }
        Ok(Unsent { count, oldest_age_ms: oldest.map(|since| now.saturating_sub(since).max(0)) })
    }

    /// Scans the server put aside, each with its stable code that says why, oldest first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn quarantined(&self) -> Result<Vec<(ScanRecord, String)>, LedgerError> {
        let names = Names::load(&self.connection)?;
        let mut select = self.connection.prepare_cached(concat!(
            "SELECT ",
            scan_columns!(),
            ", code FROM scans JOIN quarantine USING (id) ORDER BY id"
        ))?;
        let mut rows = select.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((names.record(row)?, row.get("code")?));
        }
        Ok(found)
    }

    /// Writes every unsent scan as one line of JSON, oldest first, and returns how many: for a
    /// device that cannot reach its server any more.
    ///
    /// # Errors
    /// If the ledger cannot be read or `out` not be written.
    pub fn export_unsent(&self, out: &mut dyn Write) -> Result<u64, LedgerError> {
        let mut count = 0;
        for mut ledger in ledgers(&self.connection)? {
            loop {
                let batch = waiting(&self.connection, &ledger, 1_000)?;
                let Some(last) = batch.last() else { break };
                ledger.acknowledged = last.seq;
                for scan in &batch {
                    let line = serde_json::to_string(scan)?;
                    writeln!(out, "{line}")?;
                    count += 1;
                }
            }
        }
        out.flush()?;
        Ok(count)
    }
}

fn acknowledge(
    connection: &Connection,
    ledger: &LedgerRow,
    receipts: &HashMap<ScanId, &Receipt>,
) -> Result<(), LedgerError> {
    let mut select =
        connection.prepare_cached("SELECT id, scan_id FROM scans WHERE id > ?1 AND id < ?2 ORDER BY id")?;
    let mut put_aside =
        connection.prepare_cached("INSERT OR IGNORE INTO quarantine (id, code) VALUES (?1, ?2)")?;
    let mut rows =
        select.query((scan_key(ledger.number, ledger.acknowledged), scan_key(ledger.number + 1, 0)))?;
    let mut acknowledged = ledger.acknowledged;
    while let Some(row) = rows.next()? {
        let key: i64 = row.get(0)?;
        let scan_id: ScanId = row.get(1)?;
        let Some(receipt) = receipts.get(&scan_id) else { break };
        if receipt.status == ReceiptStatus::Quarantined {
            put_aside.execute((key, receipt.code.as_deref().unwrap_or("quarantined")))?;
        }
        acknowledged = seq_of(key);
    }
    connection
        .prepare_cached("UPDATE ledgers SET acknowledged = ?2 WHERE number = ?1")?
        .execute((ledger.number, acknowledged))?;
    Ok(())
}
