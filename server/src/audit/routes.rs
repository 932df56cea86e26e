//! `/v1/organisers/{organiser_id}/audit`.

use axum::extract::State;
use liventix_core::ids::OrganiserId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{AuditQuery, AuditView};
use crate::app::AppState;
use crate::platform::auth::Caller;
use crate::platform::authorize::may;
use crate::platform::body::Query;
use crate::platform::page::Page;
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The audit trail, newest first
///
/// Who did what to what. Nothing in it can be changed or deleted.
#[utoipa::path(
    get, path = "/v1/organisers/{organiser_id}/audit", tag = "members",
    security(("session" = []), ("api_key" = [])),
    params(("organiser_id" = OrganiserId, Path, description = "The organiser"), AuditQuery),
    responses(
        (status = 200, body = Page<AuditView>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`role_missing`, `scope_missing`"),
        (status = 404, description = "`organiser_not_found`"), (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list(
    caller: Caller<may::SeeAudit>,
    State(app): State<AppState>,
    Query(query): Query<AuditQuery>,
) -> ApiResult<axum::Json<Page<AuditView>>> {
    Ok(axum::Json(super::list(&app, caller.who, &query).await?))
}
