//! An order's life, where the test provider takes the payment.

use std::collections::HashSet;

use liventix_server::platform::config::Limits;
use liventix_server::platform::rate_limit::Limit;
use serde_json::json;

use crate::support::shop::{Order, key, trying_out};
use crate::support::{Person, Server, Shop, new_id, text};

const MINUTE: i64 = 60_000;

#[tokio::test]
async fn who_pays_gets_tickets_that_open_the_door() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(5)).await;
    let mut wish = shop.wish(2);
    wish["items"][0]["attendee_names"] = json!(["Otto Lind"]);
    wish["expected_total"] = json!(8_300);
    let order = Order::of(shop.try_order(&server, &key(), "", &wish).await.expect(201));
    assert_eq!((&order.view["status"], &order.view["total"]), (&json!("awaiting_payment"), &json!(8_300)));
    assert_eq!(order.view["payment"], json!({"provider": "test", "status": "open"}));
    assert_eq!(shop.stock(&server).await, (2, 0));
    let paid = order.try_out(&server, "pay").await;
    assert_eq!(paid["status"], "paid");
    assert_eq!(shop.stock(&server).await, (0, 2));
    let names: Vec<&str> =
        paid["items"].as_array().unwrap().iter().filter_map(|item| item["attendee_name"].as_str()).collect();
    assert_eq!(names, ["Otto Lind"]);
    let tickets =
        server.get(&format!("{}/ticket-codes", shop.event.path), &shop.organiser.key).await.expect(200);
    let tickets = tickets["items"].as_array().unwrap();
    let holders: HashSet<&str> =
        tickets.iter().filter_map(|ticket| ticket["attendee_name"].as_str()).collect();
    assert_eq!(holders, HashSet::from(["Otto Lind", "Ida Berg"]));
    assert!(tickets.iter().all(|ticket| ticket["reference"] == paid["reference"]));
    let door = shop.organiser.door(&server, &shop.event).await;
    for ticket in tickets {
        let verdict = shop.event.redeem(&server, &door.token, ticket["code"].as_str().unwrap()).await;
        assert_eq!(verdict["outcome"], "admit", "{verdict}");
    }
    // The buyer's page of each ticket.
    let url = text(&paid["items"][0]["ticket_url"]);
    let page = server.http.get(server.url(&url[url.find("/t/").unwrap()..])).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let again = order.view(&server).await;
    assert_eq!(again["items"][0]["ticket_url"], url.as_str(), "the link stays the same");
    let expected =
        ["placed", "payment_begun", "payment_open", "payment_succeeded", "tickets_issued"].map(str::to_owned);
    assert_eq!(shop.steps(&server, &order).await, expected);
    let detail = shop.detail(&server, &order).await;
    assert_eq!(detail["steps"][0]["sentence"], "2 tickets are held for the buyer, who is to pay 83.00 EUR.");
    order.act(&server, "test-payment", &json!({"outcome": "pay"})).await.expect_problem(409, "order_over");
    order.act(&server, "cancel", &json!({})).await.expect_problem(409, "order_over");
}

#[tokio::test]
async fn a_refusal_of_the_bank_is_noted_and_the_buyer_tries_again() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(1)).await;
    let order = shop.order(&server, 1).await;
    assert_eq!(order.try_out(&server, "decline").await["status"], "awaiting_payment");
    assert!(shop.steps(&server, &order).await.contains(&"payment_declined".to_owned()));
    assert_eq!(shop.stock(&server).await, (1, 0));
    assert_eq!(order.try_out(&server, "pay").await["status"], "paid");
}

#[tokio::test]
async fn who_does_not_pay_in_time_loses_the_tickets() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(1)).await;
    let order = shop.order(&server, 1).await;
    server.clock.advance(15 * MINUTE);
    let detail = shop.becomes(&server, &order, "expired").await;
    assert!(detail["ended_at"].is_i64());
    assert_eq!(shop.stock(&server).await, (0, 0));
    order.act(&server, "test-payment", &json!({"outcome": "pay"})).await.expect_problem(404, "not_found");
    // They are for others.
    shop.order(&server, 1).await;
}

