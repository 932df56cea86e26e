//! What Stripe tells: signed, stored once, applied once, in whatever order it comes.

use liventix_stand_ins::stripe::{Card, Fault, Operation, Stripe, sign};
use serde_json::{Value, json};

use crate::support::shop::{Order, StripeWorld, WEBHOOK_SECRET, apply, deliver, key, state_of, with_stripe};
use crate::support::{ADMIN, NOW, Server, text, until};

const MINUTE: i64 = 60_000;

impl StripeWorld {
    async fn status(&self, order: &Order) -> String {
        text(&order.view(&self.server).await["status"])
    }

    async fn send(&self, body: &str, signature: Option<&str>) -> crate::support::Reply {
        let request =
            self.server.request(reqwest::Method::POST, "/v1/webhooks/stripe", "").body(body.to_owned());
        let request = match signature {
            Some(signature) => request.header("stripe-signature", signature),
            None => request,
        };
        self.server.send(request).await
    }
}

#[tokio::test]
async fn what_stripe_tells_makes_an_order_paid() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 2).await;
    assert_eq!(apply(&w.server, &w.event("payment_intent.created")).await, None);
    w.stripe.buyer_pays(&order.intent(), Card::Declined).unwrap_err();
    assert_eq!(apply(&w.server, &w.event("payment_intent.payment_failed")).await, None);
    assert_eq!(w.status(&order).await, "awaiting_payment");
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    assert_eq!(apply(&w.server, &w.event("payment_intent.succeeded")).await, None);
    assert_eq!(w.status(&order).await, "paid");
    assert_eq!(w.shop.stock(&w.server).await, (0, 2));
    let steps = w.shop.steps(&w.server, &order).await;
    assert!(steps.contains(&"payment_declined".to_owned()));
    assert_eq!(apply(&w.server, &w.event("charge.succeeded")).await.as_deref(), Some("not_used"));
}

#[tokio::test]
async fn only_what_stripe_signed_is_taken() {
    let w = StripeWorld::start().await;
    w.shop.order(&w.server, 1).await;
    let body = w.event("payment_intent.created").to_string();
    let seconds = NOW / 1_000;
    let good = sign(body.as_bytes(), seconds, &[WEBHOOK_SECRET]);
    for signature in [
        None,
        Some(String::new()),
        Some("t=1,v1=00".to_owned()),
        Some(sign(body.as_bytes(), seconds, &["whsec_another"])),
        Some(sign(body.as_bytes(), seconds - 301, &[WEBHOOK_SECRET])),
        Some(sign(body.as_bytes(), seconds + 301, &[WEBHOOK_SECRET])),
    ] {
        w.send(&body, signature.as_deref()).await.expect_problem(400, "signature_invalid");
    }
    w.send(&format!("{body} "), Some(&good)).await.expect_problem(400, "signature_invalid");
    let none = "{}";
    w.send(none, Some(&sign(none.as_bytes(), seconds, &[WEBHOOK_SECRET])))
        .await
        .expect_problem(400, "invalid_json");
    let mut event = w.event("payment_intent.created");
    event["id"] = json!("evt_good");
    let body = event.to_string();
    for distance in [-300, 300] {
        let signature = sign(body.as_bytes(), seconds + distance, &["whsec_another", WEBHOOK_SECRET]);
        w.send(&body, Some(&signature)).await.expect(200);
    }
    let off = Server::start().await;
    off.post("/v1/webhooks/stripe", "", &json!({})).await.expect_problem(503, "payments_off");
}

#[tokio::test]
async fn one_secret_takes_over_from_another() {
    let stripe = Stripe::start().await;
    stripe.set_clock(NOW);
    let server = Server::start_set(|config| {
        config.payments = with_stripe(&stripe);
        config.payments.stripe_webhook_secrets = Some("whsec_new, whsec_old".into());
    })
    .await;
    let body =
        json!({"id": "evt_1", "object": "event", "type": "x.y", "livemode": false, "created": 1}).to_string();
    for secret in ["whsec_new", "whsec_old"] {
        let signature = sign(body.as_bytes(), NOW / 1_000, &[secret]);
        let request = server.request(reqwest::Method::POST, "/v1/webhooks/stripe", "").body(body.clone());
        server.send(request.header("stripe-signature", signature)).await.expect(200);
    }
}

