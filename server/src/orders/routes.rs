//! `/v1/events/{event_id}/orders` and `/v1/orders`.

use axum::extract::State;
use axum::http::StatusCode;
use liventix_core::ids::EventId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service;
use super::types::{OrderDetail, OrderQuery, OrderSummary};
use crate::app::AppState;
use crate::platform::auth::Caller;
use crate::platform::authorize::may;
use crate::platform::body::{Path, Query};
use crate::platform::ids::OrderId;
use crate::platform::page::Page;
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(send_tickets))
}

/// List an event's orders, newest first
#[utoipa::path(
    get, path = "/v1/events/{event_id}/orders", tag = "orders", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), OrderQuery),
    responses(
        (status = 200, body = Page<OrderSummary>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list(
    caller: Caller<may::SeeOrders>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(query): Query<OrderQuery>,
) -> ApiResult<axum::Json<Page<OrderSummary>>> {
    Ok(axum::Json(service::list(&app, caller.who, event, query).await?))
}

/// An order with its tickets and what happened to it
#[utoipa::path(
    get, path = "/v1/orders/{order_id}", tag = "orders", security(("session" = []), ("api_key" = [])),
    params(("order_id" = OrderId, Path, description = "The order")),
    responses(
        (status = 200, body = OrderDetail), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`order_not_found`")
    )
)]
async fn get(
    caller: Caller<may::SeeOrders>,
    State(app): State<AppState>,
    Path(order): Path<OrderId>,
) -> ApiResult<axum::Json<OrderDetail>> {
    Ok(axum::Json(service::get(&app, caller.who, order).await?))
}

/// Send the tickets of an order to its buyer once more
#[utoipa::path(
    post, path = "/v1/orders/{order_id}/send-tickets", tag = "orders", security(("session" = []), ("api_key" = [])),
    params(("order_id" = OrderId, Path, description = "The order")),
    responses(
        (status = 202, description = "They are on their way"), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`order_not_found`"),
        (status = 409, description = "`order_without_tickets`"), (status = 503, description = "`mails_off`")
    )
)]
async fn send_tickets(
    caller: Caller<may::ManageOrders>,
    State(app): State<AppState>,
    Path(order): Path<OrderId>,
) -> ApiResult<StatusCode> {
    service::send_tickets(&app, caller.who, order).await?;
    Ok(StatusCode::ACCEPTED)
}
