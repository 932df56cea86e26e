//! Opening the file and bringing its schema up to date.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{Error, M, MigrationDefinitionError, Migrations};

use crate::platform::db::DbError;
use crate::platform::db::migrations::{MIGRATIONS, Migration};

/// Another process (a backup, a shell) may hold the file for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Statements kept prepared per connection: more than the stores have.
const PREPARED: usize = 256;

/// Opens the file for writing, creates it if need be, and migrates it.
///
/// # Errors
/// When it cannot be opened, has a newer schema, or a migration fails.
pub(super) fn open_writer(path: &Path) -> Result<Connection, DbError> {
    create_private(path)
        .map_err(|error| DbError::Open { path: path.to_owned(), reason: error.to_string() })?;
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    let result = connection
        .pragma_update(None, "journal_mode", "WAL")
        .and_then(|()| connection.pragma_update(None, "synchronous", "FULL"))
        .and_then(|()| connection.pragma_update(None, "foreign_keys", "ON"));
    result.map_err(|error| cannot_open(path, &error))?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Names and addresses of attendees are their owner's alone, also in a folder that others can look into.
/// SQLite gives the files beside a database its mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn open_reader(path: &Path) -> Result<Connection, DbError> {
    open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, DbError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| cannot_open(path, &error))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| cannot_open(path, &error))?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    Ok(connection)
}

fn cannot_open(path: &Path, error: &rusqlite::Error) -> DbError {
    DbError::Open { path: path.to_owned(), reason: error.to_string() }
}

fn migrate(connection: &mut Connection) -> Result<(), DbError> {
    let texts: Vec<String> = MIGRATIONS.iter().map(Migration::for_sqlite).collect();
    let steps: Vec<M<'_>> = texts.iter().map(|text| M::up(text)).collect();
    Migrations::new(steps).to_latest(connection).map_err(|error| match error {
        Error::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => {
            DbError::NewerSchema { known: MIGRATIONS.len() }
        }
        other => DbError::Migration(other.to_string()),
    })
}
