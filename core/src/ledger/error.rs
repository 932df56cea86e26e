//! What can go wrong with a ledger, and what to do about it.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::ids::EventId;

/// A ledger operation failed. Nothing half done is left behind: every write is one transaction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The file is damaged. Opening it again sets it aside and rescues what can be read.
    #[error(
        "the scan ledger is damaged: close it and open it again, its scans will be rescued into a new file"
    )]
    Corrupt(#[source] Cause),
    /// No space left on the device.
    #[error(
        "the storage is full and the scan was not recorded: free some space, then scan again; nothing recorded before is lost"
    )]
    DiskFull(#[source] Cause),
    /// The file or its folder may not be written.
    #[error(
        "the scan ledger cannot be written: allow this program to write the file and its folder, or choose another folder"
    )]
    ReadOnly(#[source] Cause),
    /// Another program holds the file.
    #[error("another program is using the scan ledger: close it there, then try again")]
    Locked(#[source] Cause),
    /// Written by newer software. The file is untouched.
    #[error(
        "the scan ledger was written by a newer version (format {found}, this version reads up to {supported}): update this program; the file was not changed"
    )]
    Newer {
        /// The format of the file.
        found: i64,
        /// The newest format this software reads.
        supported: i64,
    },
    /// Some other file. It is untouched.
    #[error("{} is not a scan ledger: choose another path; the file was not changed", path.display())]
    NotALedger {
        /// The path that was given.
        path: PathBuf,
    },
    /// The file is no longer at its path: scans written now would be lost with it.
    #[error(
        "the scan ledger was moved or deleted while in use and the scan was not recorded: put the file back, or restart this program"
    )]
    Moved,
    /// The operating system failed to read or write.
    #[error("the storage failed: check the disk or card, then try again")]
    Io(#[source] Cause),
    /// This ledger holds no manifest of that event.
    #[error("event {0} is not on this device: sync first")]
    UnknownEvent(EventId),
    /// A manifest page that cannot be right.
    #[error(
        "the server sent a manifest page that makes no sense ({0}): sync again, and report it if it stays"
    )]
    BadPage(&'static str),
    /// A mistake in this software.
    #[error("the scan ledger failed in an unexpected way: please report this")]
    Internal(#[source] Cause),
}

/// The technical cause behind a [`LedgerError`]: for logs, not for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// SQLite said so.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The operating system said so.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A stored value has the wrong form.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Found by a check of our own.
    #[error("{0}")]
    Check(String),
}

impl LedgerError {
    /// The stable code programs branch on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Corrupt(_) => "ledger_corrupt",
            Self::DiskFull(_) => "disk_full",
            Self::ReadOnly(_) => "ledger_read_only",
            Self::Locked(_) => "ledger_locked",
            Self::Newer { .. } => "ledger_newer",
            Self::NotALedger { .. } => "not_a_ledger",
            Self::Moved => "ledger_moved",
            Self::Io(_) => "storage_failed",
            Self::UnknownEvent(_) => "event_unknown",
            Self::BadPage(_) => "manifest_page_invalid",
            Self::Internal(_) => "ledger_internal",
        }
    }

    pub(super) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(Cause::Check(what.into()))
    }
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        let kind = match &error {
            E::SqliteFailure(failure, _) => by_code(failure),
            // The ledger writes the types it reads: another type means the file was changed.
            E::FromSqlConversionFailure(..) | E::InvalidColumnType(..) | E::IntegralValueOutOfRange(..) => {
                Self::Corrupt
            }
            _ => Self::Internal,
        };
        kind(Cause::Sqlite(error))
    }
}

fn by_code(failure: &ffi::Error) -> fn(Cause) -> LedgerError {
    match (failure.code, failure.extended_code) {
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => LedgerError::Corrupt,
        // The index of the write-ahead log finds no space.
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => LedgerError::DiskFull,
        // SQLite cannot create its log beside a file in a folder it may not write.
        (ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen, _) => {
            LedgerError::ReadOnly
        }
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed, _) => {
            LedgerError::Locked
        }
        (ErrorCode::SystemIoFailure, _) => LedgerError::Io,
        _ => LedgerError::Internal,
    }
}

impl From<io::Error> for LedgerError {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Io,
        };
        kind(Cause::Io(error))
    }
}

impl From<serde_json::Error> for LedgerError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(Cause::Json(error))
    }
}
