//! How a call to a provider fails, and what that says about whether it was done.

use std::time::Duration;

use crate::platform::coded::coded;
use crate::platform::queue::Failure;

coded! {
    /// How a call ended.
    Outcome {
        /// It was done.
        Done = "done",
        /// It was refused, for good.
        Refused = "refused",
        /// The provider has too much to do; it did nothing.
        Busy = "busy",
        /// No connection came about; nothing was done.
        Unreachable = "unreachable",
        /// Nobody called: it has failed too often of late.
        NotCalled = "not_called",
        /// No answer in time.
        Timeout = "timeout",
        /// The connection broke, or the answer makes no sense.
        Broken = "broken",
        /// The provider failed.
        Failing = "failing",
        /// The same call is being answered to somebody else.
        InProgress = "in_progress",
    }
}

impl Outcome {
    /// Whether the call may have been done all the same.
    #[must_use]
    pub const fn is_uncertain(self) -> bool {
        matches!(self, Self::Timeout | Self::Broken | Self::Failing | Self::InProgress)
    }

    /// Whether the provider seems to be down.
    #[must_use]
    pub const fn is_outage(self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout | Self::Broken | Self::Failing)
    }
}

/// A call that was not done, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", outcome.code())]
pub(crate) struct CallFailure {
    pub(crate) outcome: Outcome,
    /// The provider's code, where it gave one.
    pub(crate) code: Option<String>,
    /// What happened, without secrets.
    pub(crate) detail: String,
    /// The HTTP status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// What the provider calls the call.
    pub(crate) provider_request_id: Option<String>,
    /// Whether it is what the same call was answered before: it will never be answered otherwise.
    pub(crate) is_replayed: bool,
    /// How long the provider wants to be left alone.
    pub(crate) retry_after: Option<Duration>,
}

/// Of a job that made the call: it is made again, not before the provider wants it.
impl From<CallFailure> for Failure {
    fn from(failure: CallFailure) -> Self {
        let detail = failure.to_string();
        match failure.retry_after {
            Some(wait) => Self::retry_after("provider", detail, wait),
            None => Self::retry("provider", detail),
        }
    }
}

impl CallFailure {
    pub(crate) fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            code: None,
            detail: detail.into(),
            status: None,
            provider_request_id: None,
            is_replayed: false,
            retry_after: None,
        }
    }

    /// Whether the key stands for something else at the provider: that says nothing of what was asked for.
    pub(crate) fn is_about_key(&self) -> bool {
        self.code.as_deref() == Some("idempotency_error")
    }

    /// Whether nothing was done, and asking again changes nothing.
    pub(crate) fn is_final(&self) -> bool {
        self.outcome == Outcome::Refused && !self.is_about_key()
    }

    /// Whether the provider refused because of where the payment stands: it has to be asked where that is.
    pub(crate) fn is_about_state(&self) -> bool {
        self.code.as_deref() == Some("payment_intent_unexpected_state")
    }
}
