//! Two weeks of presale: buyers come by posters, newsletters and of themselves, more of them as the evening nears.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use liventix_core::clock::Clock as _;
use liventix_core::entropy::OsEntropy;
use liventix_core::ids::LedgerId;
use serde_json::{Value, json};

use super::api::{Api, text};
use super::clock::DemoClock;
use super::festival::Festival;
use super::shop::ONLINE;
use crate::platform::ids::CallId;

pub(super) const DAY: i64 = 86_400_000;
/// How long it is.
pub(super) const DAYS: i64 = 14;
/// Orders of each day.
const ORDERS: [u32; 14] = [6, 3, 2, 2, 3, 4, 5, 3, 3, 4, 4, 6, 8, 9];
/// What is shown, and how often on a day, how many follow it in a thousand, and what it costs (cents).
const CREATIVES: [(&str, u32, u32, i64); 3] = [
    ("Poster at the ferry", 140, 21, 900),
    ("Newsletter of the harbour", 90, 74, 250),
    ("Short film", 260, 12, 2_100),
];
/// How often it is looked whether the day's work is done, and after which wait again.
const LOOKS: (u32, Duration) = (1_000, Duration::from_millis(10));

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Sold {
    pub(super) orders: u32,
    pub(super) tickets: u32,
    pub(super) given_up: u32,
}

/// Lets it pass.
pub(super) async fn run(
    api: &Api,
    admin_token: &str,
    festival: &Festival,
    clock: &DemoClock,
) -> anyhow::Result<Sold> {
    let creatives = creatives(api, festival).await?;
    let mut sold = Sold::default();
    for (day, orders) in ORDERS.into_iter().enumerate() {
        let today = u32::try_from(day)?;
        advertise(api, festival, &creatives, (today, clock.sample().wall_ms)).await?;
        for number in 0..orders {
            order(api, festival, &creatives, (today, number), &mut sold).await?;
            // Spread over the day.
            clock.skip(DAY / 2 / i64::from(orders));
        }
        settle(api, admin_token).await?;
        clock.skip(DAY - DAY / 2 / i64::from(orders) * i64::from(orders));
    }
    Ok(sold)
}

/// A campaign and what it shows.
async fn creatives(api: &Api, festival: &Festival) -> anyhow::Result<Vec<String>> {
    let path = format!("/v1/events/{}/ad-campaigns", festival.event_id);
    let campaign: Value = api.post(&path, &json!({ "name": "Summer by the water" })).await?;
    let path = format!("{path}/{}/creatives", text(&campaign, "ad_campaign_id")?);
    let mut made = Vec::new();
    for (name, ..) in CREATIVES {
        let creative: Value = api.post(&path, &json!({ "name": name })).await?;
        made.push(text(&creative, "creative_id")?);
    }
    Ok(made)
}

/// Who saw what on a day, and what that cost.
async fn advertise(
    api: &Api,
    festival: &Festival,
    creatives: &[String],
    (today, now): (u32, i64),
) -> anyhow::Result<()> {
    let seen = |kind: &str, creative: &String| {
        let id = LedgerId::generate(now, &OsEntropy);
        json!({ "id": id, "kind": kind, "creative_id": creative, "at": now })
    };
    let date = chrono::DateTime::from_timestamp_millis(now).context("no such day")?.format("%Y-%m-%d");
    for (creative, (_, views, clicks, cost)) in creatives.iter().zip(CREATIVES) {
        let views = views + today * 11 % 70;
        let followed = (views * clicks).div_ceil(1_000);
        let mut events: Vec<Value> = (0..views).map(|_| seen("impression", creative)).collect();
        events.extend((0..followed).map(|_| seen("click", creative)));
        let _: Value = api.post("/v1/ad-events", &json!({ "events": events })).await?;
        let spend = format!("/v1/events/{}/creatives/{creative}/spend/{date}", festival.event_id);
        let _: Value = api.put(&spend, &json!({ "amount": cost, "currency": "EUR" })).await?;
    }
    Ok(())
}

/// One order: every seventh is begun and given up, and most come of themselves.
async fn order(
    api: &Api,
    festival: &Festival,
    creatives: &[String],
    (today, number): (u32, u32),
    sold: &mut Sold,
) -> anyhow::Result<()> {
    let count = today * 7 + number;
    let (quantity, creative) = (1 + count % 4, creatives.get(usize::try_from(count % 5)?));
    let wish = json!({
        "items": [{ "ticket_type_id": festival.type_id(ONLINE)?, "quantity": quantity }],
        "name": format!("Guest {}", count + 1),
        "email": format!("guest-{}@example.org", count + 1),
        "creative_id": creative,
    });
    let key = format!("checkout:demo:{}", CallId::generate(festival.opened_at(), &OsEntropy));
    let path = format!("/v1/shop/events/{}/orders", festival.event_id);
    let made: Value = api.order(&path, &key, &wish).await?;
    let token = text(&made, "token")?;
    if count % 7 == 6 {
        let _: Value = api.as_buyer(&token, "/v1/shop/order/cancel", &json!({})).await?;
        sold.given_up += 1;
        return Ok(());
    }
    let paid = api.as_buyer(&token, "/v1/shop/order/test-payment", &json!({ "outcome": "pay" })).await?;
    ensure!(paid["status"] == "paid", "an order was paid, but is {}", paid["status"]);
    sold.orders += 1;
    sold.tickets += quantity;
    Ok(())
}

/// Waits until everything that the day brought is done: a day that passes in the middle of it is none that there is.
async fn settle(api: &Api, admin_token: &str) -> anyhow::Result<()> {
    for _ in 0..LOOKS.0 {
        let queues: Value = api.as_operator(admin_token, "/v1/admin/queues").await?;
        let all = queues["items"].as_array().or_else(|| queues.as_array()).context("no queues")?;
        let is_idle = |queue: &Value| queue["ready"] == 0 && queue["running"] == 0;
        if all.iter().all(is_idle) {
            return Ok(());
        }
        tokio::time::sleep(LOOKS.1).await;
    }
    anyhow::bail!("the day's mails were not sent")
}