#[tokio::test]
async fn buyers_and_organisers_give_orders_up() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(2)).await;
    let (one, two) = (shop.order(&server, 1).await, shop.order(&server, 1).await);
    assert_eq!(one.act(&server, "cancel", &json!({})).await.expect(200)["status"], "cancelled");
    let support = Person::member(&server, &shop.organiser, "sue", "support").await.token;
    let path = format!("/v1/orders/{}/cancel", two.id);
    let reason = json!({"reason": "asked on the phone"});
    for _ in 0..2 {
        assert_eq!(server.post(&path, &support, &reason).await.expect(200)["status"], "cancelled");
    }
    server.post(&path, &support, &json!({"reason": " "})).await.expect_problem(422, "invalid_field");
    assert_eq!(shop.stock(&server).await, (0, 0));
    let audit = server.get(&shop.organiser.path("audit"), &shop.organiser.key).await.expect(200);
    let cancelled = |entry: &&serde_json::Value| entry["action"] == "order.cancelled";
    let entries: Vec<_> = audit["items"].as_array().unwrap().iter().filter(cancelled).collect();
    assert_eq!(entries.len(), 1, "the second time, nothing was done");
    assert_eq!(entries[0]["after"], json!({"reason": "asked on the phone"}));
    let paid = shop.order(&server, 1).await;
    paid.try_out(&server, "pay").await;
    let path = format!("/v1/orders/{}/cancel", paid.id);
    server.post(&path, &support, &reason).await.expect_problem(409, "order_over");
}

/// Forty buyers at once, ten tickets: ten are sold, whoever is fast.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_sold_twice_however_many_come_at_once() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(10)).await;
    let buys = (0..40).map(|_| async {
        let reply = shop.try_order(&server, &key(), "", &shop.wish(1)).await;
        if reply.status == 409 {
            reply.expect_problem(409, "sold_out");
            return None;
        }
        let order = Order::of(reply.expect(201));
        order.try_out(&server, "pay").await;
        Some(order)
    });
    let orders: Vec<Order> = futures_util::future::join_all(buys).await.into_iter().flatten().collect();
    assert_eq!(orders.len(), 10);
    assert_eq!(shop.stock(&server).await, (0, 10));
    let references: HashSet<String> = orders.iter().map(|order| text(&order.view["reference"])).collect();
    assert_eq!(references.len(), 10);
    let tickets = server.get(&format!("{}/tickets", shop.event.path), &shop.organiser.key).await.expect(200);
    assert_eq!(tickets["items"].as_array().unwrap().len(), 10);
}

/// Each order wants both types, half of them in the other order: nobody waits for somebody who waits for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_of_several_types_do_not_wait_for_each_other_in_a_circle() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(30)).await;
    shop.price(&server, &shop.event.family, json!({"price": 9_000, "capacity": 25})).await.expect(200);
    let buys = (0..40).map(|number| {
        let mut kinds = [&shop.event.day, &shop.event.family];
        if number % 2 == 0 {
            kinds.reverse();
        }
        let items = kinds.map(|kind| json!({"ticket_type_id": kind, "quantity": 1}));
        let mut wish = shop.wish(1);
        wish["items"] = json!(items);
        let (server, shop) = (&server, &shop);
        async move { shop.try_order(server, &key(), "", &wish).await.status }
    });
    let statuses = futures_util::future::join_all(buys).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 25);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 15);
    // What the fifteen had taken of the other type, they gave back.
    assert_eq!(shop.stock(&server).await, (25, 0));
}

#[tokio::test]
async fn a_checkout_that_is_repeated_is_one_order() {
    let server = trying_out().await;
    let shop = Shop::open(&server, None).await;
    let (key, wish) = (key(), shop.wish(1));
    let first = shop.try_order(&server, &key, "", &wish).await;
    let again = shop.try_order(&server, &key, "", &wish).await;
    assert_eq!((first.status, &first.bytes), (again.status, &again.bytes));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(shop.stock(&server).await, (1, 0));
    shop.try_order(&server, &key, "", &shop.wish(2)).await.expect_problem(422, "idempotency_key_reused");
    let path = format!("/v1/shop/events/{}/orders", shop.event.id);
    server.post(&path, "", &wish).await.expect_problem(400, "idempotency_key_missing");
}

#[tokio::test]
async fn what_is_wrong_with_a_wish_is_said_and_nothing_is_held() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(20)).await;
    let order = async |change: serde_json::Value| {
        let mut wish = shop.wish(1);
        for (name, value) in change.as_object().unwrap() {
            wish[name] = value.clone();
        }
        shop.try_order(&server, &key(), "", &wish).await
    };
    let day = |quantity: u32| json!({"ticket_type_id": shop.event.day, "quantity": quantity});
    for (status, code, change) in [
        (422, "invalid_field", json!({"items": []})),
        (422, "invalid_field", json!({"items": [day(0)]})),
        (422, "invalid_field", json!({"items": [day(11)]})),
        (422, "invalid_field", json!({"items": [day(1), day(1)]})),
        (404, "ticket_type_not_found", json!({"items": [{"ticket_type_id": new_id(), "quantity": 1}]})),
        (
            404,
            "ticket_type_not_found",
            json!({"items": [{"ticket_type_id": shop.event.family, "quantity": 1}]}),
        ),
        (409, "price_changed", json!({"expected_total": 4_000})),
        (422, "invalid_field", json!({"name": ""})),
        (422, "invalid_field", json!({"email": "nobody"})),
        (422, "invalid_field", json!({"email": null})),
        (422, "invalid_field", json!({"name": null})),
    ] {
        order(change).await.expect_problem(status, code);
    }
    assert_eq!(shop.stock(&server).await, (0, 0));
}

