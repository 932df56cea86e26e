//! What the presale and the evening came to, as the organiser's figures say.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::api::Api;
use super::festival::Festival;
use crate::pricing::{Currency, Money};

/// A line for each thing worth saying.
pub(super) async fn of(api: &Api, festival: &Festival) -> anyhow::Result<Vec<String>> {
    let _: Value = api.post("/v1/analytics/refresh", &json!({})).await?;
    let at = |what: &str| format!("/v1/analytics/{what}?event_id={}", festival.event_id);
    let overview: Value = api.get(&at("overview")).await?;
    let (sales, money, doors) =
        (&overview["figures"]["sales"], &overview["figures"]["money"][0], &overview["figures"]["doors"]);
    let euros = |amount: &Value| -> anyhow::Result<String> {
        let currency = Currency::from_code("EUR").context("no euros")?;
        Ok(Money { amount: amount.as_i64().context("no amount")?, currency }.to_string())
    };
    let percent =
        |share: &Value| share["value"].as_f64().map_or("N/A".to_owned(), |it| format!("{:.0} %", it * 100.0));
    let gates: Value = api.get(&at("doors")).await?;
    let gates = gates["figures"]["gates"].as_array().cloned().unwrap_or_default();
    let busiest = gates.iter().max_by_key(|gate| gate["people_in"].as_i64());
    let creatives: Value = api.get(&at("creatives")).await?;
    let creatives = creatives["figures"]["creatives"].as_array().cloned().unwrap_or_default();
    let brought =
        |creative: &Value| creative["money"][0]["return_on_spend"]["value"].as_f64().unwrap_or_default();
    let best = creatives.iter().max_by(|a, b| brought(a).total_cmp(&brought(b)));
    let mut lines = vec![
        format!(
            "{} tickets sold in {} orders, {} of those begun",
            sales["tickets_sold"],
            sales["orders_paid"],
            percent(&sales["conversion"])
        ),
        format!("{} taken, {} of it yours", euros(&money["gross"])?, euros(&money["net"])?),
        format!("{} scans, {} of them refused", doors["scans"], percent(&doors["refused"])),
    ];
    lines.extend(busiest.map(|gate| {
        format!(
            "most came through {}: {} people",
            gate["name"].as_str().unwrap_or_default(),
            gate["people_in"]
        )
    }));
    lines.extend(best.map(|it| {
        let name = it["name"].as_str().unwrap_or_default();
        format!("what paid best: {name}, {:.1} euros for each that it cost", brought(it))
    }));
    Ok(lines)
}
