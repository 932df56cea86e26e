//! Finds scans in the bare pages of a file whose trees are broken.
//!
//! One lost inner page hides every scan below it from SQLite, though their own pages are whole. So
//! every page that looks like a leaf of a table is taken apart by hand
//! (<https://sqlite.org/fileformat2.html#b_tree_pages>), and whatever has the columns of a scan is
//! offered to a fresh table. False finds do no harm: a scan counts only if its hash fits.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::error::LedgerError;
use super::files::beside;
use super::rows::{FIRST_SCAN_COLUMNS, INSERT_SCAN, SCAN_COLUMNS};
use super::schema;

/// The page size every ledger has.
const PAGE: usize = 4_096;
/// The header of a write-ahead log, and of each page in it.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The type byte of a leaf of a table.
const TABLE_LEAF: u8 = 13;
/// Where the cell pointers of a leaf start.
const CELL_POINTERS: usize = 8;

/// A ledger in memory that holds every scan-like row found in the pages at `path` and in its log.
pub(super) fn carve(path: &Path) -> Result<Connection, LedgerError> {
    let mut found = Connection::open_in_memory()?;
    schema::migrate(&mut found)?;
    let transaction = found.unchecked_transaction()?;
    // Database first: the log holds later images of the same pages, with more rows on them.
    each_page(path, 0, 0, |page| take_rows(&transaction, page))?;
    each_page(&beside(path, "-wal"), LOG_HEADER, FRAME_HEADER, |page| take_rows(&transaction, page))?;
    transaction.commit()?;
    Ok(found)
}

/// Reads a file of pages: `skip` bytes first, then each page behind `before` bytes of its own.
fn each_page(
    path: &Path,
    skip: usize,
    before: usize,
    mut take: impl FnMut(&[u8]) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let Ok(file) = File::open(path) else { return Ok(()) };
    let mut file = BufReader::new(file);
    let mut start = vec![0; skip];
    let mut page = vec![0; before + PAGE];
    if file.read_exact(&mut start).is_err() {
        return Ok(());
    }
    while file.read_exact(&mut page).is_ok() {
        if let Some(content) = page.get(before..) {
            take(content)?;
        }
    }
    Ok(())
}

/// Offers every row of a leaf to the table, which refuses what has other types.
fn take_rows(found: &Connection, page: &[u8]) -> Result<(), LedgerError> {
    if page.first() != Some(&TABLE_LEAF) {
        return Ok(());
    }
    let mut insert = found.prepare_cached(INSERT_SCAN)?;
    let cells = page.get(3..5).map_or(0, big_endian);
    for cell in 0..usize::try_from(cells).unwrap_or(0) {
        let Some(mut row) = read_cell(page, cell) else { continue };
        if !(FIRST_SCAN_COLUMNS..=SCAN_COLUMNS).contains(&row.len()) {
            continue;
        }
        // Written before there were more columns.
        row.resize(SCAN_COLUMNS, Value::Null);
        // A row that is there already, or whose types do not fit.
        let _refused = insert.execute(rusqlite::params_from_iter(row));
    }
    Ok(())
}

/// The row in the cell with this number: its key in place of the first column, then the others.
fn read_cell(page: &[u8], number: usize) -> Option<Vec<Value>> {
    let pointer = CELL_POINTERS + 2 * number;
    let start = usize::try_from(big_endian(page.get(pointer..pointer + 2)?)).ok()?;
    let mut cell = page.get(start..)?;
    let length = usize::try_from(varint(&mut cell)?).ok()?;
    let key = varint(&mut cell)?;
    // A payload that goes on in another page is longer than any scan.
    let mut row = read_record(cell.get(..length)?)?;
    *row.first_mut()? = Value::Integer(key);
    Some(row)
}

/// A record: the lengths and types of its columns, then their values.
fn read_record(record: &[u8]) -> Option<Vec<Value>> {
    let mut rest = record;
    let header_length = usize::try_from(varint(&mut rest)?).ok()?;
    let header_start = record.len() - rest.len();
    let mut header = record.get(header_start..header_length)?;
    let mut body = record.get(header_length..)?;
    let mut row = Vec::with_capacity(SCAN_COLUMNS);
    while !header.is_empty() && row.len() <= SCAN_COLUMNS {
        row.push(read_value(varint(&mut header)?, &mut body)?);
    }
    Some(row)
}

fn read_value(kind: i64, body: &mut &[u8]) -> Option<Value> {
    let length = match kind {
        0 | 8 | 9 => 0,
        1..=4 => kind,
        5 => 6,
        6 | 7 => 8,
        12.. => (kind - 12) / 2,
        _ => return None,
    };
    let (bytes, rest) = body.split_at_checked(usize::try_from(length).ok()?)?;
    *body = rest;
    Some(match kind {
        0 => Value::Null,
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        1..=6 => Value::Integer(big_endian(bytes)),
        // The ledger stores no floats.
        7 => return None,
        kind if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
        _ => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
    })
}

/// A big-endian integer of up to eight bytes, with its sign; two bytes of a page header are never
/// above 2^15, so that the sign does not matter there.
fn big_endian(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |number, byte| number << 8 | i64::from(*byte))
}

/// SQLite's variable-length integer: seven bits a byte, high ones first, at most nine bytes.
fn varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut number = 0_i64;
    for place in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if place == 8 {
            return Some(number << 8 | i64::from(*byte));
        }
        number = number << 7 | i64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_sqlite_writes_them() {
        for (bytes, number) in [
            (&[0x05][..], 5),
            (&[0x81, 0x00], 128),
            (&[0xFF, 0x7F], 16_383),
            (&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], -1),
        ] {
            let mut rest = bytes;
            assert_eq!(varint(&mut rest), Some(number));
            assert!(rest.is_empty());
        }
        assert_eq!(varint(&mut &[0x80][..]), None);
        assert_eq!(big_endian(&[0xFF, 0xFE]), -2);
        assert_eq!(big_endian(&[0x01, 0x00, 0x00]), 65_536);
    }

    #[test]
    fn any_bytes_are_survived() {
        let found = Connection::open_in_memory().unwrap();
        found.execute_batch("CREATE TABLE scans (id INTEGER PRIMARY KEY)").unwrap();
        let mut state = 1_u32;
        for _ in 0..2_000 {
            let mut page = vec![TABLE_LEAF];
            page.extend((1..PAGE).map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            }));
            for cell in 0..400 {
                let _ = read_cell(&page, cell);
            }
        }
    }
}
