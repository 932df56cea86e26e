//! `/v1/admin/emails`, with the admin token.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk;
use super::types::{EmailStatus, EmailView, TestRequest};
use crate::app::AppState;
use crate::platform::auth::Admin;
use crate::platform::body::{Json, Query};
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(test))
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
