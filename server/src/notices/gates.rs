//! That the doors are open: looked for each minute, told once.

use std::time::Duration;

use serde_json::Value;

use super::Notice;
use super::spread;
use crate::app::AppState;
use crate::events;
use crate::platform::db::DbError;
use crate::platform::queue::{self, NewJob};
use crate::push::{self, STEPS};

/// The kind of the job.
pub(super) const LOOK: &str = "gates.1";
const EVERY_MS: i64 = 60_000;
const ASK: Duration = Duration::from_secs(20);
/// What is no news any more is not told: the server was off, or the event was entered late.
const LATE_MS: i64 = 3_600_000;

/// Keeps putting it in until the server begins to shut down.
pub(super) async fn keep(app: &AppState) {
    let put_in = || async {
        let job = NewJob { unique_key: Some(LOOK.to_owned()), ..NewJob::new(STEPS.name, LOOK, Value::Null) };
        app.queue().on_schedule("gates", EVERY_MS, job).await
    };
    queue::keep(ASK, put_in, "it was not looked which doors are open", app.closing()).await;
}

/// Tells the attendees of each event whose doors have just opened.
///
/// # Errors
/// When the database fails.
pub(super) async fn look(app: &AppState) -> Result<(), DbError> {
    let (app_in, now) = (app.clone(), app.now());
    let told = app.db().write(move |tx| {
        Box::pin(async move {
            for it in events::opened(tx, now - LATE_MS, now).await? {
                if events::set_gates_told(tx, it.event_id, now).await? {
                    let notice = Notice::GatesOpen { event_id: it.event_id, at: it.at };
                    spread::begin(tx, &app_in, it.organiser_id, notice).await?;
                }
            }
            Ok(())
        })
    });
    let told: Result<(), DbError> = told.await;
    told?;
    push::wake(app);
    Ok(())
}
