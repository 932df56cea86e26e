//! Why a sync did not finish, and what to do about it.

use std::time::Duration;

use super::call::CallError;
use super::enrol::EnrolmentCodeError;
use super::secrets::SecretError;
use super::transport::TransportError;
use crate::ledger::LedgerError;

/// Why a sync did not finish. Nothing is lost by any of these: scans stay in the ledger until the
/// server gave a receipt, and the next sync goes on where this one stopped.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The server was not reached.
    #[error("the server was not reached ({detail}). Keep scanning; everything is uploaded when it is back")]
    Offline {
        /// The cause, for the log.
        detail: String,
    },
    /// The server did not answer in time.
    #[error("the server did not answer in time. Keep scanning and sync again")]
    Timeout,
    /// The connection broke off in the middle.
    #[error("the connection broke off: {detail}. Keep scanning and sync again")]
    Interrupted {
        /// The cause, for the log.
        detail: String,
    },
    /// Something between the device and the server answered in its place.
    #[error(
        "the network answered with a page of its own: sign in to the Wi-Fi, or use mobile data, and sync again"
    )]
    Intercepted,
    /// The server's certificate was not accepted.
    #[error("no secure connection ({detail}): check the device's date and the network")]
    Tls {
        /// The cause, for the log.
        detail: String,
    },
    /// The device has no token here.
    #[error("this device is not enrolled: scan an enrolment QR first")]
    NotEnrolled,
    /// The device still holds scans of an earlier enrolment.
    #[error(
        "{count} scans are not uploaded yet: sync before enrolling again, so that they count for the right device"
    )]
    UnsentScans {
        /// How many.
        count: u64,
    },
    /// The text is not an enrolment code.
    #[error(transparent)]
    EnrolmentCode(#[from] EnrolmentCodeError),
    /// The server does not know this device's token.
    #[error("the server does not know this device ({code}): ask the organiser for a new enrolment QR")]
    Unauthorized {
        /// The server's code.
        code: String,
    },
    /// The organiser revoked this device. Its keys and ticket lists are wiped, its scans kept.
    #[error(
        "the organiser revoked this device: its keys are wiped, it can scan no more. Unsent scans: {unsent}"
    )]
    Revoked {
        /// Scans still to upload; the server takes them as evidence.
        unsent: u64,
    },
    /// The server refused the request.
    #[error("the server refused ({code}): {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's code.
        code: String,
        /// The server's words.
        detail: String,
    },
    /// The server asks to slow down.
    #[error("the server is busy: sync again in a moment")]
    Busy {
        /// When it will listen again.
        retry_after: Option<Duration>,
    },
    /// The server failed.
    #[error("the server failed (status {status}, {code}). Keep scanning; it is tried again")]
    Server {
        /// The HTTP status.
        status: u16,
        /// The server's code.
        code: String,
        /// When it will listen again.
        retry_after: Option<Duration>,
    },
    /// The answer is not what the protocol says.
    #[error(
        "the server's answer to {call} is not understood: {detail}. Sync again; if it stays, update this app"
    )]
    Protocol {
        /// Which call.
        call: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The server wants a newer app.
    #[error("the server speaks a newer protocol: update this app. Scans are kept until then")]
    NewerProtocol,
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The secret store failed.
    #[error(transparent)]
    Secrets(#[from] SecretError),
}

impl SyncError {
    /// The stable code that programs branch on.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Offline { .. } => "offline",
            Self::Timeout => "timeout",
            Self::Interrupted { .. } => "interrupted",
            Self::Intercepted => "intercepted",
            Self::Tls { .. } => "tls",
            Self::NotEnrolled => "not_enrolled",
            Self::UnsentScans { .. } => "unsent_scans",
            Self::EnrolmentCode(error) => error.code(),
            Self::Unauthorized { .. } => "unauthorized",
            Self::Revoked { .. } => "device_revoked",
            Self::Refused { .. } => "refused",
            Self::Busy { .. } => "busy",
            Self::Server { .. } => "server_error",
            Self::Protocol { .. } => "protocol",
            Self::NewerProtocol => "newer_protocol",
            Self::Ledger(error) => error.code(),
            Self::Secrets(_) => "secrets",
        }
    }

    /// Whether the very same request may succeed a moment later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Offline { .. }
                | Self::Timeout
                | Self::Interrupted { .. }
                | Self::Busy { .. }
                | Self::Server { .. }
        )
    }

    /// Whether trying again later, unattended, makes sense: everything that a better network or a
    /// repaired server cures. The rest needs a person.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        self.is_retryable() || matches!(self, Self::Intercepted | Self::Tls { .. } | Self::Protocol { .. })
    }

    /// When the server asked to be tried again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<CallError> for SyncError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Offline { detail } => Self::Offline { detail },
            CallError::Timeout => Self::Timeout,
            CallError::Interrupted { detail } => Self::Interrupted { detail },
            CallError::Intercepted => Self::Intercepted,
            CallError::Tls { detail } => Self::Tls { detail },
            CallError::Refused { code, .. } if code == "device_revoked" => Self::Revoked { unsent: 0 },
            CallError::Refused { status: 401, code, .. } => Self::Unauthorized { code },
            CallError::Refused { status, code, detail } => Self::Refused { status, code, detail },
            CallError::Busy { retry_after } => Self::Busy { retry_after },
            CallError::Server { status, code, retry_after } => Self::Server { status, code, retry_after },
            CallError::Protocol { call, detail } => Self::Protocol { call, detail },
            CallError::NewerProtocol => Self::NewerProtocol,
        }
    }
}

impl From<TransportError> for SyncError {
    fn from(error: TransportError) -> Self {
        CallError::from(error).into()
    }
}
