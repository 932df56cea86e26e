//! `/v1/organisers`, `/v1/organiser`, `/v1/api-keys`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::{
    ApiKeyView, ChangeOrganiser, NewApiKey, NewApiKeyView, NewOrganiser, NewOrganiserView, OrganiserView,
    Organisers,
};
use crate::app::AppState;
use crate::operations;
use crate::platform::auth::{Admin, ApiKeyId, Caller, Client};
use crate::platform::authorize::{By, may};
use crate::platform::body::{Json, Path, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(get, change))
        .routes(routes!(list_keys, create_key))
        .routes(routes!(revoke_key))
}

fn organisers(app: &AppState) -> Organisers<'_> {
    Organisers { db: app.db(), vault: app.vault(), clock: app.clock(), entropy: app.entropy() }
}

/// Create an organiser with its first API key
#[utoipa::path(
    post, path = "/v1/organisers", tag = "organisers", security(("admin" = [])),
    responses((status = 201, body = NewOrganiserView), (status = 403, description = "`admin_disabled`"))
)]
async fn create(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Json(request): Json<NewOrganiser>,
) -> ApiResult<(StatusCode, axum::Json<NewOrganiserView>)> {
    let by = By::admin_token(client.origin());
    Ok((StatusCode::CREATED, axum::Json(organisers(&app).create(by, &request).await?)))
}

/// Whose API key this is
#[utoipa::path(
    get, path = "/v1/organiser", tag = "organisers", security(("session" = []), ("api_key" = [])),
    responses((status = 200, body = OrganiserView), (status = 403, description = "`scope_missing`, `role_missing`"))
)]
async fn get(
    caller: Caller<may::SeeOrganiser>,
    State(app): State<AppState>,
) -> ApiResult<axum::Json<OrganiserView>> {
    Ok(axum::Json(organisers(&app).get(caller.who).await?))
}

/// Change an organiser
#[utoipa::path(
    patch, path = "/v1/organiser", tag = "organisers", security(("session" = []), ("api_key" = [])),
    request_body = ChangeOrganiser,
    responses(
        (status = 200, body = OrganiserView), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 422, description = "`invalid_body`, `invalid_field`")
    )
)]
async fn change(
    caller: Caller<may::EditOrganiser>,
    State(app): State<AppState>,
    Json(change): Json<ChangeOrganiser>,
) -> ApiResult<axum::Json<OrganiserView>> {
    Ok(axum::Json(organisers(&app).change(caller.who, change).await?))
}

/// List API keys
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "organisers", security(("session" = []), ("api_key" = [])), params(PageQuery),
    responses(
        (status = 200, body = Page<ApiKeyView>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list_keys(
    caller: Caller<may::ManageApiKeys>,
    State(app): State<AppState>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Page<ApiKeyView>>> {
    Ok(axum::Json(organisers(&app).api_keys(caller.who, &page).await?))
}

operations! {
    CreateApiKey = "create_api_key";
}

/// Create an API key
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "organisers", security(("session" = []), ("api_key" = [])),
    request_body = NewApiKey, extensions(("x-idempotent" = json!(CreateApiKey::document()))),
    responses((status = 201, body = NewApiKeyView), (status = 403, description = "`scope_missing`, `role_missing`"))
)]
async fn create_key(
    caller: Caller<may::ManageApiKeys>,
    State(app): State<AppState>,
    call: Idempotent<CreateApiKey, Json<NewApiKey>>,
) -> ApiResult<Response> {
    let who = caller.who;
    call.run(&app, who.organiser_id, async |Json(request), attempt| {
        let view = organisers(&app).create_api_key(who, request, attempt).await?;
        Ok((StatusCode::CREATED, axum::Json(view)))
    })
    .await
}

/// Revoke an API key
#[utoipa::path(
    delete, path = "/v1/api-keys/{api_key_id}", tag = "organisers", security(("session" = []), ("api_key" = [])),
    params(("api_key_id" = ApiKeyId, Path, description = "The key")),
    responses(
        (status = 204), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`api_key_not_found`")
    )
)]
async fn revoke_key(
    caller: Caller<may::ManageApiKeys>,
    State(app): State<AppState>,
    Path(id): Path<ApiKeyId>,
) -> ApiResult<StatusCode> {
    organisers(&app).revoke_api_key(caller.who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
