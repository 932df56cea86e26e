//! Staying in sync: a loop that uploads scans as they happen and hears of changes as they are made.

use std::time::Duration;

use super::engine::SyncEngine;
use super::error::SyncError;
use super::progress::{Progress, SyncReport};
use super::transport::Transport;
use super::wire::MAX_WAIT_SECONDS;
use crate::ids::EventId;
use crate::resilience::AsyncSleeper;

/// Waits between tries while offline; the last one repeats. A scan or a network that comes back
/// should not wait long, a dead battery should not be the price.
const OFFLINE_SECONDS: &[u64] = &[2, 4, 8, 15, 30];
/// The longest pause a server may ask for: an evening does not wait for a proxy that says "tomorrow".
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// The shortest time between two questions for changes that bring nothing. A server holds such an
/// answer back itself; a cache or proxy in its place might not.
const QUIET_MS: i64 = 1_000;
/// A whole sync (clock, assignments, keys of every event) at least this often.
const FULL_SYNC_MS: i64 = 5 * 60_000;

/// What the watch loop has to tell.
#[derive(Debug)]
pub enum WatchNews {
    /// In touch with the server; something may have come or gone.
    Online(SyncReport),
    /// Out of touch; it is tried again by itself.
    Offline {
        /// Why.
        error: SyncError,
        /// How long it waits until then.
        retry_in: Duration,
    },
}

impl<T: Transport, S: AsyncSleeper> SyncEngine<T, S> {
    /// Tells the watch loop that there is something to upload. Call it after each scan; cheap.
    pub fn scanned(&self) {
        self.scanned.notify_one();
    }

    /// Keeps this device in sync until something happens that needs a person, and returns that.
    /// `event_id` is the event whose changes are waited for. Stop it by dropping the future.
    pub async fn watch(
        &self,
        event_id: EventId,
        progress: impl Fn(Progress) + Send + Sync,
        news: impl Fn(WatchNews) + Send + Sync,
    ) -> SyncError {
        let mut failures = 0;
        loop {
            let error = self.stay_in_touch(event_id, &progress, &news, &mut failures).await;
            if !error.is_passing() {
                return error;
            }
            let seconds = OFFLINE_SECONDS.get(failures).or(OFFLINE_SECONDS.last()).copied().unwrap_or(30);
            failures += 1;
            let retry_in =
                error.retry_after().unwrap_or_default().min(PATIENCE).max(Duration::from_secs(seconds));
            news(WatchNews::Offline { error, retry_in });
            self.sleeper.sleep(u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX)).await;
        }
    }

    /// Syncs, then follows changes both ways until something fails.
    async fn stay_in_touch(
        &self,
        event_id: EventId,
        progress: &(impl Fn(Progress) + Send + Sync),
        news: &(impl Fn(WatchNews) + Send + Sync),
        failures: &mut usize,
    ) -> SyncError {
        loop {
            match self.sync(progress).await {
                Ok(report) => news(WatchNews::Online(report)),
                Err(error) => return error,
            }
            *failures = 0;
            if let Err(error) = self.follow(event_id, progress, news).await {
                return error;
            }
        }
    }

    /// Uploads and listens until the next whole sync is due.
    async fn follow(
        &self,
        event_id: EventId,
        progress: &(impl Fn(Progress) + Send + Sync),
        news: &(impl Fn(WatchNews) + Send + Sync),
    ) -> Result<(), SyncError> {
        let due = self.parts.clock.sample().mono_ms.saturating_add(FULL_SYNC_MS);
        let listen = async {
            while self.parts.clock.sample().mono_ms < due {
                let (asked, cursor) = (self.parts.clock.sample().mono_ms, self.ledger().cursor(event_id)?);
                let came = self.wait_for_changes(event_id, MAX_WAIT_SECONDS, progress).await?;
                news(WatchNews::Online(came));
                let took = self.parts.clock.sample().mono_ms.saturating_sub(asked);
                let moved = self.ledger().cursor(event_id)? != cursor;
                if !moved && took < QUIET_MS {
                    self.sleeper.sleep(QUIET_MS.unsigned_abs()).await;
                }
            }
            Ok::<(), SyncError>(())
        };
        let upload = async {
            loop {
                self.scanned.notified().await;
                news(WatchNews::Online(self.push_all(progress).await?));
            }
        };
        tokio::select! {
            done = listen => done,
            done = upload => done,
        }
    }
}
