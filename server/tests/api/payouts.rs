//! Money that goes on to organisers: what is theirs and not held any more, once, and never more.

use liventix_server::platform::db::DbError;
use liventix_server::platform::rate_limit::Limit;
use liventix_stand_ins::stripe::{Fault, Operation, Stripe};
use serde_json::{Value, json};

use crate::support::shop::{Shop, StripeWorld, account, apply, server_with, with_stripe};
use crate::support::{ADMIN, NOW, Organiser, Reply, Server, new_id, text, until};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// The shop's event ends then.
const ENDS_AT: i64 = NOW + 10 * HOUR;

fn key() -> String {
    format!("payout:desk:{}", new_id())
}

impl StripeWorld {
    async fn terms(&self, terms: Value) {
        let path = self.shop.organiser.path("payout-terms");
        self.server.call("PUT", &path, ADMIN, &terms).await.expect(200);
    }

    /// Everything can be paid out as soon as it is there.
    async fn at_once(&self) {
        self.terms(json!({"account": "acct_harbour", "hold_days": 0, "hold_from": "payment"})).await;
    }

    async fn pay_out_as(&self, key: &str, wish: &Value) -> Reply {
        let request = self.server.request(reqwest::Method::POST, "/v1/payouts", &self.shop.organiser.key);
        self.server.send(request.json(wish).header("idempotency-key", key)).await
    }

    async fn pay_out(&self, wish: Value) -> Reply {
        self.pay_out_as(&key(), &wish).await
    }

    async fn balance(&self) -> Value {
        let all = self.server.get("/v1/balance", &self.shop.organiser.key).await.expect(200);
        all[0].clone()
    }

    /// Balance, held, available and on its way.
    async fn sums(&self) -> [i64; 4] {
        let balance = self.balance().await;
        ["balance", "held", "available", "on_its_way"].map(|part| balance[part].as_i64().unwrap())
    }

