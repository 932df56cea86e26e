//! How an event's doors do right now: the figures, who is in touch, and the page that shows it.

use liventix_core::rules::{Direction, Outcome, Reason};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Browser, Event, NOW, Organiser, Person, Server, text};

struct World {
    server: Server,
    organiser: Organiser,
    event: Event,
}

async fn world() -> World {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "Harbour Lights").await;
    let event = organiser.event(&server).await;
    World { server, organiser, event }
}

impl World {
    async fn live(&self) -> Value {
        let path = format!("{}/live", self.event.path);
        self.server.get(&path, &self.organiser.key).await.expect(200)
    }

    fn page(&self, rest: &str) -> String {
        format!("/console/organisers/{}/events/{}{rest}", self.organiser.id, self.event.id)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_count_at_their_gate_in_the_minute_in_which_they_happened() {
    let w = world().await;
    let mut door = w.organiser.door(&w.server, &w.event).await;
    let mut scans = Vec::new();
    let minute = 60_000;
    // Now, a minute ago to the millisecond, 29 and a half, 30 minutes ago, and a moment ahead of the server.
    for ago in [0, minute - 1, minute, 29 * minute + 30_000, 30 * minute, -5] {
        let ticket = w.organiser.ticket(&w.server, &w.event).await;
        scans.push(door.admit(&text(&ticket["ticket_id"]), NOW - ago));
    }
    let ticket = w.organiser.ticket(&w.server, &w.event).await;
    scans.push(door.scan(&text(&ticket["ticket_id"]), NOW - 1, |scan| {
        (scan.outcome, scan.reason, scan.people) = (Outcome::Refuse, Reason::AlreadyUsed, 0);
        scan.gate_id = w.event.other_gate.parse().unwrap();
    }));
    scans.push(door.scan(&text(&ticket["ticket_id"]), NOW - minute, |scan| {
        (scan.direction, scan.reason) = (Direction::Exit, Reason::Exited);
        scan.gate_id = w.event.other_gate.parse().unwrap();
    }));
    door.upload(&w.server, &scans).await.expect(200);

    let live = w.live().await;
    assert_eq!(live["server_ms"], NOW);
    let [north, south] = [&live["gates"][0], &live["gates"][1]];
    let mut expected = vec![0; 30];
    (expected[29], expected[28], expected[0]) = (2, 1, 1);
    assert_eq!(north["name"], "North gate");
    assert_eq!(north["scans_per_minute"], json!(expected));
    assert_eq!(north["refused"], 0);
    let mut expected = vec![0; 30];
    (expected[29], expected[28]) = (1, 1);
    assert_eq!(south["scans_per_minute"], json!(expected));
    assert_eq!(south["refused"], 1);
    assert_eq!(live["counts"], w.event.counts(&w.server, &w.organiser).await);
    assert_eq!(live["counts"]["people_in"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_asks_is_in_touch_and_says_what_it_has_yet_to_hand_in() {
    let w = world().await;
    let door = w.organiser.door(&w.server, &w.event).await;
    let of = |live: &Value| (live["doors"][0]["last_seen_at"].clone(), live["doors"][0]["unsent"].clone());
    assert_eq!(of(&w.live().await), (Value::Null, json!(0)));
    door.page(&w.server, "cursor=0").await;
    assert_eq!(of(&w.live().await), (json!(NOW), json!(0)));
    // What it says anew is noted at once; that it is still there, to the half minute.
    w.server.clock.advance(10_000);
    door.page(&w.server, "cursor=0&unsent=7").await;
    assert_eq!(of(&w.live().await), (json!(NOW + 10_000), json!(7)));
    w.server.clock.advance(29_999);
    door.page(&w.server, "cursor=0&unsent=7").await;
    assert_eq!(of(&w.live().await), (json!(NOW + 10_000), json!(7)));
    w.server.clock.advance(1);
    door.page(&w.server, "cursor=0&unsent=7").await;
    assert_eq!(of(&w.live().await), (json!(NOW + 40_000), json!(7)));
    // An older app says nothing about it: what was said stands.
    w.server.clock.advance(30_000);
    door.page(&w.server, "cursor=0").await;
    assert_eq!(of(&w.live().await), (json!(NOW + 70_000), json!(7)));
    let device = &w.server.get("/v1/devices", &w.organiser.key).await.expect(200)["items"][0];
    assert_eq!((&device["last_seen_at"], &device["unsent"]), (&json!(NOW + 70_000), &json!(7)));

    let path = format!("/v1/devices/{}", door.device_id);
    w.server.call("DELETE", &path, &w.organiser.key, &Value::Null).await;
    let _ = w.server.post(&format!("{path}/revoke"), &w.organiser.key, &json!({})).await;
    assert_eq!(w.live().await["doors"], json!([]), "a revoked door is missed by nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn finance_sees_that_there_is_an_event_and_not_what_happens_at_its_doors() {
    let w = world().await;
    let finance = Person::member(&w.server, &w.organiser, "fin", "finance").await;
    let path = format!("{}/live", w.event.path);
    w.server.get(&path, &finance.token).await.expect_problem(403, "role_missing");
    let browser = Browser::new(&w.server);
    browser.sign_in(&finance).await;
    let page = browser.open(&w.page("")).await;
    assert_eq!(page.status, 200);
    page.has("<h1>Doors</h1>");
    assert!(!page.html.contains("inside now") && !page.html.contains("<script"));
    for page in ["/live", "/conflicts", "/anomalies"] {
        assert_eq!(browser.open(&w.page(page)).await.status, 403, "{page}");
    }
}

/// Reads the stream of an event's page until what it sent contains a text.
async fn until(response: &mut reqwest::Response, text: &str) {
    let mut sent = String::new();
    while !sent.contains(text) {
        let chunk = response.chunk().await.unwrap();
        let chunk = chunk.unwrap_or_else(|| panic!("the stream ended without {text}: {sent}"));
        sent.push_str(&String::from_utf8_lossy(&chunk));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_hears_of_scans_until_its_session_ends() {
    let w = world().await;
    let grace = Person::member(&w.server, &w.organiser, "grace", "owner").await;
    let browser = Browser::new(&w.server);
    let stranger = browser.open(&w.page("/live")).await;
    assert!(stranger.location().starts_with("/console/sign-in"));
    browser.sign_in(&grace).await;
    let cookie = format!("liventix={}", browser.cookie("liventix").unwrap());
    let open = || w.server.request(Method::GET, &w.page("/live"), "").header("cookie", &cookie).send();
    let (mut one, mut two) = (open().await.unwrap(), open().await.unwrap());
    assert_eq!(one.headers()["content-type"], "text/event-stream");
    assert_eq!(one.headers()["x-accel-buffering"], "no");
    for stream in [&mut one, &mut two] {
        until(stream, "<span class=\"figure\">0</span> <span>inside now</span>").await;
    }
    let ticket = w.organiser.ticket(&w.server, &w.event).await;
    w.event.redeem(&w.server, &w.organiser.key, &text(&ticket["code"])).await;
    for stream in [&mut one, &mut two] {
        until(stream, "<span class=\"figure\">1</span> <span>inside now</span>").await;
    }
    // Signed out: the next thing that happens is not told any more.
    let page = browser.open(&w.page("")).await;
    browser.submit(&page, "/console/sign-out", &[]).await;
    let ticket = w.organiser.ticket(&w.server, &w.event).await;
    w.event.redeem(&w.server, &w.organiser.key, &text(&ticket["code"])).await;
    let rest = one.text().await.unwrap();
    assert!(!rest.contains("<span class=\"figure\">2</span>"), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_the_streams_of_pages() {
    let mut w = world().await;
    let grace = Person::member(&w.server, &w.organiser, "grace", "owner").await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&grace).await;
    let cookie = format!("liventix={}", browser.cookie("liventix").unwrap());
    let request = w.server.request(Method::GET, &w.page("/live"), "").header("cookie", cookie);
    let mut stream = request.send().await.unwrap();
    until(&mut stream, "inside now").await;
    drop(browser);
    assert!(w.server.shutdown().await, "every request ended by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_others_have_no_page() {
    let w = world().await;
    let other = Organiser::create(&w.server, "Other").await;
    let eve = Person::member(&w.server, &other, "eve", "owner").await;
    let limited = Person::limited(&w.server, &w.organiser, "lim", "event_manager", &[]).await;
    for person in [&eve, &limited] {
        let browser = Browser::new(&w.server);
        browser.sign_in(person).await;
        for page in ["", "/live", "/conflicts", "/anomalies"] {
            assert_eq!(browser.open(&w.page(page)).await.status, 404, "{page}");
        }
        // Nor below their own organiser.
        let path = format!("/console/organisers/{}/events/{}", other.id, w.event.id);
        assert_eq!(browser.open(&path).await.status, 404);
    }
}
