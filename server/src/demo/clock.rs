//! The real clocks of this machine, with a way to let an evening pass in a second.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use liventix_core::clock::{Clock, ClockSample, SystemClock};

/// Real time plus what was skipped. Clones skip together.
#[derive(Clone)]
pub(super) struct DemoClock {
    system: SystemClock,
    skipped_ms: Arc<AtomicI64>,
    ahead_ms: i64,
}

impl DemoClock {
    /// So many milliseconds ago.
    pub(super) fn ago(ms: i64) -> Self {
        Self { system: SystemClock::new(), skipped_ms: Arc::new(AtomicI64::new(-ms)), ahead_ms: 0 }
    }

    /// The same time on a phone whose wall clock is wrong by this much.
    pub(super) fn running_ahead(&self, ahead_ms: i64) -> Self {
        Self { ahead_ms, ..self.clone() }
    }

    pub(super) fn skip(&self, ms: i64) {
        self.skipped_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// The result of `work` and how many milliseconds it took.
    pub(super) async fn timed<T>(&self, work: impl Future<Output = T>) -> (T, i64) {
        let before = self.sample().mono_ms;
        let result = work.await;
        (result, self.sample().mono_ms - before)
    }
}

impl Clock for DemoClock {
    fn sample(&self) -> ClockSample {
        let real = self.system.sample();
        let skipped = self.skipped_ms.load(Ordering::SeqCst);
        ClockSample {
            wall_ms: real.wall_ms + skipped + self.ahead_ms,
            mono_ms: real.mono_ms + skipped,
            boot: real.boot,
        }
    }
}
