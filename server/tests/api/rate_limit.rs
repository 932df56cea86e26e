//! Rate limits: exact, for all processes together, over a restart; what callers are told of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use liventix_core::clock::ManualClock;
use liventix_server::params;
use liventix_server::platform::config::{Limits, RefusedScans};
use liventix_server::platform::db::{Db, DbError};
use liventix_server::platform::rate_limit::{Check, Key, Limit, Rate, RateLimiter};
use proptest::prelude::*;
use reqwest::Method;
use serde_json::json;

use crate::support::database::count;
use crate::support::{NOW, Organiser, Reply, Server, TestDatabase, text};

const MINUTE: Duration = Duration::from_secs(60);

fn limiter(db: &Db) -> (RateLimiter, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(NOW));
    (RateLimiter::new(db.clone(), clock.clone()), clock)
}

/// Every time that was counted, and nothing clever.
struct Model {
    times: VecDeque<i64>,
    limit: u32,
    window_ms: i64,
}

impl Model {
    fn check(&mut self, now: i64) -> Rate {
        while self.times.front().is_some_and(|time| now - time >= self.window_ms) {
            self.times.pop_front();
        }
        let allowed = self.times.len() < self.limit as usize;
        if allowed {
            self.times.push_back(now);
        }
        let remaining = self.limit - self.times.len() as u32;
        Rate { allowed, remaining, reset_at: self.times[0] + self.window_ms }
    }
}

/// What the limiter finds after each of these waits, all in one transaction, so that thousands are quick.
async fn run(db: &Db, key: Key, limit: Limit, waits: Vec<i64>) -> Vec<Rate> {
    let (limiter, clock) = limiter(db);
    let run = db.write(move |tx| {
        Box::pin(async move {
            let mut rates = Vec::new();
            for wait in waits {
                clock.advance(wait);
                rates.extend(limiter.check_in(tx, &[Check::count(key, limit)]).await?.rates());
            }
            Ok::<_, DbError>(rates)
        })
    });
    run.await.unwrap()
}

async fn agrees_with_the_model(db: &Db, key: &str, limit: Limit, waits: Vec<i64>) {
    let mut model =
        Model { times: VecDeque::new(), limit: limit.count, window_ms: limit.window.as_millis() as i64 };
    let mut now = NOW;
    let mut expected = Vec::new();
    for wait in &waits {
        now += wait;
        expected.push(model.check(now));
    }
    assert_eq!(run(db, Key::new("model", key.as_bytes()), limit, waits).await, expected);
}

#[test]
fn it_finds_what_a_list_of_all_times_finds() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(TestDatabase::open());
    // Half seconds often, so that a time leaves its window to the millisecond.
    let wait = prop_oneof![Just(0), (1_i64..6).prop_map(|halves| halves * 500), 1_i64..1_000];
    let waits = prop::collection::vec(wait, 1..60);
    let case = std::cell::Cell::new(0);
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let window = prop_oneof![(1_u64..8).prop_map(|halves| halves * 500), 1_u64..5_000];
    let inputs = (1_u32..12, window, waits);
    let result = runner.run(&inputs, |(count, window, waits)| {
        case.set(case.get() + 1);
        let limit = Limit { count, window: Duration::from_millis(window) };
        runtime.block_on(agrees_with_the_model(&database.db, &case.get().to_string(), limit, waits));
        Ok(())
    });
    result.unwrap();
}

