//! The console's pages of money, as a browser without a script gets them.

use serde_json::json;

use crate::support::shop::{StripeWorld, trying_out};
use crate::support::{ADMIN, Browser, NOW, Organiser, Person, Server, Shop, new_id, text};

async fn member<'a>(server: &'a Server, organiser: &Organiser, role: &str) -> Browser<'a> {
    let person = Person::member(server, organiser, role, role).await;
    let browser = Browser::new(server);
    browser.sign_in(&person).await;
    browser
}

/// Whoever runs the installation.
async fn operator<'a>(server: &'a Server, organiser: &Organiser) -> Browser<'a> {
    let person = Person::member(server, organiser, "olga", "support").await;
    person.name_operator(server);
    let browser = Browser::new(server);
    browser.sign_in(&person).await;
    browser
}

impl Shop {
    fn office(&self, rest: &str) -> String {
        format!("/console/organisers/{}/{rest}", self.organiser.id)
    }

    fn hall(&self, rest: &str) -> String {
        self.office(&format!("events/{}/{rest}", self.event.id))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sets_terms_and_finance_has_money_paid_out_once() {
    let w = StripeWorld::start().await;
    w.paid(2).await;
    let finance = member(&w.server, &w.shop.organiser, "finance").await;
    let here = w.shop.office("payouts");
    finance.open(&here).await.has("Nobody has said yet where your money goes");
    let operator = operator(&w.server, &w.shop.organiser).await;
    let desk = "/console/operator/money";
    let page = operator.open(desk).await;
    page.has("80.00 EUR");
    page.has("Not paid out");
    let of = format!("{desk}/{}", w.shop.organiser.id);
    let page = operator.open(&of).await;
    page.has("0.50 EUR and 2.50 % of the price for each ticket");
    let terms = [("account", "DE02"), ("hold_days", "0"), ("hold_from", "payment")];
    let refused = operator.submit(&page, &format!("{of}/terms"), &terms).await;
    assert_eq!(refused.status, 422);
    refused.has("Must be the id of a connected account: acct_…");
    refused.has("value=\"DE02\"");
    let terms = [("account", "acct_harbour"), ("hold_days", "0"), ("hold_from", "payment")];
    let set = operator.submit(&page, &format!("{of}/terms"), &terms).await;
    operator.open(set.location()).await.has("The terms are set");

    let page = finance.open(&here).await;
    page.has("acct_harbour");
    let key = page.html.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for amount in ["12.345", "0", "1,000"] {
        let other = format!("payout:console:{}", new_id());
        let wish = [("currency", "EUR"), ("amount", amount), ("key", other.as_str())];
        assert_eq!(finance.submit(&page, &here, &wish).await.status, 422, "{amount}");
    }
    let wish = |amount: &'static str| vec![("currency", "EUR"), ("amount", amount), ("key", key.as_str())];
    for _ in 0..2 {
        let done = finance.submit(&page, &here, &wish("30,5")).await;
        finance.open(done.location()).await.has("Paid out");
    }
    // Back in the browser, changed, and sent again.
    finance
        .submit(&page, &here, &wish("31"))
        .await
        .has("This form was sent before, with something else in it.");
    assert_eq!(w.stripe.all("transfer").len(), 1);
    assert_eq!(w.stripe.all("transfer")[0]["amount"], 3_050);
    let page = finance.open(&here).await;
    page.has("49.50 EUR");
    let much = [("currency", "EUR"), ("amount", "49.51"), ("key", &format!("payout:console:{}", new_id()))];
    let refused = finance.submit(&page, &here, &much).await;
    assert_eq!(refused.status, 409);
    refused.has("49.51 EUR is more than the 49.50 EUR that can be paid out now.");
    let ended = operator.submit(&operator.open(&of).await, &format!("{of}/terms/end"), &[]).await;
    operator.open(ended.location()).await.has("not paid out any more");
    let fee = [("currency", "eur"), ("fixed", "1"), ("percent_bp", "3.5"), ("cap", "")];
    let set = operator.submit(&operator.open(&of).await, &format!("{of}/fee"), &fee).await;
    operator.open(set.location()).await.has("1.00 EUR and 3.50 % of the price");
    let wrong = [("currency", "EUR"), ("fixed", ""), ("percent_bp", "51"), ("cap", "")];
    let refused = operator.submit(&operator.open(&of).await, &format!("{of}/fee"), &wrong).await;
    assert_eq!(refused.status, 422);
    let unknown = operator.open(&format!("{desk}/{}", new_id())).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_is_on_one_page() {
    let w = StripeWorld::start().await;
    let finance = member(&w.server, &w.shop.organiser, "finance").await;
    finance.open(&w.shop.office("failures")).await.has("All is well.");
    let order = w.paid(1).await;
    let path = w.shop.organiser.path("payout-terms");
    let terms = json!({"account": "acct_harbour", "hold_days": 0, "hold_from": "payment"});
    w.server.call("PUT", &path, ADMIN, &terms).await.expect(200);
    w.stripe.set_funds_wait(true);
    let request = w.server.request(reqwest::Method::POST, "/v1/payouts", &w.shop.organiser.key);
    let key = format!("payout:desk:{}", new_id());
    let request = request.json(&json!({"currency": "EUR"})).header("idempotency-key", key);
    assert_eq!(w.server.send(request).await.expect(201)["status"], "refused");
    w.stripe.set_refunds_wait(true);
    w.refund(&order, json!({"amount": 1_000})).await.expect(201);
    let refund = text(&w.stripe.all("refund")[0]["id"]);
    w.stripe.refund_fails(&refund);
    crate::support::shop::apply(&w.server, &w.event("refund.failed")).await;
    let page = finance.open(&w.shop.office("failures")).await;
    page.has("Orders that need a person");
    page.has("A refund came back from the bank.");
    page.has("Refunds that came to nothing");
    page.has("Payouts that came to nothing");
    page.has("available funds");
    let all = finance.open(&w.shop.office("refunds")).await;
    all.has("Came back");
    all.has("10.00 EUR");
    finance.open(&w.shop.office("refunds?show=failed")).await.has("Came back");
    let listed = w.server.get("/v1/refunds", &w.shop.organiser.key).await.expect(200);
    assert_eq!(listed["items"][0]["reference"], order.view["reference"]);
    assert_eq!(listed["items"][0]["status"], "failed");
    finance.open(&w.shop.office("refunds?show=failed&cursor=nonsense")).await.has("cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_says_what_tickets_cost() {
    let server = trying_out().await;
    let organiser = Organiser::create(&server, "Harbour").await;
    let event = organiser.event(&server).await;
    let shop = Shop { organiser, event };
    let manager = member(&server, &shop.organiser, "event_manager").await;
    let here = shop.hall("sales");
    let page = manager.open(&here).await;
    page.has("Say how this event sells");
    assert!(!page.html.contains("Sell it"));
    let settings = |currency: &'static str| {
        vec![
            ("currency", currency),
            ("fee_payer", "buyer"),
            ("tax_mode", "included"),
            ("hold_minutes", "20"),
            ("max_per_order", "4"),
            ("is_open", "1"),
        ]
    };
    let refused = manager.submit(&page, &here, &settings("XYZ")).await;
    assert_eq!(refused.status, 422);
    refused.has("Must be the code of a currency, such as EUR.");
    refused.has("value=\"20\"");
    let set = manager.submit(&page, &here, &settings("eur")).await;
    let page = manager.open(set.location()).await;
    page.has("Sell it");
    let day = format!("{here}/{}", shop.event.day);
    let sale = |price: &'static str, until: &'static str| {
        vec![
            ("price", price),
            ("tax_rate_bp", "7.7"),
            ("capacity", "500"),
            ("max_per_order", ""),
            ("on_sale_from", ""),
            ("on_sale_until", until),
            ("is_open", "1"),
        ]
    };
    for (price, until) in [("", ""), ("12.345", ""), ("12", "tomorrow"), ("12", "2027-03-28T02:30")] {
        let refused = manager.submit(&page, &day, &sale(price, until)).await;
        assert_eq!(refused.status, 422, "{price} {until}");
        refused.has(&format!("value=\"{price}\""));
    }
    let set = manager.submit(&page, &day, &sale("12.50", "2026-07-31T18:00")).await;
    let page = manager.open(set.location()).await;
    page.has("A buyer pays 12.50 EUR for one.");
    page.has("value=\"7.7\"");
    page.has("value=\"2026-07-31T18:00\"");
    let sales = server.get(&format!("{}/sales", shop.event.path), &shop.organiser.key).await.expect(200);
    let day_ticket = &sales["types"][0];
    assert_eq!((&day_ticket["price"], &day_ticket["tax_rate_bp"]), (&json!(1_250), &json!(770)));
    assert_eq!(day_ticket["capacity"], 500);
    // 18:00 in Berlin in summer is 16:00 UTC.
    let until = day_ticket["on_sale_until"].as_i64().unwrap();
    assert_eq!(until % 86_400_000, 16 * 3_600_000);
    assert!(until < NOW || until > 0);
    let ended = manager.submit(&page, &format!("{day}/end"), &[]).await;
    manager.open(ended.location()).await.has("The ticket type is off sale.");
    let support = member(&server, &shop.organiser, "support").await;
    assert_eq!(support.open(&here).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_see_nothing_of_money() {
    let server = trying_out().await;
    let shop = Shop::open(&server, None).await;
    for role in ["support", "event_manager", "event_scanner"] {
        let browser = member(&server, &shop.organiser, role).await;
        for page in ["payouts", "refunds", "disputes", "failures"] {
            assert_eq!(browser.open(&shop.office(page)).await.status, 403, "{role} {page}");
        }
        assert_eq!(browser.open("/console/operator/money").await.status, 404);
    }
    let other = Organiser::create(&server, "Other").await;
    let owner = member(&server, &other, "owner").await;
    assert_eq!(owner.open(&shop.office("payouts")).await.status, 404);
}
