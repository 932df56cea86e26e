//! Payments through Stripe's stand-in, which is checked with Stripe's own library: whatever goes wrong, nobody pays
//! twice, and nothing that was paid is lost.

use liventix_stand_ins::stripe::{Card, Fault, Operation};
use serde_json::{Value, json};

use crate::support::shop::{Order, StripeWorld, account, apply, key};
use crate::support::{Server, new_id, text, until};

const MINUTE: i64 = 60_000;
const TIMEOUT: &str =
    "We're having trouble contacting Stripe. Your card has not been charged. Please try again.";

impl StripeWorld {
    /// The only payment there is at Stripe.
    fn intent(&self) -> serde_json::Value {
        let [intent] = <[_; 1]>::try_from(self.stripe.all("payment_intent")).unwrap();
        intent
    }

    async fn refresh(&self, order: &Order) -> serde_json::Value {
        order.act(&self.server, "refresh", &json!({})).await.expect(200)
    }

    /// Somebody whose checkout meets `fault` tries again with the same key, and pays.
    async fn survives(&self, fault: Fault) -> Vec<String> {
        let (key, wish) = (key(), self.shop.wish(1));
        self.stripe.fail(Operation::CreatePayment, fault.clone());
        let refused = self.shop.try_order(&self.server, &key, "", &wish).await;
        refused.expect_problem(504, "TIMEOUT");
        assert_eq!(refused.json["detail"], TIMEOUT);
        assert_eq!(refused.json["retryable"], true);
        assert!(refused.headers.contains_key("retry-after"));
        assert_eq!(self.shop.stock(&self.server).await.0, 1, "its tickets wait");
        let order = Order::of(self.shop.try_order(&self.server, &key, "", &wish).await.expect(201));
        self.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
        assert_eq!(self.refresh(&order).await["status"], "paid", "{fault:?}");
        assert_eq!(self.intent()["status"], "succeeded");
        self.shop.steps(&self.server, &order).await
    }
}

#[tokio::test]
async fn stripe_is_asked_as_its_documentation_says() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 2).await;
    let payment = &order.view["payment"];
    assert_eq!((&payment["provider"], &payment["status"]), (&json!("stripe"), &json!("open")));
    assert_eq!(payment["publishable_key"], "pk_test_liventix");
    let intent = w.intent();
    assert_eq!(payment["client_secret"], intent["client_secret"]);
    assert_eq!((&intent["amount"], &intent["currency"]), (&json!(8_300), &json!("eur")));
    assert_eq!(intent["receipt_email"], order.view["email"]);
    assert_eq!(intent["description"], format!("Harbour Lights · {}", text(&order.view["reference"])));
    let metadata = intent["metadata"].as_object().unwrap();
    assert_eq!(metadata["liventix_order_id"], order.id.as_str());
    assert_eq!(metadata["liventix_organiser_id"], w.shop.organiser.id.as_str());
    let [seen] = <[_; 1]>::try_from(w.stripe.seen()).unwrap();
    assert_eq!(seen.version.as_deref(), Some("2026-10-28.endive"));
    let key = seen.idempotency_key.unwrap();
    let payment_id = metadata["liventix_payment_id"].as_str().unwrap();
    assert_eq!(key, format!("create_payment:{}:{payment_id}", order.id));
}

#[tokio::test]
async fn who_pays_gets_tickets_and_who_is_refused_tries_again() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 1).await;
    w.stripe.buyer_pays(&order.intent(), Card::Empty).unwrap_err();
    assert_eq!(w.refresh(&order).await["status"], "awaiting_payment");
    w.refresh(&order).await;
    let declined = |steps: &[String]| steps.iter().filter(|step| *step == "payment_declined").count();
    assert_eq!(declined(&w.shop.steps(&w.server, &order).await), 1, "one refusal is noted once");
    let detail = w.shop.detail(&w.server, &order).await;
    let sentence = text(&detail["steps"].as_array().unwrap().last().unwrap()["sentence"]);
    assert_eq!(sentence, "The buyer's bank refused: Your card has insufficient funds.");
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    let paid = w.refresh(&order).await;
    assert_eq!(paid["status"], "paid");
    assert!(paid["items"][0]["ticket_url"].is_string());
    assert!(paid["payment"].get("client_secret").is_none(), "nobody needs it any more");
    assert_eq!(w.shop.stock(&w.server).await, (0, 1));
}

