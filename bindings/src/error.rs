//! What a door's developer can branch on.

use std::time::Duration;

use liventix_core::ledger::LedgerError;
use liventix_core::scan::{ScanError, UndoError};
use liventix_core::sync::{EnrolmentCodeError, SyncError, TransportError};

use crate::convert::BadId;
use crate::runtime::Interrupted;

/// A scanner's call failed. Nothing half done is left behind.
///
/// Each variant is one thing an app can do; `code` is the stable name of the exact cause, `detail` says in
/// English what happened and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Display)]
pub enum ScannerError {
    /// The scanner was closed: open it again.
    #[error("{detail}")]
    Closed {
        /// `closed`
        code: String,
        /// For people.
        detail: String,
    },
    /// The call was cancelled. What it had done by then stays done.
    #[error("{detail}")]
    Cancelled {
        /// `cancelled`
        code: String,
        /// For people.
        detail: String,
    },
    /// No device is enrolled, or its token is gone: read an enrolment code.
    #[error("{detail}")]
    NotEnrolled {
        /// `not_enrolled`, `unauthorized`, `wrong_device`
        code: String,
        /// For people.
        detail: String,
    },
    /// The organiser revoked this device: its keys are wiped, it can scan no more.
    #[error("{detail}")]
    Revoked {
        /// `device_revoked`
        code: String,
        /// For people.
        detail: String,
        /// Scans still to upload; the server takes them as evidence.
        unsent: u64,
    },
    /// The text is not an enrolment code, is damaged, or leads to a server without TLS.
    #[error("{detail}")]
    EnrolmentCode {
        /// `not_an_enrolment_code`, `enrolment_code_damaged`, `enrolment_insecure`
        code: String,
        /// For people.
        detail: String,
    },
    /// Scans of an earlier enrolment wait for their upload: sync first.
    #[error("{detail}")]
    UnsentScans {
        /// `unsent_scans`
        code: String,
        /// For people.
        detail: String,
        /// How many.
        count: u64,
    },
    /// The event or the gate is not known here: sync, or choose again.
    #[error("{detail}")]
    UnknownPlace {
        /// `event_unknown`, `gate_unknown`
        code: String,
        /// For people.
        detail: String,
    },
    /// This device may not do that: at this gate, or without a supervisor.
    #[error("{detail}")]
    NotAllowed {
        /// `not_assigned`, `not_supervisor`
        code: String,
        /// For people.
        detail: String,
    },
    /// The passage cannot be taken back: it stands.
    #[error("{detail}")]
    UndoRefused {
        /// `undo_unknown`, `undo_not_a_passage`, `undo_already`, `undo_too_late`, `undo_off`
        code: String,
        /// For people.
        detail: String,
    },
    /// An argument is out of its range.
    #[error("{detail}")]
    InvalidInput {
        /// `people_out_of_range`, `id_invalid`, `note_invalid`, `qr_…`
        code: String,
        /// For people.
        detail: String,
    },
    /// The network or what stands between here and the server. It may pass by itself.
    #[error("{detail}")]
    Network {
        /// `offline`, `timeout`, `interrupted`, `intercepted`, `tls`
        code: String,
        /// For people.
        detail: String,
    },
    /// The server refused, failed, or is not understood.
    #[error("{detail}")]
    Server {
        /// `busy`, `server_error`, `protocol`, `newer_protocol`, or the server's own code of a refusal.
        code: String,
        /// For people.
        detail: String,
        /// The HTTP status, where there was one.
        status: Option<u16>,
        /// When the server asked to be tried again.
        retry_after: Option<Duration>,
    },
    /// The scan ledger's file: full disk, damaged, locked, newer, not a ledger.
    #[error("{detail}")]
    Storage {
        /// `disk_full`, `ledger_corrupt`, `ledger_read_only`, `ledger_locked`, `ledger_newer`, `not_a_ledger`,
        /// `ledger_moved`, `storage_failed`, `manifest_page_invalid`, `ledger_internal`
        code: String,
        /// For people.
        detail: String,
    },
    /// The host's keystore failed.
    #[error("{detail}")]
    Secrets {
        /// `secrets`
        code: String,
        /// For people.
        detail: String,
    },
    /// A mistake in this library.
    #[error("{detail}")]
    Internal {
        /// `panicked`, `no_threads`
        code: String,
        /// For people.
        detail: String,
    },
}