/// Every order of three events, each of them twice: the same end.
#[tokio::test]
async fn in_any_order_and_however_often_it_comes_to_the_same() {
    for order_of_events in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let w = StripeWorld::start().await;
        let order = w.shop.order(&w.server, 1).await;
        w.stripe.buyer_pays(&order.intent(), Card::Declined).unwrap_err();
        w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
        let kinds = ["payment_intent.created", "payment_intent.payment_failed", "payment_intent.succeeded"];
        for place in order_of_events.into_iter().chain(order_of_events) {
            apply(&w.server, &w.event(kinds[place])).await;
        }
        assert_eq!(w.status(&order).await, "paid", "{order_of_events:?}");
        assert_eq!(w.shop.stock(&w.server).await, (0, 1));
        let steps = w.shop.steps(&w.server, &order).await;
        assert_eq!(steps.iter().filter(|step| *step == "tickets_issued").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_event_many_times_at_once_is_one() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 1).await;
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    let event = w.event("payment_intent.succeeded");
    let all = (0..16).map(|_| deliver(&w.server, &event));
    assert!(futures_util::future::join_all(all).await.iter().all(|reply| reply.status == 200));
    w.shop.becomes(&w.server, &order, "paid").await;
    let db = w.server.place.open().await;
    let count = crate::support::database::count;
    assert_eq!(count(&db, "SELECT deliveries FROM provider_events").await, 16);
    assert_eq!(count(&db, "SELECT COUNT(*) FROM tickets").await, 1);
    assert_eq!(count(&db, "SELECT COUNT(*) FROM money_entries").await, 1);
}

/// The event is there before the checkout has its answer: the payment is known by its metadata.
#[tokio::test]
async fn an_event_may_come_before_the_checkout_was_answered() {
    let w = StripeWorld::start().await;
    w.stripe.fail(Operation::CreatePayment, Fault::HangAfter);
    let (key, wish) = (key(), w.shop.wish(1));
    w.shop.try_order(&w.server, &key, "", &wish).await.expect_problem(504, "TIMEOUT");
    assert_eq!(apply(&w.server, &w.event("payment_intent.created")).await, None);
    let order = Order::of(w.shop.try_order(&w.server, &key, "", &wish).await.expect(201));
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    apply(&w.server, &w.event("payment_intent.succeeded")).await;
    assert_eq!(w.status(&order).await, "paid");
}

#[tokio::test]
async fn what_is_not_ours_changes_nothing() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 1).await;
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    let paid = w.event("payment_intent.succeeded");
    let changed = |id: &str, change: &dyn Fn(&mut Value)| {
        let mut event = paid.clone();
        event["id"] = json!(id);
        change(&mut event);
        event
    };
    let unknown = changed("evt_1", &|event| {
        event["data"]["object"]["id"] = json!("pi_elsewhere");
        event["data"]["object"]["metadata"] = json!({});
    });
    assert_eq!(apply(&w.server, &unknown).await.as_deref(), Some("unknown_object"));
    let live = changed("evt_2", &|event| event["livemode"] = json!(true));
    assert_eq!(apply(&w.server, &live).await.as_deref(), Some("wrong_mode"));
    let connected = changed("evt_3", &|event| event["account"] = json!("acct_1"));
    assert_eq!(apply(&w.server, &connected).await.as_deref(), Some("other_account"));
    assert_eq!(w.status(&order).await, "awaiting_payment");
}

/// An event in another version's form is a hint only: what counts is what Stripe says when it is asked.
#[tokio::test]
async fn an_event_of_another_version_is_looked_up() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 1).await;
    let mut event = w.event("payment_intent.created");
    event["api_version"] = json!("2019-02-11");
    event["type"] = json!("payment_intent.succeeded");
    event["data"]["object"] = json!({"id": order.intent(), "object": "payment_intent", "status": "a lie"});
    assert_eq!(apply(&w.server, &event).await, None);
    assert_eq!(w.status(&order).await, "awaiting_payment");
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    event["id"] = json!("evt_again");
    assert_eq!(apply(&w.server, &event).await, None);
    assert_eq!(w.status(&order).await, "paid");
}

/// 1 and 5 minutes, half an hour, 2 hours, a day; then a dead letter, which the operator tries again.
#[tokio::test]
async fn what_cannot_be_applied_is_tried_five_times_more_and_then_waits_for_a_person() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 1).await;
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    order.act(&w.server, "refresh", &json!({})).await.expect(200);
    w.stripe.dispute(&text(&w.stripe.all("charge")[0]["id"]), 1_000, "fraudulent");
    let mut event = w.event("charge.dispute.created");
    // Of another version, so that Stripe is asked.
    event["api_version"] = json!("2019-02-11");
    for _ in 0..6 {
        w.stripe.fail(Operation::RetrieveDispute, Fault::TooMany(1));
    }
    deliver(&w.server, &event).await.expect(200);
    let tried = async |count: usize| {
        until(async || {
            w.server.app().queue().wake("webhooks");
            (w.stripe.calls(Operation::RetrieveDispute) == count).then_some(())
        })
        .await;
        // Until its worker has said so.
        until(async || {
            let stats = w.server.app().queue().stats().await.unwrap();
            let running = stats.iter().filter(|stats| stats.queue == "webhooks").map(|stats| stats.running);
            (running.sum::<i64>() == 0).then_some(())
        })
        .await;
    };
    tried(1).await;
    for (count, minutes) in [(2, 1), (3, 5), (4, 30), (5, 120), (6, 1_440)] {
        // Never earlier than the schedule; up to a fifth later.
        w.server.clock.advance(minutes * 60_000 - 1);
        w.server.app().queue().wake("webhooks");
        assert_eq!(w.stripe.calls(Operation::RetrieveDispute), count - 1);
        w.server.clock.advance(minutes * 12_000 + 1);
        tried(count).await;
    }
    let dead = w.server.get("/v1/admin/dead-letters?queue=webhooks", ADMIN).await.expect(200);
    let [letter] = <[Value; 1]>::try_from(dead["items"].as_array().unwrap().clone()).unwrap();
    let replay = format!("/v1/admin/dead-letters/{}/retry", text(&letter["job_id"]));
    let reply = w.server.post(&replay, ADMIN, &json!({})).await;
    assert!(reply.status < 300, "{}", reply.json);
    until(async || {
        w.server.app().queue().wake("webhooks");
        (state_of(&w.server, &event).await.0 == "applied").then_some(())
    })
    .await;
    assert_eq!(w.shop.detail(&w.server, &order).await["attention"], json!(["disputed"]));
    let on_record = w.on_record("dispute.retrieve").await;
    assert_eq!(on_record, ["busy", "busy", "busy", "busy", "busy", "busy", "done"]);
}

