//! `/v1/admin/alerts`, with the admin token.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::{self, ChannelView, Desk};
use super::types::AlertView;
use crate::app::AppState;
use crate::platform::auth::{Admin, Client};
use crate::platform::authorize::By;
use crate::platform::body::{Json, Path, Query};
use crate::platform::ids::AlertId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::ApiResult;
use crate::platform::remark::Note;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(channels))
        .routes(routes!(test))
        .routes(routes!(acknowledge))
}

fn desk<'a>(app: &'a AppState, client: &Client) -> Desk<'a> {
    Desk { app, by: By::admin_token(client.origin()) }
}

/// Which alerts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// Those that are so now.
    #[default]
    Open,
    /// Those that are over; kept for 90 days.
    Resolved,
}

#[derive(Debug, Deserialize, IntoParams)]
struct AlertQuery {
    /// Which: those that are open, unless told.
    #[serde(default)]
    #[param(inline)]
    state: Stage,
    /// Where the last page ended.
    cursor: Option<String>,
    /// How many (1 to 200, otherwise 50).
    limit: Option<u32>,
}

/// List alerts, the newest first
#[utoipa::path(
    get, path = "/v1/admin/alerts", tag = "operator", security(("admin" = [])), params(AlertQuery),
    responses((status = 200, body = Page<AlertView>), (status = 403, description = "`admin_disabled`"))
)]
async fn list(
    _admin: Admin,
    State(app): State<AppState>,
    Query(query): Query<AlertQuery>,
) -> ApiResult<axum::Json<Page<AlertView>>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (before, limit) = (page.before()?, page.limit()?);
    let alerts = service::list(&app, query.state == Stage::Open, before, limit + 1).await?;
    Ok(axum::Json(Page::of(alerts, limit, key)))
}

pub(crate) fn key(alert: &AlertView) -> Key {
    Key { at: alert.opened_at, id: *alert.alert_id.as_bytes() }
}

/// How the channels do that alerts go to
#[utoipa::path(
    get, path = "/v1/admin/alert-channels", tag = "operator", security(("admin" = [])),
    responses((status = 200, body = Vec<ChannelView>), (status = 403, description = "`admin_disabled`"))
)]
async fn channels(_admin: Admin, State(app): State<AppState>) -> ApiResult<axum::Json<Vec<ChannelView>>> {
    Ok(axum::Json(service::channels(&app).await?))
}

/// Send a test message to every channel
///
/// What became of it is said by the channels.
#[utoipa::path(
    post, path = "/v1/admin/alert-channels/test", tag = "operator", security(("admin" = [])),
    responses((status = 202), (status = 403, description = "`admin_disabled`"))
)]
async fn test(_admin: Admin, client: Client, State(app): State<AppState>) -> ApiResult<StatusCode> {
    desk(&app, &client).test().await?;
    Ok(StatusCode::ACCEPTED)
}

/// Look after an alert
///
/// Nobody is told again while it is open, unless it becomes worse.
#[utoipa::path(
    post, path = "/v1/admin/alerts/{alert_id}/acknowledge", tag = "operator", security(("admin" = [])),
    params(("alert_id" = AlertId, Path, description = "The alert")), request_body = Note,
    responses((status = 200, body = AlertView), (status = 404, description = "`alert_not_found`"))
)]
async fn acknowledge(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Path(id): Path<AlertId>,
    Json(note): Json<Note>,
) -> ApiResult<axum::Json<AlertView>> {
    Ok(axum::Json(desk(&app, &client).acknowledge(id, &note).await?))
}
