//! Money that goes back, and money that banks take: never more than came, and the books say where it is.

use liventix_stand_ins::stripe::{Fault, Operation};
use serde_json::{Value, json};

use crate::support::shop::{Order, StripeWorld, account, apply};
use crate::support::{Person, new_id, text, until};

impl StripeWorld {
    async fn refunds(&self, order: &Order) -> Value {
        let path = format!("/v1/orders/{}/refunds", order.id);
        self.server.get(&path, &self.shop.organiser.key).await.expect(200)
    }

    /// The statuses of the order's tickets at the doors, in the order of their positions.
    async fn tickets(&self, order: &Order) -> Vec<String> {
        let detail = self.shop.detail(&self.server, order).await;
        let mut statuses = Vec::new();
        for item in detail["items"].as_array().unwrap() {
            let path = format!("{}/tickets/{}", self.shop.event.path, text(&item["ticket_id"]));
            let ticket = self.server.get(&path, &self.shop.organiser.key).await.expect(200);
            statuses.push(text(&ticket["status"]));
        }
        statuses
    }
}

#[tokio::test]
async fn a_ticket_that_is_refunded_opens_no_door_and_is_for_sale_again() {
    let w = StripeWorld::start().await;
    let order = w.paid(3).await;
    assert_eq!(
        w.balances().await,
        [account("fees", -450), account("organiser", -12_000), account("provider", 12_450)]
    );
    let door = w.shop.organiser.door(&w.server, &w.shop.event).await;
    let cursor = door.page(&w.server, "cursor=0").await["next_cursor"].clone();
    let refund = w.refund(&order, json!({"positions": [2]})).await.expect(201);
    assert_eq!((&refund["status"], &refund["amount"]), (&json!("succeeded"), &json!(4_150)));
    assert_eq!(w.tickets(&order).await, ["valid", "revoked", "valid"]);
    let page = door.page(&w.server, &format!("cursor={cursor}")).await.to_string();
    assert!(page.contains("revoked"), "doors learn of it with their next sync: {page}");
    assert_eq!(w.shop.stock(&w.server).await, (0, 2));
    let view = order.view(&w.server).await;
    assert_eq!((&view["status"], &view["refunded"]), (&json!("partially_refunded"), &json!(4_150)));
    assert!(view["items"][1].get("ticket_url").is_none());
    assert_eq!(
        w.balances().await,
        [account("fees", -300), account("organiser", -8_000), account("provider", 8_300)]
    );
    let again = w.refund(&order, json!({"positions": [2]})).await;
    again.expect_problem(422, "invalid_field");
    let rest = w.refund(&order, json!({"all": true})).await.expect(201);
    assert_eq!((&rest["amount"], &rest["positions"]), (&json!(8_300), &json!([1, 3])));
    assert_eq!(order.view(&w.server).await["status"], "refunded");
    assert_eq!(w.balances().await, []);
    w.refund(&order, json!({"amount": 1})).await.expect_problem(409, "nothing_to_refund");
    assert_eq!(w.shop.stock(&w.server).await, (0, 0));
}

#[tokio::test]
async fn an_amount_leaves_the_tickets_good_and_the_fee_with_us() {
    let w = StripeWorld::start().await;
    let order = w.paid(1).await;
    w.refund(&order, json!({"amount": 1_000})).await.expect(201);
    assert_eq!(w.tickets(&order).await, ["valid"]);
    assert_eq!(
        w.balances().await,
        [account("fees", -150), account("organiser", -3_000), account("provider", 3_150)]
    );
    w.refund(&order, json!({"amount": 3_151})).await.expect_problem(409, "refund_too_much");
    w.refund(&order, json!({"positions": [1]})).await.expect_problem(409, "refund_too_much");
    for wrong in [
        json!({}),
        json!({"amount": 1, "all": true}),
        json!({"amount": 0}),
        json!({"amount": -1}),
        json!({"positions": [2]}),
    ] {
        w.refund(&order, wrong).await.expect_problem(422, "invalid_field");
    }
}

#[tokio::test]
async fn what_was_not_paid_is_not_refunded_and_only_some_may() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 1).await;
    w.refund(&order, json!({"all": true})).await.expect_problem(409, "nothing_to_refund");
    let paid = w.paid(1).await;
    let support = Person::member(&w.server, &w.shop.organiser, "sue", "support").await.token;
    w.refund_by(&support, &paid, json!({"all": true})).await.expect_problem(403, "role_missing");
    let finance = Person::member(&w.server, &w.shop.organiser, "fay", "finance").await.token;
    w.refund_by(&finance, &paid, json!({"all": true})).await.expect(201);
    let path = format!("/v1/orders/{}/refunds", paid.id);
    w.server
        .post(&path, &finance, &json!({"all": true, "reason": "x"}))
        .await
        .expect_problem(400, "idempotency_key_missing");
    let audit = w.server.get(&w.shop.organiser.path("audit"), &w.shop.organiser.key).await.expect(200);
    assert!(audit.to_string().contains("order.refunded"));
}

