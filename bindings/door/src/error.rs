//! What can go wrong at the door, its stable code, its exit code, and what to do about it.

use std::io;
use std::path::PathBuf;

use liventix_core::ledger::LedgerError;
use liventix_core::scan::{ScanError, UndoError};
use liventix_core::sync::{EnrolmentCodeError, SecretError, SyncError};

use crate::picture::PictureError;

/// Exit code: failed.
const FAILED: u8 = 1;
/// Exit code of a check that found something, and of a device that is not enrolled.
pub(crate) const NOT_READY: u8 = 3;
/// Exit code: the server was not reached or failed.
const UNREACHED: u8 = 4;
/// Exit code: this device was revoked.
const REVOKED: u8 = 5;
/// Exit code: at least one scan did not admit.
pub(crate) const NOT_ADMITTED: u8 = 10;

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DoorError {
    /// Sync, enrolment or the way to the server.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// One scan.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// Taking one back.
    #[error(transparent)]
    Undo(#[from] UndoError),
    /// The secret files.
    #[error(transparent)]
    Secrets(#[from] SecretError),
    /// A picture.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// Enrolled, but no event has arrived yet.
    #[error("there is no event on this device yet: run liventix-door sync")]
    NoEvent,
    /// A name that fits nothing, or too much.
    #[error(
        "{problem} {what}: choose one with --{what}, by id or by a part of its name that fits no other: {known}"
    )]
    Choose {
        /// `event` or `gate`.
        what: &'static str,
        /// How the given name failed.
        problem: String,
        /// What there is.
        known: String,
    },
    /// A file or folder.
    #[error("{} {action}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What could not be done.
        action: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// Neither `--dir` nor a home folder.
    #[error("this machine names no home folder: say where to keep the data with --dir")]
    NoFolder,
    /// Standard input or output broke off.
    #[error("the terminal or pipe broke off: {0}")]
    Terminal(#[from] io::Error),
}

impl From<EnrolmentCodeError> for DoorError {
    fn from(error: EnrolmentCodeError) -> Self {
        Self::Sync(error.into())
    }
}

impl DoorError {
    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Sync(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Scan(error) => error.code(),
            Self::Undo(error) => error.code(),
            Self::Secrets(_) => "secrets",
            Self::Picture(error) => error.code(),
            Self::NoEvent => "no_event",
            Self::Choose { what: "gate", .. } => "choose_gate",
            Self::Choose { .. } => "choose_event",
            Self::File { .. } => "file",
            Self::NoFolder => "no_folder",
            Self::Terminal(_) => "terminal",
        }
    }

    /// What the process exits with.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Sync(SyncError::Revoked { .. }) => REVOKED,
            Self::Sync(SyncError::NotEnrolled) | Self::NoEvent => NOT_READY,
            Self::Sync(error) if error.is_passing() => UNREACHED,
            _ => FAILED,
        }
    }
}
