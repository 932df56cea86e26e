//! `/v1/shop`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use liventix_core::ids::EventId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::holder::Holder;
use super::service;
use super::types::{BuyerOrder, CheckoutRequest, CheckoutView, OfferView, TryOutRequest};
use crate::app::AppState;
use crate::operations;
use crate::orders::Wish;
use crate::platform::auth::{Client, Person};
use crate::platform::body::{Json, Path};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::problem::ApiResult;
use crate::pricing::Quote;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(offer))
        .routes(routes!(quote))
        .routes(routes!(checkout))
        .routes(routes!(order))
        .routes(routes!(refresh))
        .routes(routes!(cancel))
        .routes(routes!(try_out))
}

operations! {
    Checkout = "checkout", required;
}

/// What an event sells
#[utoipa::path(
    get, path = "/v1/shop/events/{event_id}", tag = "shop",
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = OfferView), (status = 400, description = "`invalid_path`"),
        (status = 404, description = "`nothing_on_sale`")
    )
)]
async fn offer(State(app): State<AppState>, Path(event): Path<EventId>) -> ApiResult<axum::Json<OfferView>> {
    Ok(axum::Json(service::offer(&app, event).await?))
}

/// What tickets cost together
///
/// Holds nothing. The same module works out what an order costs.
#[utoipa::path(
    post, path = "/v1/shop/events/{event_id}/quote", tag = "shop", request_body = Wish,
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 200, body = Quote), (status = 400, description = "`invalid_path`, `invalid_json`"),
        (status = 404, description = "`nothing_on_sale`, `ticket_type_not_found`"),
        (status = 409, description = "`not_on_sale`, `sold_out`, `price_changed`"),
        (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn quote(
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Json(wish): Json<Wish>,
) -> ApiResult<axum::Json<Quote>> {
    Ok(axum::Json(service::quote(&app, event, &wish).await?))
}

/// Order tickets, and begin to pay
///
/// Holds the tickets for the event's `hold_minutes`. With a session it is the account's order, without it a guest's.
/// Needs an `Idempotency-Key` `checkout:<id>:<uuid>`: repeated with the same key, it goes on with the same order, and
/// never begins a second payment. Answered with `TIMEOUT` (`retryable`), nothing was charged.
#[utoipa::path(
    post, path = "/v1/shop/events/{event_id}/orders", tag = "shop", security((), ("session" = [])),
    request_body = CheckoutRequest, extensions(("x-idempotent" = json!(Checkout::document()))),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 201, body = CheckoutView), (status = 400, description = "`invalid_path`, `invalid_json`"),
        (status = 404, description = "`nothing_on_sale`, `ticket_type_not_found`"),
        (status = 409, description = "`not_on_sale`, `sold_out`, `price_changed`"),
        (status = 422, description = "`invalid_field`, `invalid_body`, `payment_refused`"),
        (status = 429, description = "`rate_limited`: 10 an hour for a buyer, 20 for an address"),
        (status = 503, description = "`payments_off`"), (status = 504, description = "`TIMEOUT`")
    )
)]
async fn checkout(
    client: Client,
    person: Option<Person>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    call: Idempotent<Checkout, Json<CheckoutRequest>>,
) -> ApiResult<Response> {
    let organiser = service::organiser_of(&app, event).await?;
    call.run(&app, organiser, async |Json(request), attempt| {
        let view = service::checkout(&app, (client, person), event, request, attempt).await?;
        Ok((StatusCode::CREATED, axum::Json(view)))
    })
    .await
}

/// An order, by its token
#[utoipa::path(
    get, path = "/v1/shop/order", tag = "shop", security(("order" = [])), responses((status = 200, body = BuyerOrder))
)]
async fn order(holder: Holder, State(app): State<AppState>) -> ApiResult<axum::Json<BuyerOrder>> {
    Ok(axum::Json(service::view(&app, holder.order_id).await?))
}

/// Ask the payment provider where the payment stands
///
/// For a buyer who has just paid and does not want to wait.
#[utoipa::path(
    post, path = "/v1/shop/order/refresh", tag = "shop", security(("order" = [])),
    responses(
        (status = 200, body = BuyerOrder), (status = 429, description = "`rate_limited`"),
        (status = 504, description = "`TIMEOUT`")
    )
)]
async fn refresh(holder: Holder, State(app): State<AppState>) -> ApiResult<axum::Json<BuyerOrder>> {
    Ok(axum::Json(service::refresh(&app, holder.order_id).await?))
}

/// Give an order up that is not paid
///
/// Its tickets are free again as soon as no payment of it can succeed any more, which is at once unless the payment
/// provider cannot be reached.
#[utoipa::path(
    post, path = "/v1/shop/order/cancel", tag = "shop", security(("order" = [])),
    responses((status = 200, body = BuyerOrder), (status = 409, description = "`order_over`"))
)]
async fn cancel(holder: Holder, State(app): State<AppState>) -> ApiResult<axum::Json<BuyerOrder>> {
    Ok(axum::Json(service::cancel(&app, holder.order_id).await?))
}

/// Make the payment, or fail to, where the test provider takes it
///
/// No money moves. Where Stripe takes payments, there is nothing here.
#[utoipa::path(
    post, path = "/v1/shop/order/test-payment", tag = "shop", security(("order" = [])), request_body = TryOutRequest,
    responses(
        (status = 200, body = BuyerOrder), (status = 404, description = "`not_found`"),
        (status = 409, description = "`order_over`"), (status = 422, description = "`invalid_body`")
    )
)]
async fn try_out(
    holder: Holder,
    State(app): State<AppState>,
    Json(request): Json<TryOutRequest>,
) -> ApiResult<axum::Json<BuyerOrder>> {
    Ok(axum::Json(service::try_out(&app, holder.order_id, request.outcome).await?))
}
