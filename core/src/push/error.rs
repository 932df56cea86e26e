//! Why something about push messages did not work, and what to do about it.

use super::token::PushTokenError;
use crate::sync::call::CallError;
use crate::sync::secrets::SecretError;
use crate::sync::transport::TransportError;
use crate::wallet::WalletError;

/// Why something about push messages did not work. Tickets are never touched by any of these.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// What the app handed over is no token.
    #[error(transparent)]
    Token(#[from] PushTokenError),
    /// The server does not know where this phone's messages go.
    #[error(
        "notifications are not set up at {server_url}: allow them, and let the app run once with a network"
    )]
    NotRegistered {
        /// The server.
        server_url: String,
    },
    /// The text is not what a message carries.
    #[error(
        "this is not a message of Liventix: hand over the text under the key `liventix`, and only if there is one"
    )]
    NotAMessage,
    /// Quiet hours that cannot be.
    #[error("quiet hours begin and end at two different minutes of a day, 0 to 1439")]
    QuietHours,
    /// The server refused the token.
    #[error("the server does not take the push token ({code}): {detail}")]
    TokenRefused {
        /// The server's code.
        code: String,
        /// The server's words.
        detail: String,
    },
    /// The call failed, as any of the wallet's may.
    #[error(transparent)]
    Call(WalletError),
}

impl PushError {
    /// The stable code that programs branch on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::NotRegistered { .. } => "push_not_registered",
            Self::NotAMessage => "push_not_a_message",
            Self::QuietHours => "push_quiet_hours",
            Self::TokenRefused { .. } => "push_token_refused",
            Self::Call(error) => error.code(),
        }
    }

    /// Whether another try, with the same token and at any time, is worth it.
    pub(super) const fn may_pass(&self) -> bool {
        match self {
            // An unknown wallet may claim again, and a server may be set up for messages.
            Self::Call(_) => true,
            _ => false,
        }
    }
}

impl From<CallError> for PushError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused { code, detail, .. } if code.starts_with("push_token_") => {
                Self::TokenRefused { code, detail }
            }
            error => Self::Call(error.into()),
        }
    }
}

impl From<TransportError> for PushError {
    fn from(error: TransportError) -> Self {
        CallError::from(error).into()
    }
}

impl From<SecretError> for PushError {
    fn from(error: SecretError) -> Self {
        Self::Call(error.into())
    }
}
