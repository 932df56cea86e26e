//! `/v1/admin/queues` and `/v1/admin/dead-letters`, with the admin token.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::{DeadLetters, Done, not_found};
use crate::app::AppState;
use crate::platform::auth::{Admin, Client};
use crate::platform::authorize::By;
use crate::platform::body::{Json, Path, Query};
use crate::platform::ids::JobId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::ApiResult;
use crate::platform::queue::{DeadLetter, DeadLetterView, Filter, QueueStats};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(stats))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(list))
        .routes(routes!(replay_all))
        .routes(routes!(purge))
        .routes(routes!(get, discard))
        .routes(routes!(replay))
}

fn hands(app: &AppState, client: &Client) -> DeadLetters {
    DeadLetters::of(app, By::admin_token(client.origin()))
}

/// How every queue is doing
#[utoipa::path(
    get, path = "/v1/admin/queues", tag = "operator", security(("admin" = [])),
    responses((status = 200, body = Vec<QueueStats>), (status = 403, description = "`admin_disabled`"))
)]
async fn stats(_admin: Admin, State(app): State<AppState>) -> ApiResult<axum::Json<Vec<QueueStats>>> {
    Ok(axum::Json(app.queue().stats().await?))
}

/// Pause a queue
///
/// No process takes jobs from it; those that run go on.
#[utoipa::path(
    post, path = "/v1/admin/queues/{queue}/pause", tag = "operator", security(("admin" = [])),
    params(("queue" = String, Path, description = "The queue")),
    responses((status = 204), (status = 403, description = "`admin_disabled`"))
)]
async fn pause(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Path(queue): Path<String>,
) -> ApiResult<StatusCode> {
    hands(&app, &client).pause(queue).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a queue go on
#[utoipa::path(
    post, path = "/v1/admin/queues/{queue}/resume", tag = "operator", security(("admin" = [])),
    params(("queue" = String, Path, description = "The queue")),
    responses((status = 204), (status = 403, description = "`admin_disabled`"))
)]
async fn resume(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Path(queue): Path<String>,
) -> ApiResult<StatusCode> {
    hands(&app, &client).resume(queue).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which dead letters, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
struct DeadQuery {
    /// Of this queue.
    queue: Option<String>,
    /// Of this handler.
    kind: Option<String>,
    /// With this code.
    code: Option<String>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// How many (1 to 200, otherwise 50).
    limit: Option<u32>,
}

/// List dead letters, those that died first first
#[utoipa::path(
    get, path = "/v1/admin/dead-letters", tag = "operator", security(("admin" = [])), params(DeadQuery),
    responses((status = 200, body = Page<DeadLetter>), (status = 403, description = "`admin_disabled`"))
)]
async fn list(
    _admin: Admin,
    State(app): State<AppState>,
    Query(query): Query<DeadQuery>,
) -> ApiResult<axum::Json<Page<DeadLetter>>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (after, limit) = (page.after()?, page.limit()?);
    let filter = Filter { queue: query.queue, kind: query.kind, code: query.code };
    let letters = app.queue().dead(filter, after, limit + 1).await?;
    let key = |letter: &DeadLetter| Key { at: letter.died_at, id: *letter.job_id.as_bytes() };
    Ok(axum::Json(Page::of(letters, limit, key)))
}

/// Look at a dead letter, with every try
#[utoipa::path(
    get, path = "/v1/admin/dead-letters/{job_id}", tag = "operator", security(("admin" = [])),
    params(("job_id" = JobId, Path, description = "The job")),
    responses((status = 200, body = DeadLetterView), (status = 404, description = "`job_not_found`"))
)]
async fn get(
    _admin: Admin,
    State(app): State<AppState>,
    Path(job): Path<JobId>,
) -> ApiResult<axum::Json<DeadLetterView>> {
    app.queue().dead_letter(job).await?.map(axum::Json).ok_or_else(not_found)
}

/// Try a dead letter again
///
/// Its tries are counted anew; its history stays.
#[utoipa::path(
    post, path = "/v1/admin/dead-letters/{job_id}/retry", tag = "operator", security(("admin" = [])),
    params(("job_id" = JobId, Path, description = "The job")),
    responses(
        (status = 204), (status = 404, description = "`job_not_found`"),
        (status = 409, description = "`job_superseded`")
    )
)]
async fn replay(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Path(job): Path<JobId>,
) -> ApiResult<StatusCode> {
    hands(&app, &client).replay(job).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Try many dead letters again
///
/// Up to 1 000 that the filter names, those that died first first. Repeat it until it says 0.
#[utoipa::path(
    post, path = "/v1/admin/dead-letters/retry", tag = "operator", security(("admin" = [])),
    request_body = Filter,
    responses((status = 200, body = Done), (status = 403, description = "`admin_disabled`"))
)]
async fn replay_all(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Json(filter): Json<Filter>,
) -> ApiResult<axum::Json<Done>> {
    Ok(axum::Json(hands(&app, &client).replay_all(filter).await?))
}

/// Throw a dead letter away
#[utoipa::path(
    delete, path = "/v1/admin/dead-letters/{job_id}", tag = "operator", security(("admin" = [])),
    params(("job_id" = JobId, Path, description = "The job")),
    responses((status = 204), (status = 404, description = "`job_not_found`"))
)]
async fn discard(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Path(job): Path<JobId>,
) -> ApiResult<StatusCode> {
    hands(&app, &client).discard(job).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which dead letters are old.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Purge {
    /// Those of this queue; otherwise of every one.
    queue: Option<String>,
    /// Those that died before this (UTC milliseconds).
    before: i64,
}

/// Throw old dead letters away
///
/// Up to 1 000, the oldest first. Repeat it until it says 0. Whatever is older than 90 days goes by itself.
#[utoipa::path(
    post, path = "/v1/admin/dead-letters/purge", tag = "operator", security(("admin" = [])),
    request_body = Purge,
    responses((status = 200, body = Done), (status = 403, description = "`admin_disabled`"))
)]
async fn purge(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Json(Purge { queue, before }): Json<Purge>,
) -> ApiResult<axum::Json<Done>> {
    Ok(axum::Json(hands(&app, &client).purge(queue, before).await?))
}
