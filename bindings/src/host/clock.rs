//! The host's clocks, where it wants to lend them.

use std::sync::Arc;

use liventix_core::clock::{BootId, Clock, ClockSample as CoreSample, SystemClock};

use super::CallbackError;

/// Both clocks, read at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct ClockSample {
    /// The wall clock: UTC milliseconds, as set on this machine.
    pub wall_ms: i64,
    /// The monotonic clock: milliseconds since an arbitrary start, running through sleep.
    pub mono_ms: i64,
    /// Names the boot that `mono_ms` belongs to: another number after each restart of the machine.
    pub boot: u64,
}

/// Reads the clocks in place of the system's: for tests, which set the time, and for machines with a
/// better clock. Read at every scan, so it must be quick.
#[uniffi::export(with_foreign)]
pub trait HostClock: Send + Sync {
    /// Both clocks now.
    ///
    /// # Errors
    /// If they cannot be read: then the system's are.
    fn sample(&self) -> Result<ClockSample, CallbackError>;
}

/// The host's clock, and the system's for when it fails.
struct Lent {
    host: Arc<dyn HostClock>,
    system: SystemClock,
}

impl Clock for Lent {
    fn sample(&self) -> CoreSample {
        match self.host.sample() {
            Ok(sample) => CoreSample {
                wall_ms: sample.wall_ms,
                mono_ms: sample.mono_ms,
                boot: BootId(u128::from(sample.boot)),
            },
            Err(error) => {
                tracing::warn!(%error, "the host's clock failed: the system's is used");
                self.system.sample()
            }
        }
    }
}

/// The clock to work with.
pub(crate) fn clock(host: Option<Arc<dyn HostClock>>) -> Arc<dyn Clock> {
    let system = SystemClock::new();
    match host {
        Some(host) => Arc::new(Lent { host, system }),
        None => Arc::new(system),
    }
}
