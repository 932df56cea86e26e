//! What is done each hour: phones that were not heard of for long are sent nothing any more, and what is over for long is
//! forgotten.

use std::time::Duration;

use serde_json::Value;

use super::devices::store as devices;
use super::{QUEUE, messages};
use crate::app::AppState;
use crate::platform::db::DbError;
use crate::platform::queue::{self, NewJob};

/// The kind of the job.
pub(super) const TIDY: &str = "tidy.1";
const EVERY_MS: i64 = 3_600_000;
const ASK: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 24 * EVERY_MS;
/// A token that was not told for this long has expired at Google
/// (<https://firebase.google.com/docs/cloud-messaging/manage-tokens>); phones tell theirs each week.
const STALE_MS: i64 = 270 * DAY_MS;
/// Those that nothing is sent to any more are kept so long, for whoever wants to know why.
const SILENT_MS: i64 = 30 * DAY_MS;
/// Messages are kept so long.
const KEPT_MS: i64 = 90 * DAY_MS;

/// Keeps putting it in until the server begins to shut down.
pub(super) async fn keep(app: &AppState) {
    let put_in = || async {
        let job = NewJob { unique_key: Some(TIDY.to_owned()), ..NewJob::new(QUEUE.name, TIDY, Value::Null) };
        app.queue().on_schedule("push", EVERY_MS, job).await
    };
    queue::keep(ASK, put_in, "phones were not tidied up", app.closing()).await;
}

/// Forgets.
///
/// # Errors
/// When the database fails.
pub(super) async fn tidy(app: &AppState) -> Result<(), DbError> {
    let now = app.now();
    let tidied = app.db().write(move |tx| {
        Box::pin(async move {
            devices::tidy(tx, (now - STALE_MS, now - SILENT_MS), now).await?;
            messages::forget(tx, now - KEPT_MS).await.map(drop)
        })
    });
    tidied.await
}
