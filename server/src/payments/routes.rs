//! What is done about `/v1/orders/{order_id}`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::{self, Reason, Settlement};
use super::disputes::DisputeView;
use super::refunds::{self as refunding, RefundItem, RefundQuery, RefundRequest, RefundView};
use crate::app::AppState;
use crate::operations;
use crate::orders::OrderDetail;
use crate::platform::auth::Caller;
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::ids::OrderId;
use crate::platform::page::Page;
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(cancel))
        .routes(routes!(settle))
        .routes(routes!(check))
        .routes(routes!(refunds, refund))
        .routes(routes!(disputes))
        .routes(routes!(all_refunds))
}

operations! {
    Refund = "refund", required;
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
    request_body = Settlement, params(("order_id" = OrderId, Path, description = "The order")),
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
    Json(settlement): Json<Settlement>,
) -> ApiResult<axum::Json<OrderDetail>> {
    Ok(axum::Json(desk::settle(&app, caller.who, order, settlement).await?))
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

/// Give money back
///
/// For tickets, an amount, or all that is left. Never more than was paid, however many ask at once. Tickets that it is
/// for open no door from now on; if the provider refuses, they are good again. Needs an `Idempotency-Key`
/// `refund:<id>:<uuid>`. The answer says where the refund stands: `refused` and `unknown` are answers as well, and what
/// is unknown is found out.
#[utoipa::path(
    post, path = "/v1/orders/{order_id}/refunds", tag = "orders", security(("session" = []), ("api_key" = [])),
    request_body = RefundRequest, extensions(("x-idempotent" = json!(Refund::document()))),
    params(("order_id" = OrderId, Path, description = "The order")),
    responses(
        (status = 201, body = RefundView), (status = 400, description = "`invalid_path`, `invalid_json`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`order_not_found`"),
        (status = 409, description = "`refund_too_much`, `nothing_to_refund`"),
        (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn refund(
    caller: Caller<may::Refund>,
    State(app): State<AppState>,
    Path(order): Path<OrderId>,
    call: Idempotent<Refund, Json<RefundRequest>>,
) -> ApiResult<Response> {
    let who = caller.who;
    call.run(&app, who.organiser_id, async |Json(request), attempt| {
        Ok((StatusCode::CREATED, axum::Json(refunding::refund(&app, who, order, request, attempt).await?)))
    })
    .await
}

/// An order's refunds, oldest first
#[utoipa::path(
    get, path = "/v1/orders/{order_id}/refunds", tag = "orders", security(("session" = []), ("api_key" = [])),
    params(("order_id" = OrderId, Path, description = "The order")),
    responses(
        (status = 200, body = Vec<RefundView>), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`order_not_found`")
    )
)]
async fn refunds(
    caller: Caller<may::SeeOrders>,
    State(app): State<AppState>,
    Path(order): Path<OrderId>,
) -> ApiResult<axum::Json<Vec<RefundView>>> {
    Ok(axum::Json(desk::refunds(&app, caller.who, order).await?))
}

/// Which disputes to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DisputeQuery {
    /// Only those that are not decided.
    #[serde(default)]
    open: bool,
}

/// What buyers' banks dispute, the one whose evidence is due next first
///
/// At most 200, those that are not decided first.
#[utoipa::path(
    get, path = "/v1/disputes", tag = "orders", security(("session" = []), ("api_key" = [])), params(DisputeQuery),
    responses(
        (status = 200, body = Vec<DisputeView>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`")
    )
)]
async fn disputes(
    caller: Caller<may::SeeMoney>,
    State(app): State<AppState>,
    Query(query): Query<DisputeQuery>,
) -> ApiResult<axum::Json<Vec<DisputeView>>> {
    Ok(axum::Json(desk::disputes(&app, caller.who, query.open).await?))
}

/// Your refunds over all orders, newest first
#[utoipa::path(
    get, path = "/v1/refunds", tag = "money", security(("session" = []), ("api_key" = [])), params(RefundQuery),
    responses(
        (status = 200, body = Page<RefundItem>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 422, description = "`unknown_cursor`")
    )
)]
async fn all_refunds(
    caller: Caller<may::SeeMoney>,
    State(app): State<AppState>,
    Query(query): Query<RefundQuery>,
) -> ApiResult<axum::Json<Page<RefundItem>>> {
    Ok(axum::Json(refunding::list(&app, caller.who, query).await?))
}