/// Twenty at once want 10.00 of 41.50: four get it, and Stripe is asked four times.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refunds_at_once_never_come_to_more_than_was_paid() {
    let w = StripeWorld::start().await;
    let order = w.paid(1).await;
    let all = (0..20).map(|_| w.refund(&order, json!({"amount": 1_000})));
    let replies = futures_util::future::join_all(all).await;
    let given = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(given, 4);
    assert!(replies.iter().all(|reply| reply.status == 201 || reply.json["code"] == "refund_too_much"));
    assert_eq!(w.stripe.calls(Operation::CreateRefund), 4);
    assert_eq!(w.stripe.get(&text(&w.stripe.all("charge")[0]["id"]))["amount_refunded"], 4_000);
    assert_eq!(order.view(&w.server).await["refunded"], 4_000);
}

#[tokio::test]
async fn a_refund_that_is_repeated_is_one() {
    let w = StripeWorld::start().await;
    let order = w.paid(1).await;
    let path = format!("/v1/orders/{}/refunds", order.id);
    let key = format!("refund:desk:{}", new_id());
    let body = json!({"amount": 1_000, "reason": "rain"});
    let send = async || {
        let request = w.server.request(reqwest::Method::POST, &path, &w.shop.organiser.key).json(&body);
        w.server.send(request.header("idempotency-key", &key)).await.expect(201)
    };
    assert_eq!(send().await, send().await);
    assert_eq!(w.refunds(&order).await.as_array().unwrap().len(), 1);
}

/// Whatever goes wrong with the call: it is not known, then it is, and the money goes back once.
#[tokio::test]
async fn a_refund_that_nobody_answers_for_is_found_out() {
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
        let order = w.paid(1).await;
        w.stripe.fail(Operation::CreateRefund, fault.clone());
        let refund = w.refund(&order, json!({"all": true})).await.expect(201);
        assert_eq!(refund["status"], "unknown", "{fault:?}");
        assert_eq!(w.tickets(&order).await, ["revoked"], "nobody enters with it meanwhile");
        w.server.clock.advance(30_000);
        w.shop.becomes(&w.server, &order, "refunded").await;
        assert_eq!(w.stripe.all("refund").len(), 1, "{fault:?}");
        assert_eq!(w.balances().await, []);
    }
}

/// Stripe keeps its failure under the key; that there is no refund is read from the list, and another key is taken.
#[tokio::test]
async fn a_failure_that_is_kept_is_got_round() {
    let w = StripeWorld::start().await;
    let order = w.paid(1).await;
    w.stripe.fail(Operation::CreateRefund, Fault::FailKept(500));
    assert_eq!(w.refund(&order, json!({"all": true})).await.expect(201)["status"], "unknown");
    w.server.clock.advance(30_000);
    until(async || {
        w.server.app().queue().wake("payments");
        (w.stripe.calls(Operation::ListRefunds) == 1).then_some(())
    })
    .await;
    until(async || {
        // The next try comes after a while; a call takes no time by this clock.
        w.server.clock.advance(1_000);
        w.server.app().queue().wake("payments");
        (order.view(&w.server).await["status"] == "refunded").then_some(())
    })
    .await;
    assert_eq!(w.stripe.calls(Operation::ListRefunds), 1);
    assert_eq!(w.stripe.all("refund").len(), 1);
}

#[tokio::test]
async fn what_stripe_refuses_is_given_back() {
    let w = StripeWorld::start().await;
    let order = w.paid(1).await;
    let charge = text(&w.stripe.all("charge")[0]["id"]);
    w.stripe.dispute(&charge, 1_000, "fraudulent");
    let refund = w.refund(&order, json!({"all": true})).await.expect(201);
    assert_eq!(refund["status"], "refused");
    assert!(text(&refund["failure"]).contains("charged back"));
    assert_eq!(w.tickets(&order).await, ["valid"]);
    assert!(w.shop.steps(&w.server, &order).await.contains(&"refund_refused".to_owned()));
    // What was reserved is there again.
    assert_eq!(w.refund(&order, json!({"all": true})).await.expect(201)["status"], "refused");
}

#[tokio::test]
async fn money_that_a_bank_gives_back_is_with_us_again() {
    let w = StripeWorld::start().await;
    let order = w.paid(1).await;
    w.stripe.set_refunds_wait(true);
    let refund = w.refund(&order, json!({"all": true})).await.expect(201);
    assert_eq!(refund["status"], "pending");
    let remote = text(&w.stripe.all("refund")[0]["id"]);
    w.stripe.refund_fails(&remote);
    assert_eq!(apply(&w.server, &w.event("refund.failed")).await, None);
    assert_eq!(w.refunds(&order).await[0]["status"], "failed");
    assert_eq!(w.tickets(&order).await, ["valid"]);
    assert_eq!(w.shop.detail(&w.server, &order).await["attention"], json!(["refund_failed"]));
    // Later, after it counted as gone: the tickets stay as they are.
    let refund = w.refund(&order, json!({"all": true})).await.expect(201);
    assert_eq!(refund["status"], "pending");
    let remote = text(&w.stripe.all("refund")[1]["id"]);
    w.stripe.refund_ends(&remote);
    apply(&w.server, &w.event("refund.updated")).await;
    assert_eq!(order.view(&w.server).await["status"], "refunded");
    w.stripe.refund_fails(&remote);
    let failed = w.event("refund.failed");
    apply(&w.server, &failed).await;
    assert_eq!(order.view(&w.server).await["status"], "paid");
    assert_eq!(w.tickets(&order).await, ["revoked"]);
    assert_eq!(
        w.balances().await,
        [account("fees", -150), account("organiser", -4_000), account("provider", 4_150)]
    );
    // Old news changes nothing.
    let mut old = w.event("refund.updated");
    old["id"] = json!("evt_old");
    apply(&w.server, &old).await;
    assert_eq!(w.refunds(&order).await[1]["status"], "failed");
}