#[tokio::test]
async fn a_way_of_paying_that_takes_a_while_holds_the_tickets() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 1).await;
    w.stripe.buyer_pays(&order.intent(), Card::Slow).unwrap();
    assert_eq!(w.refresh(&order).await["payment"]["status"], "processing");
    // Its time is up, but the money is on its way: the tickets are not for others.
    w.server.clock.advance(15 * MINUTE);
    until(async || {
        w.server.app().queue().wake("payments");
        Some(w.shop.detail(&w.server, &order).await).filter(|detail| detail["ending"] == "expired")
    })
    .await;
    assert_eq!(w.shop.stock(&w.server).await, (1, 0));
    w.stripe.processing_ends(&order.intent(), true);
    assert_eq!(w.refresh(&order).await["status"], "paid");
    assert_eq!(w.shop.stock(&w.server).await, (0, 1));
}

#[tokio::test]
async fn a_timeout_before_anything_happened_costs_nothing() {
    let steps = StripeWorld::start().await.survives(Fault::HangBefore).await;
    let known = steps.iter().position(|step| step == "payment_open").unwrap();
    assert_eq!(steps[known - 1], "payment_unknown");
}

#[tokio::test]
async fn a_timeout_after_the_payment_began_begins_no_second() {
    StripeWorld::start().await.survives(Fault::HangAfter).await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_failure() {
    let w = StripeWorld::start().await;
    w.survives(Fault::BreakAfter).await;
    assert_eq!(w.stripe.calls(Operation::CreatePayment), 2);
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_no_failure() {
    StripeWorld::start().await.survives(Fault::Garble).await;
}

#[tokio::test]
async fn a_provider_that_has_too_much_to_do_did_nothing() {
    let steps = StripeWorld::start().await.survives(Fault::TooMany(2)).await;
    assert!(!steps.contains(&"payment_unknown".to_owned()), "{steps:?}");
}

#[tokio::test]
async fn a_call_that_is_being_answered_to_another_is_not_known_yet() {
    StripeWorld::start().await.survives(Fault::InProgress).await;
}

#[tokio::test]
async fn a_failure_of_the_moment_passes() {
    StripeWorld::start().await.survives(Fault::Fail(503)).await;
}

/// Stripe keeps its failures: the same key gets the same 500 for a day. The payment is searched for, given up, and
/// another takes its place, which can be made; the first never can, since nobody has its secret.
#[tokio::test]
async fn a_failure_that_is_kept_is_got_round() {
    let w = StripeWorld::start().await;
    let (key, wish) = (key(), w.shop.wish(1));
    w.stripe.fail(Operation::CreatePayment, Fault::FailKept(500));
    w.shop.try_order(&w.server, &key, "", &wish).await.expect_problem(504, "TIMEOUT");
    let order = Order::of(w.shop.try_order(&w.server, &key, "", &wish).await.expect(201));
    assert_eq!(w.stripe.calls(Operation::SearchPayments), 1);
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    assert_eq!(w.refresh(&order).await["status"], "paid");
    assert_eq!(w.shop.stock(&w.server).await, (0, 1));
}

/// The buyer never comes back; nobody may pay what was begun, and the tickets are free again.
#[tokio::test]
async fn what_nobody_knows_of_is_found_out_and_closed() {
    let w = StripeWorld::start().await;
    w.stripe.fail(Operation::CreatePayment, Fault::HangAfter);
    let refused = w.shop.try_order(&w.server, &key(), "", &w.shop.wish(1)).await;
    refused.expect_problem(504, "TIMEOUT");
    w.server.clock.advance(15 * MINUTE);
    until(async || {
        w.server.app().queue().wake("payments");
        (w.shop.stock(&w.server).await == (0, 0)).then_some(())
    })
    .await;
    assert_eq!(w.intent()["status"], "canceled");
    let orders =
        w.server.get(&format!("{}/orders", w.shop.event.path), &w.shop.organiser.key).await.expect(200);
    assert_eq!(orders["items"][0]["status"], "expired");
}

/// The buyer pays in the last moment, while the order is being closed: whoever pays gets tickets.
#[tokio::test]
async fn paying_and_closing_at_once_ends_with_tickets() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 1).await;
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    let answer = order.act(&w.server, "cancel", &json!({})).await.expect(200);
    assert_eq!(answer["status"], "paid");
    assert_eq!(w.shop.stock(&w.server).await, (0, 1));
}

