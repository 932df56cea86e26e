//! `/v1/events/{event_id}/redeem`, `/scans`, `/conflicts`, `/counts`, and `/v1/quarantine`.

use axum::extract::State;
use liventix_core::ids::{EventId, ScanId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::live::{self, LiveView};
use super::types::{
    ConflictQuery, ConflictView, CountsView, QuarantineQuery, QuarantineView, RedeemRequest, RedeemResponse,
    ScanView, UndoRequest, UndoResponse,
};
use super::{redeem, resolve, undo, views};
use crate::app::AppState;
use crate::platform::auth::{Caller, Scanner};
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::ApiResult;
use crate::platform::remark::Note;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(redeem_code))
        .routes(routes!(undo_scan))
        .routes(routes!(scans))
        .routes(routes!(conflicts))
        .routes(routes!(resolve_conflict))
        .routes(routes!(counts))
        .routes(routes!(live_view))
        .routes(routes!(quarantine))
}

/// Redeem a code online
///
/// For scanners that are always connected. Every attempt is recorded, refused ones too; a refusal is an
/// answer (200), not an error. Repeat a request whose answer was lost: the same `scan_id` counts once.
///
/// With `force`, a supervisor lets people pass in spite of a refusal: the outcome is `admit`, the reason
/// `forced`, and `overruled` says what the rules had decided. Cancelled, blocked and replaced tickets, and
/// codes that are not authentic, are refused all the same.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/redeem", tag = "scanning", security(("session" = []), ("api_key" = []), ("device" = [])),
    extensions(("x-rate-limits" = json!(["redeem", "refused_scans", "manual_code"]))),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = RedeemResponse), (status = 400, description = "`invalid_path`, `invalid_json`"),
        (status = 403, description = "`scope_missing`, `role_missing`, `device_revoked`, `event_not_assigned`, `gate_not_assigned`, `not_supervisor`"),
        (status = 404, description = "`event_not_found`, `gate_not_found`"),
        (status = 409, description = "`scan_id_conflict`")
    )
)]
async fn redeem_code(
    scanner: Scanner,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Json(request): Json<RedeemRequest>,
) -> ApiResult<axum::Json<RedeemResponse>> {
    Ok(axum::Json(redeem::redeem(&app, scanner, event, request).await?))
}

/// Take a passage back
///
/// For the scanner or the key that made the scan, for as long as the event's `undo_seconds` says. The
/// passage counts no more, anywhere; both scans stay in the list. Repeat a request whose answer was lost:
/// the same `scan_id` counts once.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/scans/{scan_id}/undo", tag = "scanning",
    extensions(("x-rate-limits" = json!(["redeem"]))),
    security(("session" = []), ("api_key" = []), ("device" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("scan_id" = ScanId, Path, description = "The scan to take back")
    ),
    responses(
        (status = 200, body = UndoResponse), (status = 400, description = "`invalid_path`, `invalid_json`"),
        (status = 403, description = "`scope_missing`, `role_missing`, `device_revoked`, `event_not_assigned`, `gate_not_assigned`"),
        (status = 404, description = "`event_not_found`, `undo_unknown`"),
        (status = 409, description = "`undo_not_a_passage`, `undo_already`, `undo_too_late`, `undo_off`, `scan_id_conflict`")
    )
)]
async fn undo_scan(
    scanner: Scanner,
    State(app): State<AppState>,
    Path(ids): Path<(EventId, ScanId)>,
    Json(request): Json<UndoRequest>,
) -> ApiResult<axum::Json<UndoResponse>> {
    Ok(axum::Json(undo::undo(&app, scanner, ids, request).await?))
}

/// List an event's scans, in the order they reached the server
#[utoipa::path(
    get, path = "/v1/events/{event_id}/scans", tag = "scanning", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), PageQuery),
    responses(
        (status = 200, body = Page<ScanView>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn scans(
    caller: Caller<may::SeeScans>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Page<ScanView>>> {
    Ok(axum::Json(views::scans(&app, caller.who, event, &page).await?))
}

/// List conflicting admissions with the evidence of both sides
#[utoipa::path(
    get, path = "/v1/events/{event_id}/conflicts", tag = "scanning", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ConflictQuery),
    responses(
        (status = 200, body = Page<ConflictView>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn conflicts(
    caller: Caller<may::SeeScans>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(query): Query<ConflictQuery>,
) -> ApiResult<axum::Json<Page<ConflictView>>> {
    Ok(axum::Json(views::conflicts(&app, caller.who, event, query).await?))
}

/// Settle a conflict
///
/// Names it by its excess scan. It stays in the list, with the note; if the merge loses and finds it again, it
/// is still settled.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/conflicts/{scan_id}/resolve", tag = "scanning",
    security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("scan_id" = ScanId, Path, description = "The excess scan of the conflict")
    ),
    responses(
        (status = 200, body = ConflictView), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `conflict_not_found`"),
        (status = 409, description = "`already_resolved`")
    )
)]
async fn resolve_conflict(
    caller: Caller<may::Settle>,
    State(app): State<AppState>,
    Path(ids): Path<(EventId, ScanId)>,
    Json(note): Json<Note>,
) -> ApiResult<axum::Json<ConflictView>> {
    Ok(axum::Json(resolve::resolve(&app, caller.who, ids, &note).await?))
}

/// An event in numbers
#[utoipa::path(
    get, path = "/v1/events/{event_id}/counts", tag = "scanning", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = CountsView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`")
    )
)]
async fn counts(
    caller: Caller<may::SeeEvents>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
) -> ApiResult<axum::Json<CountsView>> {
    Ok(axum::Json(views::counts(&app, caller.who, event).await?))
}

/// How the doors of an event do right now
///
/// The figures of `counts` with each gate's scans in the last 30 minutes and each device: when it was last heard
/// of, and how many scans it has yet to hand in.
#[utoipa::path(
    get, path = "/v1/events/{event_id}/live", tag = "scanning", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = LiveView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`")
    )
)]
async fn live_view(
    caller: Caller<may::SeeScans>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
) -> ApiResult<axum::Json<LiveView>> {
    Ok(axum::Json(live::get(&app, caller.who, event).await?))
}

/// List scans set aside, and why
#[utoipa::path(
    get, path = "/v1/quarantine", tag = "scanning", security(("session" = []), ("api_key" = [])), params(QuarantineQuery),
    responses(
        (status = 200, body = Page<QuarantineView>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn quarantine(
    caller: Caller<may::SeeScans>,
    State(app): State<AppState>,
    Query(query): Query<QuarantineQuery>,
) -> ApiResult<axum::Json<Page<QuarantineView>>> {
    Ok(axum::Json(views::quarantine(&app, caller.who, query).await?))
}
