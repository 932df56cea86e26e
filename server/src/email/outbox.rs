//! Putting a mail in, in the transaction that causes it.

use liventix_core::ids::OrganiserId;
use serde_json::json;

use super::types::{Class, EmailStatus, NewEmail};
use super::{BULK, QUEUE, store};
use crate::app::AppState;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::EmailId;
use crate::platform::queue::NewJob;

/// The kind of the job that sends a mail.
pub(super) const SEND: &str = "send.1";

/// Puts a mail in, once for its key, if mails are sent at all. [`wake`] afterwards.
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
    enqueue(tx, app, id, (email.organiser_id, email.class)).await?;
    Ok(Some(id))
}

/// A mail that was not sent goes now, if it may. [`wake`] afterwards.
///
/// # Errors
/// When the database fails.
pub(super) async fn again(tx: &mut Tx, app: &AppState, id: EmailId) -> Result<(), DbError> {
    store::lock(tx, id).await?;
    let Some(mut email) = store::by_id(tx, id).await? else { return Ok(()) };
    if email.status == EmailStatus::Sent {
        return Ok(());
    }
    email.status = EmailStatus::Queued;
    email.failure = None;
    store::update(tx, &email).await?;
    enqueue(tx, app, id, (email.organiser_id, email.class)).await
}

async fn enqueue(
    tx: &mut Tx,
    app: &AppState,
    id: EmailId,
    (organiser, class): (Option<OrganiserId>, Class),
) -> Result<(), DbError> {
    let queue = match class {
        Class::Transactional => QUEUE,
        Class::Bulk => BULK,
    };
    let job = NewJob {
        organiser,
        unique_key: Some(format!("email {id}")),
        ..NewJob::new(queue.name, SEND, json!({ "email_id": id }))
    };
    app.queue().enqueue(tx, &job).await.map(drop)
}

/// What was put in goes at once, now that it is committed.
pub(crate) fn wake(app: &AppState) {
    app.queue().wake(QUEUE.name);
    app.queue().wake(BULK.name);
}
