//! What one process remembers, so that those who are refused cost no transaction. It only ever refuses what
//! the database would refuse as well; nothing is allowed from here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::{Key, Limit, Rate};

/// Keys remembered at most. Each cost as many durable writes as its limit allows before it came here.
const MAX_KEYS: usize = 100_000;
/// Requests of strangers that one process counts in a minute, for each purpose: a thousand a second. Beyond
/// that, strangers are refused for the rest of the minute without a write, whatever their address, so that
/// addresses made up by the million fill no disk.
const STRANGERS: u32 = 60_000;
const MINUTE_MS: i64 = 60_000;

/// Keys that have used up their limit, and how busy strangers are.
#[derive(Debug, Default)]
pub(super) struct Memory {
    exhausted: Mutex<HashMap<[u8; 32], i64>>,
    strangers: Mutex<HashMap<&'static str, Minute>>,
}

#[derive(Debug, Clone, Copy)]
struct Minute {
    from: i64,
    count: u32,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// Why a key is refused without asking the database, if it is.
    pub(super) fn refusal(&self, key: &Key, limit: Limit, now: i64) -> Option<Rate> {
        let mut exhausted = lock(&self.exhausted);
        let until = *exhausted.get(&key.hash)?;
        // After a clock was set back, what was remembered says nothing any more.
        if (1..=limit.window_ms()).contains(&until.saturating_sub(now)) {
            return Some(Rate { allowed: false, remaining: 0, reset_at: until });
        }
        exhausted.remove(&key.hash);
        None
    }

    /// Remembers that the database refused a key.
    pub(super) fn remember(&self, key: &Key, rate: Rate, now: i64) {
        let mut exhausted = lock(&self.exhausted);
        if exhausted.len() >= MAX_KEYS {
            exhausted.retain(|_, until| *until > now);
        }
        if exhausted.len() < MAX_KEYS {
            exhausted.insert(key.hash, rate.reset_at);
        }
    }

    /// Counts a request of a stranger, or refuses it because there are too many of them all.
    pub(super) fn stranger(&self, key: &Key, now: i64) -> Option<Rate> {
        if !key.is_stranger {
            return None;
        }
        let mut strangers = lock(&self.strangers);
        let minute = strangers.entry(key.purpose).or_insert(Minute { from: now, count: 0 });
        if !(0..MINUTE_MS).contains(&now.saturating_sub(minute.from)) {
            *minute = Minute { from: now, count: 0 };
        }
        if minute.count < STRANGERS {
            minute.count += 1;
            return None;
        }
        Some(Rate { allowed: false, remaining: 0, reset_at: minute.from.saturating_add(MINUTE_MS) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_counted_together_and_known_ones_are_not() {
        let memory = Memory::default();
        let stranger = |number: u32| Key::of_address("bad_token", std::net::Ipv4Addr::from(number).into());
        for number in 0..STRANGERS {
            assert_eq!(memory.stranger(&stranger(number), 1_000), None);
        }
        let refused = memory.stranger(&stranger(STRANGERS), 2_000).unwrap();
        assert_eq!((refused.allowed, refused.reset_at), (false, 61_000));
        assert_eq!(memory.stranger(&Key::new("redeem", b"a"), 2_000), None);
        assert_eq!(memory.stranger(&Key::of_address("enrol", [10, 0, 0, 1].into()), 2_000), None);
        assert_eq!(memory.stranger(&stranger(1), 61_000), None);
    }

    #[test]
    fn what_is_remembered_ends_with_its_time_and_with_a_clock_set_back() {
        let memory = Memory::default();
        let (key, limit) = (Key::new("redeem", b"a"), Limit::per_minute(1));
        let full = Rate { allowed: false, remaining: 0, reset_at: 61_000 };
        memory.remember(&key, full, 1_000);
        assert_eq!(memory.refusal(&key, limit, 60_999), Some(full));
        assert_eq!(memory.refusal(&key, limit, 61_000), None);
        memory.remember(&key, full, 1_000);
        assert_eq!(memory.refusal(&key, limit, 500), None);
    }
}