#[tokio::test]
async fn money_given_back_at_stripe_itself_is_known_here() {
    let w = StripeWorld::start().await;
    let order = w.paid(2).await;
    let client = crate::support::client();
    let made = client
        .post(format!("{}/v1/refunds", w.stripe.url()))
        .bearer_auth("sk_test_dashboard")
        .body(format!("payment_intent={}&amount=4150", order.intent()));
    assert!(made.send().await.unwrap().status().is_success());
    assert_eq!(apply(&w.server, &w.event("refund.created")).await, None);
    let detail = w.shop.detail(&w.server, &order).await;
    assert_eq!(
        (&detail["status"], &detail["attention"]),
        (&json!("partially_refunded"), &json!(["refunded_elsewhere"]))
    );
    w.refund(&order, json!({"amount": 4_151})).await.expect_problem(409, "refund_too_much");
}

/// An event in another version's form is a hint only; asking Stripe is on record.
#[tokio::test]
async fn a_refund_in_another_versions_form_is_looked_up() {
    let w = StripeWorld::start().await;
    let order = w.paid(1).await;
    w.stripe.set_refunds_wait(true);
    w.refund(&order, json!({"all": true})).await.expect(201);
    let id = text(&w.stripe.all("refund")[0]["id"]);
    w.stripe.refund_ends(&id);
    let mut event = w.event("refund.updated");
    event["api_version"] = json!("2019-02-11");
    event["data"]["object"] = json!({"id": id, "object": "refund", "status": "a lie"});
    assert_eq!(apply(&w.server, &event).await, None);
    assert_eq!(w.refunds(&order).await[0]["status"], "succeeded");
    assert_eq!(w.on_record("refund.retrieve").await, ["done"]);
}

#[tokio::test]
async fn disputes_take_money_and_give_it_back_in_any_order() {
    let kinds = [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ];
    for order_of_events in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        let w = StripeWorld::start().await;
        let order = w.paid(1).await;
        let charge = text(&w.stripe.all("charge")[0]["id"]);
        w.stripe.forget_events();
        let dispute = w.stripe.dispute(&charge, 2_000, "product_not_received");
        // Stripe's time is in seconds: later is at least one of them later.
        w.stripe.set_clock(crate::support::NOW + 60_000);
        w.stripe.dispute_ends(&dispute, true);
        for place in order_of_events.into_iter().chain(order_of_events) {
            apply(&w.server, &w.event(kinds[place])).await;
        }
        assert_eq!(
            w.balances().await,
            [account("fees", -150), account("organiser", -4_000), account("provider", 4_150)]
        );
        let all = w.server.get("/v1/disputes", &w.shop.organiser.key).await.expect(200);
        assert_eq!(all[0]["status"], "won", "{order_of_events:?}");
        assert_eq!(all[0]["amount"], 2_000);
        assert!(all[0]["due_by"].is_i64() && all[0]["closed_at"].is_i64());
        assert_eq!(
            w.server.get("/v1/disputes?open=true", &w.shop.organiser.key).await.expect(200),
            json!([])
        );
        assert_eq!(order.view(&w.server).await["status"], "paid");
    }
}

#[tokio::test]
async fn a_dispute_that_is_lost_costs_the_organiser() {
    let w = StripeWorld::start().await;
    let order = w.paid(1).await;
    let charge = text(&w.stripe.all("charge")[0]["id"]);
    let dispute = w.stripe.dispute(&charge, 4_150, "fraudulent");
    apply(&w.server, &w.event("charge.dispute.created")).await;
    assert_eq!(w.shop.detail(&w.server, &order).await["attention"], json!(["disputed"]));
    let open = w.server.get("/v1/disputes?open=true", &w.shop.organiser.key).await.expect(200);
    assert_eq!(open[0]["status"], "needs_response");
    // 41.50 and Stripe's 15.00.
    assert_eq!(
        w.balances().await,
        [account("fees", -150), account("organiser", 1_650), account("provider", -1_500)]
    );
    w.stripe.set_clock(crate::support::NOW + 60_000);
    w.stripe.dispute_ends(&dispute, false);
    apply(&w.server, &w.event("charge.dispute.closed")).await;
    assert_eq!(w.server.get("/v1/disputes", &w.shop.organiser.key).await.expect(200)[0]["status"], "lost");
}
