//! The tables, and how a connection to them is set up.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

use super::error::{Cause, LedgerError};

/// `LXLG`: marks the file as a Liventix ledger, for `file(1)` and for [`super::open`].
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"LXLG");
/// The format this software writes and the newest it reads.
pub(super) const VERSION: i64 = 2;
/// How long a write waits for another process to finish its own.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for the manifest's inner pages and the tail of the scans at 100 000 tickets.
const CACHE_KIB: i64 = 8 * 1024;

/// Ids are 16-byte blobs, times UTC milliseconds, lookup tags 64-bit integers, codes such as `admit`
/// the same text as in JSON.
///
/// A scan's `id` is its ledger's number times 2^40 plus its `seq`. The device's own ledger has the
/// highest number, so that its scans are appended at the right edge of the tree, which SQLite does
/// without splitting pages in the middle; scans rescued from a damaged file come before it.
const V1: &str = "
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ledgers (
    number INTEGER PRIMARY KEY,
    ledger_id BLOB NOT NULL UNIQUE,
    acknowledged INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    event_id BLOB NOT NULL UNIQUE,
    info TEXT NOT NULL,
    cursor INTEGER NOT NULL DEFAULT 0,
    fresh_at INTEGER
) STRICT;

CREATE TABLE tickets (
    event INTEGER NOT NULL,
    ticket_id BLOB NOT NULL,
    ticket_type_id BLOB NOT NULL,
    status TEXT,
    code_issued_at INTEGER NOT NULL,
    live_activated INTEGER NOT NULL,
    valid_from INTEGER,
    valid_until INTEGER,
    admits INTEGER,
    attendee_name TEXT,
    manual_tag INTEGER NOT NULL,
    legacy_tag INTEGER,
    PRIMARY KEY (event, ticket_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tickets_by_legacy_tag ON tickets (legacy_tag) WHERE legacy_tag IS NOT NULL;

CREATE TABLE scans (
    id INTEGER PRIMARY KEY,
    scan_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    event INTEGER NOT NULL,
    gate_id BLOB NOT NULL,
    ticket_id BLOB,
    direction TEXT NOT NULL,
    people INTEGER NOT NULL,
    medium TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    confidence TEXT NOT NULL,
    flags TEXT,
    first_admission BLOB,
    wall_ms INTEGER NOT NULL,
    mono_ms INTEGER NOT NULL,
    offset_ms INTEGER NOT NULL,
    error_ms INTEGER,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE INDEX scans_by_ticket ON scans (ticket_id) WHERE outcome = 'admit';

CREATE TRIGGER scans_never_change BEFORE UPDATE ON scans
BEGIN SELECT RAISE(ABORT, 'scans are append-only'); END;

-- REPLACE would delete without asking the trigger below.
CREATE TRIGGER scans_never_replaced BEFORE INSERT ON scans
WHEN EXISTS (SELECT 1 FROM scans WHERE id = new.id)
BEGIN SELECT RAISE(ABORT, 'scans are append-only'); END;

CREATE TRIGGER scans_never_go BEFORE DELETE ON scans
BEGIN SELECT RAISE(ABORT, 'scans are append-only'); END;

CREATE TABLE passages (
    event INTEGER NOT NULL,
    ticket_id BLOB NOT NULL,
    scan_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    direction TEXT NOT NULL,
    people INTEGER NOT NULL,
    gate_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    PRIMARY KEY (event, ticket_id, scan_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY REFERENCES scans (id),
    code TEXT NOT NULL
) STRICT;

CREATE TABLE clock_events (
    number INTEGER PRIMARY KEY,
    wall_ms INTEGER NOT NULL,
    mono_ms INTEGER NOT NULL,
    offset_ms INTEGER NOT NULL,
    jumped_ms INTEGER NOT NULL
) STRICT;
";

/// Scans that were overruled or take another one back. Columns come only at the end of tables that are
/// there: the tables then stay at their places in the file, which rescuing one without its first page
/// depends on.
const V2: &str = "
ALTER TABLE scans ADD COLUMN overruled TEXT;
ALTER TABLE scans ADD COLUMN undoes BLOB;
ALTER TABLE scans ADD COLUMN note TEXT;
ALTER TABLE passages ADD COLUMN undoes BLOB;
ALTER TABLE passages ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;
";

static MIGRATIONS: LazyLock<Migrations<'static>> =
    LazyLock::new(|| Migrations::new(vec![M::up(V1), M::up(V2)]));

/// Opens the file as it is, for reading and writing, without changing a byte of it.
pub(super) fn connect(path: &Path, create: bool) -> Result<Connection, LedgerError> {
    // No URI flag: a path is a path, whatever characters are in it.
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Whether to leave the write-ahead log where it is when the connection closes: for files that must
/// not change.
pub(super) fn leave_untouched(connection: &Connection, untouched: bool) -> Result<(), LedgerError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, untouched)?;
    Ok(())
}

/// Settings of every connection. FULL makes each commit durable before it returns: a verdict that
/// was shown survives a power cut.
pub(super) fn configure(connection: &Connection) -> Result<(), LedgerError> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(LedgerError::Io(Cause::Check(format!("journal mode is {mode}, not wal"))));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // Triggers and views of a file that somebody prepared get no dangerous functions.
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

/// Brings the tables up to [`VERSION`].
pub(super) fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
    MIGRATIONS.to_latest(connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => err.into(),
        other => LedgerError::Internal(Cause::Check(other.to_string())),
    })
}

/// The format of an open file.
pub(super) fn version(connection: &Connection) -> Result<i64, LedgerError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_valid_and_end_at_the_stated_version() {
        MIGRATIONS.validate().unwrap();
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), VERSION);
    }

    #[test]
    fn the_first_page_holds_every_table_by_itself_and_at_the_same_place_in_every_version() {
        let tables = |connection: &Connection| -> Vec<(String, i64)> {
            let mut select = connection.prepare("SELECT name, rootpage FROM sqlite_schema").unwrap();
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.collect::<Result<_, _>>().unwrap()
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut connection = Connection::open(file.path()).unwrap();
        MIGRATIONS.to_version(&mut connection, 1).unwrap();
        let first = tables(&connection);
        migrate(&mut connection).unwrap();
        assert_eq!(tables(&connection), first);
        connection.close().unwrap();
        let bytes = std::fs::read(file.path()).unwrap();
        assert_eq!(bytes[100], 13, "the list of tables is a leaf, not an inner page");
    }
}
