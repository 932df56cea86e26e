//! What a wallet's developer can branch on.

use std::time::Duration;

use liventix_core::wallet::{self, ClaimLinkError};

use crate::convert::BadId;
use crate::runtime::Interrupted;

/// A wallet's call failed. No ticket is lost by any of these.
///
/// Each variant is one thing an app can do; `code` is the stable name of the exact cause, `detail` says in
/// English what happened and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Display)]
pub enum WalletError {
    /// The wallet was closed: open it again.
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
    /// The text is not a ticket link, is damaged, or leads to a server without TLS.
    #[error("{detail}")]
    Link {
        /// `not_a_ticket_link`, `ticket_link_damaged`, `ticket_link_insecure`
        code: String,
        /// For people.
        detail: String,
    },
    /// There is no such ticket here, or its entry in the keystore is damaged.
    #[error("{detail}")]
    NotFound {
        /// `ticket_unknown`, `ticket_damaged`
        code: String,
        /// For people.
        detail: String,
    },
    /// Live codes were not activated on this phone.
    #[error("{detail}")]
    NotLive {
        /// `not_activated`
        code: String,
        /// For people.
        detail: String,
    },
    /// The rules of the ticket or its organiser say no: a person has to do something else.
    #[error("{detail}")]
    Refused {
        /// `already_claimed`, `not_held`, `link_unknown`, `link_used`, `link_expired`, `transfer_refused`,
        /// `ticket_used`, `ticket_not_valid`, `other_server`, `identity_lost`, `unauthorized`, or the server's
        /// own code
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
    /// An argument is out of its range.
    #[error("{detail}")]
    InvalidInput {
        /// `id_invalid`, `phone_name_invalid`
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

impl From<Interrupted> for WalletError {
    fn from(interrupted: Interrupted) -> Self {
        let (code, detail) = interrupted.words();
        match interrupted {
            Interrupted::Closed => Self::Closed { code, detail },
            Interrupted::Cancelled => Self::Cancelled { code, detail },
            Interrupted::Panicked | Interrupted::NoThreads => Self::Internal { code, detail },
        }
    }
}

impl From<BadId> for WalletError {
    fn from(bad: BadId) -> Self {
        let (code, detail) = bad.words();
        Self::InvalidInput { code, detail }
    }
}

impl From<ClaimLinkError> for WalletError {
    fn from(error: ClaimLinkError) -> Self {
        Self::Link { code: error.code().to_owned(), detail: error.to_string() }
    }
}

impl From<wallet::WalletError> for WalletError {
    fn from(error: wallet::WalletError) -> Self {
        use wallet::WalletError as Core;
        let (code, detail) = (error.code().to_owned(), error.to_string());
        match error {
            Core::Link(error) => error.into(),
            Core::PhoneName => Self::InvalidInput { code, detail },
            Core::Offline { .. }
            | Core::Timeout
            | Core::Interrupted { .. }
            | Core::Intercepted
            | Core::Tls { .. } => Self::Network { code, detail },
            Core::Busy { retry_after } => Self::Server { code, detail, status: None, retry_after },
            Core::Server { status, retry_after, .. } => {
                Self::Server { code, detail, status: Some(status), retry_after }
            }
            Core::Protocol { .. } | Core::NewerProtocol => {
                Self::Server { code, detail, status: None, retry_after: None }
            }
            Core::TicketUnknown { .. } | Core::TicketDamaged { .. } => Self::NotFound { code, detail },
            Core::NotActivated => Self::NotLive { code, detail },
            Core::Secrets(_) => Self::Secrets { code, detail },
            Core::Refused { code, .. } => Self::Refused { code, detail },
            // Every other cause is a rule that says no.
            _ => Self::Refused { code, detail },
        }
    }
}
