//! Clocks that were set between two scans, and times that cannot be.

use super::super::finding::{Facts, Finding};
use crate::scanning::seen::Seen;

/// Twice what crystals drift, in parts per million: as the devices' own bound does.
const DRIFT_PPM: i64 = 100;
/// A scan that comes with a later time than its arrival plus this is misdated: servers' clocks agree better.
const EARLY_MS: i64 = 5 * 60_000;
/// A scan this long before the event starts is misdated: nobody issues tickets that early.
const LONG_BEFORE_MS: i64 = 366 * 24 * 60 * 60_000;

/// What drift explains over `ms`, either way.
const fn drift(ms: i64) -> i64 {
    ms / 1_000_000 * DRIFT_PPM
}

/// Whether the wall clock was set between two scans that follow each other in a ledger. `bound_ms` more than
/// errors and drift explain is a jump; 0: never.
///
/// Where both scans know the server's time, the difference between it and the wall clock has changed: that
/// holds over a restart of the phone as well. Otherwise the wall clock is compared with the monotonic one,
/// and only what no restart in between explains is a jump: a monotonic clock that starts again proves
/// nothing, and one that has run on may have started again before.
#[must_use]
pub fn jump(before: &Seen, after: &Seen, bound_ms: i64) -> Option<Finding> {
    if bound_ms == 0 {
        return None;
    }
    let (moved_ms, allowed_ms) = match (before.error_ms, after.error_ms) {
        (Some(before_error), Some(after_error)) => by_server(before, after, before_error, after_error),
        _ => by_monotonic(before, after, bound_ms)?,
    };
    let allowed_ms = allowed_ms.saturating_add(bound_ms);
    (moved_ms.saturating_abs() > allowed_ms).then(|| Finding {
        at: after.at,
        facts: Facts::ClockSet { moved_ms, allowed_ms },
        scans: vec![before.clone(), after.clone()],
    })
}

const fn by_server(before: &Seen, after: &Seen, before_error: i64, after_error: i64) -> (i64, i64) {
    let moved = before.offset_ms.saturating_sub(after.offset_ms);
    let elapsed = after.at.saturating_sub(before.at).saturating_abs();
    (moved, before_error.saturating_add(after_error).saturating_add(drift(elapsed)))
}

fn by_monotonic(before: &Seen, after: &Seen, bound_ms: i64) -> Option<(i64, i64)> {
    let ran = after.mono_ms.checked_sub(before.mono_ms).filter(|ran| *ran >= 0)?;
    let passed = after.wall_ms.saturating_sub(before.wall_ms);
    let moved = passed.saturating_sub(ran);
    let allowed = drift(after.mono_ms.max(0));
    // A restart in between lets the wall clock run further than the monotonic one, by as much as the phone
    // has been up since, or more: then both are right.
    let restarted = passed.saturating_add(allowed).saturating_add(bound_ms) >= after.mono_ms;
    (moved < 0 || !restarted).then_some((moved, allowed))
}

/// Whether a scan is dated where it cannot have happened, at every moment its clock's error allows.
#[must_use]
pub fn misdated(scan: &Seen, event_starts_at: i64) -> Option<Finding> {
    let error_ms = scan.error_ms.unwrap_or(0);
    let early = scan.at.saturating_sub(error_ms).saturating_sub(scan.received_at.saturating_add(EARLY_MS));
    let late =
        scan.at.saturating_add(error_ms).saturating_sub(event_starts_at.saturating_sub(LONG_BEFORE_MS));
    let off_ms = if early > 0 { early } else { late.min(0) };
    (off_ms != 0).then(|| Finding {
        at: scan.at,
        facts: Facts::Misdated { off_ms },
        scans: vec![scan.clone()],
    })
}
