//! Reads what can be read of damaged tables: from the front, from the back, and between the two row
//! by row.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::rows::{ScanRow, read_scan, scan_columns};

/// Reads every scan.
const SELECT: &str = concat!("SELECT ", scan_columns!(), " FROM scans");
/// Reads every scan of a file of the first version, with nothing in the columns added since.
const SELECT_FIRST: &str = concat!(
    "SELECT ",
    scan_columns!(),
    " FROM (SELECT *, NULL AS overruled, NULL AS undoes, NULL AS note FROM scans)"
);

/// A row of `scans` as it was found.
pub(super) type Row = ScanRow;

/// How many keys in a row may be missing before the search for a lost end is given up. A damaged
/// inner page hides some thousand scans; those behind it are still there.
const GIVE_UP_AFTER: i64 = 20_000;
/// The most keys looked up one by one between the front and the back.
const PROBES: i64 = 500_000;

/// The scans that could be read, by key.
#[derive(Default)]
pub(super) struct Harvest {
    pub(super) rows: BTreeMap<i64, Row>,
    /// SQLite could read them all.
    pub(super) complete: bool,
}

/// Every scan that can be read.
pub(super) fn scans(source: &Connection) -> Harvest {
    let mut harvest = Harvest::default();
    let select = select_of(source);
    let front = one_way(source, &format!("{select} ORDER BY id"), read_scan);
    let reached = front.rows.last().map(|row| row.key);
    harvest.add(front.rows);
    harvest.complete = front.complete;
    if front.complete {
        return harvest;
    }
    let back = one_way(source, &format!("{select} ORDER BY id DESC"), read_scan);
    let resumes = back.rows.last().map(|row| row.key);
    harvest.add(back.rows);
    harvest.probe(source, reached.unwrap_or(0), resumes);
    harvest
}

fn select_of(source: &Connection) -> &'static str {
    if source.prepare(SELECT).is_ok() { SELECT } else { SELECT_FIRST }
}

impl Harvest {
    fn add(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows.into_iter().map(|row| (row.key, row)));
    }

    /// Takes over what another search found besides.
    pub(super) fn complement(&mut self, other: Self) {
        for (key, row) in other.rows {
            self.rows.entry(key).or_insert(row);
        }
    }

    /// Looks up the keys between where the front broke off and where the back did.
    fn probe(&mut self, source: &Connection, after: i64, before: Option<i64>) {
        let Ok(mut select) = source.prepare(&format!("{} WHERE id = ?1", select_of(source))) else { return };
        // Before the very first scan: that of the first ledger.
        let mut key = after.max(super::rows::scan_key(1, 0));
        let mut missed = 0;
        let end = before.unwrap_or(i64::MAX).min(key.saturating_add(PROBES));
        while key + 1 < end && missed < GIVE_UP_AFTER {
            key += 1;
            match select.query_row([key], read_scan) {
                Ok(row) => {
                    self.rows.insert(key, row);
                    missed = 0;
                }
                Err(_) => missed += 1,
            }
        }
    }
}

/// Every row that can be read of a table with the key `key`, and whether that is all of them.
pub(super) fn both_ways<T>(
    source: &Connection,
    select: &str,
    key: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> (Vec<T>, bool) {
    let front = one_way(source, &format!("{select} ORDER BY {key}"), &read);
    let mut rows = front.rows;
    if !front.complete {
        let descending = key.replace(", ", " DESC, ");
        rows.extend(one_way(source, &format!("{select} ORDER BY {descending} DESC"), &read).rows);
    }
    (rows, front.complete)
}

struct Read<T> {
    rows: Vec<T>,
    complete: bool,
}

fn one_way<T>(
    source: &Connection,
    select: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Read<T> {
    let mut found = Read { rows: Vec::new(), complete: false };
    let Ok(mut statement) = source.prepare(select) else { return found };
    let Ok(mut rows) = statement.query([]) else { return found };
    found.complete = loop {
        match rows.next() {
            Ok(Some(row)) => match read(row) {
                Ok(value) => found.rows.push(value),
                // This row is damaged, the next may not be; but it is not complete any more.
                Err(_) => break false,
            },
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    found
}