/// Paid though it had ended: tickets if there are any, else a person and the money in suspense.
#[tokio::test]
async fn who_pays_too_late_gets_tickets_if_there_are_any() {
    for is_sold_out in [false, true] {
        let w = StripeWorld::start().await;
        let order = w.shop.order(&w.server, 5).await;
        let intent = w.stripe.get(&order.intent());
        assert_eq!(order.act(&w.server, "cancel", &json!({})).await.expect(200)["status"], "cancelled");
        if is_sold_out {
            w.shop.order(&w.server, 1).await;
        }
        // It never happens at Stripe that what was cancelled is paid; but if it did, nobody's money would be lost.
        let mut event = w.event("payment_intent.canceled");
        event["id"] = json!("evt_late");
        event["type"] = json!("payment_intent.succeeded");
        event["data"]["object"] = intent;
        event["data"]["object"]["status"] = json!("succeeded");
        event["data"]["object"]["amount_received"] = json!(20_750);
        apply(&w.server, &event).await;
        let detail = w.shop.detail(&w.server, &order).await;
        if is_sold_out {
            assert_eq!(
                (&detail["status"], &detail["attention"]),
                (&json!("cancelled"), &json!(["paid_too_late"]))
            );
            let path = format!("/v1/orders/{}/settle", order.id);
            let reason = json!({"reason": "paid back by bank transfer"});
            let settled = w.server.post(&path, &w.shop.organiser.key, &reason).await.expect(200);
            assert_eq!(settled["attention"], json!([]));
            let audit =
                w.server.get(&w.shop.organiser.path("audit"), &w.shop.organiser.key).await.expect(200);
            assert!(audit.to_string().contains("order.settled"));
        } else {
            assert_eq!((&detail["status"], &detail["attention"]), (&json!("paid"), &json!([])));
            assert_eq!(w.shop.stock(&w.server).await, (0, 5));
        }
    }
}

#[tokio::test]
async fn what_was_paid_has_to_be_what_it_costs() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 1).await;
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    let mut event = w.event("payment_intent.succeeded");
    event["data"]["object"]["amount_received"] = json!(4_149);
    apply(&w.server, &event).await;
    let detail = w.shop.detail(&w.server, &order).await;
    assert_eq!((&detail["status"], &detail["attention"]), (&json!("failed"), &json!(["amount_differs"])));
    let found = w
        .server
        .get(&format!("{}/orders?needs_attention=true", w.shop.event.path), &w.shop.organiser.key)
        .await;
    assert_eq!(found.expect(200)["items"][0]["order_id"], order.id.as_str());
}

#[tokio::test]
async fn what_events_say_of_people_is_not_kept_for_ever() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 1).await;
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    apply(&w.server, &w.event("payment_intent.succeeded")).await;
    let whole = "SELECT COUNT(*) FROM provider_events WHERE body <> ''";
    let kept = async |days: i64| {
        w.server.clock.advance(days * 24 * 60 * MINUTE);
        liventix_server::payments::sweep(w.server.app()).await.unwrap();
        crate::support::database::count(w.server.app().db(), whole).await
    };
    assert_eq!(kept(89).await, 1);
    assert_eq!(kept(2).await, 0);
    assert_eq!(state_of(&w.server, &w.event("payment_intent.succeeded")).await.0, "applied");
}

/// Tickets' links are made when somebody asks first: whoever asks at the same moment gets the same ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_that_many_look_at_at_once_has_one_link_for_each_ticket() {
    let w = StripeWorld::start().await;
    let order = w.shop.order(&w.server, 3).await;
    w.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
    apply(&w.server, &w.event("payment_intent.succeeded")).await;
    let views = futures_util::future::join_all((0..40).map(|_| order.view(&w.server))).await;
    assert!(views[0]["items"][2]["ticket_url"].is_string());
    assert!(views.iter().all(|view| view["items"] == views[0]["items"]));
}
