//! The page behind a ticket's link.

use liventix_server::platform::config::Limits;
use liventix_server::platform::rate_limit::Limit;
use serde_json::{Value, json};

use crate::support::{Event, Organiser, Phone, Reply, Server, text};

struct World {
    server: Server,
    organiser: Organiser,
    event: Event,
}

async fn world(event: Value) -> World {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event_with(&server, event).await;
    World { server, organiser, event }
}

impl World {
    async fn ticket(&self, more: Value) -> (Value, String) {
        let ticket = self.organiser.ticket_with(&self.server, &self.event, more).await;
        let link = self.organiser.link(&self.server, &self.event, &ticket).await;
        (ticket, link)
    }

    async fn open(&self, link: &str) -> Reply {
        self.server.send(self.server.http.get(link)).await
    }

    /// The page of a link that is alive.
    async fn page(&self, link: &str) -> String {
        let reply = self.open(link).await;
        assert_eq!(reply.status, 200);
        html(&reply)
    }
}

#[track_caller]
fn html(reply: &Reply) -> String {
    String::from_utf8(reply.bytes.clone()).unwrap()
}

/// Whether the page holds anything that opens a door.
fn shows_a_code(page: &str, ticket: &Value) -> bool {
    page.contains("<svg") || page.contains(&text(&ticket["manual_code"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_the_ticket_and_claims_nothing() {
    let w = world(json!({})).await;
    let (ticket, link) = w.ticket(json!({"valid_until": 1_785_542_400_000_i64})).await;
    let page = w.page(&link).await;
    let expected = [
        "<html lang=\"en\">",
        "Harbour Lights",
        "datetime=\"2026-07-31T19:00:00+02:00\"",
        "Friday, 31 July 2026",
        "19:00 – 06:00 CEST",
        "Sat 1 August 2026, 02:00",
        "Mateo Vasquez",
        "Day",
        "role=\"img\" aria-label=\"QR code",
        "<svg",
        &text(&ticket["manual_code"]),
    ];
    for part in expected {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("<script") && !page.contains("http-equiv") && !page.contains("LX1:"));
    let claims = format!("{}/tickets/{}/claims", w.event.path, text(&ticket["ticket_id"]));
    assert_eq!(w.server.get(&claims, &w.organiser.key).await.expect(200)["claims"], json!([]));
    Phone::new("Mateo's phone").claim(&w.server, &link).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_qr_code_is_the_tickets() {
    let w = world(json!({})).await;
    let (ticket, link) = w.ticket(json!({})).await;
    let page = w.page(&link).await;
    let path = format!("{}/tickets/{}/qr.svg", w.event.path, text(&ticket["ticket_id"]));
    // That one reads back as the code: see the tests of tickets.
    let drawn = String::from_utf8(w.server.get(&path, &w.organiser.key).await.bytes).unwrap();
    assert!(page.contains(&drawn));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_keeps_it_tells_nobody_and_runs_nothing() {
    let w = world(json!({})).await;
    let (_, link) = w.ticket(json!({})).await;
    for address in [link, w.server.url("/t/hello"), w.server.url("/t/%ff")] {
        let reply = w.open(&address).await;
        let header = |name: &str| reply.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("content-type").unwrap(), "text/html; charset=utf-8");
        assert_eq!(header("cache-control").unwrap(), "no-store");
        assert_eq!(header("referrer-policy").unwrap(), "no-referrer");
        assert_eq!(header("x-content-type-options").unwrap(), "nosniff");
        assert!(header("x-robots-tag").unwrap().contains("noindex"));
        assert_eq!(header("set-cookie"), None);
        let policy = header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
        // The style a browser hashes is the one the policy names.
        let page = html(&reply);
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let hash = <sha2::Sha256 as sha2::Digest>::digest(style);
        assert!(policy.contains(&data_encoding::BASE64.encode(&hash)));
        assert!(!page.contains("style="));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_text_whatever_stands_in_them() {
    let name = "<script>alert(\"1\")</script> & Söhne";
    let w = world(json!({"name": name})).await;
    let (_, link) = w.ticket(json!({"attendee_name": name})).await;
    let page = w.page(&link).await;
    assert!(!page.contains("<script"));
    let escaped = "&lt;script&gt;alert(&quot;1&quot;)&lt;";
    // In the title, the heading, and for the guest.
    assert_eq!(page.matches(escaped).count(), 3, "{page}");
    assert!(page.contains("&amp; Söhne"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_does_not_enter_says_so_and_shows_no_code() {
    let w = world(json!({})).await;
    for (action, says) in [("revoke", "This ticket is blocked"), ("cancel", "This ticket is cancelled")] {
        let (ticket, link) = w.ticket(json!({})).await;
        assert!(shows_a_code(&w.page(&link).await, &ticket));
        w.organiser.act(&w.server, &w.event, &ticket, action).await;
        let page = w.page(&link).await;
        assert!(page.contains(says) && !shows_a_code(&page, &ticket), "{page}");
    }
    let (ticket, link) = w.ticket(json!({"status": "unpaid"})).await;
    let page = w.page(&link).await;
    assert!(page.contains("Not paid yet") && !shows_a_code(&page, &ticket));
    w.organiser.act(&w.server, &w.event, &ticket, "mark-paid").await;
    assert!(shows_a_code(&w.page(&link).await, &ticket));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_has_ended_is_not_shown() {
    let w = world(json!({})).await;
    let (expiring, link) = w.ticket(json!({"code_expires_at": crate::support::NOW + 60_000})).await;
    assert!(shows_a_code(&w.page(&link).await, &expiring));
    w.server.clock.advance(60_000);
    let page = w.page(&link).await;
    assert!(page.contains("needs a new code") && !shows_a_code(&page, &expiring));
    let (ticket, link) = w.ticket(json!({})).await;
    let rotate = format!("{}/keys/rotate", w.event.path);
    w.server.post(&rotate, &w.organiser.key, &json!({"mode": "withdraw"})).await.expect(200);
    let page = w.page(&link).await;
    assert!(page.contains("needs a new code") && !shows_a_code(&page, &ticket));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_doors_refuse_printed_codes_the_page_sends_to_the_app() {
    let w = world(json!({"policy": {"printed": "until_live_activated"}})).await;
    let (ticket, link) = w.ticket(json!({})).await;
    let phone = Phone::new("Mateo's phone");
    phone.claim(&w.server, &link).await.expect(200);
    assert!(shows_a_code(&w.page(&link).await, &ticket));
    phone.call(&w.server, "POST", &ticket, "/activate").await.expect(200);
    let page = w.page(&link).await;
    assert!(page.contains("Show the live ticket in the app") && !shows_a_code(&page, &ticket));
    phone.call(&w.server, "DELETE", &ticket, "").await.expect(204);
    assert!(shows_a_code(&w.page(&link).await, &ticket));
    let change = json!({"policy": {"printed": "refused"}});
    w.server.call("PATCH", &w.event.path, &w.organiser.key, &change).await.expect(200);
    let page = w.page(&link).await;
    assert!(page.contains("Show the live ticket in the app") && !shows_a_code(&page, &ticket));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_shows_neither_the_code_nor_who_gives_it() {
    let w = world(json!({})).await;
    let (ticket, link) = w.ticket(json!({})).await;
    let phone = Phone::new("Mateo's phone");
    phone.claim(&w.server, &link).await.expect(200);
    let offer = phone.offer(&w.server, &ticket).await;
    let page = w.page(&offer).await;
    assert!(page.contains("Harbour Lights") && page.contains("Fri 7 August 2026, 20:00"), "{page}");
    assert!(!shows_a_code(&page, &ticket) && !page.contains("Mateo"));
    // Until somebody takes it, the ticket is its giver's.
    assert!(shows_a_code(&w.page(&link).await, &ticket));
    assert_eq!(event_reason(&w, &ticket).await, "entered");
    let page = w.page(&offer).await;
    assert!(page.contains("cannot be taken any more") && !shows_a_code(&page, &ticket));
}

async fn event_reason(w: &World, ticket: &Value) -> String {
    text(&w.event.redeem(&w.server, &w.organiser.key, &text(&ticket["code"])).await["reason"])
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_dead_or_unknown_have_a_page_that_says_what_to_do() {
    let w = world(json!({})).await;
    let (ticket, link) = w.ticket(json!({})).await;
    let phone = Phone::new("Mateo's phone");
    phone.claim(&w.server, &link).await.expect(200);
    let offer = phone.offer(&w.server, &ticket).await;
    w.server.clock.advance(7 * 24 * 3_600_000);
    let reply = w.open(&offer).await;
    assert!(reply.status == 410 && html(&reply).contains("This link has expired"));
    w.organiser.act(&w.server, &w.event, &ticket, "reissue").await;
    for (address, status, says) in [
        (&link, 410, "This link no longer works"),
        (&w.server.url("/t/hello"), 404, "We cannot find this ticket"),
        (&link[..link.len() - 1].to_owned(), 404, "We cannot find this ticket"),
    ] {
        let reply = w.open(address).await;
        let page = html(&reply);
        assert!(reply.status == status && page.contains(says), "{} {page}", reply.status);
        assert!(page.contains("<h1") && !page.contains("Harbour Lights") && !shows_a_code(&page, &ticket));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_links_in_a_browser_is_limited() {
    let limits = Limits { bad_token: Limit::per_minute(3), ..Limits::default() };
    let server = Server::start_with(limits).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let ticket = organiser.ticket(&server, &event).await;
    let link = organiser.link(&server, &event, &ticket).await;
    for status in [404, 404, 404, 429] {
        assert_eq!(server.get("/t/lxt_guess", "").await.status, status);
    }
    let limited = server.get("/t/lxt_guess", "").await;
    assert!(limited.headers.contains_key("retry-after") && html(&limited).contains("Too many tries"));
    // The same limit as for claims; whoever has the link is not held up.
    Phone::new("x").claim(&server, "hello").await.expect_problem(429, "rate_limited");
    assert_eq!(server.send(server.http.get(&link)).await.status, 200);
}
