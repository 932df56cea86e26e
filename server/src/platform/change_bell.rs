//! Wakes long-polls when an event changes, in this process and in every other on the database.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use liventix_core::ids::EventId;
use tokio::sync::{broadcast, watch};

use super::db::{Db, Notice};

/// What a hint of ours starts with.
const HINT: &str = "event ";

/// One bell per event that somebody waits for.
#[derive(Debug, Default)]
pub struct ChangeBell {
    bells: Mutex<HashMap<EventId, watch::Sender<u64>>>,
}

/// Hears the bell of one event from the moment it was made.
#[derive(Debug)]
pub struct Listener(watch::Receiver<u64>);

impl Listener {
    /// Returns at the next ring after the last one heard.
    pub async fn heard(&mut self) {
        // The bell was swept while nobody listened: then the caller looks again, which is right.
        let _ = self.0.changed().await;
    }
}

impl ChangeBell {
    /// Listens. Take it before looking at the data, so that no change falls in between.
    #[must_use]
    pub fn listen(&self, event: EventId) -> Listener {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        bells.retain(|_, bell| bell.receiver_count() > 0);
        Listener(bells.entry(event).or_insert_with(|| watch::channel(0).0).subscribe())
    }

    /// Rings: the event has changed, and the change is committed.
    pub fn ring(&self, db: &Db, event: EventId) {
        self.ring_here(event);
        db.hint(format!("{HINT}{event}"));
    }

    /// Passes on what other processes ring, for as long as there is a database.
    pub async fn follow(&self, mut hints: broadcast::Receiver<Notice>) {
        loop {
            match hints.recv().await {
                Ok(Notice::Hint(hint)) => {
                    let event = hint.strip_prefix(HINT).and_then(|id| id.parse().ok());
                    event.into_iter().for_each(|event| self.ring_here(event));
                }
                Ok(Notice::Missed) | Err(broadcast::error::RecvError::Lagged(_)) => self.ring_all(),
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    fn ring_all(&self) {
        let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        bells.values().for_each(|bell| bell.send_modify(|count| *count += 1));
    }

    fn ring_here(&self, event: EventId) {
        let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get(&event) {
            bell.send_modify(|count| *count += 1);
        }
    }
}
