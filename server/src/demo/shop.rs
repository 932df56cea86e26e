//! Selling: an event opens its shop, and a buyer orders and pays there, with nobody's money.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use liventix_core::entropy::OsEntropy;
use serde_json::{Value, json};

use super::api::{Api, text};
use super::festival::Festival;
use crate::platform::ids::CallId;

/// What is sold online.
pub(super) const ONLINE: &str = "Night boat";

/// Who buys this afternoon.
pub(super) const BUYER: &str = "Nora Netz";

/// What somebody bought.
pub(super) struct Bought {
    pub(super) tickets: usize,
    pub(super) reference: String,
    /// The price of all of it, in cents.
    pub(super) total: i64,
}

/// How often the mail is looked for, and after which wait again.
const LOOKS: (u32, Duration) = (100, Duration::from_millis(50));

/// Waits until the buyer's tickets were sent. The name of their file.
pub(super) async fn mail(api: &Api, admin_token: &str) -> anyhow::Result<String> {
    for _ in 0..LOOKS.0 {
        let sent: Value = api.as_operator(admin_token, "/v1/admin/emails?status=sent").await?;
        if let Some(file) = sent["items"][0]["provider_id"].as_str() {
            return Ok(file.to_owned());
        }
        tokio::time::sleep(LOOKS.1).await;
    }
    bail!("the buyer's tickets were not sent")
}

/// Opens the shop.
pub(super) async fn open(api: &Api, festival: &Festival) -> anyhow::Result<()> {
    let (event, kind) = (festival.event_id, festival.type_id(ONLINE)?);
    let sales = format!("/v1/events/{event}/sales");
    let _: Value = api.put(&sales, &json!({ "currency": "EUR", "is_open": true })).await?;
    let price = json!({ "price": 4_500, "tax_rate_bp": 1_900, "capacity": 250 });
    let _: Value = api.put(&format!("{sales}/{kind}"), &price).await?;
    Ok(())
}

/// Lets somebody buy two tickets, whose bank refuses once.
pub(super) async fn sell(api: &Api, festival: &Festival) -> anyhow::Result<Bought> {
    let (event, kind) = (festival.event_id, festival.type_id(ONLINE)?);
    let wish = json!({
        "items": [{ "ticket_type_id": kind, "quantity": 2 }],
        "name": BUYER, "email": "nora@example.org",
    });
    let key = format!("checkout:demo:{}", CallId::generate(festival.opened_at(), &OsEntropy));
    let made: Value = api.order(&format!("/v1/shop/events/{event}/orders"), &key, &wish).await?;
    let token = text(&made, "token")?;
    let mut order = Value::Null;
    for outcome in ["decline", "pay"] {
        order = api.as_buyer(&token, "/v1/shop/order/test-payment", &json!({ "outcome": outcome })).await?;
    }
    ensure!(order["status"] == "paid", "the order was paid, but is {}", order["status"]);
    let items = order["items"].as_array().context("an order without tickets")?;
    ensure!(items.iter().all(|item| item["ticket_url"].is_string()), "a ticket was paid and not issued");
    let total = order["total"].as_i64().context("an order without a total")?;
    Ok(Bought { tickets: items.len(), reference: text(&order, "reference")?, total })
}
