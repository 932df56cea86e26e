//! Buying tickets.

use super::Chromium;
use crate::support::Shop;
use crate::support::shop::trying_out;

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_buys_two_tickets_and_opens_one() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(3)).await;
    let soon = serde_json::json!({"price": 9_000, "on_sale_from": crate::support::NOW + 86_400_000});
    shop.price(&server, &shop.event.family, soon).await.expect(200);
    let browser = Chromium::start(&server).await;
    browser.open(&format!("/shop/{}", shop.event.id)).await;
    browser.says("41.50 EUR").await;
    browser.says("From Saturday 1 August 2026, 20:00").await;
    let choose = "document.querySelector('select').value = '2'";
    browser.run(choose).await;
    browser.fill("name", "Ida Berg").await;
    browser.fill("email", "ida@example.org").await;
    browser.picture("shop-offer").await;
    browser.press("Order").await;
    browser.says("Pay 83.00 EUR").await;
    browser.picture("shop-pay").await;
    browser.press("Let the bank refuse").await;
    browser
        .says("Your bank refused the payment. Nothing was charged: try again, or pay in another way.")
        .await;
    browser.press("Pay 83.00 EUR").await;
    browser.says("You have your tickets").await;
    browser.picture("shop-tickets").await;
    browser.follow("Open ticket").await;
    browser.says("Show this at the door").await;
    assert_eq!(shop.stock(&server).await, (0, 2));
    browser.close().await;
}
