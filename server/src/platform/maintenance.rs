//! What a server does beside answering: it clears away what has expired.

use std::time::Duration;

use super::db::DbError;
use crate::app::AppState;

/// Between two rounds. Nothing depends on it: what has expired counts no more, cleared away or not.
const EVERY: Duration = Duration::from_secs(60);

/// Runs until the server begins to shut down. Of several processes on one database each does its part.
pub async fn run(app: AppState) {
    loop {
        tokio::select! {
            () = app.closing() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        note("rate limits", app.limiter().sweep().await);
        note("idempotent operations", app.idempotency().sweep().await);
    }
}

fn note(what: &'static str, swept: Result<u64, DbError>) {
    match swept {
        Ok(deleted) => tracing::debug!(what, deleted, "expired rows deleted"),
        // The next round tries again.
        Err(error) => tracing::warn!(what, cause = error.to_string(), "expired rows were not deleted"),
    }
}
