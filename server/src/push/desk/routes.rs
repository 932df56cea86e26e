//! `/v1/admin/push`, with the admin token, and the messages of an event.

use axum::extract::State;
use axum::http::StatusCode;
use liventix_core::ids::{EventId, PushMessageId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::health::{self, Health};
use super::list::{self, MessageView, Which};
use crate::app::AppState;
use crate::platform::auth::{Admin, Caller};
use crate::platform::authorize::may;
use crate::platform::body::{Path, Query};
use crate::platform::ids::CampaignId;
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::ApiResult;
use crate::push::types::PushStatus;

pub(in crate::push) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(summary))
        .routes(routes!(messages))
        .routes(routes!(again))
        .routes(routes!(about_event))
}

/// How push messages do
#[utoipa::path(
    get, path = "/v1/admin/push", tag = "operator", security(("admin" = [])),
    responses((status = 200, body = Health), (status = 403, description = "`admin_disabled`"))
)]
async fn summary(_admin: Admin, State(app): State<AppState>) -> ApiResult<axum::Json<Health>> {
    Ok(axum::Json(health::health(&app).await?))
}

/// Which messages, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
struct MessageQuery {
    /// Those that stand so.
    status: Option<PushStatus>,
    /// Those of this campaign.
    campaign_id: Option<CampaignId>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// How many (1 to 200, otherwise 50).
    limit: Option<u32>,
}

impl MessageQuery {
    fn split(self) -> (Which, PageQuery) {
        let which = Which { event: None, campaign: self.campaign_id, status: self.status };
        (which, PageQuery { cursor: self.cursor, limit: self.limit })
    }
}

/// List push messages, newest first
#[utoipa::path(
    get, path = "/v1/admin/push/messages", tag = "operator", security(("admin" = [])), params(MessageQuery),
    responses(
        (status = 200, body = Page<MessageView>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`admin_disabled`"), (status = 422, description = "`unknown_cursor`")
    )
)]
async fn messages(
    _admin: Admin,
    State(app): State<AppState>,
    Query(query): Query<MessageQuery>,
) -> ApiResult<axum::Json<Page<MessageView>>> {
    let (which, page) = query.split();
    Ok(axum::Json(list::list(&app, which, &page).await?))
}

/// Try a push message again that no service took
#[utoipa::path(
    post, path = "/v1/admin/push/messages/{message_id}/retry", tag = "operator", security(("admin" = [])),
    params(("message_id" = PushMessageId, Path, description = "The message")),
    responses(
        (status = 202, description = "It is on its way: see the list"),
        (status = 400, description = "`invalid_path`"), (status = 403, description = "`admin_disabled`"),
        (status = 404, description = "`message_not_found`"), (status = 409, description = "`message_ended`")
    )
)]
async fn again(
    _admin: Admin,
    State(app): State<AppState>,
    Path(id): Path<PushMessageId>,
) -> ApiResult<StatusCode> {
    list::again(&app, id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// List push messages about an event, newest first
///
/// What became of each: queued, sent, on the phone, opened, or why not.
#[utoipa::path(
    get, path = "/v1/events/{event_id}/push-messages", tag = "events", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), MessageQuery),
    responses(
        (status = 200, body = Page<MessageView>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn about_event(
    caller: Caller<may::SeeOrders>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(query): Query<MessageQuery>,
) -> ApiResult<axum::Json<Page<MessageView>>> {
    let (which, page) = query.split();
    Ok(axum::Json(list::of_event(&app, caller.who, event, (which, &page)).await?))
}
