//! `/v1/events/{event_id}/campaigns`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use liventix_core::ids::EventId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::{self, Wish};
use super::types::{CampaignView, NewCampaign};
use crate::app::AppState;
use crate::operations;
use crate::platform::auth::Caller;
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::ids::CampaignId;
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::ApiResult;

operations! {
    StartCampaign = "start_campaign";
}

pub(in crate::push) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, start))
        .routes(routes!(get))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(cancel))
}

/// Tell the phones of an event's attendees
///
/// Everybody of the segment who holds a good ticket on a phone and wants such news gets one message, not more than so many in
/// any hour: the rest follow by themselves.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/campaigns", tag = "events",
    security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")), request_body = NewCampaign,
    extensions(("x-idempotent" = json!(StartCampaign::document()))),
    responses(
        (status = 201, body = CampaignView), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`"), (status = 422, description = "`invalid_field`, `invalid_body`"),
        (status = 503, description = "`push_off`")
    )
)]
async fn start(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    call: Idempotent<StartCampaign, Json<NewCampaign>>,
) -> ApiResult<Response> {
    let who = caller.who;
    call.run(&app, who.organiser_id, async |Json(new), attempt| {
        Ok((StatusCode::CREATED, axum::Json(service::start(&app, who, event, new, attempt).await?)))
    })
    .await
}

/// List what the phones of an event's attendees were told, newest first
#[utoipa::path(
    get, path = "/v1/events/{event_id}/campaigns", tag = "events",
    security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), PageQuery),
    responses(
        (status = 200, body = Page<CampaignView>),
        (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list(
    caller: Caller<may::SeeOrders>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Page<CampaignView>>> {
    Ok(axum::Json(service::list(&app, caller.who, event, &page).await?))
}

/// A campaign, and how far it has come
#[utoipa::path(
    get, path = "/v1/events/{event_id}/campaigns/{campaign_id}", tag = "events",
    security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("campaign_id" = CampaignId, Path, description = "The campaign")
    ),
    responses(
        (status = 200, body = CampaignView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `campaign_not_found`")
    )
)]
async fn get(
    caller: Caller<may::SeeOrders>,
    State(app): State<AppState>,
    Path((event, id)): Path<(EventId, CampaignId)>,
) -> ApiResult<axum::Json<CampaignView>> {
    Ok(axum::Json(service::get(&app, caller.who, event, id).await?))
}

/// Pause a campaign
///
/// Nothing more of it goes until it is told to go on. Doing it twice changes nothing more.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/campaigns/{campaign_id}/pause", tag = "events",
    security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("campaign_id" = CampaignId, Path, description = "The campaign")
    ),
    responses(
        (status = 200, body = CampaignView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `campaign_not_found`"),
        (status = 409, description = "`campaign_ended`")
    )
)]
async fn pause(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path((event, id)): Path<(EventId, CampaignId)>,
) -> ApiResult<axum::Json<CampaignView>> {
    Ok(axum::Json(service::act(&app, caller.who, event, (id, Wish::Pause)).await?))
}

/// Let a paused campaign go on
///
/// Doing it twice changes nothing more.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/campaigns/{campaign_id}/resume", tag = "events",
    security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("campaign_id" = CampaignId, Path, description = "The campaign")
    ),
    responses(
        (status = 200, body = CampaignView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `campaign_not_found`"),
        (status = 409, description = "`campaign_ended`")
    )
)]
async fn resume(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path((event, id)): Path<(EventId, CampaignId)>,
) -> ApiResult<axum::Json<CampaignView>> {
    Ok(axum::Json(service::act(&app, caller.who, event, (id, Wish::Resume)).await?))
}

/// Call a campaign off
///
/// Nothing more of it goes, neither what is still to come nor what waits. Doing it twice changes nothing more.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/campaigns/{campaign_id}/cancel", tag = "events",
    security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("campaign_id" = CampaignId, Path, description = "The campaign")
    ),
    responses(
        (status = 200, body = CampaignView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `campaign_not_found`"),
        (status = 409, description = "`campaign_ended`")
    )
)]
async fn cancel(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path((event, id)): Path<(EventId, CampaignId)>,
) -> ApiResult<axum::Json<CampaignView>> {
    Ok(axum::Json(service::act(&app, caller.who, event, (id, Wish::Cancel)).await?))
}
