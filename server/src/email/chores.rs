//! What is done for mails each hour: what is over for long is forgotten.

use std::time::Duration;

use serde_json::Value;

use super::{QUEUE, delivery, suppressions};
use crate::app::AppState;
use crate::platform::db::DbError;
use crate::platform::queue::{self, NewJob};

/// The kind of the job.
pub(super) const TIDY: &str = "tidy.1";
const EVERY_MS: i64 = 3_600_000;
const ASK: Duration = Duration::from_secs(60);

/// Keeps putting it in until the server begins to shut down.
pub(super) async fn keep(app: &AppState) {
    let put_in = || async {
        let job = NewJob { unique_key: Some(TIDY.to_owned()), ..NewJob::new(QUEUE.name, TIDY, Value::Null) };
        app.queue().on_schedule("email", EVERY_MS, job).await
    };
    queue::keep(ASK, put_in, "mails were not tidied up", app.closing()).await;
}

/// Forgets.
///
/// # Errors
/// When the database fails.
pub(super) async fn tidy(app: &AppState) -> Result<(), DbError> {
    let now = app.now();
    let tidied = app.db().write(move |tx| {
        Box::pin(async move {
            delivery::forget(tx, now).await?;
            suppressions::forget(tx, now).await
        })
    });
    tidied.await
}
