//! Advertising: who saw what counts once, and what it brought is known.

use liventix_server::platform::config::Limits;
use liventix_server::platform::rate_limit::Limit;
use serde_json::{Value, json};

use super::{ask, count};
use crate::support::shop::{StripeWorld, key};
use crate::support::{Event, NOW, Organiser, Server, form, new_id, text};

const DAY: i64 = 86_400_000;

async fn creative(server: &Server, organiser: &Organiser, event: &Event, name: &str) -> Value {
    let campaigns = format!("{}/ad-campaigns", event.path);
    let campaign = server.post(&campaigns, &organiser.key, &json!({"name": "Summer"})).await.expect(201);
    let creatives = format!("{campaigns}/{}/creatives", text(&campaign["ad_campaign_id"]));
    server.post(&creatives, &organiser.key, &json!({ "name": name })).await.expect(201)
}

fn seen(creative: &Value, kind: &str, at: i64) -> Value {
    json!({"id": new_id(), "kind": kind, "creative_id": creative["creative_id"], "at": at})
}

async fn tell(server: &Server, key: &str, events: &[Value]) -> Value {
    server.post("/v1/ad-events", key, &json!({ "events": events })).await.expect(200)
}

async fn world() -> (Server, Organiser, Event) {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    (server, organiser, event)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_counts_once_and_programs_do_not() {
    let (server, organiser, event) = world().await;
    let poster = creative(&server, &organiser, &event, "Poster").await;
    let tracker = organiser.key_with(&server, "track").await;
    let impression = seen(&poster, "impression", NOW);
    let mut robot = seen(&poster, "click", NOW);
    robot["user_agent"] = json!("Mozilla/5.0 (compatible; Googlebot/2.1)");
    let mut ida = seen(&poster, "click", NOW);
    ida["visitor"] = json!("ida");
    let mut again = seen(&poster, "click", NOW + 1);
    again["visitor"] = json!("ida");
    let mut later = seen(&poster, "click", NOW - 60_000);
    later["visitor"] = json!("ida");
    let stranger = Organiser::create(&server, "B").await;
    let theirs = stranger.event(&server).await;
    let theirs = creative(&server, &stranger, &theirs, "Other").await;
    let events = [
        impression.clone(),
        impression.clone(),
        robot.clone(),
        ida.clone(),
        again,
        later,
        seen(&poster, "impression", NOW - 8 * DAY),
        seen(&poster, "impression", NOW + DAY),
        seen(&theirs, "impression", NOW),
    ];
    let expected = json!({
        "counted": 3, "duplicates": 1, "repeated": 1, "bots": 1, "out_of_time": 2, "unknown": 1
    });
    assert_eq!(tell(&server, &tracker, &events).await, expected);
    // Told again, in whatever company, nothing of it counts.
    let again = tell(&server, &tracker, &[robot, impression, ida]).await;
    assert_eq!((&again["counted"], &again["duplicates"]), (&json!(0), &json!(3)));
    count(&server, &organiser.key).await;
    let found = ask(&server, &organiser.key, "creatives").await["figures"]["creatives"][0].clone();
    assert_eq!((&found["impressions"], &found["clicks"]), (&json!(1), &json!(2)));
    assert_eq!(found["ctr"]["value"], 2.0);
    assert_eq!(found["conversion"], json!({"value": 0.0, "why_none": null}));
    let others = ask(&server, &stranger.key, "creatives").await["figures"]["creatives"][0].clone();
    assert_eq!((&others["impressions"], &others["ctr"]["why_none"]), (&json!(0), &json!("no_impressions")));
    // That key may do nothing else, and others may not do this.
    server.get("/v1/events", &tracker).await.expect_problem(403, "scope_missing");
    let reader = organiser.key_with(&server, "read").await;
    let body = json!({"events": [seen(&poster, "click", NOW)]});
    server.post("/v1/ad-events", &reader, &body).await.expect_problem(403, "scope_missing");
}

/// What is remembered of what was told is forgotten only once it is too old to be told again.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_told_again_when_it_is_forgotten() {
    let (server, organiser, event) = world().await;
    let poster = creative(&server, &organiser, &event, "Poster").await;
    let impression = seen(&poster, "impression", NOW);
    for (days, what) in [(0, "counted"), (6, "duplicates"), (2, "out_of_time"), (30, "out_of_time")] {
        server.clock.advance(days * DAY);
        liventix_server::platform::maintenance::put_in(server.app()).await.unwrap();
        let taken = tell(&server, &organiser.key, std::slice::from_ref(&impression)).await;
        assert_eq!(taken[what], 1, "{days} {taken}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_told_by_many_at_once_counts_once() {
    let (server, organiser, event) = world().await;
    let poster = creative(&server, &organiser, &event, "Poster").await;
    let events: Vec<Value> = (0..20).map(|_| seen(&poster, "impression", NOW)).collect();
    let calls = (0..8).map(|_| tell(&server, &organiser.key, &events));
    let taken = futures_util::future::join_all(calls).await;
    assert_eq!(taken.iter().map(|it| it["counted"].as_i64().unwrap()).sum::<i64>(), 20);
    assert_eq!(taken.iter().map(|it| it["duplicates"].as_i64().unwrap()).sum::<i64>(), 140);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_and_nonsense_is_refused_with_what_to_do() {
    let limits = Limits { ad_events: Limit::per_minute(2), ..Limits::all(Limit::per_minute(100_000)) };
    let server = Server::start_with(limits).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let poster = creative(&server, &organiser, &event, "Poster").await;
    let post = async |events: Vec<Value>| {
        server.post("/v1/ad-events", &organiser.key, &json!({ "events": events })).await
    };
    post(vec![]).await.expect_problem(422, "invalid_field");
    post(vec![seen(&poster, "click", NOW); 501]).await.expect_problem(422, "invalid_field");
    let mut long = seen(&poster, "click", NOW);
    long["visitor"] = json!("x".repeat(201));
    post(vec![long]).await.expect_problem(422, "invalid_field");
    post(vec![json!({"id": 5})]).await.expect_problem(422, "invalid_body");
    post(vec![seen(&poster, "click", NOW)]).await.expect(200);
    post(vec![seen(&poster, "click", NOW)]).await.expect(200);
    post(vec![seen(&poster, "click", NOW)]).await.expect_problem(429, "rate_limited");
    let nowhere = format!("{}/ad-campaigns/{}/creatives", event.path, new_id());
    server
        .post(&nowhere, &organiser.key, &json!({"name": "x"}))
        .await
        .expect_problem(404, "ad_campaign_not_found");
    let spend = json!({"amount": 1, "currency": "EUR"});
    let nothing = format!("{}/creatives/{}/spend/2026-08-01", event.path, new_id());
    server.call("PUT", &nothing, &organiser.key, &spend).await.expect_problem(404, "creative_not_found");
    let id = text(&poster["creative_id"]);
    let never = format!("{}/creatives/{id}/spend/yesterday", event.path);
    server.call("PUT", &never, &organiser.key, &spend).await.expect_problem(400, "invalid_path");
    let less = json!({"amount": -1, "currency": "EUR"});
    let day = format!("{}/creatives/{id}/spend/2026-08-01", event.path);
    server.call("PUT", &day, &organiser.key, &less).await.expect_problem(422, "invalid_field");
}

/// From seeing to coming, with what it cost and brought.
#[tokio::test(flavor = "multi_thread")]
async fn what_advertising_costs_and_brings_is_known() {
    let w = StripeWorld::start().await;
    let (server, organiser, event) = (&w.server, &w.shop.organiser, &w.shop.event);
    let poster = creative(server, organiser, event, "Poster").await;
    // Those of one millisecond come in any order.
    server.clock.advance(1);
    let flyer = creative(server, organiser, event, "Flyer").await;
    assert!(text(&poster["url"]).ends_with(&format!(
        "/shop/{}?ad={}",
        event.id,
        text(&poster["creative_id"])
    )));
    let mut events: Vec<Value> = (0..40).map(|_| seen(&poster, "impression", NOW)).collect();
    events.extend((0..4).map(|_| seen(&poster, "click", NOW)));
    tell(server, &organiser.key, &events).await;
    let spend = format!("{}/creatives/{}/spend/2026-07-31", event.path, text(&poster["creative_id"]));
    for amount in [9_999, 2_075] {
        let body = json!({"amount": amount, "currency": "EUR"});
        server.call("PUT", &spend, &organiser.key, &body).await.expect(200);
    }
    // By the shop's page, as buyers come.
    let page = server.get(&format!("/shop/{}?ad={}", event.id, text(&poster["creative_id"])), "").await;
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.contains(&format!("name=\"ad\" value=\"{}\"", text(&poster["creative_id"]))));
    let (checkout, ad, quantity) = (key(), text(&poster["creative_id"]), format!("quantity-{}", event.day));
    let body = form(&[
        ("key", &checkout),
        ("ad", &ad),
        (&quantity, "2"),
        ("name", "Ida Berg"),
        ("email", "ida@example.org"),
    ]);
    let request = server.request(reqwest::Method::POST, &format!("/shop/{}", event.id), "").body(body);
    let answer = server.send(request.header("content-type", "application/x-www-form-urlencoded")).await;
    assert_eq!(answer.status, 200, "followed to the order's page");
    let intent = text(&w.stripe.all("payment_intent").last().unwrap()["id"]);
    w.stripe.buyer_pays(&intent, liventix_stand_ins::stripe::Card::Good).unwrap();
    crate::support::shop::apply(server, &w.event("payment_intent.succeeded")).await;
    // By a link that is mistyped, and by none.
    let mut wish = w.shop.wish(1);
    wish["creative_id"] = json!(new_id());
    w.shop.try_order(server, &key(), "", &wish).await.expect(201);
    w.paid(1).await;
    count(server, &organiser.key).await;
    let all = ask(server, &organiser.key, &format!("creatives?event_id={}&limit=1", event.id)).await;
    let found = &all["figures"]["creatives"][0];
    assert_eq!((&found["name"], &found["campaign"]), (&json!("Poster"), &json!("Summer")));
    assert_eq!((&found["orders"], &found["tickets"]), (&json!(1), &json!(2)));
    assert_eq!((&found["ctr"]["value"], &found["conversion"]["value"]), (&json!(0.1), &json!(0.25)));
    let money = json!({
        "currency": "EUR", "spend": 2_075, "revenue": 8_300,
        "cost_per_order": {"value": 2_075.0, "why_none": null}, "return_on_spend": {"value": 4.0, "why_none": null}
    });
    assert_eq!(found["money"], json!([money]));
    let next = format!("creatives?limit=1&cursor={}", text(&all["figures"]["next_cursor"]));
    let rest = ask(server, &organiser.key, &next).await["figures"].clone();
    assert_eq!((&rest["creatives"][0]["name"], &rest["next_cursor"]), (&json!("Flyer"), &Value::Null));
    assert_eq!(rest["creatives"][0]["creative_id"], flyer["creative_id"]);
    // Each was made with a campaign of its own, of one name.
    let campaigns = ask(server, &organiser.key, "ad-campaigns?limit=1").await["figures"].clone();
    let first = &campaigns["ad_campaigns"][0];
    assert_eq!(
        (&first["name"], &first["orders"], &first["money"]),
        (&json!("Summer"), &json!(1), &found["money"])
    );
    let next = format!("ad-campaigns?limit=1&cursor={}", text(&campaigns["next_cursor"]));
    let rest = ask(server, &organiser.key, &next).await["figures"].clone();
    assert_eq!((&rest["ad_campaigns"][0]["impressions"], &rest["next_cursor"]), (&json!(0), &Value::Null));
    assert_eq!(rest["ad_campaigns"][0]["ctr"]["why_none"], "no_impressions");
    let funnel = ask(server, &organiser.key, "funnel").await["figures"]["steps"].clone();
    let counts: Vec<i64> =
        funnel.as_array().unwrap().iter().map(|step| step["count"].as_i64().unwrap()).collect();
    assert_eq!(counts, [40, 4, 3, 2, 3, 0]);
    assert_eq!(funnel[1]["of_previous"], json!({"value": 0.1, "why_none": null}));
    assert_eq!(funnel[0]["of_previous"], Value::Null);
}
