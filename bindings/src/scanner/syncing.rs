//! Staying in touch with the server and, through it, with the other doors.

use std::sync::{Arc, PoisonError};

use liventix_core::ids::EventId;
use liventix_core::sync::WatchNews;

use super::Scanner;
use super::door::{Door, Engine};
use super::views::{LinkState, SyncReport};
use crate::cancel::Cancellation;
use crate::convert::id;
use crate::error::ScannerError;
use crate::runtime::{self, Task};

#[uniffi::export]
impl Scanner {
    /// One whole sync: compares clocks, uploads scans, fetches keys, lists and other doors' scans. May be
    /// called at any time; what it did before it failed or was cancelled is kept.
    ///
    /// # Errors
    /// `Network` and `Server` may pass by themselves: scanning goes on meanwhile. `Revoked`, `NotEnrolled`,
    /// `Storage` and `Secrets` need a person.
    #[uniffi::method(default(cancellation = None))]
    pub async fn sync(&self, cancellation: Option<Arc<Cancellation>>) -> Result<SyncReport, ScannerError> {
        let door = self.door()?;
        let report = self.run(cancellation, async move { door.sync().await }).await?;
        Ok(report.into())
    }

    /// Keeps this device in sync by itself: uploads each scan as it is made, hears of other doors' scans
    /// within a second, and keeps trying while there is no network. The observer hears of it all. Watching
    /// another event ends the watch before.
    ///
    /// # Errors
    /// `NotEnrolled`, `InvalidInput`, `Closed`. What happens later comes as a [`LinkState`].
    pub fn start_watching(&self, event_id: String) -> Result<(), ScannerError> {
        let event_id: EventId = id("event_id", &event_id)?;
        let door = self.door()?;
        let engine = door.engine()?;
        let watched = Arc::clone(&door);
        // Ends with its handle, which the door keeps until it is shut down.
        let task = runtime::shared()?.spawn(async move { watch(&watched, &engine, event_id).await });
        *door.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(Task::new(task));
        Ok(())
    }

    /// Ends [`Scanner::start_watching`]. A request under way is given up; nothing is lost by that.
    ///
    /// # Errors
    /// `Closed`.
    pub fn stop_watching(&self) -> Result<(), ScannerError> {
        self.door()?.stop_watching();
        Ok(())
    }
}

async fn watch(door: &Door, engine: &Engine, event_id: EventId) {
    door.news.remember_conflicts(&door.ledger());
    let news = |news: WatchNews| match news {
        WatchNews::Online(report) => {
            door.learn(Ok(&report));
            door.news.link(LinkState::Online);
        }
        WatchNews::Offline { error, retry_in } => door.news.link(LinkState::Offline {
            code: error.code().to_owned(),
            detail: error.to_string(),
            retry_in,
        }),
    };
    let error = engine.watch(event_id, |progress| door.hear(progress), news).await;
    door.learn(Err(&error));
    door.news.link(LinkState::Stopped { code: error.code().to_owned(), detail: error.to_string() });
}
