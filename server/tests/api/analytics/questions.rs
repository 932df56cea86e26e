//! Questions: days, pages, who may ask, files.

use serde_json::{Value, json};

use super::{ask, count, put};
use crate::support::{Event, NOW, Organiser, Person, Server, text};

const HOUR: i64 = 3_600_000;

async fn world() -> (Server, Organiser, Event) {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    (server, organiser, event)
}

fn column(slots: &Value, name: &str) -> Vec<i64> {
    slots.as_array().unwrap().iter().map(|slot| slot[name].as_i64().unwrap()).collect()
}

/// In Paris, clocks are set back on 25 October 2026 at 01:00 UTC.
#[tokio::test(flavor = "multi_thread")]
async fn days_are_those_of_the_place_also_where_clocks_are_set() {
    let (server, organiser, event) = world().await;
    let midnight = 1_792_879_200_000; // 2026-10-24T22:00:00Z, which is the 25th in Paris.
    let facts = [
        ("orders_paid", midnight - 1, 1),
        ("orders_paid", midnight, 2),
        ("orders_paid", midnight + 25 * HOUR - 1, 4),
        ("orders_paid", midnight + 25 * HOUR, 8),
    ];
    put(&server, &organiser.id, &event.id, &facts).await;
    count(&server, &organiser.key).await;
    let path = format!("sales?event_id={}&from=2026-10-24&to=2026-10-27", event.id);
    let answer = ask(&server, &organiser.key, &path).await;
    assert_eq!((&answer["time_zone"], &answer["degraded"]), (&json!("Europe/Paris"), &json!(false)));
    let slots = &answer["figures"]["slots"];
    assert_eq!(column(slots, "orders_paid"), [1, 6, 8, 0]);
    let hours: Vec<i64> = column(slots, "starts_at")
        .iter()
        .zip(column(slots, "ends_at"))
        .map(|(starts, ends)| (ends - starts) / HOUR)
        .collect();
    assert_eq!(hours, [24, 25, 24, 24]);
    let path = format!("sales?event_id={}&from=2026-10-25&to=2026-10-25&step=hour", event.id);
    let slots = ask(&server, &organiser.key, &path).await["figures"]["slots"].clone();
    assert_eq!(slots.as_array().unwrap().len(), 25);
    // The organiser has days of its own, in which the same moments are others.
    let utc = ask(&server, &organiser.key, "sales?from=2026-10-24&to=2026-10-26").await;
    assert_eq!(column(&utc["figures"]["slots"], "orders_paid"), [3, 12, 0]);
    let zone = json!({"time_zone": "Asia/Kathmandu"});
    server.call("PATCH", "/v1/organiser", &organiser.key, &zone).await.expect(200);
    let there = ask(&server, &organiser.key, "sales?from=2026-10-25&to=2026-10-26").await;
    assert_eq!(there["time_zone"], "Asia/Kathmandu");
    assert_eq!(column(&there["figures"]["slots"], "orders_paid"), [3, 12]);
    server
        .call("PATCH", "/v1/organiser", &organiser.key, &json!({"time_zone": "Mars/Base"}))
        .await
        .expect_problem(422, "invalid_field");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_stays_good_while_more_is_sold() {
    let (server, organiser, event) = world().await;
    let path = "sales?from=2026-07-01&to=2026-07-31&limit=11";
    put(&server, &organiser.id, &event.id, &[("orders_paid", NOW, 1)]).await;
    count(&server, &organiser.key).await;
    let first = ask(&server, &organiser.key, path).await["figures"].clone();
    let cursor = text(&first["next_cursor"]);
    put(&server, &organiser.id, &event.id, &[("orders_paid", NOW - 29 * 24 * HOUR, 1)]).await;
    count(&server, &organiser.key).await;
    let second = ask(&server, &organiser.key, &format!("{path}&cursor={cursor}")).await["figures"].clone();
    let starts = [column(&first["slots"], "starts_at"), column(&second["slots"], "starts_at")].concat();
    assert_eq!(starts.len(), 22);
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == 24 * HOUR), "{starts:?}");
    let last = format!("{path}&cursor={}", text(&second["next_cursor"]));
    let third = ask(&server, &organiser.key, &last).await["figures"].clone();
    assert_eq!((third["slots"].as_array().unwrap().len(), &third["next_cursor"]), (9, &Value::Null));
    assert_eq!(third["slots"][8]["orders_paid"], 1);
    let other = format!("/v1/analytics/sales?from=2026-06-01&to=2026-06-30&cursor={cursor}");
    server.get(&other, &organiser.key).await.expect_problem(422, "unknown_cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_cannot_be_are_refused_with_what_to_ask() {
    let (server, organiser, _) = world().await;
    for days in [
        "from=2026-01-01&to=2026-04-01",
        "from=2026-02-01&to=2026-01-01",
        "from=yesterday",
        "to=2026-02-30",
        "to=0001-01-01",
        "to=+262142-12-31",
    ] {
        let reply = server.get(&format!("/v1/analytics/overview?{days}"), &organiser.key).await;
        assert_eq!(
            (reply.status, &reply.json["code"]),
            (422, &json!("invalid_field")),
            "{days}: {}",
            reply.json
        );
    }
    ask(&server, &organiser.key, "overview?from=2026-01-01&to=2026-03-31").await;
    for bad in ["sales?step=year", "export", "export?report=secrets", "overview?event_id=1"] {
        server
            .get(&format!("/v1/analytics/{bad}"), &organiser.key)
            .await
            .expect_problem(400, "invalid_query");
    }
}

