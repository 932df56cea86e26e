//! Time a door can trust: the phone's clocks, the server's offset, and how wrong the sum may be.
//!
//! A phone has a wall clock, which anyone can set, and a monotonic clock, which nobody can, but which
//! starts again at every boot. [`TrustedTime`] ties the monotonic clock to the server's time at each
//! sync. Between syncs, a wall clock set by hand changes nothing; after a reboot the wall clock has
//! to be believed again, and if it then runs behind a moment known to have passed, it no longer is.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::entropy::{Entropy, OsEntropy};

/// How fast a phone's oscillator may drift, in parts per million. Crystal data sheets promise 20 to
/// 50 over temperature; twice that leaves room for old phones in the sun.
const DRIFT_PPM: i64 = 100;
/// Added to the error when only the battery-backed clock spans a reboot (it counts whole seconds).
const REBOOT_ERROR_MS: i64 = 5_000;
/// The end of the year 9999. No server's clock is later; a larger number would overflow sums of times.
const LATEST_SERVER_MS: i64 = 253_402_300_799_999;
/// A wall clock that moved this much against the monotonic one was set, not adjusted.
const JUMP_MS: i64 = 2_000;

/// Names one boot of one machine: monotonic times compare only within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootId(pub u128);

/// Both clocks, read at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSample {
    /// The wall clock: UTC milliseconds, as set on this machine.
    pub wall_ms: i64,
    /// The monotonic clock: milliseconds since an arbitrary start, running through sleep.
    pub mono_ms: i64,
    /// The boot that `mono_ms` belongs to.
    pub boot: BootId,
}

/// Reads the clocks. Injected everywhere, so that tests set the time.
pub trait Clock: Send + Sync {
    /// Both clocks now.
    fn sample(&self) -> ClockSample;

    /// The wall clock alone, for work that needs no trust (a server's own time, a file name).
    fn wall_ms(&self) -> i64 {
        self.sample().wall_ms
    }
}

/// The machine's own clocks.
#[derive(Debug, Clone)]
pub struct SystemClock {
    boot: BootId,
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    started: std::time::Instant,
}

impl SystemClock {
    /// Finds out which boot this is. Where the system does not say, each process counts as a boot
    /// of its own, which is safe: it only makes the error bound wider.
    #[must_use]
    pub fn new() -> Self {
        Self {
            boot: system_boot_id().unwrap_or_else(random_boot_id),
            #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
            started: std::time::Instant::now(),
        }
    }

    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    #[expect(clippy::unused_self, reason = "other systems need the start time in it")]
    fn mono_ms(&self) -> i64 {
        // `Instant` stands still while a phone sleeps; these two run on. (Apple's CLOCK_MONOTONIC
        // does, Linux's does not.)
        #[cfg(target_vendor = "apple")]
        let id = rustix::time::ClockId::Monotonic;
        #[cfg(not(target_vendor = "apple"))]
        let id = rustix::time::ClockId::Boottime;
        let now = rustix::time::clock_gettime(id);
        now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    fn mono_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn sample(&self) -> ClockSample {
        let wall_ms = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        ClockSample { wall_ms, mono_ms: self.mono_ms(), boot: self.boot }
    }
}

fn system_boot_id() -> Option<BootId> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    uuid::Uuid::try_parse(text.trim()).ok().map(|id| BootId(id.as_u128()))
}

fn random_boot_id() -> BootId {
    let mut bytes = [0_u8; 16];
    OsEntropy.fill(&mut bytes);
    BootId(u128::from_be_bytes(bytes))
}

/// One question to the server about its time, from just before it was sent to just after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// Just before the request left.
    pub sent: ClockSample,
    /// Just after the answer came.
    pub received: ClockSample,
    /// The server's time while it answered (UTC milliseconds).
    pub server_ms: i64,
}

/// The moment at which this machine last knew the server's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// This machine's clocks at that moment.
    pub sample: ClockSample,
    /// The server's time at that moment (UTC milliseconds), give or take `error_ms`.
    pub server_ms: i64,
    /// Half the round trip.
    pub error_ms: i64,
}