    async fn payouts(&self) -> Vec<Value> {
        let page = self.server.get("/v1/payouts", &self.shop.organiser.key).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// Waits until the last payout has this status.
    async fn payout_becomes(&self, status: &str) -> Value {
        until(async || {
            self.server.app().queue().wake("payments");
            self.payouts().await.into_iter().next().filter(|payout| payout["status"] == status)
        })
        .await
    }

    /// What was done, by whom, oldest first.
    async fn deeds(&self) -> Vec<(String, String)> {
        let path = self.shop.organiser.path("audit");
        let audit = self.server.get(&path, &self.shop.organiser.key).await.expect(200);
        let entries = audit["items"].as_array().unwrap().iter();
        let deeds = entries.map(|entry| (text(&entry["action"]), text(&entry["actor"]["kind"])));
        let mut deeds: Vec<_> = deeds.filter(|(deed, _)| deed.starts_with("payout")).collect();
        deeds.sort();
        deeds
    }
}

#[tokio::test]
async fn an_events_money_is_held_until_it_is_over_and_then_paid_out_once() {
    let w = StripeWorld::start().await;
    w.paid(2).await;
    assert_eq!(w.sums().await, [8_000, 8_000, 0, 0], "without terms, everything is held");
    w.pay_out(json!({"currency": "EUR"})).await.expect_problem(404, "payouts_not_set_up");
    w.terms(json!({"account": "acct_harbour"})).await;
    let balance = w.balance().await;
    assert_eq!((&balance["held"], &balance["next_release_at"]), (&json!(8_000), &json!(ENDS_AT + 3 * DAY)));
    w.pay_out(json!({"currency": "EUR"})).await.expect_problem(409, "nothing_to_pay_out");
    w.server.clock.set_wall(ENDS_AT + 3 * DAY - 1);
    assert_eq!(w.sums().await, [8_000, 8_000, 0, 0]);
    w.server.clock.set_wall(ENDS_AT + 3 * DAY);
    assert_eq!(w.sums().await, [8_000, 0, 8_000, 0]);
    assert!(w.balance().await.get("next_release_at").is_none());
    let paid = w.pay_out(json!({"currency": "EUR"})).await.expect(201);
    assert_eq!((&paid["status"], &paid["amount"]), (&json!("paid"), &json!(8_000)));
    let transfers = w.stripe.all("transfer");
    assert_eq!((transfers.len(), &transfers[0]["id"]), (1, &paid["provider_id"]));
    assert_eq!(transfers[0]["amount"], 8_000);
    assert_eq!(transfers[0]["destination"], "acct_harbour");
    assert_eq!(transfers[0]["metadata"]["liventix_payout_id"], paid["payout_id"]);
    assert_eq!(w.sums().await, [0, 0, 0, 0]);
    assert_eq!(w.balances().await, [account("fees", -300), account("provider", 300)]);
    assert_eq!(w.on_record("payout.create").await, ["done"]);
    assert_eq!(w.payouts().await, [paid]);
    let mut provider = ("payout.paid".to_owned(), "provider".to_owned());
    assert_eq!(w.deeds().await, [("payout.begun".to_owned(), "api_key".to_owned()), provider.clone()]);
    apply(&w.server, &w.event("transfer.created")).await;
    provider.0.clear();
    assert_eq!(w.deeds().await.len(), 2, "what is heard twice is done once");
}

#[tokio::test]
async fn money_may_be_held_from_its_payment_on_and_refunds_come_off_the_right_part() {
    let stripe = Stripe::start().await;
    let server = server_with(&stripe).await;
    let organiser = Organiser::create(&server, "Harbour").await;
    let event = organiser.event_with(&server, json!({"ends_at": NOW + 30 * DAY})).await;
    let shop = Shop::open_at(&server, organiser, event, Some(5)).await;
    let w = StripeWorld { stripe, server, shop };
    w.terms(json!({"account": "acct_harbour", "hold_days": 7, "hold_from": "payment"})).await;
    let first = w.paid(1).await;
    w.server.clock.advance(4 * DAY);
    let second = w.paid(2).await;
    assert_eq!(w.sums().await, [12_000, 12_000, 0, 0]);
    assert_eq!(w.balance().await["next_release_at"], json!(NOW + 7 * DAY));
    w.server.clock.advance(3 * DAY);
    assert_eq!(w.sums().await, [12_000, 8_000, 4_000, 0]);
    w.refund(&second, json!({"positions": [1]})).await.expect(201);
    assert_eq!(w.sums().await, [8_000, 4_000, 4_000, 0], "what is given back of what is held was held");
    w.pay_out(json!({"currency": "EUR", "amount": 3_000})).await.expect(201);
    assert_eq!(w.sums().await, [5_000, 4_000, 1_000, 0]);
    w.refund(&first, json!({"all": true})).await.expect(201);
    assert_eq!(w.sums().await, [1_000, 1_000, 0, 0], "what was paid out is made up for by what is held");
    w.refund(&second, json!({"all": true})).await.expect(201);
    assert_eq!(w.sums().await, [-3_000, 0, 0, 0]);
    w.pay_out(json!({"currency": "EUR"})).await.expect_problem(409, "nothing_to_pay_out");
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let w = StripeWorld::start().await;
    w.paid(1).await;
    w.at_once().await;
    w.pay_out(json!({"currency": "EUR", "amount": 4_001})).await.expect_problem(409, "payout_too_much");
    for amount in [0, -1] {
        let wish = json!({"currency": "EUR", "amount": amount});
        w.pay_out(wish).await.expect_problem(422, "invalid_field");
    }
    w.pay_out(json!({"currency": "USD"})).await.expect_problem(409, "nothing_to_pay_out");
    w.pay_out(json!({"currency": "XXX"})).await.expect_problem(422, "invalid_body");
    let without_key = w.server.post("/v1/payouts", &w.shop.organiser.key, &json!({"currency": "EUR"})).await;
    without_key.expect_problem(400, "idempotency_key_missing");
    assert_eq!(w.stripe.calls(Operation::CreateTransfer), 0);
    let path = w.shop.organiser.path("payout-terms");
    for (field, terms) in [
        ("account", json!({"account": "DE02"})),
        ("account", json!({"account": "acct_"})),
        ("account", json!({"account": "acct_1/../x"})),
        ("hold_days", json!({"account": "acct_1", "hold_days": 366})),
    ] {
        let refused = w.server.call("PUT", &path, ADMIN, &terms).await;
        refused.expect_problem(422, "invalid_field");
        assert_eq!(refused.json["issues"][0]["field"], field);
    }
    let own = json!({"account": "acct_mine"});
    assert_eq!(w.server.call("PUT", &path, &w.shop.organiser.key, &own).await.status, 401);
    let nobody = format!("/v1/organisers/{}/payout-terms", new_id());
    w.server.call("PUT", &nobody, ADMIN, &own).await.expect_problem(404, "organiser_not_found");
    assert_eq!(w.server.get(&path, ADMIN).await.expect(200)["account"], "acct_harbour");
    w.server.call("DELETE", &path, ADMIN, &json!(null)).await.expect(204);
    w.server.get(&path, ADMIN).await.expect_problem(404, "payouts_not_set_up");
    w.pay_out(json!({"currency": "EUR"})).await.expect_problem(404, "payouts_not_set_up");
}

#[tokio::test]
async fn whoever_runs_the_server_sees_what_is_whose() {
    let w = StripeWorld::start().await;
    w.paid(1).await;
    let mine = json!({
        "organiser_id": w.shop.organiser.id, "name": "Harbour", "currency": "EUR", "is_live": false,
        "balance": 4_000, "on_its_way": 0, "has_terms": false,
    });
    assert_eq!(w.server.get("/v1/balances", ADMIN).await.expect(200), json!([mine]));
    let other = Organiser::create(&w.server, "Other").await;
    assert_eq!(w.server.get("/v1/balance", &other.key).await.expect(200), json!([]));
}

/// Twenty at once want 10.00 of 40.00: four get it, and Stripe is asked four times.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payouts_at_once_never_come_to_more_than_there_is() {
    let w = StripeWorld::start().await;
    w.paid(1).await;
    w.at_once().await;
    let all = (0..20).map(|_| w.pay_out(json!({"currency": "EUR", "amount": 1_000})));
    let replies = futures_util::future::join_all(all).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 4);
    let refused = ["payout_too_much", "nothing_to_pay_out"];
    let is_refused = |reply: &Reply| refused.contains(&text(&reply.json["code"]).as_str());
    assert!(replies.iter().all(|reply| reply.status == 201 || is_refused(reply)));
    assert_eq!(w.stripe.calls(Operation::CreateTransfer), 4);
    assert_eq!(w.sums().await, [0, 0, 0, 0]);
}

