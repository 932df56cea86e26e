//! `/metrics`: what it counts, who may read it, and that strangers cannot fill it.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{NOW, Organiser, Server, new_id, text as id};

async fn scrape(server: &Server) -> String {
    let reply = server.get("/metrics", "").await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    assert!(reply.headers["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    String::from_utf8(reply.bytes).unwrap()
}

/// The value of the one line that starts so.
#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {series} in\n{text}"))
}

/// Counts are whole numbers that floats hold exactly.
fn is(value: f64, count: u32) -> bool {
    (value - f64::from(count)).abs() < f64::EPSILON
}

fn series(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.rsplit_once(' ')?.0)).filter(|series| !series.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_counted() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let redeem = format!("{}/redeem", event.path);
    let body = json!({"scan_id": new_id(), "gate_id": event.gate, "code": "nothing", "direction": "entry", "people": 1});
    server.post(&redeem, &organiser.key, &body).await.expect(200);
    server.post(&redeem, "", &body).await.expect_problem(401, "unauthenticated");
    let text = scrape(&server).await;
    assert!(is(value(&text, "liventix_redeems_total{outcome=\"refuse\"}"), 1));
    let route = "route=\"/v1/events/{event_id}/redeem\",method=\"POST\"";
    for class in ["2xx", "4xx"] {
        let series = format!("liventix_http_requests_total{{{route},status=\"{class}\"}}");
        assert!(is(value(&text, &series), 1));
    }
    let took = format!("liventix_http_request_duration_seconds_bucket{{{route},status=\"2xx\",le=\"+Inf\"}}");
    assert!(is(value(&text, &took), 1));
    for kind in ["read", "write"] {
        let series = format!("liventix_db_transaction_duration_seconds_count{{kind=\"{kind}\"}}");
        assert!(value(&text, &series) >= 1.0);
    }
    assert!(value(&text, "liventix_db_pool{state=\"size\"}") >= 1.0);
    assert!(text.contains("liventix_build_info{version=\""), "{text}");
    assert!(text.contains("# HELP liventix_uptime_seconds "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_tell_how_late_scans_are() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let ticket = id(&organiser.ticket(&server, &event).await["ticket_id"]);
    let mut door = organiser.door(&server, &event).await;
    let scans = [door.admit(&ticket, NOW - 120_000)];
    door.upload(&server, &scans).await.expect(200);
    door.upload(&server, &scans).await.expect(200);
    let text = scrape(&server).await;
    assert!(is(value(&text, "liventix_uploaded_scans_total{status=\"accepted\"}"), 1));
    assert!(is(value(&text, "liventix_uploaded_scans_total{status=\"duplicate\"}"), 1));
    assert!(is(value(&text, "liventix_uploads_total{result=\"ok\"}"), 2));
    assert!(is(value(&text, "liventix_scan_upload_lag_seconds_bucket{le=\"60\"}"), 0));
    assert!(is(value(&text, "liventix_scan_upload_lag_seconds_bucket{le=\"300\"}"), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_make_no_series() {
    let server = Server::start().await;
    let poke = async |round: usize| {
        for path in ["/nothing/at", "/v1/events", "/t", "/v1/organisers"] {
            let path = format!("{path}/{}{round}", new_id());
            for method in ["GET", "POST", "BREW", &format!("X{round}")] {
                server.call(method, &path, &new_id(), &json!(null)).await;
            }
        }
    };
    poke(0).await;
    // The second look is itself on record.
    scrape(&server).await;
    let before = scrape(&server).await;
    for round in 1..20 {
        poke(round).await;
    }
    let after = scrape(&server).await;
    assert_eq!(series(&before), series(&after));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_this_machine_reads_it_without_a_token() {
    let server = Server::start().await;
    scrape(&server).await;
    // A proxy on this machine hands on what comes from elsewhere.
    for header in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        let request = server.request(reqwest::Method::GET, "/metrics", "").header(header, "203.0.113.9");
        server.send(request).await.expect_problem(403, "metrics_closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_nobody_reads_it_without() {
    const TOKEN: &str = "metrics-token-of-the-tests-0123456789abcdef";
    let server = Server::start_set(|config| config.metrics_token = Some(TOKEN.into())).await;
    server.get("/metrics", "").await.expect_problem(401, "unauthenticated");
    server.get("/metrics", crate::support::ADMIN).await.expect_problem(401, "unauthenticated");
    assert_eq!(server.get("/metrics", TOKEN).await.status, 200);
}
