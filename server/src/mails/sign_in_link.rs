//! A link that signs somebody in.

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::wording::in_utc;
use super::{Kind, render};
use crate::accounts::links;
use crate::app::AppState;
use crate::email::{self, Class, Composed, Email, NewEmail};
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::SignInLinkId;
use crate::platform::locale::Locale;
use crate::platform::queue::Failure;

/// Whoever asked for a link gets it. Its secret is made when the mail is composed, and stands in no row.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put(
    tx: &mut Tx,
    app: &AppState,
    id: SignInLinkId,
    (name, address): (&str, &str),
) -> Result<(), DbError> {
    let email = NewEmail {
        organiser_id: None,
        kind: Kind::SignInLink.code(),
        class: Class::Transactional,
        event_id: None,
        order_id: None,
        cause_id: None,
        payload: json!({ "link_id": id }),
        dedupe_key: format!("{}:{id}", Kind::SignInLink.code()),
        to_name: name.to_owned(),
        to_address: address.to_owned(),
    };
    email::put(tx, app, &email).await.map(drop)
}

pub(super) async fn compose(app: &AppState, email: &Email) -> Result<Composed, Failure> {
    let id: Option<SignInLinkId> = email.payload["link_id"].as_str().and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Failure::permanent("payload", "The mail has no link_id."))?;
    let Some((link, url)) = links::write_out(app, id).await? else {
        return Ok(Composed::Nothing("The link was over before the mail went."));
    };
    let values = json!({
        "name": link.name, "email": link.email, "server": app.public_url(), "link": url.expose_secret(),
        "until": in_utc(link.expires_at),
    });
    Ok(render::render(Kind::SignInLink, Locale::En, values, Vec::new())?.into())
}