#[tokio::test]
async fn there_are_three_an_hour_and_a_repetition_is_none() {
    let stripe = Stripe::start().await;
    stripe.set_clock(NOW);
    let server = Server::start_set(|config| {
        config.payments = with_stripe(&stripe);
        config.limits.payout = Limit::per_hour(3);
    })
    .await;
    let shop = Shop::open(&server, Some(5)).await;
    let w = StripeWorld { stripe, server, shop };
    w.paid(1).await;
    w.at_once().await;
    let wish = json!({"currency": "EUR", "amount": 100});
    for _ in 0..5 {
        // What is refused anyway is not counted.
        w.pay_out(json!({"currency": "EUR", "amount": 9_999})).await.expect_problem(409, "payout_too_much");
    }
    let first = key();
    for _ in 0..5 {
        w.pay_out_as(&first, &wish).await.expect(201);
    }
    w.pay_out(wish.clone()).await.expect(201);
    w.pay_out(wish.clone()).await.expect(201);
    let refused = w.pay_out(wish.clone()).await;
    refused.expect_problem(429, "rate_limited");
    assert_eq!(w.stripe.calls(Operation::CreateTransfer), 3);
    assert_eq!(w.sums().await, [3_700, 0, 3_700, 0]);
    w.server.clock.advance(HOUR);
    w.pay_out(wish).await.expect(201);
}

/// Whatever goes wrong with the call: it is not known, then it is, and the money goes once.
#[tokio::test]
async fn a_payout_that_nobody_answers_for_is_found_out() {
    for fault in [
        Fault::HangBefore,
        Fault::HangAfter,
        Fault::BreakAfter,
        Fault::Garble,
        Fault::TooMany(1),
        Fault::InProgress,
        Fault::Fail(503),
    ] {
        let w = StripeWorld::start().await;
        w.paid(1).await;
        w.at_once().await;
        w.stripe.fail(Operation::CreateTransfer, fault.clone());
        let payout = w.pay_out(json!({"currency": "EUR"})).await.expect(201);
        assert_eq!(payout["status"], "unknown", "{fault:?}");
        assert_eq!(w.sums().await, [0, 0, 0, 4_000], "nobody has it paid out again meanwhile");
        w.server.clock.advance(30_000);
        w.payout_becomes("paid").await;
        assert_eq!(w.stripe.all("transfer").len(), 1, "{fault:?}");
        assert_eq!(w.balances().await, [account("fees", -150), account("provider", 150)]);
    }
}

/// Stripe keeps its failure under the key; that there is no transfer is read from the list, and another key is taken.
#[tokio::test]
async fn a_failure_that_is_kept_is_got_round() {
    let w = StripeWorld::start().await;
    w.paid(1).await;
    w.at_once().await;
    w.stripe.fail(Operation::CreateTransfer, Fault::FailKept(500));
    assert_eq!(w.pay_out(json!({"currency": "EUR"})).await.expect(201)["status"], "unknown");
    w.server.clock.advance(30_000);
    until(async || {
        // The next try comes after a while; a call takes no time by this clock.
        w.server.clock.advance(1_000);
        w.server.app().queue().wake("payments");
        (w.payouts().await[0]["status"] == "paid").then_some(())
    })
    .await;
    assert_eq!(w.stripe.calls(Operation::ListTransfers), 1);
    assert_eq!(w.stripe.all("transfer").len(), 1);
}

