//! `/v1/admin/objectives`, with the admin token.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::report::Objective;
use crate::app::AppState;
use crate::platform::auth::Admin;
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// How well the objectives are met
///
/// Each indicator over the last 28 days, with its error budget and how fast that is used up.
#[utoipa::path(
    get, path = "/v1/admin/objectives", tag = "operator", security(("admin" = [])),
    responses((status = 200, body = Vec<Objective>), (status = 403, description = "`admin_disabled`"))
)]
async fn list(_admin: Admin, State(app): State<AppState>) -> ApiResult<axum::Json<Vec<Objective>>> {
    Ok(axum::Json(super::report(&app).await?))
}
