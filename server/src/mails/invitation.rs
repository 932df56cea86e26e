//! An invitation to an organiser.

use data_encoding::BASE64URL_NOPAD;
use liventix_core::ids::OrganiserId;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::wording::in_utc;
use super::{Kind, render};
use crate::accounts::types::InvitationView;
use crate::accounts::{invitation_still_open, invitation_url};
use crate::app::AppState;
use crate::email::{self, Class, Composed, Email, NewEmail};
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::InvitationId;
use crate::platform::locale::Locale;
use crate::platform::queue::Failure;

fn context(id: InvitationId) -> Vec<u8> {
    [b"invitation mail ".as_slice(), id.as_bytes()].concat()
}

/// Whoever is invited gets the link. Its token waits sealed: whoever invited has been shown the same.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put(
    tx: &mut Tx,
    app: &AppState,
    organiser: OrganiserId,
    invitation: &InvitationView,
    token: &SecretString,
) -> Result<(), DbError> {
    let id = invitation.invitation_id;
    let sealed = app.vault().seal(&context(id), token.expose_secret().as_bytes());
    let sealed = sealed.map_err(|error| DbError::Statement(error.to_string()))?;
    let email = NewEmail {
        organiser_id: Some(organiser),
        kind: Kind::Invitation.code(),
        class: Class::Transactional,
        event_id: None,
        order_id: None,
        cause_id: None,
        payload: json!({ "invitation_id": id, "sealed_token": BASE64URL_NOPAD.encode(&sealed) }),
        dedupe_key: format!("{}:{id}", Kind::Invitation.code()),
        to_name: String::new(),
        to_address: invitation.email.clone(),
    };
    email::put(tx, app, &email).await.map(drop)
}

pub(super) async fn compose(app: &AppState, email: &Email) -> Result<Composed, Failure> {
    let id: Option<InvitationId> = email.payload["invitation_id"].as_str().and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Failure::permanent("payload", "The mail has no invitation_id."))?;
    let Some(invited) = invitation_still_open(app, id).await? else {
        return Ok(Composed::Nothing("The invitation was over before the mail went."));
    };
    let token = token(app, id, &email.payload).ok_or_else(|| {
        Failure::permanent("payload", "The mail has no sealed_token that opens with this root secret.")
    })?;
    let invitation = invited.invitation;
    let values = json!({
        "organiser": invited.organiser_name, "invited_by": invitation.invited_by, "email": invitation.email,
        "role": invitation.role, "limited": invitation.event_ids.is_some(), "has_account": invited.has_account,
        "link": invitation_url(app, &token), "until": in_utc(invitation.expires_at),
    });
    Ok(render::render(Kind::Invitation, Locale::En, values, Vec::new())?.into())
}

fn token(app: &AppState, id: InvitationId, payload: &Value) -> Option<SecretString> {
    let sealed = BASE64URL_NOPAD.decode(payload["sealed_token"].as_str()?.as_bytes()).ok()?;
    let token = app.vault().unseal(&context(id), &sealed).ok()?;
    std::str::from_utf8(token.expose_secret()).ok().map(SecretString::from)
}
