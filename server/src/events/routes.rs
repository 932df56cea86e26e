//! `/v1/events` and what lies below it, except tickets and scans.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use liventix_core::ids::{EventId, GateId, TicketTypeId};
use liventix_core::rules::{Gate, TicketType};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::types::{
    CancelRequest, EventChange, EventSummary, EventView, GateName, NewEvent, TicketTypeRules,
};
use super::{KeyView, RotateRequest, RotateResponse, keys, service};
use crate::app::AppState;
use crate::operations;
use crate::platform::auth::Caller;
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update))
        .routes(routes!(cancel))
        .routes(routes!(create_gate))
        .routes(routes!(rename_gate, delete_gate))
        .routes(routes!(create_type))
        .routes(routes!(replace_type, delete_type))
        .routes(routes!(list_event_keys))
        .routes(routes!(rotate_keys))
}

operations! {
    CreateEvent = "create_event";
}

/// Create an event
///
/// It gets its first signing key.
#[utoipa::path(
    post, path = "/v1/events", tag = "events", security(("session" = []), ("api_key" = [])),
    request_body = NewEvent, extensions(("x-idempotent" = json!(CreateEvent::document()))),
    responses((status = 201, body = EventView), (status = 403, description = "`scope_missing`, `role_missing`"))
)]
async fn create(
    caller: Caller<may::CreateEvent>,
    State(app): State<AppState>,
    call: Idempotent<CreateEvent, Json<NewEvent>>,
) -> ApiResult<Response> {
    let who = caller.who;
    call.run(&app, who.organiser_id, async |Json(request), attempt| {
        Ok((StatusCode::CREATED, axum::Json(service::create(&app, who, request, attempt).await?)))
    })
    .await
}

/// List events, oldest first
#[utoipa::path(
    get, path = "/v1/events", tag = "events", security(("session" = []), ("api_key" = [])), params(PageQuery),
    responses(
        (status = 200, body = Page<EventSummary>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list(
    caller: Caller<may::SeeEvents>,
    State(app): State<AppState>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Page<EventSummary>>> {
    Ok(axum::Json(service::list(&app, caller.who, &page).await?))
}

/// One event with its gates and ticket types
#[utoipa::path(
    get, path = "/v1/events/{event_id}", tag = "events", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = EventView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`")
    )
)]
async fn get(
    caller: Caller<may::SeeEvents>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
) -> ApiResult<axum::Json<EventView>> {
    Ok(axum::Json(service::get(&app, caller.who, event).await?))
}

/// Change an event
#[utoipa::path(
    patch, path = "/v1/events/{event_id}", tag = "events", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = EventView),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`")
    )
)]
async fn update(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Json(change): Json<EventChange>,
) -> ApiResult<axum::Json<EventView>> {
    Ok(axum::Json(service::update(&app, caller.who, event, change).await?))
}