#[tokio::test]
async fn somebody_signed_in_buys_for_their_account() {
    let server = trying_out().await;
    let shop = Shop::open(&server, None).await;
    let ada = Person::member(&server, &shop.organiser, "ada", "support").await;
    let wish = json!({"items": shop.wish(1)["items"]});
    let order = Order::of(shop.try_order(&server, &key(), &ada.token, &wish).await.expect(201));
    assert_eq!(order.view["email"], ada.email.as_str());
    shop.try_order(&server, &key(), "lxs_bad", &wish).await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_order_is_for_whoever_has_its_token() {
    let server = trying_out().await;
    let shop = Shop::open(&server, None).await;
    let (mine, other) = (shop.order(&server, 1).await, shop.order(&server, 1).await);
    assert_eq!(mine.view(&server).await["order_id"], mine.id.as_str());
    let (head, tail) = other.token.rsplit_once('_').unwrap();
    let mixed = format!("{}_{tail}", mine.token.rsplit_once('_').unwrap().0);
    for token in ["", "lxo_1", &mixed, head, &shop.organiser.key] {
        server.get("/v1/shop/order", token).await.expect_problem(401, "unauthenticated");
    }
    let stranger = crate::support::Organiser::create(&server, "Third").await;
    server
        .get(&format!("/v1/orders/{}", mine.id), &stranger.key)
        .await
        .expect_problem(404, "order_not_found");
}

#[tokio::test]
async fn checkouts_are_limited_by_buyer_and_by_address() {
    let server = Server::start_set(|config| {
        config.payments.test_provider = true;
        config.limits = Limits {
            checkout: Limits::default().checkout,
            checkout_address: Limits::default().checkout_address,
            ..Limits::all(Limit::per_minute(100_000))
        };
    })
    .await;
    let shop = Shop::open(&server, None).await;
    let wish = shop.wish(1);
    for _ in 0..10 {
        shop.try_order(&server, &key(), "", &wish).await.expect(201);
    }
    let refused = shop.try_order(&server, &key(), "", &wish).await;
    refused.expect_problem(429, "rate_limited");
    assert!(refused.headers.contains_key("retry-after"));
    for _ in 0..9 {
        shop.order(&server, 1).await;
    }
    // Twenty came from here by now, one of them in vain.
    shop.try_order(&server, &key(), "", &shop.wish(1)).await.expect_problem(429, "rate_limited");
    server.clock.advance(60 * MINUTE);
    shop.order(&server, 1).await;
}

#[tokio::test]
async fn an_organiser_finds_orders() {
    let server = trying_out().await;
    let shop = Shop::open(&server, None).await;
    let (one, two) = (shop.order(&server, 1).await, shop.order(&server, 2).await);
    two.try_out(&server, "pay").await;
    let found = async |query: &str| {
        let path = format!("{}/orders?{query}", shop.event.path);
        let list = server.get(&path, &shop.organiser.key).await.expect(200);
        let ids = list["items"].as_array().unwrap().iter().map(|order| text(&order["order_id"]));
        ids.collect::<HashSet<_>>()
    };
    assert_eq!(found("").await, HashSet::from([one.id.clone(), two.id.clone()]));
    assert_eq!(found("status=paid").await, HashSet::from([two.id.clone()]));
    assert_eq!(found("needs_attention=true").await, HashSet::new());
    let reference = text(&one.view["reference"]).to_lowercase();
    assert_eq!(found(&format!("search={reference}")).await, HashSet::from([one.id.clone()]));
    assert_eq!(found("search=100%25").await, HashSet::new());
    let first =
        server.get(&format!("{}/orders?limit=1", shop.event.path), &shop.organiser.key).await.expect(200);
    let cursor = text(&first["next_cursor"]);
    let both: HashSet<String> = HashSet::from([text(&first["items"][0]["order_id"])])
        .into_iter()
        .chain(found(&format!("cursor={cursor}")).await)
        .collect();
    assert_eq!(both.len(), 2);
    server
        .get(&format!("{}/orders?search=x", shop.event.path), &shop.organiser.key)
        .await
        .expect_problem(400, "invalid_query");
}
