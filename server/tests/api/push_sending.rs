//! Push messages on their way: within limits and quiet hours, as few as can be, and whatever their service does.

use liventix_stand_ins::push::{Fault, Verdict};
use serde_json::{Value, json};

use crate::support::push::{PushWorld, apns_token, fcm_token};
use crate::support::{ADMIN, Phone, text};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Tells the attendees of the event: the campaign.
async fn tell(w: &PushWorld, title: &str, body: &str) -> Value {
    let wish = json!({ "title": title, "body": body });
    w.server.post(&format!("{}/campaigns", w.event.path), &w.organiser.key, &wish).await.expect(201)
}

async fn messages(w: &PushWorld) -> Vec<Value> {
    let page = w.server.get("/v1/admin/push/messages?limit=200", ADMIN).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

/// How many stand so, and why.
async fn count(w: &PushWorld, status: &str, reason: Option<&str>) -> usize {
    let is_so = |it: &&Value| it["status"] == status && it["reason"].as_str() == reason;
    messages(w).await.iter().filter(is_so).count()
}

async fn becomes(w: &PushWorld, status: &str, reason: Option<&str>, number: usize) {
    w.comes(async || {
        w.server.app().queue().wake("notices");
        (count(w, status, reason).await == number).then_some(())
    })
    .await;
}

/// The same, while time passes: what failed is tried again.
async fn becomes_in_time(w: &PushWorld, status: &str, reason: Option<&str>, number: usize) {
    w.comes(async || {
        w.pass_time().await;
        (count(w, status, reason).await == number).then_some(())
    })
    .await;
}

async fn prefer(w: &PushWorld, phone: &Phone, category: &str, wish: Value) {
    let mut all = w.server.get("/v1/wallet/push", &phone.token).await.expect(200)["preferences"].clone();
    all[category] = wish;
    w.server.call("PUT", "/v1/wallet/push/preferences", &phone.token, &all).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_so_many_an_hour_and_the_rest_as_one() {
    let w = PushWorld::start_set(|config| {
        config.limits.push_person = liventix_server::platform::rate_limit::Limit::per_hour(2);
    })
    .await;
    let phone = w.phone().await;
    w.register(&phone, "apns", &apns_token(1)).await;
    for number in 1..=5 {
        w.advance(1_000).await;
        tell(&w, "Harbour Lights", &format!("News {number}")).await;
        becomes(&w, "sent", None, number.min(2)).await;
    }
    becomes(&w, "queued", Some("limited"), 3).await;
    assert_eq!(w.shows(&apns_token(1), 2).await.len(), 2);
    let health = w.server.get("/v1/admin/push", ADMIN).await.expect(200);
    assert_eq!((&health["waiting"], &health["held"]), (&json!(3), &json!([{"code": "limited", "count": 3}])));
    w.advance(HOUR).await;
    becomes(&w, "grouped", None, 2).await;
    becomes(&w, "sent", None, 3).await;
    let shown = w.shows(&apns_token(1), 3).await;
    assert_eq!(shown.len(), 3, "three came as one");
    let last = shown.iter().find(|it| it.body.contains('•')).unwrap();
    assert_eq!((&*last.title, &*last.body), ("Harbour Lights", "• News 5\n• News 4\n• News 3"));
    let health = w.server.get("/v1/admin/push", ADMIN).await.expect(200);
    assert_eq!((&health["grouped"], &health["limited"]), (&json!(2), &json!(3)));
    let grouped = messages(&w).await.into_iter().find(|it| it["status"] == "grouped").unwrap();
    assert_eq!(grouped["grouped_into"], last.collapse_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_night_is_quiet_but_for_what_is_wanted_at_any_time() {
    let w = PushWorld::start().await;
    let phone = w.phone().await;
    w.register(&phone, "fcm", &fcm_token(1)).await;
    // 23:30 in Paris.
    w.advance(3 * HOUR + 30 * MINUTE).await;
    for body in ["Lost: a red scarf", "Trains run until two"] {
        w.advance(1).await;
        tell(&w, "Harbour Lights", body).await;
        w.comes(async || {
            w.server.app().queue().wake("notices");
            messages(&w).await.iter().any(|it| it["body"] == body).then_some(())
        })
        .await;
    }
    becomes(&w, "queued", Some("quiet_hours"), 2).await;
    let due: Vec<Value> = messages(&w).await.iter().map(|it| it["due_at"].clone()).collect();
    let eight = 1_785_520_800_000 + 12 * HOUR;
    assert_eq!(due, [json!(eight), json!(eight)]);
    w.test(&phone).await;
    assert_eq!(w.shows(&fcm_token(1), 1).await[0].title, "It works");
    w.advance(8 * HOUR + 30 * MINUTE - 3).await;
    assert_eq!(w.services.shown()[&fcm_token(1)].len(), 1);
    w.advance(1).await;
    becomes(&w, "grouped", None, 1).await;
    let shown = w.shows(&fcm_token(1), 2).await;
    let news = shown.iter().find(|it| it.title == "Harbour Lights").unwrap();
    assert_eq!(news.body, "• Trains run until two\n• Lost: a red scarf");
    assert!(!news.is_urgent, "nobody waits for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_wants_any_more_does_not_go_and_says_why() {
    let w = PushWorld::start().await;
    let phones = [w.phone().await, w.phone().await, w.phone().await];
    for (number, phone) in (1..).zip(&phones) {
        w.register(phone, "apns", &apns_token(number)).await;
    }
    prefer(&w, &phones[0], "news", json!({"is_on": false})).await;
    w.server.pause("push").await;
    tell(&w, "News", "Something").await;
    becomes(&w, "queued", None, 3).await;
    w.server.call("DELETE", "/v1/wallet/push", &phones[1].token, &json!(null)).await.expect(204);
    w.server.resume("push").await;
    becomes(&w, "withheld", Some("unwanted"), 1).await;
    becomes(&w, "withheld", Some("no_device"), 1).await;
    becomes(&w, "sent", None, 1).await;
    // What comes too late.
    w.server.pause("push").await;
    tell(&w, "News", "Something else").await;
    w.comes(async || {
        w.server.app().queue().wake("notices");
        (messages(&w).await.len() == 5).then_some(())
    })
    .await;
    w.advance(25 * HOUR).await;
    w.server.resume("push").await;
    becomes(&w, "withheld", Some("expired"), 2).await;
    assert_eq!(w.services.taken().len(), 1);
    let health = w.server.get("/v1/admin/push", ADMIN).await.expect(200);
    assert_eq!(health["withheld"][0], json!({"code": "expired", "count": 2}));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_service_does_a_phone_shows_a_message_once() {
    for (service, token) in [("apns", apns_token(1)), ("fcm", fcm_token(1))] {
        for fault in [
            Fault::HangBefore,
            Fault::HangAfter,
            Fault::BreakBefore,
            Fault::BreakAfter,
            Fault::Garble,
            Fault::TooMany(2),
            Fault::Fail(500),
            Fault::Fail(503),
        ] {
            let w =
                PushWorld::start_set(|config| config.push.timeout = std::time::Duration::from_secs(1)).await;
            let phone = w.phone().await;
            w.register(&phone, service, &token).await;
            w.services.fail(fault.clone());
            let id = w.test(&phone).await;
            becomes(&w, "queued", Some("unanswered"), 1).await;
            let [waiting] = &messages(&w).await[..] else { panic!("{fault:?}") };
            assert!(waiting["detail"].as_str().is_some_and(|said| said.len() > 10), "{waiting}");
            becomes_in_time(&w, "sent", None, 1).await;
            let shown = &w.services.shown()[&token];
            assert_eq!(shown.keys().collect::<Vec<_>>(), [&id], "{service} {fault:?}");
            assert_eq!(messages(&w).await[0]["tries"], 2);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_asks_for_is_waited() {
    let w = PushWorld::start().await;
    let phone = w.phone().await;
    w.register(&phone, "fcm", &fcm_token(1)).await;
    w.services.fail(Fault::TooMany(120));
    w.test(&phone).await;
    becomes_in_time(&w, "sent", None, 1).await;
    let message = &messages(&w).await[0];
    let waited = message["sent_at"].as_i64().unwrap() - message["created_at"].as_i64().unwrap();
    assert!((120_000..=144_000).contains(&waited), "{waited}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_is_left_alone_and_everything_comes_afterwards() {
    let w = PushWorld::start().await;
    let phones = [w.phone().await, w.phone().await];
    for (number, phone) in (1..).zip(&phones) {
        w.register(phone, "apns", &apns_token(number)).await;
    }
    for number in 1..=5 {
        w.services.fail(Fault::Fail(503));
        w.test(&phones[0]).await;
        becomes(&w, "queued", Some("unanswered"), number).await;
    }
    let calls = w.services.calls();
    w.test(&phones[1]).await;
    becomes(&w, "queued", Some("provider_down"), 1).await;
    assert_eq!(w.services.calls(), calls, "nobody called");
    becomes_in_time(&w, "sent", None, 6).await;
    assert_eq!((w.services.shown()[&apns_token(1)].len(), w.services.shown()[&apns_token(2)].len()), (5, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_service_takes_is_a_dead_letter_and_can_be_tried_again() {
    let w = PushWorld::start().await;
    let phone = w.phone().await;
    w.register(&phone, "apns", &apns_token(1)).await;
    w.services.judge(&apns_token(1), Some(Verdict::TooMany));
    let id = w.test(&phone).await;
    becomes_in_time(&w, "failed", Some("unanswered"), 1).await;
    assert_eq!((messages(&w).await[0]["tries"].as_i64(), w.services.calls()), (Some(6), 6));
    let dead = w
        .comes(async || {
            let dead = w.server.get("/v1/admin/dead-letters?queue=push", ADMIN).await.expect(200);
            dead["items"][0].is_object().then_some(dead)
        })
        .await;
    let job = text(&dead["items"][0]["job_id"]);
    assert!(!dead.to_string().contains(&apns_token(1)), "a token is in no letter");
    w.services.judge(&apns_token(1), None);
    w.server.post(&format!("/v1/admin/dead-letters/{job}/retry"), ADMIN, &json!({})).await.expect(204);
    becomes(&w, "sent", None, 1).await;
    assert_eq!(w.shows(&apns_token(1), 1).await[0].collapse_id, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_fails_at_once_and_five_of_these_are_enough() {
    let w = PushWorld::start().await;
    let phone = w.phone().await;
    w.register(&phone, "fcm", &fcm_token(1)).await;
    w.services.judge(&fcm_token(1), Some(Verdict::Refused));
    for number in 1..=5 {
        w.test(&phone).await;
        becomes(&w, "failed", Some("refused"), number).await;
    }
    w.test(&phone).await;
    becomes(&w, "withheld", Some("no_device"), 1).await;
    let health = w.server.get("/v1/admin/push", ADMIN).await.expect(200);
    assert_eq!(health["inactive"], json!([{"code": "failing", "count": 1}]));
    assert_eq!(health["failed"], json!([{"code": "refused", "count": 5}]));
    // Told again, it is tried again; and a message of before by whoever runs the installation.
    w.services.judge(&fcm_token(1), None);
    w.register(&phone, "fcm", &fcm_token(1)).await;
    let failed = messages(&w).await.into_iter().find(|it| it["status"] == "failed").unwrap();
    let path = format!("/v1/admin/push/messages/{}/retry", text(&failed["message_id"]));
    w.server.post(&path, ADMIN, &json!({})).await.expect(202);
    w.shows(&fcm_token(1), 1).await;
    becomes(&w, "sent", None, 1).await;
    w.server.post(&path, ADMIN, &json!({})).await.expect_problem(409, "message_ended");
    let unknown = path.replace(&text(&failed["message_id"]), &crate::support::new_id());
    w.server.post(&unknown, ADMIN, &json!({})).await.expect_problem(404, "message_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_to_call_with_are_made_anew_in_time() {
    let w = PushWorld::start().await;
    let phones = [w.phone().await, w.phone().await];
    w.register(&phones[0], "apns", &apns_token(1)).await;
    w.register(&phones[1], "fcm", &fcm_token(1)).await;
    for round in 1..=4 {
        for phone in &phones {
            w.test(phone).await;
        }
        becomes(&w, "sent", None, 2 * round).await;
        w.advance(25 * MINUTE).await;
    }
    // At 0, 25, 50 and 75 minutes; made at 0 and at 50.
    assert_eq!((w.services.provider_tokens(), w.services.sign_ins()), (2, 2));
    // Google takes it no longer, for whatever reason: a new one is asked for.
    w.services.fail(Fault::Fail(401));
    w.test(&phones[1]).await;
    becomes_in_time(&w, "sent", None, 9).await;
    assert_eq!(w.services.sign_ins(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_say_what_became_of_a_message_and_only_of_ones_own() {
    let w = PushWorld::start().await;
    let (phone, other) = (w.phone().await, w.phone().await);
    w.register(&phone, "apns", &apns_token(1)).await;
    let id = w.test(&phone).await;
    w.shows(&apns_token(1), 1).await;
    becomes(&w, "sent", None, 1).await;
    w.advance(10_000).await;
    let receipts = |kinds: &[&str]| {
        let receipt = |kind: &&str| json!({"message_id": id, "kind": kind, "age_ms": 4_000});
        json!({ "receipts": kinds.iter().map(receipt).collect::<Vec<_>>() })
    };
    let path = "/v1/wallet/push/receipts";
    w.server.post(path, &other.token, &receipts(&["opened"])).await.expect(204);
    assert!(messages(&w).await[0].get("opened_at").is_none());
    w.server.post(path, &phone.token, &receipts(&["delivered"])).await.expect(204);
    let sent_at = messages(&w).await[0]["sent_at"].as_i64().unwrap();
    assert_eq!(messages(&w).await[0]["delivered_at"], sent_at + 6_000);
    w.advance(10_000).await;
    w.server.post(path, &phone.token, &receipts(&["delivered", "opened"])).await.expect(204);
    let [message] = &messages(&w).await[..] else { panic!() };
    assert_eq!(message["delivered_at"], sent_at + 6_000, "the first counts");
    assert_eq!(message["opened_at"], sent_at + 16_000);
    let health = w.server.get("/v1/admin/push", ADMIN).await.expect(200);
    assert_eq!([&health["month"], &health["delivered"], &health["opened"]], [&json!(1); 3]);
    w.server.post(path, &phone.token, &json!({"receipts": []})).await.expect_problem(422, "invalid_field");
    w.server.post(path, &phone.token, &receipts(&["lost"])).await.expect_problem(422, "invalid_body");
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_that_are_silent_for_most_of_a_year_are_sent_nothing_and_forgotten() {
    let w = PushWorld::start().await;
    let phone = w.phone().await;
    w.register(&phone, "apns", &apns_token(1)).await;
    let tidied = async |inactive: Value, devices: Value| {
        w.comes(async || {
            let health = w.server.get("/v1/admin/push", ADMIN).await.expect(200);
            ((&health["inactive"], &health["devices"]) == (&inactive, &devices)).then_some(())
        })
        .await;
    };
    w.advance(271 * 24 * HOUR).await;
    put_tidy(&w).await;
    tidied(json!([{"code": "stale", "count": 1}]), json!([])).await;
    w.advance(31 * 24 * HOUR).await;
    put_tidy(&w).await;
    tidied(json!([]), json!([])).await;
    w.server.get("/v1/wallet/push", &phone.token).await.expect_problem(404, "push_device_not_found");
}

/// What comes each hour by itself; the server looks by a clock of its own.
async fn put_tidy(w: &PushWorld) {
    use liventix_server::platform::queue::NewJob;
    let app = w.server.app();
    let job = NewJob::new("push", "tidy.1", Value::Null);
    let queue = app.queue().clone();
    let put: Result<_, liventix_server::platform::db::DbError> =
        app.db().write(move |tx| Box::pin(async move { queue.enqueue(tx, &job).await })).await;
    put.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_go_over_one_connection_and_not_all_at_once() {
    let w = PushWorld::start().await;
    for number in 0..40 {
        let phone = w.phone().await;
        w.register(&phone, "apns", &apns_token(number)).await;
    }
    tell(&w, "News", "Something").await;
    becomes(&w, "sent", None, 40).await;
    let (most_open, connections) = w.services.most_open();
    assert!(most_open <= 100, "{most_open} at once");
    assert_eq!(connections, 1);
    // The connection breaks off; the next message makes another.
    w.services.hang_up();
    w.advance(60_000).await;
    tell(&w, "News", "Something else").await;
    w.comes(async || {
        w.server.app().queue().wake("notices");
        w.server.clock.advance(100);
        (count(&w, "sent", None).await == 80).then_some(())
    })
    .await;
    assert_eq!(w.services.shown().values().map(std::collections::BTreeMap::len).sum::<usize>(), 80);
}
