//! `/v1/events/{event_id}/sales` and `/v1/organisers/{organiser_id}/fees`.

use axum::extract::State;
use axum::http::StatusCode;
use liventix_core::ids::{EventId, OrganiserId, TicketTypeId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service;
use super::types::{FeeView, SalesSettings, SalesView, TypeSale};
use crate::app::AppState;
use crate::platform::auth::{Admin, Caller, Client};
use crate::platform::authorize::{By, may};
use crate::platform::body::{Json, Path};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::pricing::{Currency, Fee};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get, put))
        .routes(routes!(put_type, delete_type))
        .routes(routes!(fees))
        .routes(routes!(put_fee))
}

/// How an event sells
#[utoipa::path(
    get, path = "/v1/events/{event_id}/sales", tag = "sales", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = SalesView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `sales_not_set_up`")
    )
)]
async fn get(
    caller: Caller<may::SeeEvents>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
) -> ApiResult<axum::Json<SalesView>> {
    Ok(axum::Json(service::get(&app, caller.who, event).await?))
}

/// Say how an event sells
///
/// Prices are set for each ticket type. The currency stays, once there is an order.
#[utoipa::path(
    put, path = "/v1/events/{event_id}/sales", tag = "sales", security(("session" = []), ("api_key" = [])),
    request_body = SalesSettings,
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = SalesView), (status = 400, description = "`invalid_path`, `invalid_json`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 409, description = "`in_use`"), (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn put(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Json(settings): Json<SalesSettings>,
) -> ApiResult<axum::Json<SalesView>> {
    Ok(axum::Json(service::put(&app, caller.who, event, settings).await?))
}

/// Sell tickets of a type
///
/// Replaces what was set before. What is ordered already keeps its price.
#[utoipa::path(
    put, path = "/v1/events/{event_id}/sales/{ticket_type_id}", tag = "sales", security(("session" = []), ("api_key" = [])),
    request_body = TypeSale,
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("ticket_type_id" = TicketTypeId, Path, description = "The type")
    ),
    responses(
        (status = 200, body = SalesView), (status = 400, description = "`invalid_path`, `invalid_json`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_type_not_found`, `sales_not_set_up`"),
        (status = 409, description = "`capacity_taken`"), (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn put_type(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path((event, kind)): Path<(EventId, TicketTypeId)>,
    Json(sale): Json<TypeSale>,
) -> ApiResult<axum::Json<SalesView>> {
    Ok(axum::Json(service::put_type(&app, caller.who, event, kind, sale).await?))
}

/// Take a type off sale
///
/// Only where nothing was ordered; otherwise close it with `is_open`.
#[utoipa::path(
    delete, path = "/v1/events/{event_id}/sales/{ticket_type_id}", tag = "sales", security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("ticket_type_id" = TicketTypeId, Path, description = "The type")
    ),
    responses(
        (status = 204), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_type_not_found`"), (status = 409, description = "`in_use`")
    )
)]
async fn delete_type(
    caller: Caller<may::EditEvent>,
    State(app): State<AppState>,
    Path((event, kind)): Path<(EventId, TicketTypeId)>,
) -> ApiResult<StatusCode> {
    service::delete_type(&app, caller.who, event, kind).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What selling tickets costs an organiser
#[utoipa::path(
    get, path = "/v1/organisers/{organiser_id}/fees", tag = "sales", security(("admin" = [])),
    params(("organiser_id" = OrganiserId, Path, description = "The organiser")),
    responses(
        (status = 200, body = Vec<FeeView>), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`admin_disabled`")
    )
)]
async fn fees(
    _admin: Admin,
    State(app): State<AppState>,
    Path(organiser): Path<OrganiserId>,
) -> ApiResult<axum::Json<Vec<FeeView>>> {
    Ok(axum::Json(service::fees(&app, organiser).await?))
}

/// Set what selling a ticket costs an organiser, in one currency
///
/// Holds for orders from now on. Without any, selling costs nothing.
#[utoipa::path(
    put, path = "/v1/organisers/{organiser_id}/fees/{currency}", tag = "sales", security(("admin" = [])),
    request_body = Fee,
    params(
        ("organiser_id" = OrganiserId, Path, description = "The organiser"),
        ("currency" = String, Path, description = "The currency's code, such as EUR")
    ),
    responses(
        (status = 200, body = FeeView), (status = 400, description = "`invalid_path`, `invalid_json`"),
        (status = 403, description = "`admin_disabled`"), (status = 404, description = "`organiser_not_found`"),
        (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn put_fee(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Path((organiser, currency)): Path<(OrganiserId, String)>,
    Json(fee): Json<Fee>,
) -> ApiResult<axum::Json<FeeView>> {
    let unknown =
        || ApiError::new(Code::InvalidPath, "The currency must be a code in capitals, such as EUR.");
    let currency = Currency::from_code(&currency).ok_or_else(unknown)?;
    let by = By::admin_token(client.origin());
    Ok(axum::Json(service::put_fee(&app, by, organiser, currency, fee).await?))
}
