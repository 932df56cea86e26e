//! `/v1/events/{event_id}/announcements`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use liventix_core::ids::EventId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service;
use super::types::{AnnouncementView, NewAnnouncement};
use crate::app::AppState;
use crate::operations;
use crate::platform::auth::Caller;
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::ApiResult;

operations! {
    WriteToBuyers = "write_to_buyers";
}

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, write))
}

/// Write to the buyers of an event
///
/// Everybody who has tickets gets one mail, but those who said that they want no news from the organiser.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/announcements", tag = "events",
    security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")), request_body = NewAnnouncement,
    extensions(("x-idempotent" = json!(WriteToBuyers::document()))),
    responses(
        (status = 201, body = AnnouncementView), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`"), (status = 422, description = "`invalid_field`, `invalid_body`"),
        (status = 503, description = "`mails_off`")
    )
)]
async fn write(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    call: Idempotent<WriteToBuyers, Json<NewAnnouncement>>,
) -> ApiResult<Response> {
    let who = caller.who;
    call.run(&app, who.organiser_id, async |Json(new), attempt| {
        Ok((StatusCode::CREATED, axum::Json(service::write(&app, who, event, new, attempt).await?)))
    })
    .await
}

/// List what was written to the buyers of an event, newest first
#[utoipa::path(
    get, path = "/v1/events/{event_id}/announcements", tag = "events",
    security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), PageQuery),
    responses(
        (status = 200, body = Page<AnnouncementView>),
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
) -> ApiResult<axum::Json<Page<AnnouncementView>>> {
    Ok(axum::Json(service::list(&app, caller.who, event, &page).await?))
}
