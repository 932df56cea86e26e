//! What a registrar's developer can branch on.

use std::time::Duration;

use liventix_core::push;
use liventix_core::wallet::WalletError as Call;

use crate::runtime::Interrupted;

/// A registrar's call failed. No ticket is touched by any of these.
///
/// Each variant is one thing an app can do; `code` is the stable name of the exact cause, `detail` says in
/// English what happened and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Display)]
pub enum PushError {
    /// The registrar was closed: open it again.
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
    /// What was handed over is no token, or the server takes none like it.
    #[error("{detail}")]
    Token {
        /// `push_token_empty`, `push_token_not_hex`, `push_token_length`, `push_token_shape`,
        /// `push_token_other_service`, `push_token_refused`
        code: String,
        /// For people.
        detail: String,
    },
    /// The server does not know where this phone's messages go: allow them, and run the registrar.
    #[error("{detail}")]
    NotRegistered {
        /// `push_not_registered`
        code: String,
        /// For people.
        detail: String,
    },
    /// An argument is out of its range.
    #[error("{detail}")]
    InvalidInput {
        /// `push_not_a_message`, `push_quiet_hours`
        code: String,
        /// For people.
        detail: String,
    },
    /// The server says no: a person has to do something else.
    #[error("{detail}")]
    Refused {
        /// `identity_lost`, `unauthorized`, or the server's own code
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
    /// The server failed, is busy, or is not understood.
    #[error("{detail}")]
    Server {
        /// `busy`, `server_error`, `protocol`, `newer_protocol`
        code: String,
        /// For people.
        detail: String,
        /// The HTTP status, where there was one.
        status: Option<u16>,
        /// When the server asked to be tried again.
        retry_after: Option<Duration>,
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

impl From<Interrupted> for PushError {
    fn from(interrupted: Interrupted) -> Self {
        let (code, detail) = interrupted.words();
        match interrupted {
            Interrupted::Closed => Self::Closed { code, detail },
            Interrupted::Cancelled => Self::Cancelled { code, detail },
            Interrupted::Panicked | Interrupted::NoThreads => Self::Internal { code, detail },
        }
    }
}

impl From<push::PushError> for PushError {
    fn from(error: push::PushError) -> Self {
        use push::PushError as Core;
        let (code, detail) = (error.code().to_owned(), error.to_string());
        match error {
            Core::Token(_) | Core::TokenRefused { .. } => Self::Token { code, detail },
            Core::NotRegistered { .. } => Self::NotRegistered { code, detail },
            Core::NotAMessage | Core::QuietHours => Self::InvalidInput { code, detail },
            Core::Call(error) => Self::of_call(error, code, detail),
        }
    }
}

impl PushError {
    /// A call to a server, which fails as the wallet's do.
    fn of_call(error: Call, code: String, detail: String) -> Self {
        match error {
            Call::Offline { .. }
            | Call::Timeout
            | Call::Interrupted { .. }
            | Call::Intercepted
            | Call::Tls { .. } => Self::Network { code, detail },
            Call::Busy { retry_after } => Self::Server { code, detail, status: None, retry_after },
            Call::Server { status, retry_after, .. } => {
                Self::Server { code, detail, status: Some(status), retry_after }
            }
            Call::Protocol { .. } | Call::NewerProtocol => {
                Self::Server { code, detail, status: None, retry_after: None }
            }
            Call::Secrets(_) => Self::Secrets { code, detail },
            Call::Refused { code, .. } => Self::Refused { code, detail },
            // Every other cause is a rule that says no.
            _ => Self::Refused { code, detail },
        }
    }
}
