//! What mails say: composed when they are sent, from what is true then.

mod order_paid;
mod templates;

use std::pin::Pin;

use liventix_core::ids::OrganiserId;
use serde_json::{Value, json};

use crate::app::AppState;
use crate::email::{self, Content, NewEmail};
use crate::orders::Order;
use crate::platform::db::{DbError, Tx};
use crate::platform::queue::Failure;

const ORDER_PAID: &str = "order_paid";
const TEST: &str = "test";

/// Says what a mail of a kind tells.
pub(crate) fn compose(
    app: AppState,
    kind: String,
    payload: Value,
) -> Pin<Box<dyn Future<Output = Result<Content, Failure>> + Send>> {
    Box::pin(async move {
        match kind.as_str() {
            ORDER_PAID => order_paid::compose(&app, &payload).await,
            TEST => templates::render(TEST, &json!({ "server": app.public_url() }), Vec::new()),
            // A newer version put it in: a process of that version may send it.
            _ => Err(Failure::retry("unknown_kind", format!("This version knows no mail `{kind}`."))),
        }
    })
}

/// The buyer of an order gets their tickets, once.
///
/// # Errors
/// When the database fails.
pub(crate) async fn order_paid(tx: &mut Tx, app: &AppState, order: &Order) -> Result<(), DbError> {
    let organiser: OrganiserId = order.organiser_id;
    let email = NewEmail {
        organiser_id: Some(organiser),
        kind: ORDER_PAID,
        payload: json!({ "order_id": order.order_id }),
        dedupe_key: format!("{ORDER_PAID}:{}", order.order_id),
        to_name: order.buyer.name.clone(),
        to_address: order.buyer.email.clone(),
    };
    email::put(tx, app, &email).await.map(drop)
}