/// A moment as a scan records it: what the clocks said, and how far to trust them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeReading {
    /// The wall clock (UTC milliseconds).
    pub wall_ms: i64,
    /// The monotonic clock (milliseconds).
    pub mono_ms: i64,
    /// Add this to the wall clock to get server time (milliseconds).
    pub offset_ms: i64,
    /// How far the corrected time may be off, either way (milliseconds). None: nobody knows.
    pub error_ms: Option<i64>,
    /// A moment that has certainly passed (server time, UTC milliseconds).
    pub floor_ms: i64,
    /// The wall clock was set by this many milliseconds since the last reading.
    pub jumped_ms: Option<i64>,
}

/// Between which two moments the true time lies, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeBounds {
    /// Not before this (UTC milliseconds).
    pub earliest: i64,
    /// Not after this (UTC milliseconds).
    pub latest: i64,
}

impl TimeReading {
    /// A reading of a clock that is right by definition: the server's own.
    #[must_use]
    pub const fn exact(wall_ms: i64) -> Self {
        Self { wall_ms, mono_ms: 0, offset_ms: 0, error_ms: Some(0), floor_ms: 0, jumped_ms: None }
    }

    /// The best guess of server time (UTC milliseconds).
    #[must_use]
    pub const fn now(&self) -> i64 {
        self.wall_ms.saturating_add(self.offset_ms)
    }

    /// Where the true time lies. A clock nobody can vouch for leaves everything after the last
    /// moment known to have passed.
    #[must_use]
    pub fn bounds(&self) -> TimeBounds {
        match self.error_ms {
            Some(error) => TimeBounds {
                earliest: self.now().saturating_sub(error).max(self.floor_ms),
                latest: self.now().saturating_add(error).max(self.floor_ms),
            },
            None => TimeBounds { earliest: self.floor_ms, latest: i64::MAX },
        }
    }
}

/// What [`TrustedTime`] stores, so that a restart of the program changes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeState {
    /// When this machine last knew the server's time.
    pub anchor: Option<Anchor>,
    /// A moment that has certainly passed (server time, UTC milliseconds).
    pub floor_ms: i64,
    /// The latest moment that was read by a wall clock alone (server time, UTC milliseconds). A clock
    /// behind it is wrong, or the one then was: that moment has not certainly passed.
    #[serde(default)]
    read_ms: i64,
    /// The wall clock has run steadily since this sample.
    steady_since: Option<ClockSample>,
    /// In this boot the wall clock cannot be believed.
    doubt: Option<Doubt>,
}

impl TimeState {
    /// Whether more than the floor and the last moment read differ. These alone need not be stored:
    /// they move at every reading, and what was written at that time tells them too.
    #[must_use]
    pub(crate) fn differs(&self, other: &Self) -> bool {
        *self != Self { floor_ms: self.floor_ms, read_ms: self.read_ms, ..*other }
    }

    /// Raises the floor to the earliest moment of something written with `error_ms`, unless that may
    /// have been after a reboot, by the wall clock alone.
    pub(crate) fn raise_floor(&mut self, earliest_ms: i64, error_ms: i64) {
        if error_ms < REBOOT_ERROR_MS {
            self.floor_ms = self.floor_ms.max(earliest_ms);
        }
    }
}

/// A wall clock that proved wrong, in a boot in which the server's time was never learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Doubt {
    /// When that came out.
    sample: ClockSample,
    /// It was this time at least (server time, UTC milliseconds).
    server_ms: i64,
}

/// Keeps the tie between this machine's clocks and the server's. Pure: it is told every sample.
#[derive(Debug, Clone, Default)]
pub struct TrustedTime {
    state: TimeState,
}

