//! Whoever has an order's token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::app::AppState;
use crate::orders;
use crate::platform::auth::{Client, Kind, Token, bearer, count_guess};
use crate::platform::ids::OrderId;
use crate::platform::problem::{ApiError, Code};

/// The buyer of an order, by its token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    pub(super) order_id: OrderId,
}

/// The order that a token is of. Guesses are counted.
///
/// # Errors
/// `order_unknown`, `rate_limited`.
pub(super) async fn holder(app: &AppState, client: Client, text: &str) -> Result<Holder, ApiError> {
    if let Some(token) = Token::parse(text).filter(|token| token.kind == Kind::Order) {
        let order_id = OrderId::from_bytes(token.id);
        let order = app.db().read(move |conn| Box::pin(async move { orders::by_id(conn, order_id).await }));
        if order.await?.is_some_and(|order| token.fits(&order.secret_hash)) {
            return Ok(Holder { order_id });
        }
    }
    count_guess(app, client).await?;
    let detail = "Send Authorization: Bearer lxo_… with the token that the checkout gave.";
    Err(ApiError::new(Code::Unauthenticated, detail))
}

impl FromRequestParts<AppState> for Holder {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let client = Client::from_request_parts(parts, app).await?;
        holder(app, client, bearer(parts).unwrap_or_default()).await
    }
}
