//! What is done about `/v1/orders/{order_id}`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::{self, Reason};
use crate::app::AppState;
use crate::orders::OrderDetail;
use crate::platform::auth::Caller;
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path};
use crate::platform::ids::OrderId;
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(cancel)).routes(routes!(settle)).routes(routes!(check))
}

/// Give an order up that is not paid
///
/// Its tickets are free again as soon as no payment of it can succeed any more. Doing it twice changes nothing more.
#[utoipa::path(
    post, path = "/v1/orders/{order_id}/cancel", tag = "orders", security(("session" = []), ("api_key" = [])),
    request_body = Reason, params(("order_id" = OrderId, Path, description = "The order")),
    responses(
        (status = 200, body = OrderDetail), (status = 400, description = "`invalid_path`, `invalid_json`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`order_not_found`"),
        (status = 409, description = "`order_over`: it is paid"), (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn cancel(
    caller: Caller<may::ManageOrders>,
    State(app): State<AppState>,
    Path(order): Path<OrderId>,
    Json(reason): Json<Reason>,
) -> ApiResult<axum::Json<OrderDetail>> {
    Ok(axum::Json(desk::cancel(&app, caller.who, order, &reason).await?))
}

/// Say that an order that needed a person has been looked at
///
/// Doing it twice changes nothing more.
#[utoipa::path(
    post, path = "/v1/orders/{order_id}/settle", tag = "orders", security(("session" = []), ("api_key" = [])),
    request_body = Reason, params(("order_id" = OrderId, Path, description = "The order")),
    responses(
        (status = 200, body = OrderDetail), (status = 400, description = "`invalid_path`, `invalid_json`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`order_not_found`"),
        (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn settle(
    caller: Caller<may::ManageOrders>,
    State(app): State<AppState>,
    Path(order): Path<OrderId>,
    Json(reason): Json<Reason>,
) -> ApiResult<axum::Json<OrderDetail>> {
    Ok(axum::Json(desk::settle(&app, caller.who, order, &reason).await?))
}

/// Ask the payment provider where an order's payment stands
#[utoipa::path(
    post, path = "/v1/orders/{order_id}/check", tag = "orders", security(("session" = []), ("api_key" = [])),
    params(("order_id" = OrderId, Path, description = "The order")),
    responses(
        (status = 200, body = OrderDetail), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`order_not_found`"),
        (status = 504, description = "`TIMEOUT`")
    )
)]
async fn check(
    caller: Caller<may::ManageOrders>,
    State(app): State<AppState>,
    Path(order): Path<OrderId>,
) -> ApiResult<axum::Json<OrderDetail>> {
    Ok(axum::Json(desk::check(&app, caller.who, order).await?))
}
