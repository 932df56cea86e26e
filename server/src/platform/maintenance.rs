//! What a server does beside answering: it clears away what has expired. A job of the queue like any other, put
//! in by a schedule, so that of any number of processes one does it.

use std::time::Duration;

use serde_json::Value;

use super::db::DbError;
use super::objectives;
use super::queue::{self, Claimed, Handlers, NewJob, QueueSpec, Worker};
use crate::ads;
use crate::app::AppState;

/// Between two rounds. Nothing depends on it: what has expired counts no more, cleared away or not.
const EVERY_MS: i64 = 60_000;
/// How often a process asks whether it is time.
const ASK: Duration = Duration::from_secs(30);
/// How long dead letters are kept.
const DEAD_LETTERS_MS: i64 = 90 * 86_400_000;
/// Rounds of deleting in one job at most: the rest waits for the next one.
const ROUNDS: usize = 20;

/// The queue of the server's own chores. What fails comes again with the next round anyway.
pub const QUEUE: QueueSpec = QueueSpec::new("maintenance", 2, &[5_000, 60_000]);
const SWEEP: &str = "sweep.1";

/// Runs until the server begins to shut down.
pub async fn run(app: AppState) {
    let worker = Worker::new(app.queue().clone(), QUEUE, handlers(&app), worker_name());
    let schedule = queue::keep(ASK, || put_in(&app), "maintenance was not scheduled", app.closing());
    tokio::join!(worker.run(app.closing()), schedule);
}

/// What does the chores.
#[must_use]
pub fn handlers(app: &AppState) -> Handlers {
    let app = app.clone();
    Handlers::new().on(SWEEP, move |_: Claimed| {
        let app = app.clone();
        async move { Ok(sweep(&app).await?) }
    })
}

/// Names a process in the record of tries.
#[must_use]
pub fn worker_name() -> String {
    format!("pid {}", std::process::id())
}

/// Puts the next round in, if it is time. Says whether it did.
///
/// # Errors
/// When the database fails.
pub async fn put_in(app: &AppState) -> Result<bool, DbError> {
    let job = NewJob { unique_key: Some(SWEEP.to_owned()), ..NewJob::new(QUEUE.name, SWEEP, Value::Null) };
    app.queue().on_schedule("maintenance", EVERY_MS, job).await
}

async fn sweep(app: &AppState) -> Result<(), DbError> {
    let limits = app.limiter().sweep().await?;
    let operations = app.idempotency().sweep().await?;
    let mut dead_letters = 0;
    for _ in 0..ROUNDS {
        let (queue, before) = (app.queue().clone(), app.now() - DEAD_LETTERS_MS);
        let purge = app.db().write(move |tx| Box::pin(async move { queue.purge(tx, None, before).await }));
        let purged: u64 = purge.await?;
        dead_letters += purged;
        if purged == 0 {
            break;
        }
    }
    objectives::sweep(app.db(), app.now()).await?;
    ads::forget(app).await?;
    tracing::debug!(limits, operations, dead_letters, "expired rows deleted");
    Ok(())
}