/// A key so busy that its times are kept in several parts, which run out one by one.
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_key_is_counted_as_exactly_as_a_quiet_one() {
    let database = TestDatabase::open().await;
    let limit = Limit { count: 1_700, window: Duration::from_secs(2) };
    let mut waits: Vec<i64> = (0..4_000).map(|number| i64::from(number % 3 == 0)).collect();
    waits.push(700);
    waits.extend((0..1_000).map(|number| number % 5));
    waits.push(2_000);
    waits.extend([1; 600]);
    agrees_with_the_model(&database.db, "busy", limit, waits).await;
    let parts = count(&database.db, "SELECT COUNT(*) FROM rate_parts").await;
    assert_eq!(parts, 1, "parts that have run out are gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_32_at_once_in_two_processes_exactly_as_many_pass_as_are_allowed() {
    let database = TestDatabase::open().await;
    // Two limiters share nothing but the database, as two processes do.
    let (one, _) = limiter(&database.db);
    let (two, _) = limiter(&database.db);
    for limit in [1, 10, 31] {
        let key = Key::new("crowd", &[limit as u8]);
        let mut tasks = Vec::new();
        for number in 0..64 {
            let limiter = if number % 2 == 0 { one.clone() } else { two.clone() };
            tasks.push(tokio::spawn(async move { limiter.check(&key, limit, MINUTE).await.unwrap() }));
        }
        let mut left = Vec::new();
        for task in tasks {
            let rate = task.await.unwrap();
            if rate.allowed {
                left.push(rate.remaining);
            }
        }
        left.sort_unstable();
        // Each of those who passed saw another number of what is left.
        assert_eq!(left, (0..limit).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_32_clients_over_http_exactly_as_many_pass_as_are_allowed() {
    let limits = Limits { redeem: Limit::per_minute(10), ..Limits::default() };
    let server = Server::start_with(limits).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let code = text(&organiser.ticket(&server, &event).await["code"]);
    let mut tasks = Vec::new();
    for _ in 0..32 {
        let request = server.request(Method::POST, &format!("{}/redeem", event.path), &organiser.key);
        let request = request.json(&event.redeem_body(&code));
        tasks.push(tokio::spawn(async move { request.send().await.unwrap().status().as_u16() }));
    }
    let mut passed = 0;
    for task in tasks {
        match task.await.unwrap() {
            200 => passed += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert_eq!(passed, 10);
    assert_eq!(event.counts(&server, &organiser).await["scans"], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_nothing() {
    let mut server = Server::start_with(Limits::default()).await;
    let enrol = json!({"code": "AAAA-BBBB", "device_name": "x"});
    for _ in 0..10 {
        server.post("/v1/door/enrol", "", &enrol).await.expect_problem(404, "enrolment_code_unknown");
    }
    server.restart().await;
    server.http = crate::support::client();
    server.post("/v1/door/enrol", "", &enrol).await.expect_problem(429, "rate_limited");
    server.clock.advance(60_000);
    server.post("/v1/door/enrol", "", &enrol).await.expect_problem(404, "enrolment_code_unknown");
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_on_a_limited_route_says_where_the_caller_stands() {
    let limits =
        Limits { enrol: Limit::per_minute(2), manual_code: Limit::per_minute(1), ..Limits::default() };
    let server = Server::start_with(limits).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let ticket = organiser.ticket(&server, &event).await;
    let path = format!("{}/redeem", event.path);
    let enrol = json!({"code": "AAAA-BBBB", "device_name": "x"});

    // Also where the call itself fails.
    let first = server.post("/v1/door/enrol", "", &enrol).await;
    first.expect_problem(404, "enrolment_code_unknown");
    assert_eq!(header(&first, "ratelimit-policy"), "\"enrol\";q=2;w=60");
    assert_eq!(header(&first, "ratelimit"), "\"enrol\";r=1;t=60");
    assert!(!first.headers.contains_key("retry-after"));
    server.clock.advance(10_500);
    let second = server.post("/v1/door/enrol", "", &enrol).await;
    assert_eq!(header(&second, "ratelimit"), "\"enrol\";r=0;t=50");
    // Of all that are refused, those the database refused and those the process knew itself.
    for _ in 0..2 {
        let refused = server.post("/v1/door/enrol", "", &enrol).await;
        refused.expect_problem(429, "rate_limited");
        assert_eq!(header(&refused, "ratelimit"), "\"enrol\";r=0;t=50");
        assert_eq!(header(&refused, "retry-after"), "50");
    }

    let manual = event.redeem_body(&text(&ticket["manual_code"]));
    let redeemed = server.post(&path, &organiser.key, &manual).await;
    let policy = "\"redeem\";q=1200;w=60, \"refused_scans\";q=10;w=60, \"manual_code\";q=1;w=60";
    assert_eq!(header(&redeemed, "ratelimit-policy"), policy);
    let state = "\"redeem\";r=1199;t=60, \"refused_scans\";r=10, \"manual_code\";r=0;t=60";
    assert_eq!(header(&redeemed, "ratelimit"), state);
    let refused = server.post(&path, &organiser.key, &manual).await;
    refused.expect_problem(429, "rate_limited");
    assert!(header(&refused, "ratelimit").contains("\"manual_code\";r=0;t=60"));
    // A refused request counts nowhere.
    let other = server.post(&path, &organiser.key, &event.redeem_body(&text(&ticket["code"]))).await;
    assert!(header(&other, "ratelimit").starts_with("\"redeem\";r=1198;"), "{:?}", other.headers);

    let plain = server.get("/v1/events", &organiser.key).await;
    assert!(!plain.headers.contains_key("ratelimit") && !plain.headers.contains_key("ratelimit-policy"));
    let bad = server.get("/v1/events", "lx_bad").await;
    bad.expect_problem(401, "unauthenticated");
    assert_eq!(header(&bad, "ratelimit"), "\"bad_token\";r=29;t=60");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_forged_codes_in_a_minute_stop_a_scanner_and_an_honest_queue_does_not() {
    let server = Server::start_with(Limits::default()).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let good = text(&organiser.ticket(&server, &event).await["code"]);
    let unpaid = organiser.ticket_with(&server, &event, json!({"status": "unpaid"})).await;
    let path = format!("{}/redeem", event.path);
    for _ in 0..12 {
        event.redeem(&server, &organiser.key, &good).await;
        event.redeem(&server, &organiser.key, &text(&unpaid["code"])).await;
    }
    let forged = event.redeem_body("hello");
    for _ in 0..12 {
        // One and the same scan, whose answer got lost: it counts once.
        let verdict = server.post(&path, &organiser.key, &forged).await.expect(200);
        assert_eq!(verdict["reason"], "not_a_ticket");
    }
    for number in 1..10 {
        server.clock.advance(1_000);
        event.redeem(&server, &organiser.key, &format!("hello {number}")).await;
    }
    let stopped = server.post(&path, &organiser.key, &event.redeem_body(&good)).await;
    stopped.expect_problem(429, "rate_limited");
    assert!(text(&stopped.json["detail"]).contains("not tickets"), "{}", stopped.json);
    assert_eq!(header(&stopped, "retry-after"), "51");
    // Another scanner goes on.
    let other = organiser.key_with(&server, "redeem").await;
    event.redeem(&server, &other, &good).await;
    server.clock.advance(51_000);
    event.redeem(&server, &organiser.key, &good).await;
    event.redeem(&server, &organiser.key, "hello again").await;
    server.post(&path, &organiser.key, &event.redeem_body(&good)).await.expect_problem(429, "rate_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organiser_may_have_every_refusal_counted() {
    let refused_scans = Limit::per_minute(2);
    let limits = Limits { refused_scans, refused_scans_counted: RefusedScans::Every, ..Limits::default() };
    let server = Server::start_with(limits).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let code = text(&organiser.ticket(&server, &event).await["code"]);
    for outcome in ["admit", "refuse", "refuse"] {
        assert_eq!(event.redeem(&server, &organiser.key, &code).await["outcome"], outcome);
    }
    let path = format!("{}/redeem", event.path);
    server.post(&path, &organiser.key, &event.redeem_body(&code)).await.expect_problem(429, "rate_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redeem_that_fails_by_its_own_fault_stays_counted() {
    let limits = Limits { redeem: Limit::per_minute(2), ..Limits::default() };
    let server = Server::start_with(limits).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let other = organiser.event(&server).await;
    let path = format!("{}/redeem", event.path);
    let mut body = event.redeem_body("hello");
    body["gate_id"] = json!(other.gate);
    let failed = server.post(&path, &organiser.key, &body).await;
    failed.expect_problem(404, "gate_not_found");
    assert!(header(&failed, "ratelimit").starts_with("\"redeem\";r=1;"), "{:?}", failed.headers);
    server.post(&path, &organiser.key, &body).await.expect_problem(404, "gate_not_found");
    server.post(&path, &organiser.key, &body).await.expect_problem(429, "rate_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_in_a_transaction_is_undone_with_it() {
    let database = TestDatabase::open().await;
    let (limiter, _) = limiter(&database.db);
    let (key, limit) = (Key::new("undone", b"a"), Limit::per_minute(1));
    let in_tx = limiter.clone();
    let failed = database.db.write(move |tx| {
        Box::pin(async move {
            assert!(in_tx.check_in(tx, &[Check::count(key, limit)]).await?.allowed());
            Err::<(), _>(DbError::Statement("on purpose".into()))
        })
    });
    failed.await.unwrap_err();
    assert!(limiter.check(&key, 1, MINUTE).await.unwrap().allowed);
    assert!(!limiter.check(&key, 1, MINUTE).await.unwrap().allowed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_gives_nothing_away_and_locks_nobody_out_for_long() {
    let database = TestDatabase::open().await;
    let (limiter, clock) = limiter(&database.db);
    let key = Key::new("clock", b"a");
    let check = async || limiter.check(&key, 2, MINUTE).await.unwrap();
    assert!(check().await.allowed && check().await.allowed);
    // By less than the window: what was counted goes on counting.
    clock.set_wall(NOW - 30_000);
    let refused = check().await;
    assert_eq!((refused.allowed, refused.reset_at), (false, NOW + 60_000));
    clock.set_wall(NOW + 60_000);
    assert!(check().await.allowed);
    // By years: it was wrong all the time, and would be right again in years only.
    clock.set_wall(NOW - 1_000_000_000);
    assert!(check().await.allowed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_limit_holds_at_once() {
    let database = TestDatabase::open().await;
    let (limiter, clock) = limiter(&database.db);
    let key = Key::new("lowered", b"a");
    for _ in 0..5 {
        limiter.check(&key, 5, MINUTE).await.unwrap();
        clock.advance(1_000);
    }
    let rate = limiter.check(&key, 2, MINUTE).await.unwrap();
    // Room comes only when the fourth of the five has left.
    assert_eq!(rate, Rate { allowed: false, remaining: 0, reset_at: NOW + 63_000 });
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_refused_again_costs_no_transaction() {
    let database = TestDatabase::open().await;
    let (limiter, clock) = limiter(&database.db);
    let key = Key::of_address("flood", [192, 0, 2, 7].into());
    limiter.check(&key, 1, MINUTE).await.unwrap();
    let refused = limiter.check(&key, 1, MINUTE).await.unwrap();
    assert!(!refused.allowed);
    // Only what needs the database notices that it is gone.
    database.db.close().await;
    assert_eq!(limiter.check(&key, 1, MINUTE).await.unwrap(), refused);
    limiter.check(&Key::new("flood", b"another"), 1, MINUTE).await.unwrap_err();
    clock.advance(60_000);
    limiter.check(&key, 1, MINUTE).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_says_which_calls_are_limited() {
    let server = Server::start().await;
    let document = server.get("/openapi.json", "").await.expect(200);
    let responses = &document["paths"]["/v1/events/{event_id}/redeem"]["post"]["responses"];
    for status in ["200", "404", "429"] {
        for header in ["RateLimit", "RateLimit-Policy"] {
            let target = format!("#/components/headers/{header}");
            assert_eq!(responses[status]["headers"][header]["$ref"], target, "{status}");
        }
    }
    assert!(responses["429"]["headers"]["Retry-After"].is_object());
    assert!(responses["200"]["headers"]["Retry-After"].is_null());
    assert!(document["paths"]["/v1/events"]["get"]["responses"]["200"]["headers"].is_null());
    // A reference without a target would make the document useless for generators.
    for part in document.to_string().split("#/components/headers/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(document["components"]["headers"][name].is_object(), "missing header {name}");
    }
}

const KEYS: &str = "SELECT COUNT(*) FROM rate_windows";

#[tokio::test(flavor = "multi_thread")]
async fn counters_that_have_run_out_are_cleared_away() {
    let database = TestDatabase::open().await;
    let (limiter, clock) = limiter(&database.db);
    let crowd = async |wave: u8, count: u32| {
        for number in 0..count {
            let key = Key::new("wave", &[&[wave], number.to_be_bytes().as_slice()].concat());
            limiter.check(&key, 1, MINUTE).await.unwrap();
        }
    };
    crowd(1, 300).await;
    assert_eq!(limiter.sweep().await.unwrap(), 0);
    assert_eq!(count(&database.db, KEYS).await, 300);
    clock.advance(60_000);
    // New ones take the old ones away as they come, with nobody sweeping.
    crowd(2, 300).await;
    let left = count(&database.db, KEYS).await;
    assert!((300..400).contains(&left), "{left}");
    clock.advance(60_000);
    assert_eq!(limiter.sweep().await.unwrap(), left as u64);
    assert_eq!(count(&database.db, KEYS).await, 0);
    assert_eq!(count(&database.db, "SELECT COUNT(*) FROM rate_parts").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_is_kept() {
    let server = Server::start_with(Limits::default()).await;
    server.get("/v1/events", "lx_bad").await.expect_problem(401, "unauthenticated");
    let address = server.addr.ip().to_string();
    let db = server.place.open().await;
    let rows = db.read(|conn| {
        Box::pin(async move { conn.query("SELECT * FROM rate_windows LIMIT 10", params![]).await })
    });
    let rows = rows.await.map_err(|error: DbError| error).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<Vec<u8>>(0).unwrap().len(), 32);
    let files = std::fs::read_dir(server.place.dir.path()).unwrap();
    let stored: Vec<u8> = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    for hidden in [format!("{rows:?}").into_bytes(), stored] {
        assert!(!hidden.windows(address.len()).any(|part| part == address.as_bytes()));
    }
}
