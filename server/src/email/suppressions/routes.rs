//! `/v1/admin/email-suppressions`, with the admin token.

use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::types::SuppressionView;
use crate::app::AppState;
use crate::platform::auth::{Admin, Client};
use crate::platform::authorize::By;
use crate::platform::body::{Path, Query};
use crate::platform::ids::SuppressionId;
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::ApiResult;

pub(in crate::email) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(lift))
}

/// List addresses that take no mail, or took none, newest first
#[utoipa::path(
    get, path = "/v1/admin/email-suppressions", tag = "operator", security(("admin" = [])), params(PageQuery),
    responses((status = 200, body = Page<SuppressionView>), (status = 403, description = "`admin_disabled`"))
)]
async fn list(
    _admin: Admin,
    State(app): State<AppState>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Page<SuppressionView>>> {
    Ok(axum::Json(super::list(&app, &page).await?))
}

/// Send mail to an address again
///
/// What was withheld from it in the last 30 days goes as well.
#[utoipa::path(
    post, path = "/v1/admin/email-suppressions/{suppression_id}/lift", tag = "operator", security(("admin" = [])),
    params(("suppression_id" = String, Path, description = "The suppression")),
    responses(
        (status = 204), (status = 403, description = "`admin_disabled`"),
        (status = 404, description = "`suppression_not_found`")
    )
)]
async fn lift(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Path(id): Path<SuppressionId>,
) -> ApiResult<StatusCode> {
    super::lift(&app, By::admin_token(client.origin()), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
