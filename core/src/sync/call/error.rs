//! Why a call did not succeed, before anyone says what that means for a door or a wallet.

use std::time::Duration;

use crate::sync::transport::TransportError;
use crate::sync::wire::Problem;

/// Why a call did not succeed. The texts are for the log: [`crate::sync::SyncError`] and
/// [`crate::wallet::WalletError`] tell people what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("the server was not reached ({detail})")]
    Offline { detail: String },
    #[error("the server did not answer in time")]
    Timeout,
    #[error("the connection broke off: {detail}")]
    Interrupted { detail: String },
    #[error("something between here and the server answered in its place")]
    Intercepted,
    #[error("no secure connection ({detail})")]
    Tls { detail: String },
    #[error("the server refused (status {status}, {code}): {detail}")]
    Refused { status: u16, code: String, detail: String },
    #[error("the server asks to slow down")]
    Busy { retry_after: Option<Duration> },
    #[error("the server failed (status {status}, {code})")]
    Server { status: u16, code: String, retry_after: Option<Duration> },
    #[error("the server's answer to {call} is not understood: {detail}")]
    Protocol { call: &'static str, detail: String },
    #[error("the server speaks a newer protocol")]
    NewerProtocol,
}

impl CallError {
    /// What an error status means.
    pub(super) fn of_status(status: u16, problem: Option<Problem>, retry_after: Option<Duration>) -> Self {
        let (code, detail) = problem.map_or_else(
            || (format!("http_{status}"), "no details given".to_owned()),
            |problem| (problem.code, problem.detail),
        );
        match status {
            429 => Self::Busy { retry_after },
            408 => Self::Timeout,
            426 => Self::NewerProtocol,
            500.. => Self::Server { status, code, retry_after },
            _ => Self::Refused { status, code, detail },
        }
    }

    /// Whether the very same request may succeed a moment later.
    pub(super) const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Offline { .. }
                | Self::Timeout
                | Self::Interrupted { .. }
                | Self::Busy { .. }
                | Self::Server { .. }
        )
    }

    /// When the server asked to be tried again.
    pub(super) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<TransportError> for CallError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Unreachable { detail } => Self::Offline { detail },
            TransportError::Timeout => Self::Timeout,
            TransportError::Interrupted { detail } => Self::Interrupted { detail },
            TransportError::Tls { detail } => Self::Tls { detail },
            TransportError::TooLarge => {
                Self::Protocol { call: "a request", detail: "more bytes than any answer may have".to_owned() }
            }
            TransportError::Malformed { detail } => Self::Protocol { call: "a request", detail },
        }
    }
}