/// Nothing of what there is none of: no number, and why.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_nothing_says_why() {
    let (server, organiser, event) = world().await;
    let path = format!("overview?event_id={}", event.id);
    let answer = ask(&server, &organiser.key, &path).await;
    let figures = &answer["figures"];
    for (metric, why) in [
        (&figures["sales"]["conversion"], "no_orders_placed"),
        (&figures["sales"]["tickets_per_order"], "no_orders"),
        (&figures["doors"]["refused"], "no_scans"),
        (&figures["emails"]["delivery"], "no_emails"),
        (&figures["pushes"]["opening"], "no_pushes"),
        (&figures["no_shows"]["rate"], "event_not_over"),
    ] {
        assert_eq!(metric, &json!({"value": null, "why_none": why}));
    }
    server.clock.advance(11 * HOUR);
    let figures = ask(&server, &organiser.key, &path).await["figures"].clone();
    assert_eq!(figures["no_shows"]["rate"], json!({"value": null, "why_none": "no_tickets"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_not_come_is_known_once_the_event_is_over() {
    let (server, organiser, event) = world().await;
    let code = text(&organiser.ticket(&server, &event).await["code"]);
    organiser.import(&server, &event, 3).await;
    event.redeem(&server, &organiser.key, &code).await;
    count(&server, &organiser.key).await;
    let path = format!("overview?event_id={}", event.id);
    let no_shows = async || ask(&server, &organiser.key, &path).await["figures"]["no_shows"].clone();
    assert_eq!(no_shows().await["rate"]["why_none"], "event_not_over");
    server.clock.advance(40 * 24 * HOUR);
    // Long after these days, too.
    let expected = json!({"expected": 4, "arrived": 1, "rate": {"value": 0.75, "why_none": null}});
    assert_eq!(no_shows().await, expected);
}

/// Each sees the figures of their events, and of no other organiser's.
#[tokio::test(flavor = "multi_thread")]
async fn figures_are_seen_by_those_whose_they_are() {
    let (server, organiser, event) = world().await;
    let other = organiser.event(&server).await;
    let stranger = Organiser::create(&server, "B").await;
    put(&server, &organiser.id, &event.id, &[("orders_paid", NOW, 1)]).await;
    put(&server, &organiser.id, &other.id, &[("orders_paid", NOW, 2)]).await;
    count(&server, &organiser.key).await;
    let paid = |answer: Value| answer["figures"]["sales"]["orders_paid"].as_i64().unwrap();
    assert_eq!(paid(ask(&server, &organiser.key, "overview").await), 3);
    assert_eq!(paid(ask(&server, &organiser.key, &format!("overview?event_id={}", other.id)).await), 2);
    assert_eq!(paid(ask(&server, &stranger.key, "overview").await), 0);
    let path = format!("/v1/analytics/overview?event_id={}", event.id);
    server.get(&path, &stranger.key).await.expect_problem(404, "event_not_found");
    let body = json!({"name": "one event", "scopes": ["read"], "event_ids": [event.id]});
    let limited = text(&server.post("/v1/api-keys", &organiser.key, &body).await.expect(201)["token"]);
    assert_eq!(paid(ask(&server, &limited, "overview").await), 1);
    let scanner = organiser.key_with(&server, "redeem").await;
    server.get("/v1/analytics/overview", &scanner).await.expect_problem(403, "scope_missing");
    let sam = Person::member(&server, &organiser, "sam", "support").await;
    let reply = server.get_of(&organiser.id, "/v1/analytics/overview", &sam.token).await;
    reply.expect_problem(403, "role_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_files_for_spreadsheets() {
    let (server, organiser, event) = world().await;
    put(
        &server,
        &organiser.id,
        &event.id,
        &[("orders_paid", NOW, 2), ("gross", NOW, 8_300), ("refunds", NOW, 50)],
    )
    .await;
    let code = text(&organiser.ticket(&server, &event).await["code"]);
    event.redeem(&server, &organiser.key, &code).await;
    count(&server, &organiser.key).await;
    let file = async |report: &str| {
        let path = format!(
            "/v1/analytics/export?report={report}&from=2026-07-30&to=2026-07-31&event_id={}",
            event.id
        );
        let reply = server.get(&path, &organiser.key).await;
        assert_eq!(
            (reply.status, &reply.headers["content-type"]),
            (200, &"text/csv; charset=utf-8".parse().unwrap())
        );
        let name = format!("attachment; filename=\"{report}-2026-07-30-2026-07-31.csv\"");
        assert_eq!(reply.headers["content-disposition"], name.as_str());
        String::from_utf8(reply.bytes).unwrap()
    };
    let sales = "from,to,orders_paid,tickets_sold,tickets_refunded,currency,gross,refunds,net\r\n\
        2026-07-30T00:00:00+02:00,2026-07-31T00:00:00+02:00,0,0,0,EUR,0.00,0.00,0.00\r\n\
        2026-07-31T00:00:00+02:00,2026-08-01T00:00:00+02:00,2,0,0,EUR,83.00,0.50,82.50\r\n";
    assert_eq!(file("sales").await, sales);
    assert!(file("entries").await.ends_with(",1,0,1,0\r\n"));
    let gates = file("gates").await;
    assert!(gates.contains("North gate,1,0,1,0,2026-07-31T20:00:00+02:00,1\r\n"), "{gates}");
    assert!(file("ticket_types").await.contains(",Day,0,0,1,,\r\n"));
}