impl TrustedTime {
    /// Continues from what an earlier process stored, and from the latest moment it is known to have
    /// written anything at (server time, UTC milliseconds; 0 if none).
    #[must_use]
    pub fn restore(state: TimeState, passed_ms: i64) -> Self {
        Self { state: TimeState { read_ms: state.read_ms.max(passed_ms), ..state } }
    }

    /// What to store.
    #[must_use]
    pub const fn state(&self) -> TimeState {
        self.state
    }

    /// Learns from one round trip. Returns whether it became the new anchor: it does when it is at
    /// least as exact as what is known by now, or when the two contradict.
    pub fn observe(&mut self, trip: &RoundTrip) -> bool {
        if trip.sent.boot != trip.received.boot || trip.received.mono_ms < trip.sent.mono_ms {
            return false;
        }
        if !(0..=LATEST_SERVER_MS).contains(&trip.server_ms) {
            return false;
        }
        let round_trip = trip.received.mono_ms - trip.sent.mono_ms;
        let candidate = Anchor {
            sample: trip.received,
            server_ms: trip.server_ms.saturating_add(round_trip / 2),
            // Halving cuts up to a millisecond off, and so did the server when it read its clock.
            error_ms: round_trip / 2 + 2,
        };
        if !self.is_better(&candidate) {
            return false;
        }
        let earliest = candidate.server_ms.saturating_sub(candidate.error_ms);
        let latest = candidate.server_ms.saturating_add(candidate.error_ms);
        // The server's word counts: where it contradicts the floor, its clock was set back or ours
        // was believed wrongly, and the floor follows.
        let floor_ms =
            if self.state.floor_ms > latest { earliest } else { self.state.floor_ms.max(earliest) };
        self.state = TimeState {
            anchor: Some(candidate),
            floor_ms,
            steady_since: Some(trip.received),
            ..TimeState::default()
        };
        true
    }

    fn is_better(&self, candidate: &Anchor) -> bool {
        let Some(anchor) = self.state.anchor else { return true };
        let Some((projected, error)) = project_in_boot(&anchor, &candidate.sample) else { return true };
        let apart = projected.saturating_sub(candidate.server_ms).saturating_abs();
        candidate.error_ms <= error || apart > error.saturating_add(candidate.error_ms)
    }

    /// Turns a sample into a reading, and notices a wall clock that was set since the last one.
    pub fn read(&mut self, sample: ClockSample) -> TimeReading {
        let jumped_ms = self.notice_jump(&sample);
        let (offset_ms, error_ms) = self.offset(&sample, jumped_ms.is_some());
        let reading = TimeReading {
            wall_ms: sample.wall_ms,
            mono_ms: sample.mono_ms,
            offset_ms,
            error_ms,
            floor_ms: self.state.floor_ms,
            jumped_ms,
        };
        if error_ms.is_some() {
            self.has_passed(reading.bounds().earliest, &sample);
        }
        reading
    }

    /// Certainly, if the monotonic clock says so; a wall clock that starts a boot may be in the future.
    fn has_passed(&mut self, moment_ms: i64, sample: &ClockSample) {
        if self.state.anchor.is_some_and(|anchor| project_in_boot(&anchor, sample).is_some()) {
            self.state.floor_ms = moment_ms;
        } else {
            self.state.read_ms = self.state.read_ms.max(moment_ms);
        }
    }

    /// Compared with the start of the steady run, not with the last reading: many small steps add up.
    fn notice_jump(&mut self, sample: &ClockSample) -> Option<i64> {
        let comparable = |since: &ClockSample| since.boot == sample.boot && since.mono_ms <= sample.mono_ms;
        let Some(since) = self.state.steady_since.filter(comparable) else {
            self.state.steady_since = Some(*sample);
            return None;
        };
        let elapsed = sample.mono_ms.saturating_sub(since.mono_ms);
        let moved_ms = sample.wall_ms.saturating_sub(since.wall_ms).saturating_sub(elapsed);
        if moved_ms.saturating_abs() <= JUMP_MS + drift(elapsed) {
            return None;
        }
        self.state.steady_since = Some(*sample);
        Some(moved_ms)
    }

