//! Putting messages in, in the transaction that causes them.

use liventix_core::ids::{OrganiserId, PushMessageId};
use serde_json::json;

use super::types::NewMessage;
use super::{QUEUE, messages};
use crate::app::AppState;
use crate::platform::db::{DbError, Tx};
use crate::platform::queue::NewJob;

/// The kind of the job that sends messages.
pub(super) const SEND: &str = "send.1";
/// So many go together.
pub(super) const BATCH: usize = 100;

/// Puts messages in, once for their keys, to go together. [`wake`] afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put(
    tx: &mut Tx,
    app: &AppState,
    new: Vec<(PushMessageId, NewMessage)>,
) -> Result<(), DbError> {
    for new in new.chunks(BATCH) {
        let organiser = new.first().and_then(|(_, message)| message.organiser_id);
        let ids = messages::insert(tx, new, app.now()).await?;
        enqueue(tx, app, organiser, (&ids, 0)).await?;
    }
    Ok(())
}

/// They go together, not before `run_at` (UTC milliseconds).
pub(super) async fn enqueue(
    tx: &mut Tx,
    app: &AppState,
    organiser: Option<OrganiserId>,
    (ids, run_at): (&[PushMessageId], i64),
) -> Result<(), DbError> {
    let Some(first) = ids.first() else { return Ok(()) };
    // One that goes alone does so once, whoever asks for it. Many are asked for once, when they are put in.
    let unique_key = (ids.len() == 1).then(|| format!("push {first}"));
    let job =
        NewJob { organiser, run_at, unique_key, ..NewJob::new(QUEUE.name, SEND, json!({ "messages": ids })) };
    app.queue().enqueue(tx, &job).await.map(drop)
}

/// What was put in goes at once, now that it is committed.
pub(crate) fn wake(app: &AppState) {
    app.queue().wake(QUEUE.name);
}
