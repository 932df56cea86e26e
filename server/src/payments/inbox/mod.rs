//! What providers tell us: stored before it is answered for, applied through the queue.
//!
//! An event is taken for what it says of an object, never for its place among others: whatever comes late, twice, in
//! two processes at once or in another order changes nothing that is known already ([`super::settle`]).

mod apply;
pub(crate) mod routes;
mod signature;
mod store;

use serde_json::{Value, json};

use crate::app::AppState;
use crate::platform::db::{DbError, Tx};
use crate::platform::maintenance::worker_name;
use crate::platform::queue::{Claimed, Failure, Handlers, NewJob, QueueSpec, Worker};

/// Tried at once, and then after 1 and 5 minutes, half an hour, 2 hours and a day; then it is a dead letter.
pub(crate) const QUEUE: QueueSpec =
    QueueSpec::new("webhooks", 5, &[60_000, 300_000, 1_800_000, 7_200_000, 86_400_000]);
const APPLY: &str = "stripe_event.1";

/// Works until the server begins to shut down.
pub(crate) async fn run(app: AppState) {
    Worker::new(app.queue().clone(), QUEUE, handlers(&app), worker_name()).run(app.closing()).await;
}

/// What does the work.
pub(super) fn handlers(app: &AppState) -> Handlers {
    let applying = app.clone();
    Handlers::new().on(APPLY, move |job: Claimed| {
        let app = applying.clone();
        async move {
            let id = job.payload.get("event_id").and_then(Value::as_str).map(str::to_owned);
            let id = id.ok_or_else(|| Failure::permanent("payload", "The job has no event_id."))?;
            apply::apply(&app, &id).await
        }
    })
}

/// How long the bodies of events are kept: as long as dead letters.
const KEEP_MS: i64 = 90 * 86_400_000;

/// Forgets what events said about people, once they are old.
///
/// # Errors
/// When the database fails.
pub(super) async fn forget(tx: &mut Tx, now: i64) -> Result<(), DbError> {
    store::forget(tx, now - KEEP_MS).await.map(drop)
}

/// The event is to be applied. Wake the queue afterwards.
async fn put_in(tx: &mut Tx, app: &AppState, event: &str) -> Result<(), DbError> {
    let job = NewJob {
        unique_key: Some(format!("stripe {event}")),
        ..NewJob::new(QUEUE.name, APPLY, json!({ "event_id": event }))
    };
    app.queue().enqueue(tx, &job).await.map(drop)
}
