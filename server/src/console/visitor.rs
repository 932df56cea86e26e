//! Who looks at a page, and on whose behalf.

use std::marker::PhantomData;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, RawPathParams};
use axum::http::Method;
use axum::http::request::Parts;
use liventix_core::ids::OrganiserId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::cookies::{self, Cookie};
use super::csrf;
use super::failure::Failure;
use super::layout;
use crate::accounts::{self, Membership};
use crate::app::AppState;
use crate::platform::auth::{self, Client, Person, Token};
use crate::platform::authorize::{self, Action, Acts, Who};
use crate::platform::problem::ApiError;
use crate::platform::telemetry::context;

/// Somebody signed in.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) person: Person,
    /// What their forms are bound to.
    cookie: SecretString,
}

impl Visitor {
    /// The token for a form of theirs.
    pub(super) fn csrf(&self, app: &AppState) -> String {
        csrf::token(&self.cookie, app.entropy().as_ref())
    }
}

impl OptionalFromRequestParts<AppState> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Option<Self>, Failure> {
        let Some(cookie) = cookies::read(app, &parts.headers, Cookie::Session) else { return Ok(None) };
        let Some(token) = Token::parse(cookie.expose_secret()) else { return Ok(None) };
        let Some(signed_in) = auth::signed_in(app, token).await? else { return Ok(None) };
        let client = Client::from_request_parts(parts, app).await?;
        Ok(Some(Self { person: Person { signed_in, origin: client.origin() }, cookie }))
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Failure> {
        let found = <Self as OptionalFromRequestParts<AppState>>::from_request_parts(parts, app).await?;
        found.ok_or_else(|| {
            // Only looking can be taken up again afterwards.
            let next = (parts.method == Method::GET).then(|| parts.uri.path());
            Failure::SignIn { location: layout::sign_in_path(app, next) }
        })
    }
}

/// A member of the organiser in the page's address, who may do `A` there.
#[derive(Debug)]
pub(super) struct Office<A> {
    pub(super) visitor: Visitor,
    pub(super) who: Who,
    pub(super) place: Place,
    action: PhantomData<fn() -> A>,
}

/// The organiser a page is about, as its header shows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Place {
    pub(super) organiser_id: OrganiserId,
    pub(super) name: String,
    /// What the visitor is there.
    pub(super) role: String,
    /// Which pages they may open.
    pub(super) may_see_members: bool,
    pub(super) may_see_audit: bool,
    pub(super) may_see_money: bool,
    pub(super) may_see_figures: bool,
    pub(super) may_edit_mails: bool,
}

impl Place {
    pub(super) fn of(membership: Membership) -> Self {
        let role = membership.role;
        // Those who are limited to some events see nothing that concerns the whole.
        let may = |action: Action| action.roles().contains(&role) && !membership.limited;
        Self {
            organiser_id: membership.organiser_id,
            name: membership.name,
            role: layout::role_words(role).to_owned(),
            may_see_members: may(Action::SeeMembers),
            may_see_audit: may(Action::SeeAudit),
            may_see_money: may(Action::SeeMoney),
            // Those who are limited see the figures of their events.
            may_see_figures: Action::SeeFigures.roles().contains(&role),
            may_edit_mails: may(Action::EditMails),
        }
    }

    /// The address of one of its pages.
    pub(super) fn path(&self, app: &AppState, rest: &str) -> String {
        format!("{}/console/organisers/{}{rest}", layout::base(app), self.organiser_id)
    }
}

impl<A: Acts> FromRequestParts<AppState> for Office<A> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Failure> {
        let visitor = <Visitor as FromRequestParts<AppState>>::from_request_parts(parts, app).await?;
        let params = RawPathParams::from_request_parts(parts, app).await.map_err(ApiError::internal)?;
        let named = params.iter().find(|(name, _)| *name == "organiser_id").map(|(_, id)| id.parse());
        let Some(Ok(organiser_id)) = named else { return Err(authorize::organiser_not_found().into()) };
        let who = Who { organiser_id, action: A::ACTION, by: visitor.person.by() };
        let user = visitor.person.signed_in.user_id;
        let found = app.db().read(move |conn| {
            Box::pin(async move {
                authorize::organiser(conn, &who).await?;
                Ok::<_, ApiError>((accounts::membership(conn, user, organiser_id).await?, who))
            })
        });
        let (membership, who) = found.await?;
        let place = Place::of(membership.ok_or_else(authorize::organiser_not_found)?);
        context::identify(Some(&organiser_id), None, None);
        Ok(Self { visitor, who, place, action: PhantomData })
    }
}
