//! What is kept of one key: when each of what was counted came. Pure: no database and no clock.

use super::Rate;

/// Times in the newest part at most. Then it is put aside as a full part, about 1 kB, and never written again:
/// counting one costs the same at ten a minute and at a hundred thousand.
const PART: usize = 512;

/// The counted times of one key. Those of busy keys are in full parts, of which only the numbers are here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// The full parts, by number: from `first` up to, and without, `next`.
    pub(super) first: i64,
    pub(super) next: i64,
    /// How many times in them still count.
    pub(super) in_parts: i64,
    /// The first of those (UTC milliseconds).
    pub(super) oldest_at: i64,
    /// The latest times, oldest first.
    pub(super) recent: Vec<i64>,
}

impl Window {
    /// The time as far as this key goes. It never runs backwards: where another process or an earlier clock
    /// was ahead, its time holds until ours gets there, so that nothing counted is forgotten early. Only a
    /// clock set back by a whole window or more starts anew: the key would be locked for as long otherwise.
    pub(super) fn time(&mut self, now: i64, window_ms: i64) -> i64 {
        match self.recent.last() {
            Some(last) if last.saturating_sub(now) >= window_ms => {
                self.clear();
                now
            }
            Some(last) => now.max(*last),
            None => now,
        }
    }

    /// Drops what no longer counts at `now`, but for the oldest part: see [`Self::oldest_part`].
    pub(super) fn expire(&mut self, now: i64, window_ms: i64) {
        let end = now.saturating_sub(window_ms);
        if self.recent.last().is_some_and(|last| *last <= end) {
            self.clear();
        } else if !self.has_parts() {
            let dead = self.recent.partition_point(|time| *time <= end);
            self.recent.drain(..dead);
        }
    }

    fn clear(&mut self) {
        *self = Self { first: self.next, next: self.next, ..Self::default() };
    }

    const fn has_parts(&self) -> bool {
        self.first < self.next
    }

    /// The number of the oldest part, if some of it may count no longer at `now`.
    pub(super) const fn oldest_part(&self, now: i64, window_ms: i64) -> Option<i64> {
        if self.has_parts() && self.oldest_at <= now.saturating_sub(window_ms) {
            Some(self.first)
        } else {
            None
        }
    }

    /// Takes note of what the oldest part holds: those of it that no longer count are dropped.
    pub(super) fn expire_oldest(&mut self, times: &[i64], now: i64, window_ms: i64) {
        let end = now.saturating_sub(window_ms);
        let dead = times.iter().filter(|time| **time >= self.oldest_at && **time <= end).count();
        self.in_parts -= i64::try_from(dead).unwrap_or(i64::MAX);
        match times.iter().find(|time| **time > end) {
            Some(oldest) => self.oldest_at = *oldest,
            None => self.first += 1,
        }
        if !self.has_parts() {
            self.in_parts = 0;
            self.expire(now, window_ms);
        }
    }

    fn used(&self) -> u32 {
        let recent = i64::try_from(self.recent.len()).unwrap_or(i64::MAX);
        u32::try_from(self.in_parts.saturating_add(recent)).unwrap_or(u32::MAX)
    }

    /// Puts the latest times aside if they fill a part: its number and them.
    pub(super) fn full_part(&mut self) -> Option<(i64, Vec<i64>)> {
        if self.recent.len() < PART {
            return None;
        }
        let times = std::mem::take(&mut self.recent);
        if !self.has_parts() {
            self.oldest_at = times.first().copied().unwrap_or_default();
        }
        self.in_parts += i64::try_from(times.len()).unwrap_or(i64::MAX);
        self.next += 1;
        Some((self.next - 1, times))
    }

    /// Counts one at `now`.
    pub(super) fn count(&mut self, now: i64) {
        self.recent.push(now);
    }

    /// From when nothing counts any more; none if nothing does.
    pub(super) fn expires_at(&self, window_ms: i64) -> Option<i64> {
        self.recent.last().map(|last| last.saturating_add(window_ms))
    }

    /// Whether one more is allowed.
    pub(super) fn has_room(&self, limit: u32) -> bool {
        self.used() < limit
    }

    /// Where the key stands.
    pub(super) fn rate(&self, allowed: bool, limit: u32, now: i64, window_ms: i64) -> Rate {
        let used = self.used();
        let free_after = if self.has_parts() {
            // Of a limit that was lowered since, this is the earliest that it can be.
            Some(self.oldest_at)
        } else {
            let over = usize::try_from(used.saturating_sub(limit)).unwrap_or(usize::MAX);
            self.recent.get(over).copied()
        };
        let reset_at = free_after.map_or(now, |time| time.saturating_add(window_ms));
        Rate { allowed, remaining: limit.saturating_sub(used), reset_at }
    }
}

/// Times, oldest first, as bytes: the first in 8, then the differences in as few as they need, 7 bits each.
/// At a door that is one or two bytes for each.
pub(super) fn pack(times: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + times.len() * 2);
    let Some(first) = times.first() else { return out };
    out.extend(first.to_be_bytes());
    for pair in times.windows(2) {
        let [before, after] = pair else { continue };
        let mut rest = after.saturating_sub(*before).unsigned_abs();
        while rest >= 0x80 {
            out.push(0x80 | (rest & 0x7f) as u8);
            rest >>= 7;
        }
        out.push(rest as u8);
    }
    out
}

/// Reads what [`pack`] wrote; none if it did not.
pub(super) fn unpack(bytes: &[u8]) -> Option<Vec<i64>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let (first, rest) = bytes.split_first_chunk::<8>()?;
    let mut time = i64::from_be_bytes(*first);
    let mut times = Vec::with_capacity(1 + rest.len());
    times.push(time);
    let (mut difference, mut shift) = (0_u64, 0);
    for byte in rest {
        difference |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            time = time.checked_add_unsigned(difference)?;
            times.push(time);
            (difference, shift) = (0, 0);
        }
    }
    (shift == 0).then_some(times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn times_come_back_as_they_were_packed(first in 0_i64..4_000_000_000_000, gaps in prop::collection::vec(0_i64..100_000_000, 0..600)) {
            let mut times = vec![first];
            for gap in gaps {
                times.push(times.last().unwrap() + gap);
            }
            prop_assert_eq!(unpack(&pack(&times)).unwrap(), times);
        }

        #[test]
        fn bytes_of_any_kind_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn a_door_needs_a_byte_or_two_for_each() {
        let times: Vec<i64> = (0..100).map(|number| 1_785_520_800_000 + number * 3_000).collect();
        assert_eq!(pack(&times).len(), 8 + 99 * 2);
        assert_eq!(unpack(&pack(&[])), Some(Vec::new()));
        assert_eq!(unpack(&[0; 7]), None);
    }
}
