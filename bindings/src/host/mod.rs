//! What the host lends: its keystore, its log, its clock, and ears for news.
//!
//! Every method of a host's object returns a `Result`, so that an exception on the other side becomes an
//! error here and not a panic. What fails in a callback that only listens is logged and forgotten.

pub mod clock;
pub mod log;
pub mod observer;
pub mod secrets;

/// A callback threw. Throw it yourself, or anything else: it is logged, and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum CallbackError {
    /// The callback failed.
    #[error("{detail}")]
    Failed {
        /// What it said, for the log.
        detail: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for CallbackError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { detail: error.reason }
    }
}

/// Notes a callback that threw.
pub(crate) fn note(callback: &'static str, result: Result<(), CallbackError>) {
    if let Err(error) = result {
        tracing::warn!(callback, %error, "a callback of the host failed");
    }
}
