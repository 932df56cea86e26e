//! Rate limits by an exact sliding window: at most `limit` in any `window`, not per calendar minute.
//!
//! In memory, for one process. The signature is the one that stays when the counters move into the
//! database.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use liventix_core::clock::Clock;

use super::db::DbError;
use super::problem::{ApiError, Code};

/// Keys kept before those that have run out are swept for the first time.
const SWEEP_AT: usize = 10_000;
/// Keys kept at most: far more than any honest crowd has. Beyond that, a new key is refused until the
/// next one runs out, so that addresses made up by the million fill no memory.
const MAX_KEYS: usize = 200_000;

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Whether this one may go on. It is counted only if so.
    pub allowed: bool,
    /// How many more may follow now.
    pub remaining: u32,
    /// When the next one is free (UTC milliseconds).
    pub reset_at: i64,
}

/// At most `count` in any `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub count: u32,
    /// In how long.
    pub window: Duration,
}

impl Limit {
    /// `count` in any minute.
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        Self { count, window: Duration::from_secs(60) }
    }
}

#[derive(Debug, Default)]
struct Counter {
    /// When each counted one came, oldest first.
    times: VecDeque<i64>,
    window_ms: i64,
}

/// All counters.
pub struct RateLimiter {
    clock: Arc<dyn Clock>,
    counters: Mutex<Counters>,
}

#[derive(Debug)]
struct Counters {
    by_key: HashMap<String, Counter>,
    /// How many keys the next sweep waits for.
    sweep_at: usize,
}

impl Counters {
    /// Forgets the keys that have run out. Twice as many as are left have to come before the next
    /// sweep, so that its cost is spread over as many calls.
    fn sweep(&mut self, now: i64) {
        if self.by_key.len() >= self.sweep_at {
            let runs = |counter: &Counter| {
                counter.times.back().is_some_and(|last| (0..counter.window_ms).contains(&(now - last)))
            };
            self.by_key.retain(|_, counter| runs(counter));
            self.sweep_at = (self.by_key.len() * 2).clamp(SWEEP_AT, MAX_KEYS);
        }
    }
}

impl std::fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RateLimiter")
    }
}

impl RateLimiter {
    /// No one counted yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let counters = Counters { by_key: HashMap::new(), sweep_at: SWEEP_AT };
        Self { clock, counters: Mutex::new(counters) }
    }

    /// Counts one for `key`, if `limit` allows.
    ///
    /// # Errors
    /// None in memory; a database may fail.
    #[expect(clippy::unused_async, reason = "the counters move into the database")]
    pub async fn check(&self, key: &str, limit: u32, window: Duration) -> Result<Rate, DbError> {
        let now = self.clock.wall_ms();
        let window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.sweep(now);
        if counters.by_key.len() >= MAX_KEYS && !counters.by_key.contains_key(key) {
            return Ok(Rate { allowed: false, remaining: 0, reset_at: now.saturating_add(window_ms) });
        }
        let counter = counters.by_key.entry(key.to_owned()).or_default();
        counter.window_ms = window_ms;
        // A time in the future is one from before the clock was set back: it counts no longer.
        counter.times.retain(|time| (0..window_ms).contains(&(now - time)));
        let used = u32::try_from(counter.times.len()).unwrap_or(u32::MAX);
        let allowed = used < limit;
        if allowed {
            counter.times.push_back(now);
        }
        let remaining = limit.saturating_sub(used + u32::from(allowed));
        let reset_at = match counter.times.front() {
            Some(first) if remaining == 0 => first + window_ms,
            _ => now,
        };
        Ok(Rate { allowed, remaining, reset_at })
    }

    /// Counts one, or answers 429 with `Retry-After`.
    ///
    /// # Errors
    /// `rate_limited`.
    pub async fn require(&self, key: &str, limit: Limit) -> Result<(), ApiError> {
        let rate = self.check(key, limit.count, limit.window).await?;
        if rate.allowed {
            return Ok(());
        }
        let seconds = (rate.reset_at - self.clock.wall_ms()).max(0) / 1_000 + 1;
        let detail = format!("Too many of these requests. Try again in {seconds} s.");
        Err(ApiError::new(Code::RateLimited, detail).retry_after(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use liventix_core::clock::ManualClock;

    #[tokio::test]
    async fn never_more_than_the_limit_in_any_window() {
        let clock = Arc::new(ManualClock::new(1_000_000));
        let limiter = RateLimiter::new(clock.clone());
        let window = Duration::from_secs(10);
        let mut admitted = Vec::new();
        for _ in 0..200 {
            if limiter.check("k", 3, window).await.unwrap().allowed {
                admitted.push(clock.wall_ms());
            }
            clock.advance(700);
        }
        for (place, time) in admitted.iter().enumerate().skip(3) {
            assert!(time - admitted[place - 3] >= 10_000);
        }
        assert!(admitted.len() >= 3 * 13);
    }

    #[tokio::test]
    async fn says_what_is_left_and_when_it_is_free_again() {
        let clock = Arc::new(ManualClock::new(1_000_000));
        let limiter = RateLimiter::new(clock.clone());
        let window = Duration::from_secs(10);
        assert_eq!(limiter.check("k", 2, window).await.unwrap().remaining, 1);
        clock.advance(1_000);
        let second = limiter.check("k", 2, window).await.unwrap();
        assert_eq!((second.remaining, second.reset_at), (0, 1_010_000));
        assert!(!limiter.check("k", 2, window).await.unwrap().allowed);
        assert!(limiter.check("other", 2, window).await.unwrap().allowed);
    }

    #[tokio::test]
    async fn made_up_keys_fill_no_memory_and_are_forgotten_when_they_run_out() {
        let clock = Arc::new(ManualClock::new(1_000_000));
        let limiter = RateLimiter::new(clock.clone());
        let window = Duration::from_secs(10);
        limiter.check("known", 5, window).await.unwrap();
        for number in 0..MAX_KEYS + 10 {
            limiter.check(&number.to_string(), 5, window).await.unwrap();
        }
        assert_eq!(limiter.counters.lock().unwrap().by_key.len(), MAX_KEYS);
        assert!(!limiter.check("new", 5, window).await.unwrap().allowed);
        assert!(limiter.check("known", 5, window).await.unwrap().allowed);
        clock.advance(10_000);
        assert!(limiter.check("new", 5, window).await.unwrap().allowed);
        assert!(limiter.counters.lock().unwrap().by_key.len() < 10);
    }
}
