//! That money goes back to a buyer.

use serde_json::{Value, json};

use super::Kind;
use super::wording;
use crate::app::AppState;
use crate::email::{Composed, Email};
use crate::orders::{self, Item};
use crate::platform::ids::RefundId;
use crate::platform::problem::ApiError;
use crate::platform::queue::Failure;

pub(super) async fn compose(app: &AppState, email: &Email) -> Result<Composed, Failure> {
    let id = wording::order_of(email)?;
    let refund: Option<RefundId> = email.payload["refund_id"].as_str().and_then(|id| id.parse().ok());
    let amount = email.payload["amount"].as_i64();
    let (Some(refund), Some(amount)) = (refund, amount) else {
        return Err(Failure::permanent("payload", "The mail names no refund."));
    };
    let read = app.db().read(move |conn| {
        Box::pin(async move {
            Ok::<_, ApiError>((
                wording::about(conn, Kind::OrderRefunded, id).await?,
                orders::items(conn, id).await?,
            ))
        })
    });
    let (about, items) = read.await?;
    // Those that this refund is for; the tickets of another one have a mail of their own.
    let tickets: Vec<Value> = items
        .into_iter()
        .filter(|item| item.refund_id == Some(refund))
        .map(|Item { type_name, attendee_name, .. }| json!({ "type": type_name, "name": attendee_name }))
        .collect();
    Ok(about.render(json!({ "amount": about.money(amount), "tickets": tickets }), Vec::new())?.into())
}
