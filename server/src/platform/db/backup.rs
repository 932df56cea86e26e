//! A copy of the embedded database, made while servers use it, and put back where none is.
//!
//! PostgreSQL has tools of its own for this: `docs/operations.md` says which.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::migrations::MIGRATIONS;

/// Why there is no backup, or nothing was put back. In either case nothing that was there is changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to copy.
    #[error("there is no database at {}: look at data_dir and database_url", .0.display())]
    Missing(PathBuf),
    /// Something stands where the copy is to be.
    #[error("{} is there already, and is not written over: move it away, or name another place", .0.display())]
    Exists(PathBuf),
    /// It is no database of ours, or a broken one.
    #[error("{} is not a whole database of Liventix: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        reason: String,
    },
    /// It was made by a newer version.
    #[error("{} has schema {found}, and this version knows {known}: restore it with the version it is of", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest one here.
        known: u32,
    },
    /// The system refused.
    #[error("cannot write {}: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The size of the copy.
    pub bytes: u64,
    /// The number of its last migration.
    pub schema: u32,
}

/// Copies the database at `database` to `target` as it is at one moment. Servers go on reading and writing.
/// The copy is checked and on disk when this returns, and nobody but its owner reads it.
///
/// # Errors
/// Any [`BackupError`]; then there is no `target`.
pub fn back_up(database: &Path, target: &Path) -> Result<Copied, BackupError> {
    if !database.exists() {
        return Err(BackupError::Missing(database.to_owned()));
    }
    place(target, |partial| {
        // One that may only read would leave files behind where no server runs.
        let source = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE);
        let copied = source.and_then(|source| source.execute("VACUUM INTO ?1", [partial.to_string_lossy()]));
        copied.map(drop).map_err(|error| write_error(target, error))
    })
}

/// Puts a backup where a server will look for its database.
///
/// # Errors
/// Any [`BackupError`]; then there is no `database`.
pub fn restore(backup: &Path, database: &Path) -> Result<Copied, BackupError> {
    if !backup.exists() {
        return Err(BackupError::Missing(backup.to_owned()));
    }
    // Changes to a database that is gone would be taken for changes to this one.
    let mut changes = database.as_os_str().to_owned();
    changes.push("-wal");
    let changes = PathBuf::from(changes);
    if fs::metadata(&changes).is_ok_and(|found| found.len() > 0) {
        return Err(BackupError::Exists(changes));
    }
    place(database, |partial| {
        let copied = File::open(backup).and_then(|mut from| {
            let mut into = OpenOptions::new().write(true).open(partial)?;
            io::copy(&mut from, &mut into)
        });
        copied.map(drop).map_err(|error| write_error(database, error))
    })
}

/// Makes `target` whole or not at all: it is written, checked and on disk before it has its name.
fn place(target: &Path, write: impl FnOnce(&Path) -> Result<(), BackupError>) -> Result<Copied, BackupError> {
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let mut partial = target.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    create_private(&partial).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(partial.clone()),
        _ => write_error(&partial, error),
    })?;
    let placed = write(&partial).and_then(|()| check(&partial)).and_then(|schema| {
        let named = sync(&partial).and_then(|bytes| {
            fs::rename(&partial, target)?;
            sync_folder(target).map(|()| bytes)
        });
        named.map(|bytes| Copied { bytes, schema }).map_err(|error| write_error(target, error))
    });
    if placed.is_err() {
        let _ = fs::remove_file(&partial);
    }
    placed
}

/// Looks through every page of a database file. Returns the number of its last migration.
fn check(path: &Path) -> Result<u32, BackupError> {
    let damaged = |reason: String| BackupError::Damaged { path: path.to_owned(), reason };
    let looked = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(|file| {
        let verdict: String = file.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        let schema: u32 = file.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let sql = "SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('organisers', 'scans')";
        let tables: i64 = file.query_row(sql, [], |row| row.get(0))?;
        Ok((verdict, schema, tables))
    });
    let (verdict, schema, tables) = looked.map_err(|error| damaged(error.to_string()))?;
    if verdict != "ok" {
        return Err(damaged(verdict));
    }
    if tables != 2 {
        return Err(damaged("it has no scans".to_owned()));
    }
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if schema > known {
        return Err(BackupError::NewerSchema { path: path.to_owned(), found: schema, known });
    }
    Ok(schema)
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // Names and addresses of attendees: nobody else on this machine reads them.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn sync(path: &Path) -> io::Result<u64> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

/// So that the file's name is on disk as well.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn write_error(path: &Path, reason: impl ToString) -> BackupError {
    BackupError::Write { path: path.to_owned(), reason: reason.to_string() }
}
