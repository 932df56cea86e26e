//! Wanting no news from an organiser, by the link in a mail.
//!
//! The link names the mail, sealed: whoever has it can stop the news, and learns from it nothing but the organiser's
//! name. It works for as long as the mail is known.

use data_encoding::BASE64URL_NOPAD;
use liventix_core::ids::OrganiserId;
use secrecy::ExposeSecret as _;

use super::store;
use crate::app::AppState;
use crate::params;
use crate::platform::db::{Conn, DbError};
use crate::platform::ids::EmailId;
use crate::platform::problem::{ApiError, ApiResult, Code};

const CONTEXT: &[u8] = b"unsubscribe";

/// The address of the page that stops the news of the mail's organiser.
///
/// # Errors
/// When it cannot be sealed.
pub(crate) fn unsubscribe_link(app: &AppState, email: EmailId) -> ApiResult<String> {
    let sealed = app.vault().seal(CONTEXT, email.as_bytes()).map_err(ApiError::internal)?;
    Ok(format!("{}/shop/unsubscribe/{}", app.public_url(), BASE64URL_NOPAD.encode(&sealed)))
}

/// Who wrote, and whether whoever got it wants more.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) organiser_id: OrganiserId,
    pub(crate) organiser: String,
    /// To whom.
    address: String,
    pub(crate) wants_none: bool,
}

fn unknown() -> ApiError {
    ApiError::new(Code::NotFound, "The link may have been cut short. Open it exactly as it is in the mail.")
}

fn email_of(app: &AppState, token: &str) -> ApiResult<EmailId> {
    let sealed = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| unknown())?;
    let opened = app.vault().unseal(CONTEXT, &sealed).map_err(|_| unknown())?;
    let bytes: [u8; 16] = opened.expose_secret().as_slice().try_into().map_err(|_| unknown())?;
    Ok(EmailId::from_bytes(bytes))
}

async fn read(conn: &mut Conn, email: EmailId) -> ApiResult<Sender> {
    let sql = "SELECT o.organiser_id, o.name, e.to_address FROM emails e \
               JOIN organisers o ON o.organiser_id = e.organiser_id WHERE e.email_id = $1";
    let row = conn.first(sql, params![email]).await?.ok_or_else(unknown)?;
    let (organiser_id, organiser, address): (OrganiserId, String, String) =
        (row.get(0)?, row.get(1)?, row.get(2)?);
    let wants_none = store::wants_none(conn, organiser_id, &address).await?;
    Ok(Sender { organiser_id, organiser, address, wants_none })
}

/// Who wrote the mail that a link is from.
///
/// # Errors
/// `not_found` for a link that is none.
pub(crate) async fn sender(app: &AppState, token: &str) -> ApiResult<Sender> {
    let email = email_of(app, token)?;
    app.db().read(move |conn| Box::pin(async move { read(conn, email).await })).await
}

/// They want no more news, or want them again. Doing it twice changes nothing more.
///
/// # Errors
/// `not_found` for a link that is none.
pub(crate) async fn set_wants_none(app: &AppState, token: &str, wants_none: bool) -> ApiResult<Sender> {
    let sender = Sender { wants_none, ..sender(app, token).await? };
    let (changed, now) = (sender.clone(), app.now());
    let set: Result<(), DbError> = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                store::set(tx, (changed.organiser_id, &changed.address), wants_none, now).await
            })
        })
        .await;
    set?;
    Ok(sender)
}
