//! When the database is slow, fails, or is not there: what is known stays, and somebody is told.

use std::time::Duration;

use liventix_server::platform::db::DbError;
use serde_json::{Value, json};

use super::{ask, count, put};
use crate::support::{ADMIN, Event, NOW, Organiser, Server, until};

async fn world() -> (Server, Organiser, Event) {
    let server = Server::start_set(|config| config.analytics_timeout = Duration::from_secs(2)).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    (server, organiser, event)
}

async fn run(server: &Server, statements: &'static [&'static str]) {
    let run = server.app().db().write(move |tx| {
        Box::pin(async move {
            for sql in statements {
                tx.execute(sql, &[]).await?;
            }
            Ok(())
        })
    });
    let run: Result<(), DbError> = run.await;
    run.unwrap();
}

const AWAY: &[&str] = &["ALTER TABLE rollups RENAME TO rollups_away"];
const BACK: &[&str] = &["ALTER TABLE rollups_away RENAME TO rollups"];
/// Sums without end, of which no answer comes.
const ENDLESS: &[&str] = &[
    "ALTER TABLE rollups RENAME TO rollups_away",
    "CREATE VIEW rollups AS WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n) \
     SELECT i - i + 1 AS generation, r.organiser_id, r.event_id, r.measure, r.subject, r.currency, r.bucket, \
     r.value FROM n, rollups_away r",
];
const ENDED: &[&str] = &["DROP VIEW rollups", "ALTER TABLE rollups_away RENAME TO rollups"];

async fn failures(server: &Server) -> Vec<Value> {
    let health = server.get("/v1/admin/analytics", ADMIN).await.expect(200);
    health["failures"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_good_answer_stands_in_for_one_that_fails() {
    let (server, organiser, event) = world().await;
    put(&server, &organiser.id, &event.id, &[("orders_paid", NOW, 3)]).await;
    count(&server, &organiser.key).await;
    let good = ask(&server, &organiser.key, "overview").await;
    run(&server, AWAY).await;
    server.clock.advance(60_000);
    let stale = ask(&server, &organiser.key, "overview").await;
    assert_eq!((&good["degraded"], &stale["degraded"]), (&json!(false), &json!(true)));
    assert_eq!((&good["figures"], &good["answered_at"]), (&stale["figures"], &stale["answered_at"]));
    // Of these days there was no answer before.
    let reply = server.get("/v1/analytics/overview?from=2026-01-01&to=2026-01-02", &organiser.key).await;
    reply.expect_problem(503, "figures_unavailable");
    let found = until(async || Some(failures(&server).await).filter(|found| found.len() == 2)).await;
    assert_eq!((&found[0]["question"], &found[0]["kind"]), (&json!("overview"), &json!("statement")));
    assert!(found[0]["request_id"].is_string() && found[0]["detail"].as_str().unwrap().contains("rollups"));
    run(&server, BACK).await;
    assert_eq!(ask(&server, &organiser.key, "overview").await["degraded"], false);
}

/// The engine stops what takes too long: nothing goes on that nobody waits for.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_takes_too_long_is_stopped_by_the_engine() {
    let (server, organiser, event) = world().await;
    put(&server, &organiser.id, &event.id, &[("orders_paid", NOW, 3)]).await;
    count(&server, &organiser.key).await;
    let good = ask(&server, &organiser.key, "overview").await;
    run(&server, ENDLESS).await;
    let stale = ask(&server, &organiser.key, "overview").await;
    assert_eq!((&stale["degraded"], &stale["figures"]), (&json!(true), &good["figures"]));
    let found = until(async || failures(&server).await.first().cloned()).await;
    assert_eq!(found["kind"], "timed_out", "{found}");
    run(&server, ENDED).await;
    // Those who read next read as long as they like.
    assert_eq!(ask(&server, &organiser.key, "overview").await["degraded"], false);
    let objectives = server.get("/v1/admin/objectives", ADMIN).await.expect(200);
    let all = objectives.as_array().unwrap();
    let figures = all.iter().find(|one| one["sli"] == "analytics").unwrap();
    assert_eq!((&figures["success"]["events"], &figures["success"]["failed"]), (&json!(3), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_after_the_server_is_told_when_figures_are_not_counted() {
    let (server, organiser, event) = world().await;
    count(&server, &organiser.key).await;
    put(&server, &organiser.id, &event.id, &[("orders_paid", NOW, 3)]).await;
    run(&server, AWAY).await;
    let health = async || server.get("/v1/admin/analytics", ADMIN).await.expect(200);
    until(async || {
        server.clock.advance(60_000);
        liventix_server::analytics::refresh_soon(server.app()).await.ok()?;
        (health().await["failures_in_a_row"].as_i64()? >= 3).then_some(())
    })
    .await;
    server.look().await;
    let alerts = async || {
        let alerts = server.get("/v1/admin/alerts", ADMIN).await.expect(200);
        alerts["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["rule"] == "analytics_stale")
            .cloned()
            .next()
    };
    assert!(
        alerts().await.unwrap()["sentence"].as_str().unwrap().starts_with("Figures could not be counted")
    );
    assert_eq!(health().await["waiting"], 1);
    run(&server, BACK).await;
    until(async || {
        server.clock.advance(60_000);
        liventix_server::analytics::refresh_soon(server.app()).await.ok()?;
        (health().await["waiting"] == 0).then_some(())
    })
    .await;
    // Nothing of what happened meanwhile is lost.
    until(async || {
        let found = ask(&server, &organiser.key, "overview").await;
        (found["figures"]["sales"]["orders_paid"] == 3).then_some(())
    })
    .await;
    assert_eq!(health().await["failures_in_a_row"], 0);
}