#[tokio::test]
async fn an_order_ends_once_its_payment_surely_can_be_made_no_more() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 1).await;
    w.stripe.fail(Operation::CancelPayment, Fault::HangBefore);
    let answer = order.act(&w.server, "cancel", &json!({})).await.expect(200);
    assert_eq!((&answer["status"], &answer["ending"]), (&json!("awaiting_payment"), &json!("cancelled")));
    assert!(answer["payment"].get("client_secret").is_none(), "nobody should pay it now");
    assert_eq!(w.shop.stock(&w.server).await, (1, 0), "it might be paid");
    w.server.clock.advance(20_000);
    w.shop.becomes(&w.server, &order, "cancelled").await;
    assert_eq!(w.intent()["status"], "canceled");
    assert_eq!(w.shop.stock(&w.server).await, (0, 0));
}

#[tokio::test]
async fn what_stripe_refuses_fails_and_frees_the_tickets() {
    let w = StripeWorld::start().await;
    // Stripe takes fifty cents at least.
    w.server
        .call("PUT", &w.shop.organiser.path("fees/EUR"), crate::support::ADMIN, &json!({}))
        .await
        .expect(200);
    w.shop.price(&w.server, &w.shop.event.day, json!({"price": 10, "capacity": 5})).await.expect(200);
    let refused = w.shop.try_order(&w.server, &key(), "", &w.shop.wish(1)).await;
    refused.expect_problem(422, "payment_refused");
    assert_eq!(w.shop.stock(&w.server).await, (0, 0));
    let orders =
        w.server.get(&format!("{}/orders", w.shop.event.path), &w.shop.organiser.key).await.expect(200);
    assert_eq!(orders["items"][0]["status"], "failed");
}

#[tokio::test]
async fn a_provider_that_is_down_is_left_alone_for_a_while() {
    let w = StripeWorld::start().await;
    // The one try that is let through is to be the buyer's, not that of a worker with the orders before.
    w.server.pause("payments").await;
    for _ in 0..5 {
        w.stripe.fail(Operation::CreatePayment, Fault::BreakBefore);
        w.shop.try_order(&w.server, &key(), "", &w.shop.wish(1)).await.expect_problem(504, "TIMEOUT");
    }
    w.shop.price(&w.server, &w.shop.event.day, json!({"price": 4_000})).await.expect(200);
    let (key, wish) = (key(), w.shop.wish(1));
    w.shop.try_order(&w.server, &key, "", &wish).await.expect_problem(504, "TIMEOUT");
    assert_eq!(w.stripe.calls(Operation::CreatePayment), 5, "nobody called");
    w.server.clock.advance(30_001);
    w.shop.try_order(&w.server, &key, "", &wish).await.expect(201);
}

