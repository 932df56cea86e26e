//! The console's pages of orders, as a browser without a script gets them.

use serde_json::json;

use crate::support::shop::trying_out;
use crate::support::{Browser, Person, Server, Shop};

struct World {
    server: Server,
    shop: Shop,
}

async fn world() -> World {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(20)).await;
    World { server, shop }
}

impl World {
    fn page(&self, rest: &str) -> String {
        format!("/console/organisers/{}/events/{}/{rest}", self.shop.organiser.id, self.shop.event.id)
    }

    async fn browser(&self, role: &str) -> Browser<'_> {
        let person = Person::member(&self.server, &self.shop.organiser, role, role).await;
        let browser = Browser::new(&self.server);
        browser.sign_in(&person).await;
        browser
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn support_gives_an_order_up_with_a_reason_but_no_money_back() {
    let w = world().await;
    let order = w.shop.order(&w.server, 1).await;
    let browser = w.browser("support").await;
    let list = browser.open(&w.page("orders?search=ida")).await;
    list.has("Not paid yet");
    browser.open(&w.page("orders?show=paid")).await.has("There is no order like that.");
    let here = w.page(&format!("orders/{}", order.id));
    let page = browser.open(&here).await;
    page.has("1 ticket is held for the buyer, who is to pay 41.50 EUR.");
    assert!(!page.html.contains("Give money back"));
    let nothing = browser.submit(&page, &format!("{here}/cancel"), &[("reason", " ")]).await;
    assert_eq!(nothing.status, 422);
    let done = browser.submit(&page, &format!("{here}/cancel"), &[("reason", "asked on the phone")]).await;
    browser.open(done.location()).await.has("Given up");
    assert_eq!(w.shop.stock(&w.server).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn pressing_refund_twice_gives_back_once_and_too_much_is_said() {
    let w = world().await;
    let order = w.shop.order(&w.server, 1).await;
    order.try_out(&w.server, "pay").await;
    let browser = w.browser("finance").await;
    let here = w.page(&format!("orders/{}", order.id));
    let page = browser.open(&here).await;
    let key = page.html.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let wish = [("amount", "10.00"), ("reason", "rain"), ("key", key.as_str())];
    for _ in 0..2 {
        assert_eq!(browser.submit(&page, &format!("{here}/refund"), &wish).await.status, 303);
    }
    assert_eq!(order.view(&w.server).await["refunded"], 1_000);
    let page = browser.open(&here).await;
    let key = page.html.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let much = [("amount", "999.99"), ("reason", "rain"), ("key", key.as_str())];
    let refused = browser.submit(&page, &format!("{here}/refund"), &much).await;
    assert_eq!(refused.status, 409);
    refused.has("is more than the 31.50 EUR that is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn others_see_nothing_of_orders() {
    let w = world().await;
    let order = w.shop.order(&w.server, 1).await;
    let scanner = w.browser("event_scanner").await;
    assert_eq!(scanner.open(&w.page("orders")).await.status, 403);
    assert_eq!(scanner.open(&w.page(&format!("orders/{}", order.id))).await.status, 403);
    let other = Shop::open(&w.server, None).await;
    let path =
        format!("/console/organisers/{}/events/{}/orders/{}", other.organiser.id, other.event.id, order.id);
    let owner = Person::member(&w.server, &other.organiser, "olga", "owner").await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&owner).await;
    assert_eq!(browser.open(&path).await.status, 404);
    let money = format!("/console/organisers/{}/disputes", other.organiser.id);
    browser.open(&money).await.has("No bank disputes anything.");
    assert_eq!(
        json!(scanner.open(&format!("/console/organisers/{}/disputes", w.shop.organiser.id)).await.status),
        403
    );
}
