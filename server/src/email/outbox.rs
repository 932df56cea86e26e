//! Putting a mail in, in the transaction that causes it.

use serde_json::json;

use super::types::NewEmail;
use super::{QUEUE, store};
use crate::app::AppState;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::EmailId;
use crate::platform::queue::NewJob;

/// The kind of the job that sends a mail.
pub(super) const SEND: &str = "send.1";

/// Puts a mail in, once for its key, if mails are sent at all. [`wake`](crate::platform::queue::Queue::wake) the queue
/// afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put(tx: &mut Tx, app: &AppState, email: &NewEmail) -> Result<Option<EmailId>, DbError> {
    if !app.emails().are_on() {
        return Ok(None);
    }
    let id = EmailId::generate(app.now(), app.entropy().as_ref());
    if !store::insert(tx, id, email, app.now()).await? {
        return Ok(None);
    }
    let job = NewJob {
        organiser: email.organiser_id,
        unique_key: Some(format!("email {id}")),
        ..NewJob::new(QUEUE.name, SEND, json!({ "email_id": id }))
    };
    app.queue().enqueue(tx, &job).await?;
    Ok(Some(id))
}
