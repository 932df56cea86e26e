//! Waiting, injected so that tests wait for nothing.

use std::future::Future;
use std::time::Duration;

/// Waits by blocking the thread.
pub trait Sleeper: Send + Sync {
    /// Returns after `ms` milliseconds.
    fn sleep(&self, ms: u64);
}

/// Waits without blocking the thread.
pub trait AsyncSleeper: Send + Sync {
    /// Is ready after `ms` milliseconds.
    fn sleep(&self, ms: u64) -> impl Future<Output = ()> + Send;
}

/// The real thing, by [`std::thread::sleep`].
#[derive(Debug, Clone, Copy, Default)]
pub struct ThreadSleeper;

impl Sleeper for ThreadSleeper {
    fn sleep(&self, ms: u64) {
        std::thread::sleep(Duration::from_millis(ms));
    }
}

/// The real thing, by [`tokio::time::sleep`]; needs a tokio runtime with time.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioSleeper;

impl AsyncSleeper for TokioSleeper {
    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
