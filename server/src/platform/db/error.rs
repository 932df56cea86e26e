//! What can go wrong in storage. Logged in full, never sent to a client.

use std::path::PathBuf;

/// A failure of the storage engine.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The file could not be opened.
    #[error(
        "cannot open the database {path}: {reason}. Check that the data directory exists and is writable"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        reason: String,
    },
    /// The address of the database cannot be used. Never holds its password.
    #[error("setting database_url (DATABASE_URL): {reason}")]
    Url {
        /// What is wrong and what is right.
        reason: String,
    },
    /// The database server does not answer or lets nobody in.
    #[error(
        "cannot reach the database server: {reason}. Check DATABASE_URL, and that PostgreSQL is up and lets \
         this user in"
    )]
    Unreachable {
        /// What the driver said.
        reason: String,
    },
    /// A newer Liventix wrote this file.
    #[error(
        "the database has a newer schema than this version of Liventix knows ({known}): \
         start the newer version again, or restore the backup from before the upgrade"
    )]
    NewerSchema {
        /// The number of the last migration this version knows.
        known: usize,
    },
    /// A migration failed; the file is as it was.
    #[error("the database could not be brought up to date: {0}. Nothing was changed")]
    Migration(String),
    /// A row that must be unique exists already, or one that must exist does not.
    #[error("constraint: {0}")]
    Constraint(String),
    /// The same may go well a moment later: a deadlock, a wait too long, a connection lost.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// A read took longer than it may, and was stopped by the engine.
    #[error("the database took too long: {0}")]
    TimedOut(String),
    /// The engine refused a statement.
    #[error("statement failed: {0}")]
    Statement(String),
    /// The whole transaction was lost: full disk, I/O error, or a failed commit.
    #[error("the transaction was rolled back: {0}")]
    RolledBack(String),
    /// A column does not hold what the store expects.
    #[error("column {column} does not hold {expected}")]
    Column {
        /// Its place in the row, from 0.
        column: usize,
        /// What was expected.
        expected: &'static str,
    },
    /// Store code waited for something that is not the database.
    #[error("store code waited for something other than the database")]
    Suspended,
    /// Store code panicked; its savepoint was rolled back.
    #[error("store code panicked")]
    Panicked,
    /// The server is shutting down.
    #[error("the database is closed")]
    Closed,
}

impl DbError {
    /// Which kind it is, for counting.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Url { .. } => "url",
            Self::Unreachable { .. } => "unreachable",
            Self::NewerSchema { .. } => "newer_schema",
            Self::Migration(_) => "migration",
            Self::Constraint(_) => "constraint",
            Self::Busy(_) => "busy",
            Self::TimedOut(_) => "timed_out",
            Self::Statement(_) => "statement",
            Self::RolledBack(_) => "rolled_back",
            Self::Column { .. } => "column",
            Self::Suspended => "suspended",
            Self::Panicked => "panicked",
            Self::Closed => "closed",
        }
    }

    /// Whether the database or the server is at fault, and not what was asked for or a shutdown.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        !matches!(self, Self::Constraint(_) | Self::Closed)
    }

    /// Whether a uniqueness or reference rule was broken.
    #[must_use]
    pub const fn is_constraint(&self) -> bool {
        matches!(self, Self::Constraint(_))
    }
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => Self::Constraint(error.to_string()),
            // Nobody but `Conn::bound` interrupts.
            Some(rusqlite::ErrorCode::OperationInterrupted) => Self::TimedOut(error.to_string()),
            _ => Self::Statement(error.to_string()),
        }
    }
}
