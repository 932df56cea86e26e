//! The retry helper: an explicit schedule, jitter upward only, `Retry-After` honoured.

use std::borrow::Cow;
use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use super::sleep::{AsyncSleeper, Sleeper};
use crate::entropy::Entropy;

/// How an operation is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// What the log calls it, e.g. `scan_upload`.
    pub operation: &'static str,
    /// How many times it is tried again after the first attempt; 0 never.
    pub max_retries: u32,
    /// The wait before each retry, in milliseconds. The last one repeats if there are more retries
    /// than waits; empty means no wait.
    pub backoff_ms: Cow<'static, [u64]>,
    /// Each wait grows by a random share of itself up to this many percent (0 to 100). It never
    /// shrinks: a wait that a server asked for is a minimum.
    pub jitter_percent: u8,
    /// A server that asks for a longer wait than this (milliseconds) is not waited for.
    pub max_retry_after_ms: u64,
}

impl RetryPolicy {
    /// A policy with 20 % jitter that waits up to five minutes when a server asks for it.
    #[must_use]
    pub const fn new(operation: &'static str, max_retries: u32, backoff_ms: &'static [u64]) -> Self {
        Self {
            operation,
            max_retries,
            backoff_ms: Cow::Borrowed(backoff_ms),
            jitter_percent: 20,
            max_retry_after_ms: 300_000,
        }
    }

    /// The same with another share of jitter.
    #[must_use]
    pub fn with_jitter(self, jitter_percent: u8) -> Self {
        Self { jitter_percent, ..self }
    }

    /// The same, waiting as long as this for a server that asks for it (milliseconds).
    #[must_use]
    pub const fn waiting_up_to(mut self, max_retry_after_ms: u64) -> Self {
        self.max_retry_after_ms = max_retry_after_ms;
        self
    }

    /// The wait before retry number `retry` (from 1), before jitter.
    fn scheduled_ms(&self, retry: u32) -> u64 {
        let index = usize::try_from(retry.saturating_sub(1)).unwrap_or(usize::MAX);
        self.backoff_ms.get(index).or(self.backoff_ms.last()).copied().unwrap_or(0)
    }

    /// How long to wait before the next attempt, in milliseconds, after number `attempt` (from 1) failed. For
    /// callers that do the waiting themselves, such as a queue.
    ///
    /// # Errors
    /// Why there is no further attempt.
    pub fn after(&self, attempt: u32, verdict: Retry, entropy: &dyn Entropy) -> Result<u64, GaveUp> {
        let asked_ms = match verdict {
            Retry::No => return Err(GaveUp::NotRetryable),
            Retry::Backoff => 0,
            Retry::After(ms) => ms,
        };
        if attempt > self.max_retries {
            return Err(GaveUp::Exhausted);
        }
        if asked_ms > self.max_retry_after_ms {
            return Err(GaveUp::WaitTooLong { asked_ms });
        }
        Ok(with_jitter(self.scheduled_ms(attempt).max(asked_ms), self.jitter_percent, entropy))
    }
}

/// `wait` plus a random part of `percent` of it.
fn with_jitter(wait: u64, percent: u8, entropy: &dyn Entropy) -> u64 {
    let most = u128::from(wait) * u128::from(percent.min(100)) / 100;
    let mut random = [0; 8];
    entropy.fill(&mut random);
    // The high half of random × (most + 1) is even over 0..=most.
    let jitter = (u128::from(u64::from_be_bytes(random)) * (most + 1)) >> 64;
    wait.saturating_add(u64::try_from(jitter).unwrap_or(0))
}

/// What one failure calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Trying again cannot help.
    No,
    /// Try again by the schedule.
    Backoff,
    /// Try again, but not before this many milliseconds (a server's `Retry-After`).
    After(u64),
}

impl From<bool> for Retry {
    /// A plain "is it retryable?".
    fn from(retryable: bool) -> Self {
        if retryable { Self::Backoff } else { Self::No }
    }
}

impl From<Duration> for Retry {
    /// A wait that was asked for, in whole milliseconds.
    fn from(wait: Duration) -> Self {
        Self::After(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Why there was no further attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GaveUp {
    /// The error is not one that passes.
    NotRetryable,
    /// All attempts are used.
    Exhausted,
    /// The server asked for a longer wait than the policy allows.
    WaitTooLong {
        /// What it asked for, in milliseconds.
        asked_ms: u64,
    },
}

/// An operation that failed for good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed after {attempts} attempt(s): {error}")]
pub struct Failure<E> {
    /// The operation.
    pub operation: &'static str,
    /// How many attempts were made.
    pub attempts: u32,
    /// Why it ended.
    pub gave_up: GaveUp,
    /// The last attempt's error.
    pub error: E,
}

/// Runs `attempt` (which is told its number, from 1) until it succeeds, blocking between attempts.
/// `judge` says of each error whether, and how soon, trying again makes sense. Every failure is
/// logged with the operation's name.
///
/// # Errors
/// The last error, with the reason for giving up.
pub fn retry_blocking<T, E: Display>(
    policy: &RetryPolicy,
    sleeper: &dyn Sleeper,
    entropy: &dyn Entropy,
    mut attempt: impl FnMut(u32) -> Result<T, E>,
    judge: impl Fn(&E) -> Retry,
) -> Result<T, Failure<E>> {
    let mut number = 1;
    loop {
        let error = match attempt(number) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let wait_ms = next_wait(policy, number, error, &judge, entropy)?;
        sleeper.sleep(wait_ms);
        number += 1;
    }
}

/// Like [`retry_blocking`], waiting without blocking.
///
/// # Errors
/// The last error, with the reason for giving up.
pub async fn retry<T, E: Display, F: Future<Output = Result<T, E>>>(
    policy: &RetryPolicy,
    sleeper: &impl AsyncSleeper,
    entropy: &dyn Entropy,
    mut attempt: impl FnMut(u32) -> F,
    judge: impl Fn(&E) -> Retry,
) -> Result<T, Failure<E>> {
    let mut number = 1;
    loop {
        let error = match attempt(number).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let wait_ms = next_wait(policy, number, error, &judge, entropy)?;
        sleeper.sleep(wait_ms).await;
        number += 1;
    }
}

/// How long to wait before the next attempt, or why there is none. Logs either.
fn next_wait<E: Display>(
    policy: &RetryPolicy,
    attempts: u32,
    error: E,
    judge: impl Fn(&E) -> Retry,
    entropy: &dyn Entropy,
) -> Result<u64, Failure<E>> {
    let (operation, max_retries) = (policy.operation, policy.max_retries);
    match policy.after(attempts, judge(&error), entropy) {
        Ok(wait_ms) => {
            tracing::warn!(operation, attempts, max_retries, wait_ms, %error, "attempt failed, trying again");
            Ok(wait_ms)
        }
        Err(gave_up) => {
            tracing::error!(operation, attempts, ?gave_up, %error, "gave up");
            Err(Failure { operation, attempts, gave_up, error })
        }
    }
}