impl From<Interrupted> for ScannerError {
    fn from(interrupted: Interrupted) -> Self {
        let (code, detail) = interrupted.words();
        match interrupted {
            Interrupted::Closed => Self::Closed { code, detail },
            Interrupted::Cancelled => Self::Cancelled { code, detail },
            Interrupted::Panicked | Interrupted::NoThreads => Self::Internal { code, detail },
        }
    }
}

impl Interrupted {
    /// Code and words.
    pub(crate) fn words(self) -> (String, String) {
        let (code, detail) = match self {
            Self::Closed => ("closed", "it was closed: open it again"),
            Self::Cancelled => ("cancelled", "the call was cancelled; what it had done by then is kept"),
            Self::Panicked => ("panicked", "the call failed in an unexpected way: please report this"),
            Self::NoThreads => {
                ("no_threads", "the system gives no more threads: close other apps, then try again")
            }
        };
        (code.to_owned(), detail.to_owned())
    }
}

impl From<BadId> for ScannerError {
    fn from(bad: BadId) -> Self {
        let (code, detail) = bad.words();
        Self::InvalidInput { code, detail }
    }
}

impl From<LedgerError> for ScannerError {
    fn from(error: LedgerError) -> Self {
        let (code, detail) = (error.code().to_owned(), error.to_string());
        match error {
            LedgerError::UnknownEvent(_) => Self::UnknownPlace { code, detail },
            other => {
                // The cause is for the log, the words are for people.
                tracing::error!(code, cause = ?std::error::Error::source(&other), "the ledger failed");
                Self::Storage { code, detail }
            }
        }
    }
}

impl From<ScanError> for ScannerError {
    fn from(error: ScanError) -> Self {
        let (code, detail) = (error.code().to_owned(), error.to_string());
        match error {
            ScanError::Ledger(error) => error.into(),
            ScanError::NotEnrolled | ScanError::WrongDevice => Self::NotEnrolled { code, detail },
            ScanError::Revoked => Self::Revoked { code, detail, unsent: 0 },
            ScanError::UnknownGate => Self::UnknownPlace { code, detail },
            ScanError::NotAssigned | ScanError::NotSupervisor => Self::NotAllowed { code, detail },
            // The enum may grow: whatever comes is something the host passed in.
            _ => Self::InvalidInput { code, detail },
        }
    }
}

impl From<UndoError> for ScannerError {
    fn from(error: UndoError) -> Self {
        let (code, detail) = (error.code().to_owned(), error.to_string());
        match error {
            UndoError::Ledger(error) => error.into(),
            UndoError::NotEnrolled => Self::NotEnrolled { code, detail },
            UndoError::Revoked => Self::Revoked { code, detail, unsent: 0 },
            UndoError::NotAssigned => Self::NotAllowed { code, detail },
            UndoError::Note(_) => Self::InvalidInput { code, detail },
            // The enum may grow: whatever comes is a reason why the passage stands.
            _ => Self::UndoRefused { code, detail },
        }
    }
}

impl From<EnrolmentCodeError> for ScannerError {
    fn from(error: EnrolmentCodeError) -> Self {
        Self::EnrolmentCode { code: error.code().to_owned(), detail: error.to_string() }
    }
}

impl From<TransportError> for ScannerError {
    fn from(error: TransportError) -> Self {
        SyncError::from(error).into()
    }
}

impl From<SyncError> for ScannerError {
    fn from(error: SyncError) -> Self {
        let (code, detail) = (error.code().to_owned(), error.to_string());
        let retry_after = error.retry_after();
        match error {
            SyncError::Ledger(error) => error.into(),
            SyncError::EnrolmentCode(error) => error.into(),
            SyncError::Offline { .. }
            | SyncError::Timeout
            | SyncError::Interrupted { .. }
            | SyncError::Intercepted
            | SyncError::Tls { .. } => Self::Network { code, detail },
            SyncError::NotEnrolled | SyncError::Unauthorized { .. } => Self::NotEnrolled { code, detail },
            SyncError::UnsentScans { count } => Self::UnsentScans { code, detail, count },
            SyncError::Revoked { unsent } => Self::Revoked { code, detail, unsent },
            SyncError::Refused { status, code, .. } => {
                Self::Server { code, detail, status: Some(status), retry_after }
            }
            SyncError::Server { status, .. } => {
                Self::Server { code, detail, status: Some(status), retry_after }
            }
            SyncError::Busy { .. } | SyncError::Protocol { .. } | SyncError::NewerProtocol => {
                Self::Server { code, detail, status: None, retry_after }
            }
            SyncError::Secrets(_) => Self::Secrets { code, detail },
        }
    }
}
