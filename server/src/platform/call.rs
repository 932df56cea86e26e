//! Calls to other services over HTTP: how one fails, and what that says about whether it was done.

use std::time::Duration;

use axum::http::header::{DATE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use liventix_core::resilience::parse_retry_after;

use super::coded::coded;
use super::outbound;
use super::queue::Failure;

/// How much of an answer is read, in bytes.
const MAX_ANSWER: usize = 1_024 * 1_024;
/// Longer than this, no service is left alone: an absurd wish must not end what waits.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

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

    /// How it ended, without what the provider says of it, which may name people. `who` is what the provider is called.
    pub(crate) fn briefly(&self, who: &str) -> String {
        match self.status {
            Some(status) => format!("The {who} answered {status}: {}.", self.outcome.code()),
            None => format!("The {who} did not answer: {}.", self.outcome.code()),
        }
    }
}

/// Nothing came back, or not all of it.
impl From<reqwest::Error> for CallFailure {
    fn from(error: reqwest::Error) -> Self {
        let outcome = if error.is_connect() {
            Outcome::Unreachable
        } else if error.is_timeout() {
            Outcome::Timeout
        } else {
            Outcome::Broken
        };
        Self::new(outcome, outbound::reason(&error))
    }
}

/// Makes a call to its end: the answer's status, headers and body, whatever it says.
///
/// # Errors
/// When no answer comes, or not all of it.
pub(crate) async fn make(
    request: reqwest::RequestBuilder,
) -> Result<(StatusCode, HeaderMap, Vec<u8>), CallFailure> {
    let mut response = request.send().await?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    Ok((status, headers, read(response).await?))
}

/// An answer's body, to its end.
async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, CallFailure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(CallFailure::new(Outcome::Broken, "The answer has no end."));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A header's text.
pub(crate) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// How long the service wants to be left alone: never more than an hour, whatever it says. A moment that it names is
/// measured by its own clock, which ours may not agree with.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, RETRY_AFTER.as_str())?;
    let now = text(headers, DATE.as_str()).and_then(|date| parse_retry_after(&date, 0));
    // Without a clock of its own, a moment says nothing.
    let now = now.and_then(|now| i64::try_from(now).ok()).unwrap_or(i64::MAX);
    parse_retry_after(&value, now).map(|wait| Duration::from_millis(wait).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_understood_and_has_an_end() {
        let date = "Fri, 31 Jul 2026 18:00:00 GMT";
        for (said, now, seconds) in [
            (Some("2"), Some(date), Some(2)),
            (Some("0"), None, Some(0)),
            (Some("Fri, 31 Jul 2026 18:01:30 GMT"), Some(date), Some(90)),
            (Some("Fri, 31 Jul 2026 17:00:00 GMT"), Some(date), Some(0)),
            (Some("Fri, 31 Jul 2026 18:01:30 GMT"), None, Some(0)),
            (Some("1000000000000"), Some(date), Some(3_600)),
            (Some("99999999999999999999999999"), None, Some(3_600)),
            (Some("Sat, 31 Jul 9999 18:00:00 GMT"), Some(date), Some(3_600)),
            (Some("-5"), Some(date), None),
            (Some("soon"), Some(date), None),
            (Some(""), Some(date), None),
            (None, Some(date), None),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [(RETRY_AFTER, said), (DATE, now)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            assert_eq!(retry_after(&headers), seconds.map(Duration::from_secs), "{said:?} {now:?}");
        }
    }
}