    fn offset(&mut self, sample: &ClockSample, jumped: bool) -> (i64, Option<i64>) {
        let Some(anchor) = self.state.anchor else { return (0, None) };
        if let Some((server_ms, error_ms)) = project_in_boot(&anchor, sample) {
            if jumped {
                // The next boot starts from the wall clock as it is set now.
                self.state.anchor = Some(Anchor { sample: *sample, server_ms, error_ms });
            }
            return (server_ms.saturating_sub(sample.wall_ms), Some(error_ms));
        }
        self.offset_after_reboot(&anchor, sample, jumped)
    }

    /// Only the wall clock spans a reboot. It is believed until it shows a time that has passed, or
    /// is set by hand; from then on nobody knows the time until the next sync, only that it runs on.
    fn offset_after_reboot(
        &mut self,
        anchor: &Anchor,
        sample: &ClockSample,
        jumped: bool,
    ) -> (i64, Option<i64>) {
        let offset_ms = anchor.server_ms.saturating_sub(anchor.sample.wall_ms);
        let by_wall = sample.wall_ms.saturating_add(offset_ms);
        let floor_ms = self.state.floor_ms;
        let doubt = self.state.doubt.filter(|doubt| doubt.sample.boot == sample.boot);
        if doubt.is_none() && !jumped && by_wall >= floor_ms.max(self.state.read_ms) {
            let elapsed = sample.wall_ms.saturating_sub(anchor.sample.wall_ms).max(0);
            return (offset_ms, Some(anchor.error_ms + drift(elapsed) + REBOOT_ERROR_MS));
        }
        let doubt = doubt.unwrap_or(Doubt { sample: *sample, server_ms: floor_ms });
        self.state.doubt = Some(doubt);
        let at_least = doubt.server_ms.saturating_add((sample.mono_ms - doubt.sample.mono_ms).max(0));
        (by_wall.max(at_least).saturating_sub(sample.wall_ms), None)
    }
}

/// Server time at `sample` by the monotonic clock, if it is of the anchor's boot, and its error.
fn project_in_boot(anchor: &Anchor, sample: &ClockSample) -> Option<(i64, i64)> {
    let elapsed = sample.mono_ms - anchor.sample.mono_ms;
    (sample.boot == anchor.sample.boot && elapsed >= 0)
        .then(|| (anchor.server_ms.saturating_add(elapsed), anchor.error_ms + drift(elapsed)))
}

const fn drift(elapsed_ms: i64) -> i64 {
    elapsed_ms / 1_000_000 * DRIFT_PPM + elapsed_ms % 1_000_000 * DRIFT_PPM / 1_000_000
}

/// A clock that stands still until told: for tests and the demo.
#[derive(Debug)]
pub struct ManualClock(std::sync::Mutex<ClockSample>);

impl ManualClock {
    /// A clock that shows `wall_ms` (UTC milliseconds), one minute after boot.
    #[must_use]
    pub const fn new(wall_ms: i64) -> Self {
        Self(std::sync::Mutex::new(ClockSample { wall_ms, mono_ms: 60_000, boot: BootId(1) }))
    }

    fn change(&self, change: impl FnOnce(&mut ClockSample)) {
        change(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// Lets `ms` milliseconds pass.
    pub fn advance(&self, ms: i64) {
        self.change(|sample| {
            sample.wall_ms += ms;
            sample.mono_ms += ms;
        });
    }

    /// Sets the wall clock, as a person would; no time passes.
    pub fn set_wall(&self, wall_ms: i64) {
        self.change(|sample| sample.wall_ms = wall_ms);
    }

    /// Reboots: the monotonic clock starts again.
    pub fn reboot(&self) {
        self.change(|sample| {
            sample.mono_ms = 1_000;
            sample.boot = BootId(sample.boot.0 + 1);
        });
    }
}

impl Clock for ManualClock {
    fn sample(&self) -> ClockSample {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
