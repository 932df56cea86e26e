//! An organiser's money: what is theirs, having it paid out, what went back and what went wrong; and a price.

use liventix_stand_ins::stripe::{Fault, Operation};
use serde_json::json;

use super::Chromium;
use crate::support::shop::{StripeWorld, apply};
use crate::support::{Person, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_has_money_paid_out_and_sees_what_went_wrong() {
    let w = StripeWorld::start().await;
    let (organiser, server) = (&w.shop.organiser, &w.server);
    let order = w.paid(3).await;
    w.paid(1).await;
    let olga = Person::member(server, organiser, "olga", "owner").await;
    olga.name_operator(server);
    let browser = Chromium::start(server).await;
    browser.sign_in(&olga).await;
    browser.open("/console/operator/money").await;
    browser.says("What is whose").await;
    browser.picture("operator-money").await;
    browser.follow("Harbour").await;
    browser.fill("account", "acct_1MwHarbour").await;
    browser.run("document.querySelector('#hold_days').value = '0'").await;
    browser.run("document.querySelector('#hold_from').value = 'payment'").await;
    browser.press("Save").await;
    browser.has("//p[@role='status'][contains(., 'The terms are set')]").await;
    browser.picture("operator-organiser").await;
    browser.open(&format!("/console/organisers/{}", organiser.id)).await;
    browser.follow("Money").await;
    browser.says("Can be paid out").await;
    browser.fill("amount-1", "100").await;
    browser.press("Have it paid out").await;
    browser.has("//span[contains(@class, 'badge')][.='Paid out']").await;
    w.stripe.set_funds_wait(true);
    browser.fill("amount-1", "20").await;
    browser.press("Have it paid out").await;
    browser.has("//span[contains(@class, 'badge')][.='Refused']").await;
    browser.picture("payouts").await;

    w.refund(&order, json!({"positions": [1]})).await.expect(201);
    w.refund(&order, json!({"amount": 500})).await.expect(201);
    let refund = text(&w.stripe.all("refund").last().unwrap()["id"]);
    w.stripe.refund_fails(&refund);
    apply(server, &w.event("refund.failed")).await;
    w.stripe.fail(Operation::CreatePayment, Fault::HangAfter);
    let key = crate::support::shop::key();
    w.shop.try_order(server, &key, "", &w.shop.wish(1)).await.expect_problem(504, "TIMEOUT");
    browser.follow("Refunds").await;
    browser.has("//h1[.='Refunds']").await;
    browser.says("Given back").await;
    browser.picture("refunds").await;
    browser.follow("Failures").await;
    browser.says("Payments that are being found out").await;
    browser.has("//h2[contains(., 'Payouts that came to nothing')]").await;
    browser.picture("failures").await;
    browser.follow(&text(&order.view["reference"])).await;
    browser.says("Somebody has to look at this").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_sets_a_price_that_a_buyer_sees() {
    let w = StripeWorld::start().await;
    let mia = Person::member(&w.server, &w.shop.organiser, "mia", "event_manager").await;
    let browser = Chromium::start(&w.server).await;
    browser.sign_in(&mia).await;
    browser.follow("Harbour Lights").await;
    browser.follow("Selling").await;
    browser.has("//h1[contains(., 'Selling')]").await;
    browser.has("//p[contains(., 'A buyer pays 41.50 EUR for one.')]").await;
    // Types that were made in one millisecond come in any order.
    browser.run("document.querySelectorAll('details').forEach(it => { it.open = true })").await;
    browser.run("document.querySelector('#price-1').value = ''").await;
    browser.fill("price-1", "25,5").await;
    browser.picture("selling").await;
    browser.run("document.querySelector('#price-1').form.requestSubmit()").await;
    browser.has("//p[contains(., 'A buyer pays 26.64 EUR for one.')]").await;
    browser.open(&format!("/shop/{}", w.shop.event.id)).await;
    browser.says("26.64 EUR").await;
    browser.close().await;
}
