//! The counters of some keys, open in a transaction.

use std::collections::HashMap;

use super::store::{self, Changed};
use super::window::Window;
use super::{Check, Checked, Rate};
use crate::platform::db::{DbError, Engine, Tx};

/// Counters that nobody else can change before the transaction ends. Checks and counts are made in memory;
/// [`Counters::save`] writes them.
#[derive(Debug)]
#[must_use = "what was counted is lost unless it is saved"]
pub struct Counters {
    now: i64,
    open: HashMap<[u8; 32], Counter>,
}

#[derive(Debug)]
struct Counter {
    window: Window,
    window_ms: i64,
    /// The key's own time; see [`Window::time`].
    time: i64,
    /// The first part as it is stored.
    first_before: i64,
    is_new: bool,
    /// Whether there is something to write.
    changed: bool,
}

impl Counters {
    pub(super) async fn open(
        tx: &mut Tx,
        checks: impl IntoIterator<Item = &Check>,
        now: i64,
    ) -> Result<Self, DbError> {
        let windows: HashMap<[u8; 32], i64> =
            checks.into_iter().map(|check| (check.key.hash, check.limit.window_ms())).collect();
        let mut keys: Vec<[u8; 32]> = windows.keys().copied().collect();
        keys.sort_unstable();
        let mut stored = store::hold(tx, &keys).await?;
        let mut open = HashMap::with_capacity(keys.len());
        for key in keys {
            let window_ms = windows.get(&key).copied().unwrap_or_default();
            open.insert(key, counter(tx, &key, stored.remove(&key), window_ms, now).await?);
        }
        Ok(Self { now, open })
    }

    /// Checks several limits: if all have room, those that count are counted.
    pub fn check(&mut self, checks: &[Check]) -> Checked {
        let has_room = |check: &Check| {
            self.open.get(&check.key.hash).is_some_and(|counter| counter.window.has_room(check.limit.count))
        };
        let rooms: Vec<bool> = checks.iter().map(has_room).collect();
        let all = rooms.iter().all(|room| *room);
        let one = |(check, room): (&Check, bool)| {
            let rate = match self.open.get_mut(&check.key.hash) {
                Some(counter) => counter.check(check, room, all),
                // Not opened: a mistake of ours, on the safe side.
                None => Rate { allowed: false, remaining: 0, reset_at: self.now },
            };
            (*check, rate)
        };
        Checked(checks.iter().zip(rooms).map(one).collect())
    }

    /// Counts one for a check that was only looked at, at this place of the list that was checked: now it is
    /// known that it counts.
    pub fn count(&mut self, checked: &mut Checked, place: usize) {
        let Some((check, rate)) = checked.0.get_mut(place) else { return };
        if let Some(counter) = self.open.get_mut(&check.key.hash) {
            counter.count();
            *rate = counter.rate(check, true);
        }
    }

    /// Writes what was counted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(self, tx: &mut Tx) -> Result<(), DbError> {
        // On PostgreSQL what was only looked at gets a row as well, to be held from now on.
        let with_looks = tx.engine() == Engine::Postgres;
        let changed =
            self.open.into_iter().filter(|(_, counter)| counter.changed || (with_looks && counter.is_new));
        let mut changed: Vec<Changed> = changed.map(|(key, counter)| counter.changed(key)).collect();
        if changed.is_empty() {
            return Ok(());
        }
        changed.sort_unstable_by_key(|changed| changed.key);
        store::save(tx, changed, self.now).await
    }
}

/// Brings what is stored up to date.
async fn counter(
    tx: &mut Tx,
    key: &[u8; 32],
    stored: Option<Window>,
    window_ms: i64,
    now: i64,
) -> Result<Counter, DbError> {
    let is_new = stored.is_none();
    let mut window = stored.unwrap_or_default();
    let first_before = window.first;
    let time = window.time(now, window_ms);
    window.expire(time, window_ms);
    while let Some(part) = window.oldest_part(time, window_ms) {
        let times = store::part(tx, key, part).await?;
        window.expire_oldest(&times, time, window_ms);
    }
    Ok(Counter { window, window_ms, time, first_before, is_new, changed: false })
}

impl Counter {
    /// `room`: whether this limit has any; `all`: whether all of the request's have, so that it counts.
    fn check(&mut self, check: &Check, room: bool, all: bool) -> Rate {
        if all && check.counts {
            self.count();
        }
        self.rate(check, room)
    }

    fn count(&mut self) {
        self.window.count(self.time);
        self.changed = true;
    }

    fn rate(&self, check: &Check, allowed: bool) -> Rate {
        self.window.rate(allowed, check.limit.count, self.time, self.window_ms)
    }

    fn changed(self, key: [u8; 32]) -> Changed {
        let Self { window, window_ms, first_before, is_new, .. } = self;
        Changed { key, window, window_ms, first_before, is_new }
    }
}