/// Every call is on record before it is made and after it was answered.
#[tokio::test]
async fn calls_are_on_record() {
    let w = StripeWorld::start().await;
    w.stripe.fail(Operation::CreatePayment, Fault::HangAfter);
    let (key, wish) = (key(), w.shop.wish(1));
    w.shop.try_order(&w.server, &key, "", &wish).await.expect_problem(504, "TIMEOUT");
    w.shop.try_order(&w.server, &key, "", &wish).await.expect(201);
    let db = w.server.place.open().await;
    let sql =
        "SELECT operation, outcome, provider_request_id FROM provider_calls ORDER BY started_at, call_id";
    let rows = db.read(move |conn| Box::pin(async move { conn.query(sql, &[]).await })).await;
    let rows: Vec<_> = Result::<_, liventix_server::platform::db::DbError>::unwrap(rows);
    let mut outcomes: Vec<String> = rows.iter().map(|row| row.get(1).unwrap()).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["done", "timeout"]);
    assert!(rows.iter().all(|row| row.get::<String>(0).unwrap() == "payment.create"));
}

async fn alerts(server: &Server) -> Vec<String> {
    server.look().await;
    let open = server.get("/v1/admin/alerts", crate::support::ADMIN).await.expect(200);
    let rules = open["items"].as_array().unwrap().iter().map(|alert| text(&alert["rule"]));
    rules.filter(|rule| rule.contains("payment") || rule == "books_off").collect()
}

#[tokio::test]
async fn somebody_is_told_when_payments_go_wrong() {
    let w = StripeWorld::start().await;
    w.shop.order(&w.server, 1).await;
    assert_eq!(alerts(&w.server).await, Vec::<String>::new());
    w.stripe.fail(Operation::CreatePayment, Fault::HangAfter);
    w.shop.try_order(&w.server, &key(), "", &w.shop.wish(1)).await.expect_problem(504, "TIMEOUT");
    assert_eq!(alerts(&w.server).await, ["payment_timeouts"]);
    // The worker has no luck either.
    for _ in 0..60 {
        w.stripe.fail(Operation::CreatePayment, Fault::TooMany(1));
    }
    w.server.clock.advance(10 * MINUTE);
    assert!(alerts(&w.server).await.contains(&"payments_unknown".to_owned()));
    let db = w.server.place.open().await;
    w.stripe.fail_no_more();
    let order = w.shop.order(&w.server, 1).await;
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    w.refresh(&order).await;
    assert_eq!(order.view(&w.server).await["status"], "paid");
    assert!(!alerts(&w.server).await.contains(&"books_off".to_owned()));
    let changed = db.write(|tx| {
        Box::pin(async move {
            tx.execute("UPDATE money_lines SET amount = amount + 1 WHERE account = 'provider'", &[]).await
        })
    });
    assert_eq!(Result::<_, liventix_server::platform::db::DbError>::unwrap(changed.await), 1);
    assert!(alerts(&w.server).await.contains(&"books_off".to_owned()));
}

#[tokio::test]
async fn checkouts_count_for_their_objective_where_they_fail_through_us() {
    let w = StripeWorld::start().await;
    w.shop.order(&w.server, 5).await;
    w.shop.try_order(&w.server, &key(), "", &w.shop.wish(1)).await.expect_problem(409, "sold_out");
    w.shop.price(&w.server, &w.shop.event.day, json!({"price": 4_000})).await.expect(200);
    w.stripe.fail(Operation::CreatePayment, Fault::HangAfter);
    w.shop.try_order(&w.server, &key(), "", &w.shop.wish(1)).await.expect_problem(504, "TIMEOUT");
    w.server.app().objectives().flush(w.server.app().db()).await.unwrap();
    let all = w.server.get("/v1/admin/objectives", crate::support::ADMIN).await.expect(200);
    let is_checkout = |objective: &&serde_json::Value| objective["sli"] == "checkout";
    let checkout = all.as_array().unwrap().iter().find(is_checkout).unwrap();
    assert_eq!((&checkout["success"]["events"], &checkout["success"]["failed"]), (&json!(2), &json!(1)));
}

impl StripeWorld {
    /// What Stripe would tell of this event's payment, were it another one.
    fn as_another(&self, kind: &str, intent: &str, payment: Option<&str>) -> Value {
        let mut event = self.event(kind);
        event["id"] = json!(format!("evt_{}", new_id()));
        event["data"]["object"]["id"] = json!(intent);
        if let Some(payment) = payment {
            event["data"]["object"]["metadata"]["liventix_payment_id"] = json!(payment);
        }
        event
    }

