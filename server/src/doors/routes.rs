//! `/v1/enrolments`, `/v1/devices` for organisers; `/v1/door/…` for devices.

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::Response;
use liventix_core::ids::{DeviceId, EventId};
use liventix_core::sync::wire::{
    Assignments, EnrolRequest, EnrolResponse, ManifestPage, UploadRequest, UploadResponse,
};
use liventix_core::ticket::keys::EventKeys;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::types::{DeviceView, EnrolmentView, ManifestQuery, NewEnrolment};
use super::upload::{self, Batch};
use super::{devices, enrolment, manifest, scope};
use crate::app::AppState;
use crate::events::snapshot;
use crate::operations;
use crate::platform::auth::{AnyDevice, Caller, Client, Device};
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::rate_limit::Key;

/// The largest upload, in bytes: 1 000 scans of about 1 kB, and room for longer ones.
const MAX_UPLOAD: usize = 4 * 1_024 * 1_024;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let upload = OpenApiRouter::new().routes(routes!(upload_scans)).layer(DefaultBodyLimit::max(MAX_UPLOAD));
    OpenApiRouter::new()
        .routes(routes!(create_enrolment))
        .routes(routes!(list_devices))
        .routes(routes!(revoke_device))
        .routes(routes!(enrol))
        .routes(routes!(assignments))
        .routes(routes!(keys))
        .routes(routes!(manifest_page))
        .merge(upload)
}

operations! {
    CreateEnrolment = "create_enrolment";
}

/// Make a one-time enrolment code
///
/// It enrols one device within 15 minutes. Show `qr_svg` to the device, or type `code` in.
#[utoipa::path(
    post, path = "/v1/enrolments", tag = "devices", security(("session" = []), ("api_key" = [])),
    request_body = NewEnrolment, extensions(("x-idempotent" = json!(CreateEnrolment::document()))),
    responses(
        (status = 201, body = EnrolmentView), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `gate_not_found`")
    )
)]
async fn create_enrolment(
    caller: Caller<may::ManageDevices>,
    State(app): State<AppState>,
    call: Idempotent<CreateEnrolment, Json<NewEnrolment>>,
) -> ApiResult<Response> {
    let who = caller.who;
    call.run(&app, who.organiser_id, async |Json(request), attempt| {
        Ok((StatusCode::CREATED, axum::Json(enrolment::create(&app, who, request, attempt).await?)))
    })
    .await
}

/// List devices, oldest first
#[utoipa::path(
    get, path = "/v1/devices", tag = "devices", security(("session" = []), ("api_key" = [])), params(PageQuery),
    responses(
        (status = 200, body = Page<DeviceView>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list_devices(
    caller: Caller<may::SeeDevices>,
    State(app): State<AppState>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Page<DeviceView>>> {
    Ok(axum::Json(devices::list(&app, caller.who, &page).await?))
}

/// Revoke a device
///
/// It may do nothing more from now on, except hand in the scans it made before.
#[utoipa::path(
    delete, path = "/v1/devices/{device_id}", tag = "devices", security(("session" = []), ("api_key" = [])),
    params(("device_id" = DeviceId, Path, description = "The device")),
    responses(
        (status = 204), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`device_not_found`")
    )
)]
async fn revoke_device(
    caller: Caller<may::ManageDevices>,
    State(app): State<AppState>,
    Path(device): Path<DeviceId>,
) -> ApiResult<StatusCode> {
    devices::revoke(&app, caller.who, device).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enrol a device with a one-time code
#[utoipa::path(
    post, path = "/v1/door/enrol", tag = "door", extensions(("x-rate-limits" = json!(["enrol"]))),
    responses(
        (status = 201, body = EnrolResponse), (status = 404, description = "`enrolment_code_unknown`"),
        (status = 409, description = "`enrolment_code_used`"), (status = 410, description = "`enrolment_code_expired`")
    )
)]
async fn enrol(
    client: Client,
    State(app): State<AppState>,
    Json(request): Json<EnrolRequest>,
) -> ApiResult<(StatusCode, axum::Json<EnrolResponse>)> {
    app.limiter().require(Key::of_address("enrol", client.0), app.config().limits.enrol).await?;
    Ok((StatusCode::CREATED, axum::Json(enrolment::enrol(&app, client.origin(), request).await?)))
}

/// What this device may scan
#[utoipa::path(
    get, path = "/v1/door/assignments", tag = "door", security(("device" = [])),
    responses((status = 200, body = Assignments), (status = 403, description = "`device_revoked`"))
)]
async fn assignments(device: Device, State(app): State<AppState>) -> ApiResult<axum::Json<Assignments>> {
    let assignments = app
        .db_of(device.organiser_id)
        .read(move |conn| {
            Box::pin(async move { Ok::<_, ApiError>(enrolment::assignments(conn, device.device_id).await?) })
        })
        .await?;
    Ok(axum::Json(Assignments { assignments }))
}

/// The keys for checking an event's codes. Secret
#[utoipa::path(
    get, path = "/v1/door/events/{event_id}/keys", tag = "door", security(("device" = [])),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = EventKeys), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`device_revoked`, `event_not_assigned`"),
        (status = 404, description = "`event_not_found`")
    )
)]
async fn keys(
    device: Device,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
) -> ApiResult<axum::Json<EventKeys>> {
    let app_in = app.clone();
    let keys = app
        .db_of(device.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let snapshot = snapshot::load(&app_in, conn, device.organiser_id, event).await?;
                scope::require(conn, device.device_id, event, None).await?;
                Ok::<_, ApiError>(snapshot.keys.clone())
            })
        })
        .await?;
    Ok(axum::Json(keys))
}

/// What changed in an event after a cursor
///
/// Cursor 0 is the whole event. With `wait`, the answer is held back until something changes.
#[utoipa::path(
    get, path = "/v1/door/events/{event_id}/manifest", tag = "door", security(("device" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ManifestQuery),
    responses(
        (status = 200, body = ManifestPage), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`device_revoked`, `event_not_assigned`"),
        (status = 404, description = "`event_not_found`"), (status = 422, description = "`unknown_cursor`")
    )
)]
async fn manifest_page(
    device: Device,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(query): Query<ManifestQuery>,
) -> ApiResult<axum::Json<ManifestPage>> {
    Ok(axum::Json(manifest::page(&app, device, event, &query).await?))
}

/// Hand in scans
///
/// A receipt for each, final: `accepted`, `duplicate`, or `quarantined` with one of the codes
/// `malformed_scan`, `hash_mismatch`, `scan_id_conflict`, `foreign_device`, `event_not_assigned`,
/// `unknown_gate`, `gate_not_assigned`, `device_revoked`, `unknown_ticket`, `force_not_allowed`,
/// `undo_unknown`. A revoked device may still hand in what it scanned before.
#[utoipa::path(
    post, path = "/v1/door/scans", tag = "door", security(("device" = [])), request_body = UploadRequest,
    extensions(("x-rate-limits" = json!(["upload"]))),
    responses((status = 200, body = UploadResponse), (status = 409, description = "`too_many` are set aside"))
)]
async fn upload_scans(
    device: AnyDevice,
    State(app): State<AppState>,
    Json(batch): Json<Batch>,
) -> ApiResult<axum::Json<UploadResponse>> {
    Ok(axum::Json(upload::upload(&app, device, batch).await?))
}
