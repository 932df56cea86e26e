//! What becomes of mails after a provider took them, as it tells by web hooks.
//!
//! What is told is applied in the transaction that stores that it was told: whoever gets no 200 tells it again. It is
//! taken for what it says of a mail, never for its place among others: what is known of a mail only moves forward.

pub(crate) mod routes;
mod signature;
mod store;
mod wire;

pub(super) use wire::TAG;
use wire::{About, Event};

use super::store as mails;
use super::types::EmailStatus;
use super::{counted, suppressions};
use crate::app::AppState;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::EmailId;

/// How long it is kept what was told: for longer than a provider tells it again.
const KEEP_MS: i64 = 30 * 86_400_000;

/// What came of an event, on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The mail has moved on.
    Applied,
    /// As much or more was known of the mail already.
    Late,
    /// It is about no mail of ours.
    UnknownMail,
    /// We have no use for events of this kind.
    NotUsed,
}

impl Outcome {
    const fn code(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Late => "late",
            Self::UnknownMail => "unknown_mail",
            Self::NotUsed => "not_used",
        }
    }
}

/// Takes in what a provider tells, once.
async fn take_in(tx: &mut Tx, app: &AppState, event: &Event) -> Result<(), DbError> {
    if !store::insert(tx, event, app.now()).await? {
        return Ok(());
    }
    let (outcome, email) = match &event.about {
        None => (Outcome::NotUsed, None),
        Some(about) => match store::find(tx, about).await? {
            None => (Outcome::UnknownMail, None),
            Some(id) => {
                let moved = apply(tx, app, event, (id, about)).await?;
                (if moved { Outcome::Applied } else { Outcome::Late }, Some(id))
            }
        },
    };
    store::done(tx, &event.event_id, outcome.code(), email).await
}

/// Says whether the mail has moved on.
async fn apply(
    tx: &mut Tx,
    app: &AppState,
    event: &Event,
    (id, about): (EmailId, &About),
) -> Result<bool, DbError> {
    // Its job may be at it as well, and other events.
    mails::lock(tx, id).await?;
    let Some(mut email) = mails::by_id(tx, id).await? else { return Ok(false) };
    if let Some(reason) = about.suppresses {
        let why = (reason, about.detail.as_deref());
        suppressions::suppress(tx, app, &email.to_address, why, event.made_at).await?;
    }
    if email.status != EmailStatus::Sent {
        // The answer to whoever asked got lost: it was taken.
        let at = event.made_at.min(app.now());
        counted::sent(tx, app, &email, at).await?;
        email.status = EmailStatus::Sent;
        email.sent_at = Some(at);
        email.provider_id = Some(about.provider_id.clone());
        email.failure = None;
        email.sealed_content = None;
        mails::update(tx, &email).await?;
    }
    if email.delivery.is_some_and(|known| known >= about.delivery) {
        return Ok(false);
    }
    counted::moved(tx, app, &email, (about.delivery, event.made_at)).await?;
    let detail = about.detail.as_deref();
    store::moves(tx, id, (about.delivery, detail), event.made_at).await.map(|()| true)
}

/// Forgets what was told long ago.
///
/// # Errors
/// When the database fails.
pub(super) async fn forget(tx: &mut Tx, now: i64) -> Result<(), DbError> {
    store::forget(tx, now - KEEP_MS).await
}
