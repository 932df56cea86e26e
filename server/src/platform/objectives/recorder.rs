//! Counting in memory, and adding what was counted to the table now and then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use liventix_core::clock::Clock;

use super::store;
use super::targets::{Cell, Sli};
use crate::platform::db::{Db, DbError};

/// What one row of the table counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) sli: Sli,
    pub(super) started_at: i64,
    pub(super) cell: Cell,
}

pub(super) type Counts = BTreeMap<Place, u64>;

/// Counts the events of one server. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    clock: Arc<dyn Clock>,
    counts: Arc<Mutex<Counts>>,
    /// Held by whoever is adding: a report begun meanwhile waits, or it would miss what is on its way.
    adding: Arc<tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, counts: Arc::default(), adding: Arc::default() }
    }

    /// One event went well. How long it took, where that says something.
    pub fn went_well(&self, sli: Sli, took: Option<Duration>) {
        let ms = took.map(|took| u64::try_from(took.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX));
        self.count(sli, ms.map_or(Cell::UNTIMED, Cell::took));
    }

    /// One event failed through us.
    pub fn failed(&self, sli: Sli) {
        self.count(sli, Cell::FAILED);
    }

    /// A request was answered. `route` is the template. What the caller did wrong counts neither way.
    pub(crate) fn answered(&self, route: &str, status: StatusCode, took: Duration) {
        let Some((sli, is_timed)) = of_route(route) else { return };
        if status.is_server_error() {
            self.failed(sli);
        } else if status.is_success() {
            self.went_well(sli, is_timed.then_some(took));
        }
    }

    fn count(&self, sli: Sli, cell: Cell) {
        let now = self.clock.wall_ms();
        let place = Place { sli, started_at: now - now.rem_euclid(store::PERIOD_MS), cell };
        *self.lock().entry(place).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what was counted to the table: once this returns, everything counted before the call is there. What
    /// cannot be written is kept for the next time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn flush(&self, db: &Db) -> Result<(), DbError> {
        let _adding = self.adding.lock().await;
        let counts = std::mem::take(&mut *self.lock());
        if counts.is_empty() {
            return Ok(());
        }
        let written = counts.clone();
        let added = db.write(move |tx| Box::pin(async move { store::add(tx, &written).await })).await;
        if added.is_err() {
            let mut kept = self.lock();
            counts.into_iter().for_each(|(place, events)| *kept.entry(place).or_default() += events);
        }
        added
    }
}

/// Which indicator a route belongs to, and whether its times count.
fn of_route(route: &str) -> Option<(Sli, bool)> {
    match route {
        "/v1/events/{event_id}/redeem" => Some((Sli::Scan, true)),
        // How long an upload takes depends on how much is in it.
        "/v1/door/scans" => Some((Sli::Scan, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use liventix_core::clock::ManualClock;

    use super::*;

    #[test]
    fn only_what_went_wrong_through_us_counts_against_us() {
        let recorder = Recorder::new(Arc::new(ManualClock::new(299_999)));
        let redeem = "/v1/events/{event_id}/redeem";
        let took = Duration::from_micros(5_001);
        for status in [200, 200, 503, 401, 404, 429, 303] {
            recorder.answered(redeem, StatusCode::from_u16(status).unwrap(), took);
        }
        recorder.answered("/v1/door/scans", StatusCode::OK, took);
        recorder.answered("/v1/events", StatusCode::OK, took);
        let counts: Vec<_> = recorder
            .lock()
            .iter()
            .map(|(place, count)| (place.started_at, place.cell.code(), *count))
            .collect();
        assert_eq!(counts, [(0, -2, 1), (0, -1, 1), (0, 1, 2)]);
    }
}
