//! For which organiser somebody asks, and whether they may do what they ask for.

use axum::extract::{FromRequestParts as _, RawPathParams};
use axum::http::request::Parts;
use liventix_core::ids::OrganiserId;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::callers::{Client, Known, Person, bearer, known, refuse};
use super::session::SignedIn;
use super::store;
use crate::app::AppState;
use crate::platform::authorize::{self, Action, Actor, By, Origin, Who};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::request_id;
use crate::platform::telemetry::context;

/// Says for which of their organisers somebody asks.
const ORGANISER: &str = "liventix-organiser";

/// Where a request comes from, as the audit trail keeps it.
pub(super) async fn origin(parts: &mut Parts, app: &AppState) -> Origin {
    match Client::from_request_parts(parts, app).await {
        Ok(client) => client.origin(),
        Err(_) => Origin { request_id: request_id::current(), network: None },
    }
}

/// The organiser a request names: in its path, or in a header.
pub(super) async fn named_organiser(parts: &mut Parts, app: &AppState) -> ApiResult<Option<OrganiserId>> {
    let params = RawPathParams::from_request_parts(parts, app).await.map_err(ApiError::internal)?;
    if let Some((_, id)) = params.iter().find(|(name, _)| *name == "organiser_id") {
        let wrong = |_| ApiError::new(Code::InvalidPath, "organiser_id must be a UUID.");
        return id.parse().map(Some).map_err(wrong);
    }
    let Some(header) = parts.headers.get(ORGANISER) else { return Ok(None) };
    let id = header.to_str().ok().and_then(|text| text.parse().ok());
    let detail = "The header Liventix-Organiser must be a UUID. See /v1/session for yours.";
    id.map(Some).ok_or_else(|| ApiError::new(Code::OrganiserNeeded, detail))
}

/// Of a person's organisers, the one they ask for: the one named, or the only one.
pub(super) async fn persons_organiser(
    app: &AppState,
    signed_in: &SignedIn,
    named: Option<OrganiserId>,
) -> ApiResult<OrganiserId> {
    if let Some(organiser) = named {
        return Ok(organiser);
    }
    let user = signed_in.user_id;
    let some = app.db().read(move |conn| Box::pin(async move { store::some_organisers(conn, user).await }));
    match some.await?[..] {
        [only] => Ok(only),
        [] => Err(authorize::organiser_not_found()),
        _ => {
            let detail = "You belong to several organisers: name one in the header Liventix-Organiser.";
            Err(ApiError::new(Code::OrganiserNeeded, detail))
        }
    }
}

/// Whether the request carries the administrator's token.
pub(super) fn is_admin(parts: &Parts, app: &AppState) -> bool {
    let (Some(expected), Some(given)) = (&app.config().admin_token, bearer(parts)) else { return false };
    // Hashes have one length, so that the comparison tells nothing of the token's.
    let expected = Sha256::digest(expected.expose_secret().as_bytes());
    Sha256::digest(given.as_bytes()).ct_eq(&expected).into()
}

/// What the administrator may do beside making organisers: see to it that each has an owner.
const fn is_for_admin(action: Action) -> bool {
    matches!(action, Action::SeeMembers | Action::ManageMembers)
}

/// Who asks for `action`. Of a person, the memberships have been asked.
pub(super) async fn who(parts: &mut Parts, app: &AppState, action: Action) -> ApiResult<Who> {
    let named = async |parts: &mut Parts| named_organiser(parts, app).await;
    if is_for_admin(action) && is_admin(parts, app) {
        let detail = "Name the organiser in the path.";
        let organiser_id = named(parts).await?.ok_or_else(|| ApiError::new(Code::OrganiserNeeded, detail))?;
        let by = By::admin_token(origin(parts, app).await);
        return decided(app, Who { organiser_id, action, by }).await;
    }
    let known = known(parts, app).await?;
    match known {
        Known::Person(signed_in) => {
            let named = named(parts).await?;
            let organiser_id = persons_organiser(app, &signed_in, named).await?;
            let by = Person { signed_in, origin: origin(parts, app).await }.by();
            decided(app, Who { organiser_id, action, by }).await
        }
        Known::Key { organiser_id, id, name, scopes } => {
            if named(parts).await?.is_some_and(|named| named != organiser_id) {
                return Err(authorize::organiser_not_found());
            }
            authorize::check_scopes(&scopes, action)?;
            let by = By { actor: Actor::ApiKey(id), name, origin: origin(parts, app).await };
            Ok(Who { organiser_id, action, by })
        }
        Known::Device(_) | Known::Wallet(_) => Err(refuse(parts, app).await),
    }
}

/// Requires that somebody may do what they ask for, at some event of the organiser at least.
pub(super) async fn decided(app: &AppState, who: Who) -> ApiResult<Who> {
    let decided = app
        .db()
        .read(move |conn| Box::pin(async move { authorize::organiser(conn, &who).await.map(|_| who) }));
    let who = decided.await?;
    context::identify(Some(&who.organiser_id), None, None);
    Ok(who)
}
