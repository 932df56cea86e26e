//! What an event sells: setting it, showing it, what it costs.

use serde_json::{Value, json};

use crate::support::shop::trying_out;
use crate::support::{ADMIN, NOW, Organiser, Server, Shop, new_id, text};

#[tokio::test]
async fn an_organiser_sets_prices_and_buyers_see_what_they_come_to() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(100)).await;
    let offer = server.get(&format!("/v1/shop/events/{}", shop.event.id), "").await.expect(200);
    assert_eq!(offer["event"]["name"], "Harbour Lights");
    assert_eq!(offer["event"]["organiser"], "Harbour");
    assert_eq!((&offer["currency"], &offer["provider"]), (&json!("EUR"), &json!("test")));
    let day = &offer["types"][0];
    assert_eq!((&day["availability"], &day["most"]), (&json!("on_sale"), &json!(10)));
    let each = json!({"price": 4_000, "fee": 150, "buyer_fee": 150, "tax": 663, "total": 4_150});
    assert_eq!(day["each"], each);
    let quote = format!("/v1/shop/events/{}/quote", shop.event.id);
    let quote = server.post(&quote, "", &json!({"items": shop.wish(3)["items"]})).await.expect(200);
    let sums = ["subtotal", "buyer_fees", "fees", "tax", "total"].map(|sum| quote[sum].as_i64().unwrap());
    assert_eq!(sums, [12_000, 450, 450, 1_989, 12_450]);
}

#[tokio::test]
async fn what_is_wrong_with_a_sale_is_said() {
    let server = trying_out().await;
    let organiser = Organiser::create(&server, "Harbour").await;
    let event = organiser.event(&server).await;
    let path = format!("{}/sales", event.path);
    server.get(&path, &organiser.key).await.expect_problem(404, "sales_not_set_up");
    server.get(&format!("/v1/shop/events/{}", event.id), "").await.expect_problem(404, "nothing_on_sale");
    server.get(&format!("/v1/shop/events/{}", new_id()), "").await.expect_problem(404, "nothing_on_sale");
    let put = async |path: &str, body: Value| server.call("PUT", path, &organiser.key, &body).await;
    let kind = format!("{path}/{}", event.day);
    put(&kind, json!({"price": 100})).await.expect_problem(404, "sales_not_set_up");
    put(&path, json!({"currency": "eur"})).await.expect_problem(422, "invalid_body");
    for (field, settings) in [
        ("hold_minutes", json!({"currency": "KWD", "hold_minutes": 4})),
        ("max_per_order", json!({"currency": "KWD", "max_per_order": 51})),
    ] {
        let refused = put(&path, settings).await;
        refused.expect_problem(422, "invalid_field");
        assert_eq!(refused.json["issues"][0]["field"], field);
    }
    put(&path, json!({"currency": "KWD"})).await.expect(200);
    for (field, sale) in [
        ("price", json!({"price": 1_005})),
        ("price", json!({"price": -10})),
        ("tax_rate_bp", json!({"price": 0, "tax_rate_bp": 10_001})),
        ("max_per_order", json!({"price": 0, "max_per_order": 0})),
        ("capacity", json!({"price": 0, "capacity": 10_000_001})),
        ("on_sale_until", json!({"price": 0, "on_sale_from": 2, "on_sale_until": 2})),
    ] {
        let refused = put(&kind, sale).await;
        refused.expect_problem(422, "invalid_field");
        assert_eq!(refused.json["issues"][0]["field"], field, "{}", refused.json);
    }
    put(&format!("{path}/{}", new_id()), json!({"price": 0}))
        .await
        .expect_problem(404, "ticket_type_not_found");
    put(&kind, json!({"price": 1_010})).await.expect(200);
    // 1.010 dinars are 1010 yen; but what is a multiple of ten there is none of a hundredth's here.
    put(&path, json!({"currency": "JPY"})).await.expect(200);
    put(&kind, json!({"price": 1_005})).await.expect(200);
    put(&path, json!({"currency": "KWD"})).await.expect_problem(422, "invalid_field");
}

