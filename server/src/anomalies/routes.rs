//! `/v1/events/{event_id}/anomalies`.

use axum::extract::State;
use liventix_core::ids::EventId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::types::{AnomalyDetail, AnomalyQuery, AnomalyView};
use super::views;
use crate::app::AppState;
use crate::platform::auth::Caller;
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::ids::AnomalyId;
use crate::platform::page::Page;
use crate::platform::problem::ApiResult;
use crate::platform::remark::Note;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(acknowledge))
        .routes(routes!(resolve))
}

/// List anomalies, in the order in which they were found
///
/// What scans tell beyond their verdicts: forged codes in a row, one ticket at two gates, clocks that were
/// set, ledgers with holes. Those whose cause is gone are resolved by themselves.
#[utoipa::path(
    get, path = "/v1/events/{event_id}/anomalies", tag = "anomalies", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), AnomalyQuery),
    responses(
        (status = 200, body = Page<AnomalyView>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list(
    caller: Caller<may::SeeScans>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(query): Query<AnomalyQuery>,
) -> ApiResult<axum::Json<Page<AnomalyView>>> {
    Ok(axum::Json(views::list(&app, caller.who, event, query).await?))
}

/// One anomaly with its evidence
#[utoipa::path(
    get, path = "/v1/events/{event_id}/anomalies/{anomaly_id}", tag = "anomalies", security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("anomaly_id" = AnomalyId, Path, description = "The anomaly")
    ),
    responses(
        (status = 200, body = AnomalyDetail), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `anomaly_not_found`")
    )
)]
async fn get(
    caller: Caller<may::SeeScans>,
    State(app): State<AppState>,
    Path(ids): Path<(EventId, AnomalyId)>,
) -> ApiResult<axum::Json<AnomalyDetail>> {
    Ok(axum::Json(views::get(&app, caller.who, ids).await?))
}

/// Say that somebody looks after an anomaly
///
/// Whoever says so last does.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/anomalies/{anomaly_id}/acknowledge", tag = "anomalies",
    security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("anomaly_id" = AnomalyId, Path, description = "The anomaly")
    ),
    responses(
        (status = 200, body = AnomalyDetail), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `anomaly_not_found`"),
        (status = 409, description = "`already_resolved`")
    )
)]
async fn acknowledge(
    caller: Caller<may::Settle>,
    State(app): State<AppState>,
    Path(ids): Path<(EventId, AnomalyId)>,
    Json(note): Json<Note>,
) -> ApiResult<axum::Json<AnomalyDetail>> {
    Ok(axum::Json(views::acknowledge(&app, caller.who, ids, &note).await?))
}

/// Resolve an anomaly
///
/// The same findings do not open it again; others open a new one.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/anomalies/{anomaly_id}/resolve", tag = "anomalies",
    security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("anomaly_id" = AnomalyId, Path, description = "The anomaly")
    ),
    responses(
        (status = 200, body = AnomalyDetail), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `anomaly_not_found`"),
        (status = 409, description = "`already_resolved`")
    )
)]
async fn resolve(
    caller: Caller<may::Settle>,
    State(app): State<AppState>,
    Path(ids): Path<(EventId, AnomalyId)>,
    Json(note): Json<Note>,
) -> ApiResult<axum::Json<AnomalyDetail>> {
    Ok(axum::Json(views::resolve(&app, caller.who, ids, &note).await?))
}