/// Call an event off
///
/// Nothing of it is sold any more, and its buyers get a mail. Money is given back order by order.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/cancel", tag = "events", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")), request_body = CancelRequest,
    responses(
        (status = 200, body = EventView),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 409, description = "`event_over`"), (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn cancel(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Json(request): Json<CancelRequest>,
) -> ApiResult<axum::Json<EventView>> {
    Ok(axum::Json(service::cancel(&app, caller.who, event, request).await?))
}

/// Add a gate
#[utoipa::path(
    post, path = "/v1/events/{event_id}/gates", tag = "events", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 201, body = Gate), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`"), (status = 409, description = "`name_taken`, `too_many`")
    )
)]
async fn create_gate(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Json(request): Json<GateName>,
) -> ApiResult<(StatusCode, axum::Json<Gate>)> {
    let gate = service::put_gate(&app, caller.who, event, None, &request).await?;
    Ok((StatusCode::CREATED, axum::Json(gate)))
}

/// Rename a gate
#[utoipa::path(
    put, path = "/v1/events/{event_id}/gates/{gate_id}", tag = "events", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ("gate_id" = GateId, Path, description = "The gate")),
    responses(
        (status = 200, body = Gate), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `gate_not_found`"), (status = 409, description = "`name_taken`")
    )
)]
async fn rename_gate(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path((event, gate)): Path<(EventId, GateId)>,
    Json(request): Json<GateName>,
) -> ApiResult<axum::Json<Gate>> {
    Ok(axum::Json(service::put_gate(&app, caller.who, event, Some(gate), &request).await?))
}

/// Delete a gate that was never used
#[utoipa::path(
    delete, path = "/v1/events/{event_id}/gates/{gate_id}", tag = "events", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ("gate_id" = GateId, Path, description = "The gate")),
    responses(
        (status = 204), (status = 400, description = "`invalid_path`"), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `gate_not_found`"), (status = 409, description = "`in_use`")
    )
)]
async fn delete_gate(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path((event, gate)): Path<(EventId, GateId)>,
) -> ApiResult<StatusCode> {
    service::delete_gate(&app, caller.who, event, gate).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Add a ticket type
#[utoipa::path(
    post, path = "/v1/events/{event_id}/ticket-types", tag = "events", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 201, body = TicketType), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`"), (status = 409, description = "`name_taken`, `too_many`")
    )
)]
async fn create_type(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Json(rules): Json<TicketTypeRules>,
) -> ApiResult<(StatusCode, axum::Json<TicketType>)> {
    let kind = service::put_ticket_type(&app, caller.who, event, None, rules).await?;
    Ok((StatusCode::CREATED, axum::Json(kind)))
}

/// Replace a ticket type's rules
///
/// They hold for its tickets at once; doors learn them at their next sync.
#[utoipa::path(
    put, path = "/v1/events/{event_id}/ticket-types/{ticket_type_id}", tag = "events", security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("ticket_type_id" = TicketTypeId, Path, description = "The ticket type")
    ),
    responses(
        (status = 200, body = TicketType), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_type_not_found`"),
        (status = 409, description = "`name_taken`")
    )
)]
async fn replace_type(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path((event, id)): Path<(EventId, TicketTypeId)>,
    Json(rules): Json<TicketTypeRules>,
) -> ApiResult<axum::Json<TicketType>> {
    Ok(axum::Json(service::put_ticket_type(&app, caller.who, event, Some(id), rules).await?))
}

/// Delete a ticket type without tickets
#[utoipa::path(
    delete, path = "/v1/events/{event_id}/ticket-types/{ticket_type_id}", tag = "events", security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("ticket_type_id" = TicketTypeId, Path, description = "The ticket type")
    ),
    responses(
        (status = 204), (status = 400, description = "`invalid_path`"), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_type_not_found`"), (status = 409, description = "`in_use`")
    )
)]
async fn delete_type(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path((event, id)): Path<(EventId, TicketTypeId)>,
) -> ApiResult<StatusCode> {
    service::delete_ticket_type(&app, caller.who, event, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List an event's signing keys, without their secrets
#[utoipa::path(
    get, path = "/v1/events/{event_id}/keys", tag = "events", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = Vec<KeyView>), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`")
    )
)]
async fn list_event_keys(
    caller: Caller<may::SeeEvents>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
) -> ApiResult<axum::Json<Vec<KeyView>>> {
    Ok(axum::Json(keys::list(&app, caller.who, event).await?))
}

/// Give an event a new signing key
///
/// `overlap` keeps codes signed so far good, `withdraw` kills them at once. Nothing is reissued by
/// itself: the answer says how many tickets need it.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/keys/rotate", tag = "events", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = RotateResponse), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`"), (status = 409, description = "`too_many`")
    )
)]
async fn rotate_keys(
    caller: Caller<may::RotateKeys>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Json(request): Json<RotateRequest>,
) -> ApiResult<axum::Json<RotateResponse>> {
    Ok(axum::Json(keys::rotate(&app, caller.who, event, &request).await?))
}
