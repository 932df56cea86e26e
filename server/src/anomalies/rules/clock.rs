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
    let allowed = drift(after.mono_ms.max(0)).saturating_add(bound_ms);
    // A restart in between lets the wall clock run further than the monotonic one, by as much as the phone
    // has been up since, or more: then both are right.
    let restarted = passed.saturating_add(allowed) >= after.mono_ms;
    (moved < 0 || !restarted).then_some((moved, drift(ran)))
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

#[cfg(test)]
mod tests {
    use liventix_core::clock::{Clock as _, ManualClock, RoundTrip, TrustedTime};

    use super::super::samples::seen;
    use super::*;

    const START: i64 = 1_785_520_800_000;
    const MINUTE: i64 = 60_000;

    /// A phone with a clock of its own, which reads it as a ledger does.
    struct Phone {
        clock: ManualClock,
        trusted: TrustedTime,
        server_ms: i64,
        scans: u8,
    }

    impl Phone {
        fn new() -> Self {
            Self {
                clock: ManualClock::new(START),
                trusted: TrustedTime::default(),
                server_ms: START,
                scans: 0,
            }
        }

        fn pass(&mut self, ms: i64) {
            self.clock.advance(ms);
            self.server_ms += ms;
        }

        fn sync(&mut self) {
            self.trusted.read(self.clock.sample());
            let sample = self.clock.sample();
            self.trusted.observe(&RoundTrip { sent: sample, received: sample, server_ms: self.server_ms });
        }

        fn scan(&mut self) -> Seen {
            let reading = self.trusted.read(self.clock.sample());
            self.scans += 1;
            Seen {
                wall_ms: reading.wall_ms,
                mono_ms: reading.mono_ms,
                offset_ms: reading.offset_ms,
                error_ms: reading.error_ms,
                ..seen(self.scans, reading.now())
            }
        }
    }

    fn moved(before: &Seen, after: &Seen) -> Option<i64> {
        jump(before, after, 5_000).map(|finding| match finding.facts {
            Facts::ClockSet { moved_ms, .. } => moved_ms,
            _ => panic!("{finding:?}"),
        })
    }

    #[test]
    fn a_clock_set_by_hand_is_a_jump_whether_or_not_the_server_is_known() {
        for synced in [true, false] {
            for set in [-3_600_000, -6_000, 6_000, 4_000, 3_600_000] {
                let mut phone = Phone::new();
                phone.pass(10 * 24 * 60 * MINUTE);
                if synced {
                    phone.sync();
                }
                let before = phone.scan();
                phone.pass(MINUTE);
                phone.clock.set_wall(phone.clock.wall_ms() + set);
                let after = phone.scan();
                let wanted = (set.abs() > 5_000).then_some(set);
                // Never synced, up for ten days, and set forwards: no restart explains that either.
                let found = moved(&before, &after);
                assert_eq!(found, wanted, "synced {synced}, set {set}");
            }
        }
    }

    #[test]
    fn a_reboot_is_no_jump() {
        for synced in [true, false] {
            for off in [0, 5_000, MINUTE, 8 * 60 * MINUTE] {
                for up in [0, 30_000, 600 * MINUTE] {
                    let mut phone = Phone::new();
                    if synced {
                        phone.sync();
                    }
                    let before = phone.scan();
                    phone.pass(off);
                    phone.clock.reboot();
                    phone.pass(up);
                    let after = phone.scan();
                    assert_eq!(moved(&before, &after), None, "synced {synced}, off {off}, up {up}");
                    phone.sync();
                    assert_eq!(moved(&after, &phone.scan()), None, "synced {synced}, off {off}, up {up}");
                }
            }
        }
    }

    /// The first sync corrects a clock that was wrong from the beginning: nobody set it.
    #[test]
    fn a_first_sync_is_no_jump() {
        let mut phone = Phone::new();
        phone.server_ms += 3 * 3_600_000;
        let before = phone.scan();
        phone.pass(MINUTE);
        phone.sync();
        assert_eq!(moved(&before, &phone.scan()), None);
    }

    #[test]
    fn a_crystal_drifts_over_a_long_day() {
        let mut phone = Phone::new();
        phone.sync();
        let before = phone.scan();
        phone.pass(24 * 60 * MINUTE);
        // 100 parts per million of a day.
        phone.server_ms += 8_640;
        phone.sync();
        assert_eq!(moved(&before, &phone.scan()), None);
        assert!(jump(&before, &phone.scan(), 0).is_none());
    }

    #[test]
    fn values_out_of_this_world_do_no_harm() {
        let wild = [i64::MIN, -1, 0, 1, i64::MAX];
        for wall_ms in wild {
            for mono_ms in wild {
                for offset_ms in wild {
                    for error_ms in [None, Some(0), Some(i64::MAX), Some(i64::MIN)] {
                        let at = wall_ms.saturating_add(offset_ms);
                        let scan = Seen { wall_ms, mono_ms, offset_ms, error_ms, at, ..seen(1, 0) };
                        let _ = (jump(&seen(2, START), &scan, 5_000), jump(&scan, &seen(2, START), 5_000));
                        let _ = (misdated(&scan, START), misdated(&scan, i64::MIN));
                    }
                }
            }
        }
    }

    #[test]
    fn only_a_time_that_cannot_be_is_misdated() {
        let off = |at, error_ms, received_at| {
            let scan = Seen { at, error_ms, received_at, ..seen(1, at) };
            misdated(&scan, START).map(|finding| match finding.facts {
                Facts::Misdated { off_ms } => off_ms,
                _ => panic!("{finding:?}"),
            })
        };
        assert_eq!(off(START, Some(0), START), None);
        assert_eq!(off(START + EARLY_MS, Some(0), START), None);
        assert_eq!(off(START + EARLY_MS + 1, Some(0), START), Some(1));
        assert_eq!(off(START + EARLY_MS + 1, Some(1), START), None);
        assert_eq!(off(START - LONG_BEFORE_MS, Some(0), START), None);
        assert_eq!(off(START - LONG_BEFORE_MS - 7, None, START), Some(-7));
    }
}
