//! When the database is slow, fails, or is not there: what is known stays, and somebody is told.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ask, count, put};
use crate::support::{ADMIN, Event, NOW, Organiser, Server, until};

async fn world() -> (Server, Organiser, Event) {
    let server = Server::start_set(|config| config.analytics_timeout = Duration::from_secs(2)).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    (server, organiser, event)
}

pub(crate) const AWAY: &[&str] = &["ALTER TABLE rollups RENAME TO rollups_away"];
pub(crate) const BACK: &[&str] = &["ALTER TABLE rollups_away RENAME TO rollups"];
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
    server.run_sql(AWAY).await;
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
    server.run_sql(BACK).await;
    assert_eq!(ask(&server, &organiser.key, "overview").await["degraded"], false);
}

/// The engine stops what takes too long: nothing goes on that nobody waits for.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_takes_too_long_is_stopped_by_the_engine() {
    let (server, organiser, event) = world().await;
    put(&server, &organiser.id, &event.id, &[("orders_paid", NOW, 3)]).await;
    count(&server, &organiser.key).await;
    let good = ask(&server, &organiser.key, "overview").await;
    server.run_sql(ENDLESS).await;
    let stale = ask(&server, &organiser.key, "overview").await;
    assert_eq!((&stale["degraded"], &stale["figures"]), (&json!(true), &good["figures"]));
    let found = until(async || failures(&server).await.first().cloned()).await;
    assert_eq!(found["kind"], "timed_out", "{found}");
    server.run_sql(ENDED).await;
    // Those who read next read as long as they like.
    assert_eq!(ask(&server, &organiser.key, "overview").await["degraded"], false);
    let objectives = server.get("/v1/admin/objectives", ADMIN).await.expect(200);
    let all = objectives.as_array().unwrap();
    let figures = all.iter().find(|one| one["sli"] == "analytics").unwrap();
    assert_eq!((&figures["success"]["events"], &figures["success"]["failed"]), (&json!(3), &json!(1)));
}

/// Figures are counted again, when it is time for that: no more passes than has to, or days would on a busy machine.
async fn once_more(server: &Server) {
    if !server.pass_time("analytics").await {
        liventix_server::analytics::refresh_soon(server.app()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_after_the_server_is_told_when_figures_are_not_counted() {
    let (server, organiser, event) = world().await;
    count(&server, &organiser.key).await;
    put(&server, &organiser.id, &event.id, &[("orders_paid", NOW, 3)]).await;
    server.run_sql(AWAY).await;
    let health = async || server.get("/v1/admin/analytics", ADMIN).await.expect(200);
    until(async || {
        once_more(&server).await;
        (health().await["failures_in_a_row"].as_i64()? >= 3).then_some(())
    })
    .await;
    server.look().await;
    let alerts = async || {
        let alerts = server.get("/v1/admin/alerts", ADMIN).await.expect(200);
        let alerts = alerts["items"].as_array().unwrap();
        alerts.iter().find(|it| it["rule"] == "analytics_stale").cloned()
    };
    assert!(
        alerts().await.unwrap()["sentence"].as_str().unwrap().starts_with("Figures could not be counted")
    );
    assert_eq!(health().await["waiting"], 1);
    server.run_sql(BACK).await;
    until(async || {
        once_more(&server).await;
        (health().await["waiting"] == 0).then_some(())
    })
    .await;
    // Nothing of what happened meanwhile is lost.
    until(async || {
        let found = ask(&server, &organiser.key, "overview").await;
        (found["figures"]["sales"]["orders_paid"] == 3).then_some(())
    })
    .await;
    until(async || (health().await["failures_in_a_row"] == 0).then_some(())).await;
}
