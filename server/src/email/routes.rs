//! `/v1/admin/emails`, with the admin token, and the mails of an event.

use axum::extract::State;
use axum::http::StatusCode;
use liventix_core::ids::EventId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::types::{EmailStatus, EmailView, TestRequest};
use super::{delivery, desk, suppressions};
use crate::app::AppState;
use crate::platform::auth::{Admin, Caller};
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::ids::OrderId;
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(test))
        .routes(routes!(about_event))
        .merge(suppressions::routes::routes())
        .merge(delivery::routes::routes())
}

/// Which mails, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
struct EmailQuery {
    /// Those that stand so.
    status: Option<EmailStatus>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// How many (1 to 200, otherwise 50).
    limit: Option<u32>,
}

/// List mails, newest first
#[utoipa::path(
    get, path = "/v1/admin/emails", tag = "operator", security(("admin" = [])), params(EmailQuery),
    responses((status = 200, body = Page<EmailView>), (status = 403, description = "`admin_disabled`"))
)]
async fn list(
    _admin: Admin,
    State(app): State<AppState>,
    Query(query): Query<EmailQuery>,
) -> ApiResult<axum::Json<Page<EmailView>>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    Ok(axum::Json(desk::list(&app, query.status, page).await?))
}

/// Send a mail that says that mails work
#[utoipa::path(
    post, path = "/v1/admin/emails/test", tag = "operator", security(("admin" = [])), request_body = TestRequest,
    responses(
        (status = 202, description = "It is on its way: see the list"), (status = 403, description = "`admin_disabled`"),
        (status = 422, description = "`invalid_field`, `invalid_body`"), (status = 503, description = "`mails_off`")
    )
)]
async fn test(
    _admin: Admin,
    State(app): State<AppState>,
    Json(TestRequest { to }): Json<TestRequest>,
) -> ApiResult<StatusCode> {
    desk::test(&app, to).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Which mails of an event, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
struct AboutQuery {
    /// Those about this order.
    order_id: Option<OrderId>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// How many (1 to 200, otherwise 50).
    limit: Option<u32>,
}

/// List mails about an event, newest first
#[utoipa::path(
    get, path = "/v1/events/{event_id}/emails", tag = "orders", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), AboutQuery),
    responses(
        (status = 200, body = Page<EmailView>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn about_event(
    caller: Caller<may::SeeOrders>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(query): Query<AboutQuery>,
) -> ApiResult<axum::Json<Page<EmailView>>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    Ok(axum::Json(desk::about(&app, caller.who, event, query.order_id, &page).await?))
}
