//! The pages of one event, and of the installation: who may open them.

use std::marker::PhantomData;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use liventix_core::ids::{EventId, OrganiserId};
use serde::Serialize;

use super::failure::Failure;
use super::layout;
use super::visitor::{Place, Visitor};
use crate::accounts;
use crate::app::AppState;
use crate::events::{self, types::EventSummary};
use crate::platform::authorize::{self, Action, Acts, By, Role, Who};
use crate::platform::problem::{ApiError, Code};
use crate::platform::telemetry::context;

/// A member of the organiser in the page's address, who may do `A` at the event in it.
#[derive(Debug)]
pub(super) struct Hall<A> {
    pub(super) visitor: Visitor,
    pub(super) who: Who,
    pub(super) place: Place,
    pub(super) event: EventPlace,
    action: PhantomData<fn() -> A>,
}

impl<A> Hall<A> {
    /// The address of one of the event's pages; `""` is its first.
    pub(super) fn path(&self, app: &AppState, rest: &str) -> String {
        self.place.path(app, &format!("/events/{}{rest}", self.event.summary.event_id))
    }

    /// Whether the visitor may do something else at this event: what its page offers them.
    pub(super) fn may(&self, action: Action) -> bool {
        action.roles().contains(&self.event.role)
    }
}

/// The event a page is about, as its header shows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EventPlace {
    #[serde(flatten)]
    pub(super) summary: EventSummary,
    #[serde(skip)]
    role: Role,
    /// Which pages the visitor may open.
    may_see_scans: bool,
    may_see_tickets: bool,
    may_see_orders: bool,
    may_see_devices: bool,
    may_see_keys: bool,
    may_edit: bool,
    may_see_figures: bool,
}

impl EventPlace {
    fn new(summary: EventSummary, role: Role) -> Self {
        let may = |action: Action| action.roles().contains(&role);
        Self {
            summary,
            role,
            may_see_scans: may(Action::SeeScans),
            may_see_tickets: may(Action::SeeTickets),
            may_see_orders: may(Action::SeeOrders),
            may_see_devices: may(Action::SeeDevices),
            may_see_keys: may(Action::RotateKeys),
            may_edit: may(Action::EditEvent),
            may_see_figures: may(Action::SeeFigures),
        }
    }
}

impl<A: Acts> FromRequestParts<AppState> for Hall<A> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Failure> {
        let visitor = <Visitor as FromRequestParts<AppState>>::from_request_parts(parts, app).await?;
        let params = RawPathParams::from_request_parts(parts, app).await.map_err(ApiError::internal)?;
        let named = |wanted: &str| params.iter().find(|(name, _)| *name == wanted).map(|(_, id)| id);
        let organiser: Option<OrganiserId> = named("organiser_id").and_then(|id| id.parse().ok());
        let event: Option<EventId> = named("event_id").and_then(|id| id.parse().ok());
        let (Some(organiser_id), Some(event)) = (organiser, event) else {
            return Err(authorize::event_not_found().into());
        };
        let who = Who { organiser_id, action: A::ACTION, by: visitor.person.by() };
        let user = visitor.person.signed_in.user_id;
        let found = app.db().read(move |conn| {
            Box::pin(async move {
                authorize::event(conn, &who, event).await?;
                let membership = accounts::membership(conn, user, organiser_id).await?;
                let summary = events::summary(conn, event).await?;
                Ok::<_, ApiError>((membership.zip(summary), who))
            })
        });
        let (found, who) = found.await?;
        let (membership, summary) = found.ok_or_else(authorize::event_not_found)?;
        context::identify(Some(&organiser_id), None, None);
        let event = EventPlace::new(summary, membership.role);
        Ok(Self { visitor, who, place: Place::of(membership), event, action: PhantomData })
    }
}

/// Somebody who runs this installation. Nobody else learns that there is such a page.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) visitor: Visitor,
}

impl Operator {
    /// As the audit trail names them.
    pub(super) fn by(&self) -> By {
        self.visitor.person.by()
    }

    /// The address of one of the operator's pages.
    pub(super) fn path(app: &AppState, rest: &str) -> String {
        format!("{}/console/operator{rest}", layout::base(app))
    }
}

impl FromRequestParts<AppState> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Failure> {
        let visitor = <Visitor as FromRequestParts<AppState>>::from_request_parts(parts, app).await?;
        if visitor.person.signed_in.is_operator {
            return Ok(Self { visitor });
        }
        Err(ApiError::new(Code::NotFound, "There is no such page.").into())
    }
}