#[tokio::test]
async fn fees_are_set_by_whoever_runs_the_server() {
    let server = trying_out().await;
    let organiser = Organiser::create(&server, "Harbour").await;
    let (path, fee) = (organiser.path("fees/EUR"), json!({"fixed": 50, "percent_bp": 250, "cap": 900}));
    server.call("PUT", &path, &organiser.key, &fee).await.expect_problem(401, "unauthenticated");
    server.call("PUT", &path, ADMIN, &fee).await.expect(200);
    let all = server.get(&organiser.path("fees"), ADMIN).await.expect(200);
    assert_eq!(all, json!([{"currency": "EUR", "fixed": 50, "percent_bp": 250, "cap": 900}]));
    for (field, wrong) in [("percent_bp", json!({"percent_bp": 5_001})), ("fixed", json!({"fixed": -1}))] {
        let refused = server.call("PUT", &path, ADMIN, &wrong).await;
        refused.expect_problem(422, "invalid_field");
        assert_eq!(refused.json["issues"][0]["field"], field);
    }
    server.call("PUT", &organiser.path("fees/eur"), ADMIN, &fee).await.expect_problem(400, "invalid_path");
    let nobody = format!("/v1/organisers/{}/fees/EUR", new_id());
    server.call("PUT", &nobody, ADMIN, &fee).await.expect_problem(404, "organiser_not_found");
    let audit = server.get(&organiser.path("audit"), &organiser.key).await.expect(200);
    assert!(audit.to_string().contains("organiser.fee_set"), "{audit}");
}

#[tokio::test]
async fn tickets_are_sold_in_their_time_and_as_many_as_there_are() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(2)).await;
    let offered = async || {
        let offer = server.get(&format!("/v1/shop/events/{}", shop.event.id), "").await.expect(200);
        offer["types"].as_array().unwrap().first().map(|kind| text(&kind["availability"]))
    };
    let order = async |quantity: u32| {
        let wish = shop.wish(quantity);
        shop.try_order(&server, &crate::support::shop::key(), "", &wish).await
    };
    shop.order(&server, 1).await;
    order(2).await.expect_problem(409, "sold_out");
    shop.order(&server, 1).await;
    assert_eq!(offered().await.as_deref(), Some("sold_out"));
    let more = json!({"price": 4_000, "capacity": 1});
    shop.price(&server, &shop.event.day, more).await.expect_problem(409, "capacity_taken");
    let later = json!({"price": 4_000, "on_sale_from": NOW + 1, "on_sale_until": NOW + 1_000});
    shop.price(&server, &shop.event.day, later).await.expect(200);
    assert_eq!(offered().await.as_deref(), Some("not_yet"));
    order(1).await.expect_problem(409, "not_on_sale");
    server.clock.advance(1_000);
    assert_eq!(offered().await.as_deref(), Some("ended"));
    order(1).await.expect_problem(409, "not_on_sale");
    let hidden = json!({"price": 4_000, "is_open": false});
    shop.price(&server, &shop.event.day, hidden).await.expect(200);
    assert_eq!(offered().await, None);
    order(1).await.expect_problem(409, "not_on_sale");
}

#[tokio::test]
async fn what_was_ordered_stays_as_it_was() {
    let server = trying_out().await;
    let shop = Shop::open(&server, None).await;
    let order = shop.order(&server, 1).await;
    shop.set(&server, json!({"currency": "USD"})).await.expect_problem(409, "in_use");
    shop.price(&server, &shop.event.day, json!({"price": 9_900})).await.expect(200);
    server.call("PUT", &shop.organiser.path("fees/EUR"), ADMIN, &json!({})).await.expect(200);
    assert_eq!(order.view(&server).await["total"], 4_150);
    let sale = format!("{}/sales/{}", shop.event.path, shop.event.day);
    let gone = server.call("DELETE", &sale, &shop.organiser.key, &json!(null)).await;
    gone.expect_problem(409, "in_use");
    let kind = format!("{}/ticket-types/{}", shop.event.path, shop.event.day);
    let gone = server.call("DELETE", &kind, &shop.organiser.key, &json!(null)).await;
    gone.expect_problem(409, "in_use");
    let family = format!("{}/sales/{}", shop.event.path, shop.event.family);
    server.call("PUT", &family, &shop.organiser.key, &json!({"price": 0})).await.expect(200);
    server.call("DELETE", &family, &shop.organiser.key, &json!(null)).await.expect(204);
    let gone = server.call("DELETE", &family, &shop.organiser.key, &json!(null)).await;
    gone.expect_problem(404, "ticket_type_not_found");
}

#[tokio::test]
async fn without_a_provider_only_what_costs_nothing_is_ordered() {
    let server = Server::start().await;
    let shop = Shop::open(&server, None).await;
    let wish = shop.wish(1);
    let refused = shop.try_order(&server, &crate::support::shop::key(), "", &wish).await;
    refused.expect_problem(503, "payments_off");
    assert_eq!(shop.stock(&server).await, (0, 0));
    shop.price(&server, &shop.event.day, json!({"price": 0})).await.expect(200);
    let order = shop.order(&server, 2).await;
    assert_eq!((&order.view["status"], &order.view["total"]), (&json!("paid"), &json!(0)));
    assert!(order.view.get("payment").is_none());
    assert_eq!(shop.stock(&server).await, (0, 2));
}
