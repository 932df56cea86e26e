//! Orders, as finance sees them: what happened, a refund, a dispute.

use liventix_stand_ins::stripe::{Card, Stripe};
use serde_json::{Value, json};

use super::Chromium;
use crate::support::shop::{apply, server_with};
use crate::support::{Person, Shop, text};

#[tokio::test(flavor = "multi_thread")]
async fn finance_reads_an_order_gives_money_back_and_sees_a_dispute() {
    let stripe = Stripe::start().await;
    let server = server_with(&stripe).await;
    let shop = Shop::open(&server, Some(20)).await;
    let order = shop.order(&server, 3).await;
    let _ = stripe.buyer_pays(&order.intent(), Card::Empty);
    order.act(&server, "refresh", &json!({})).await.expect(200);
    stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    order.act(&server, "refresh", &json!({})).await.expect(200);
    shop.order(&server, 1).await.act(&server, "cancel", &json!({})).await.expect(200);
    let disputed = shop.order(&server, 1).await;
    stripe.buyer_pays(&disputed.intent(), Card::Good).unwrap();
    disputed.act(&server, "refresh", &json!({})).await.expect(200);
    let charge =
        stripe.all("charge").into_iter().find(|charge| charge["payment_intent"] == disputed.intent());
    stripe.dispute(&text(&charge.unwrap()["id"]), 4_150, "fraudulent");
    let created = |event: &&Value| event["type"] == "charge.dispute.created";
    let events = stripe.events();
    apply(&server, events.iter().find(created).unwrap()).await;

    let fay = Person::member(&server, &shop.organiser, "fay", "finance").await;
    let browser = Chromium::start(&server).await;
    browser.sign_in(&fay).await;
    browser.follow("Harbour Lights").await;
    browser.follow("Orders").await;
    browser.has("//h1[.='Orders']").await;
    browser.says("Needs a person").await;
    browser.picture("orders").await;
    browser.follow(&text(&order.view["reference"])).await;
    browser.says("The buyer's bank refused: Your card has insufficient funds.").await;
    browser.follow("Give money back").await;
    browser.run("document.querySelector('input[value=\"2\"]').checked = true").await;
    browser.fill("refund-reason", "fell ill").await;
    browser.press("Give it back").await;
    browser.has("//span[contains(@class, 'badge')][.='Partly given back']").await;
    browser.says("41.50 EUR went back to the buyer.").await;
    browser.picture("order").await;
    browser.follow("Money").await;
    browser.follow("Disputes").await;
    browser.has("//h1[.='Disputes']").await;
    browser.says("Needs response").await;
    browser.picture("disputes").await;
    browser.follow("41.50 EUR").await;
    browser.says("Somebody has to look at this").await;
    browser.fill("settle-reason", "evidence handed in").await;
    browser.press("It is looked after").await;
    browser.has("//p[@role='status'][contains(., 'The order is looked after')]").await;
    browser.close().await;
}
