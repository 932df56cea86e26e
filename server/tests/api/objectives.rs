//! Indicators against objectives: what is counted, over how long, by how many.

use std::time::Duration;

use liventix_server::platform::objectives::{self, Sli};
use serde_json::{Value, json};

use crate::support::{ADMIN, NOW, Organiser, Server, new_id};

const DAY: i64 = 86_400_000;

async fn scan(server: &Server) -> Value {
    let all = server.get("/v1/admin/objectives", ADMIN).await.expect(200);
    all.as_array().unwrap().iter().find(|one| one["sli"] == "scan").unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_doors_ask_is_measured_and_the_callers_mistakes_are_not() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let nothing = scan(&server).await;
    assert_eq!((&nothing["success"]["events"], &nothing["success"]["share"]), (&json!(0), &Value::Null));
    let redeem = format!("{}/redeem", event.path);
    let body = |code: &str| json!({"scan_id": new_id(), "gate_id": event.gate, "code": code, "direction": "entry", "people": 1});
    server.post(&redeem, &organiser.key, &body("nothing")).await.expect(200);
    server.post(&redeem, &organiser.key, &body("nor this")).await.expect(200);
    server.post(&redeem, "", &body("x")).await.expect(401);
    server.post(&redeem, &organiser.key, &json!({"code": 5})).await.expect(422);
    let found = scan(&server).await;
    assert_eq!((&found["success"]["events"], &found["success"]["failed"]), (&json!(2), &json!(0)));
    assert_eq!((&found["success"]["share"], &found["success"]["is_met"]), (&json!(1.0), &json!(true)));
    assert_eq!(found["latency"]["events"], 2);
    assert_eq!(found["days"].as_array().unwrap().len(), 28);
    assert_eq!(found["days"][27], json!({"starts_at": NOW / DAY * DAY, "events": 2, "failed": 0}));
    server.get("/v1/admin/objectives", "").await.expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_28_days_and_folding_changes_nothing() {
    let server = Server::start().await;
    let recorder = server.app().objectives();
    let count = |good: usize, failed: usize| {
        (0..good).for_each(|_| recorder.went_well(Sli::Scan, Some(Duration::from_millis(300))));
        (0..failed).for_each(|_| recorder.failed(Sli::Scan));
    };
    for minute in 0..12 {
        count(10, usize::from(minute == 3));
        server.clock.advance(5 * 60_000);
    }
    let before = scan(&server).await;
    assert_eq!((&before["success"]["events"], &before["success"]["failed"]), (&json!(121), &json!(1)));
    assert_eq!(before["success"]["is_met"], false);
    assert!(before["burn"]["hour_1"].as_f64().unwrap() > 8.0);
    server.clock.advance(3 * DAY);
    // Many at once, as of processes that have lost their turn and go on: each row is folded once.
    let sweeps = (0..8).map(|_| objectives::sweep(server.app().db(), server.app().now()));
    assert!(futures_util::future::join_all(sweeps).await.iter().all(Result::is_ok));
    let after = scan(&server).await;
    assert_eq!((&after["success"], &after["latency"]), (&before["success"], &before["latency"]));
    assert_eq!(after["burn"]["hour_1"], Value::Null);
    count(5, 0);
    server.clock.advance(25 * DAY);
    let later = scan(&server).await;
    assert_eq!((&later["success"]["events"], &later["success"]["failed"]), (&json!(5), &json!(0)));
}

/// Every process adds what it counted every few seconds, and a report may be asked for just then.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_misses_nothing_that_is_being_written_down() {
    let server = Server::start().await;
    let app = server.app();
    for counted in 1..=50 {
        app.objectives().went_well(Sli::Email, None);
        let (added, report) = tokio::join!(app.objectives().flush(app.db()), objectives::report(app));
        added.unwrap();
        let email = report.unwrap().into_iter().find(|one| one.sli == Sli::Email).unwrap();
        assert_eq!(email.success.events, counted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_outlives_a_restart() {
    let mut server = Server::start().await;
    server.app().objectives().went_well(Sli::Email, None);
    server.restart().await;
    server.app().objectives().went_well(Sli::Email, None);
    let all = server.get("/v1/admin/objectives", ADMIN).await.expect(200);
    let email = all.as_array().unwrap().iter().find(|one| one["sli"] == "email").unwrap();
    assert_eq!(email["success"]["events"], 2);
    let metrics = server.get("/metrics", "").await;
    let text = String::from_utf8(metrics.bytes).unwrap();
    assert!(text.contains("liventix_slo_events{sli=\"email\",result=\"good\"} 2"), "{text}");
    assert!(text.contains("liventix_alerts_open{rule=\"dead_letters\"} 0"), "{text}");
}