    /// What Stripe would tell of a refund of that payment.
    fn refund_of(&self, intent: &str, status: &str) -> Value {
        let mut event = self.event("payment_intent.succeeded");
        event["id"] = json!(format!("evt_{}", new_id()));
        event["type"] = json!("refund.updated");
        event["data"]["object"] = json!({
            "id": "re_other", "object": "refund", "status": status, "amount": 4_150, "currency": "eur",
            "payment_intent": intent, "failure_reason": null, "metadata": {},
        });
        event
    }

    /// That the money of a second payment is in the books until it goes back.
    async fn has_two_payments(&self, order: &Order, intent: &str) {
        let with_both = [
            account("fees", -150),
            account("organiser", -4_000),
            account("provider", 8_300),
            account("suspense", -4_150),
        ];
        assert_eq!(self.balances().await, with_both);
        assert_eq!(self.shop.detail(&self.server, order).await["attention"], json!(["second_payment"]));
        assert_eq!(self.shop.stock(&self.server).await, (0, 1));
        for _ in 0..2 {
            apply(&self.server, &self.refund_of(intent, "succeeded")).await;
            let with_one = [account("fees", -150), account("organiser", -4_000), account("provider", 4_150)];
            assert_eq!(self.balances().await, with_one);
        }
        assert_eq!(order.view(&self.server).await["status"], "paid", "its own payment did not go back");
        for _ in 0..2 {
            apply(&self.server, &self.refund_of(intent, "failed")).await;
            assert_eq!(self.balances().await, with_both);
        }
        assert_eq!(
            self.shop.detail(&self.server, order).await["attention"],
            json!(["second_payment", "refund_failed"])
        );
        assert!(!alerts(&self.server).await.contains(&"books_off".to_owned()));
        // Whoever has looked at one thing has not looked at the other.
        let path = format!("/v1/orders/{}/settle", order.id);
        let seen = json!({"reason": "paid by bank transfer", "attention": ["refund_failed"]});
        let settled = self.server.post(&path, &self.shop.organiser.key, &seen).await.expect(200);
        assert_eq!(settled["attention"], json!(["second_payment"]));
        let all = json!({"reason": "done"});
        let settled = self.server.post(&path, &self.shop.organiser.key, &all).await.expect(200);
        assert_eq!(settled["attention"], json!([]));
    }
}

/// Two payments of Stripe's for one of ours, both made: nothing is sold twice, and no cent is lost.
#[tokio::test]
async fn a_second_payment_of_the_same_is_in_the_books_until_it_goes_back() {
    let w = StripeWorld::start().await;
    let order = w.paid(1).await;
    for _ in 0..2 {
        assert_eq!(apply(&w.server, &w.as_another("payment_intent.succeeded", "pi_other", None)).await, None);
    }
    w.has_two_payments(&order, "pi_other").await;
}

/// A payment that was given up is made after all, beside the one that took its place.
#[tokio::test]
async fn a_payment_that_was_given_up_and_made_is_in_the_books_until_it_goes_back() {
    let w = StripeWorld::start().await;
    let (key, wish) = (key(), w.shop.wish(1));
    w.stripe.fail(Operation::CreatePayment, Fault::FailKept(500));
    w.shop.try_order(&w.server, &key, "", &wish).await.expect_problem(504, "TIMEOUT");
    let order = Order::of(w.shop.try_order(&w.server, &key, "", &wish).await.expect(201));
    let first = w.stripe.seen().into_iter().find(|call| call.operation == Some(Operation::CreatePayment));
    let named = |(name, _): &&(String, String)| name == "metadata[liventix_payment_id]";
    let given_up = first.unwrap().form.iter().find(named).unwrap().1.clone();
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    w.refresh(&order).await;
    for _ in 0..2 {
        let event = w.as_another("payment_intent.succeeded", "pi_given_up", Some(&given_up));
        assert_eq!(apply(&w.server, &event).await, None);
    }
    w.has_two_payments(&order, "pi_given_up").await;
}