/// A day later the key may be forgotten: what is there is looked up before anything is asked for again.
#[tokio::test]
async fn a_payout_that_was_made_and_forgotten_is_found_and_not_made_again() {
    let w = StripeWorld::start().await;
    w.paid(1).await;
    w.at_once().await;
    w.stripe.fail(Operation::CreateTransfer, Fault::HangAfter);
    w.pay_out(json!({"currency": "EUR"})).await.expect(201);
    w.server.clock.advance(DAY);
    w.payout_becomes("paid").await;
    assert_eq!((w.stripe.calls(Operation::CreateTransfer), w.stripe.all("transfer").len()), (1, 1));
    assert_eq!(w.on_record("payout.list").await, ["done"]);
}

#[tokio::test]
async fn a_payout_that_is_refused_is_the_organisers_again() {
    let w = StripeWorld::start().await;
    w.paid(1).await;
    w.at_once().await;
    w.stripe.set_funds_wait(true);
    let refused = w.pay_out(json!({"currency": "EUR"})).await.expect(201);
    assert_eq!(refused["status"], "refused");
    assert!(text(&refused["failure"]).contains("available funds"));
    assert_eq!(w.sums().await, [4_000, 0, 4_000, 0]);
    w.stripe.set_funds_wait(false);
    w.pay_out(json!({"currency": "EUR"})).await.expect(201);
    assert_eq!(w.sums().await, [0, 0, 0, 0]);
    let deeds: Vec<String> = w.deeds().await.into_iter().map(|(deed, _)| deed).collect();
    assert_eq!(deeds, ["payout.begun", "payout.begun", "payout.paid", "payout.refused"]);
}

#[tokio::test]
async fn what_comes_back_is_the_organisers_again_in_whatever_order_it_is_heard() {
    let w = StripeWorld::start().await;
    w.paid(1).await;
    w.at_once().await;
    let paid = w.pay_out(json!({"currency": "EUR"})).await.expect(201);
    let transfer = text(&paid["provider_id"]);
    w.stripe.reverse(&transfer, 1_000);
    let part = w.event("transfer.reversed");
    w.stripe.reverse(&transfer, 3_000);
    let whole = w.event("transfer.reversed");
    apply(&w.server, &part).await;
    assert_eq!(w.payouts().await[0]["status"], "paid");
    assert_eq!(w.sums().await, [1_000, 0, 1_000, 0]);
    for event in [&whole, &part, &whole] {
        apply(&w.server, event).await;
    }
    let payout = &w.payouts().await[0];
    assert_eq!((&payout["status"], &payout["reversed"]), (&json!("reversed"), &json!(4_000)));
    assert_eq!(w.sums().await, [4_000, 0, 4_000, 0]);
    assert_eq!(
        w.balances().await,
        [account("fees", -150), account("organiser", -4_000), account("provider", 4_150)]
    );
}

#[tokio::test]
async fn events_of_transfers_are_hints_at_most() {
    let w = StripeWorld::start().await;
    w.paid(1).await;
    w.at_once().await;
    // It is made, and heard of before the call is answered.
    w.stripe.fail(Operation::CreateTransfer, Fault::HangAfter);
    w.pay_out(json!({"currency": "EUR"})).await.expect(201);
    let mut event = w.event("transfer.created");
    event["id"] = json!("evt_old");
    event["api_version"] = json!("2019-02-11");
    event["data"]["object"] = json!({"id": event["data"]["object"]["id"], "object": "transfer"});
    assert_eq!(apply(&w.server, &event).await, None);
    assert_eq!(w.payouts().await[0]["status"], "paid");
    assert_eq!(w.on_record("payout.retrieve").await, ["done"]);
    let mut strange = w.event("transfer.created");
    strange["id"] = json!("evt_strange");
    strange["data"]["object"]["id"] = json!("tr_strange");
    strange["data"]["object"]["metadata"] = json!({});
    assert_eq!(apply(&w.server, &strange).await.as_deref(), Some("unknown_object"));
    assert_eq!(w.balances().await, [account("fees", -150), account("provider", 150)]);
}

/// What is wrong with what was settled long ago is found within the hour, and told.
#[tokio::test]
async fn all_of_the_books_are_looked_at_every_hour() {
    let w = StripeWorld::start().await;
    w.paid(1).await;
    w.server.clock.advance(DAY);
    let tampered = "UPDATE money_balances SET amount = amount + 1 WHERE account = 'organiser'";
    let db = w.server.place.open().await;
    let changed = db.write(move |tx| Box::pin(async move { tx.execute(tampered, &[]).await }));
    assert_eq!(Result::<_, DbError>::unwrap(changed.await), 1);
    db.close().await;
    w.server.clock.advance(HOUR);
    until(async || {
        w.server.app().queue().wake("payments");
        w.server.look().await;
        let open = w.server.get("/v1/admin/alerts", ADMIN).await.expect(200);
        open.to_string().contains("books_off").then_some(())
    })
    .await;
}
