//! `/v1/events/{event_id}/ad-campaigns`, `/v1/ad-events`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::NaiveDate;
use liventix_core::ids::EventId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::types::{AdCampaignView, AdEvents, AdEventsTaken, CreativeView, Named, Spend, SpendView};
use super::{ingest, service};
use crate::app::AppState;
use crate::operations;
use crate::platform::auth::Caller;
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::ids::{AdCampaignId, CreativeId};
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};

operations! {
    CreateAdCampaign = "create_ad_campaign";
    CreateCreative = "create_creative";
}

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(campaigns, create_campaign))
        .routes(routes!(creatives, create_creative))
        .routes(routes!(spend))
        .routes(routes!(take))
}

/// Create an advertising campaign of an event
#[utoipa::path(
    post, path = "/v1/events/{event_id}/ad-campaigns", tag = "analytics", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")), request_body = Named,
    extensions(("x-idempotent" = json!(CreateAdCampaign::document()))),
    responses(
        (status = 201, body = AdCampaignView), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`"), (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn create_campaign(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    call: Idempotent<CreateAdCampaign, Json<Named>>,
) -> ApiResult<Response> {
    let who = caller.who;
    call.run(&app, who.organiser_id, async |Json(new), attempt| {
        Ok((
            StatusCode::CREATED,
            axum::Json(service::create_campaign(&app, who, event, (new, attempt)).await?),
        ))
    })
    .await
}

/// List the advertising campaigns of an event, oldest first
#[utoipa::path(
    get, path = "/v1/events/{event_id}/ad-campaigns", tag = "analytics", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), PageQuery),
    responses(
        (status = 200, body = Page<AdCampaignView>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn campaigns(
    caller: Caller<may::SeeFigures>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Page<AdCampaignView>>> {
    Ok(axum::Json(service::campaigns(&app, caller.who, event, &page).await?))
}

/// Create one of the things that a campaign shows
///
/// Its `url` leads to the shop's page, which remembers what brought the buyer.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/ad-campaigns/{ad_campaign_id}/creatives", tag = "analytics",
    security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("ad_campaign_id" = AdCampaignId, Path, description = "The campaign")
    ),
    request_body = Named, extensions(("x-idempotent" = json!(CreateCreative::document()))),
    responses(
        (status = 201, body = CreativeView), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ad_campaign_not_found`"),
        (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn create_creative(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path(of): Path<(EventId, AdCampaignId)>,
    call: Idempotent<CreateCreative, Json<Named>>,
) -> ApiResult<Response> {
    let who = caller.who;
    call.run(&app, who.organiser_id, async |Json(new), attempt| {
        Ok((StatusCode::CREATED, axum::Json(service::create_creative(&app, who, of, (new, attempt)).await?)))
    })
    .await
}

/// List what a campaign shows, oldest first
#[utoipa::path(
    get, path = "/v1/events/{event_id}/ad-campaigns/{ad_campaign_id}/creatives", tag = "analytics",
    security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("ad_campaign_id" = AdCampaignId, Path, description = "The campaign"), PageQuery
    ),
    responses(
        (status = 200, body = Page<CreativeView>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ad_campaign_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn creatives(
    caller: Caller<may::SeeFigures>,
    State(app): State<AppState>,
    Path(of): Path<(EventId, AdCampaignId)>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Page<CreativeView>>> {
    Ok(axum::Json(service::creatives(&app, caller.who, of, &page).await?))
}

/// Say what a creative cost on a day
///
/// What was said of that day before is replaced. Days are those of the event's time zone.
#[utoipa::path(
    put, path = "/v1/events/{event_id}/creatives/{creative_id}/spend/{day}", tag = "analytics",
    security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("creative_id" = CreativeId, Path, description = "The creative"),
        ("day" = String, Path, description = "The day, such as 2026-08-01")
    ),
    request_body = Spend,
    responses(
        (status = 200, body = SpendView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `creative_not_found`"),
        (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn spend(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path((event, creative, day)): Path<(EventId, CreativeId, String)>,
    Json(spend): Json<Spend>,
) -> ApiResult<axum::Json<SpendView>> {
    let wrong = |_| ApiError::new(Code::InvalidPath, "The last part must be a day like 2026-08-01.");
    let day = day.parse::<NaiveDate>().map_err(wrong)?;
    Ok(axum::Json(service::spend(&app, caller.who, (event, creative, day), spend).await?))
}

/// Say who saw creatives, and who followed them
///
/// Up to 500 at a time. What is told twice counts once; one visitor counts once in a minute; programs do not count; what
/// happened more than seven days ago is not taken. The answer says how many of each there were. With an API key of the
/// scope `track` of its own.
#[utoipa::path(
    post, path = "/v1/ad-events", tag = "analytics", security(("api_key" = [])), request_body = AdEvents,
    responses(
        (status = 200, body = AdEventsTaken), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 422, description = "`invalid_field`, `invalid_body`"), (status = 429, description = "`rate_limited`")
    )
)]
async fn take(
    caller: Caller<may::TrackAds>,
    State(app): State<AppState>,
    Json(batch): Json<AdEvents>,
) -> ApiResult<axum::Json<AdEventsTaken>> {
    Ok(axum::Json(ingest::take(&app, caller.who, batch).await?))
}
