//! Tickets on phones: claimed by a link, refreshed, activated, let go of.

use liventix_server::platform::config::Limits;
use liventix_server::platform::rate_limit::Limit;
use serde_json::{Value, json};

use crate::support::{Event, NOW, Organiser, Phone, Server, text};

struct World {
    server: Server,
    organiser: Organiser,
    event: Event,
    ticket: Value,
    link: String,
}

/// An event with this wallet policy and a ticket with its link.
async fn world(event: Value) -> World {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event_with(&server, event).await;
    let ticket = organiser.ticket(&server, &event).await;
    let link = organiser.link(&server, &event, &ticket).await;
    World { server, organiser, event, ticket, link }
}

impl World {
    async fn redeem(&self, code: &str) -> String {
        text(&self.event.redeem(&self.server, &self.organiser.key, code).await["reason"])
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/tickets/{}{rest}", self.event.path, text(&self.ticket["ticket_id"]))
    }

    async fn claims(&self) -> Value {
        self.server.get(&self.path("/claims"), &self.organiser.key).await.expect(200)["claims"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_becomes_a_ticket_on_a_phone() {
    let w = world(json!({})).await;
    assert!(w.link.starts_with(&w.server.url("/t/lxt_")), "{}", w.link);
    assert_eq!(w.organiser.link(&w.server, &w.event, &w.ticket).await, w.link);
    assert_eq!(w.claims().await, json!([]));
    let phone = Phone::new("Mateo's phone");
    let claimed = phone.claim(&w.server, &w.link).await.expect(200);
    for field in ["ticket_id", "code", "manual_code", "attendee_name", "status"] {
        assert_eq!(claimed[field], w.ticket[field], "{field}");
    }
    assert_eq!((&claimed["type_name"], &claimed["admits"]), (&json!("Day"), &json!(1)));
    assert_eq!(
        (&claimed["event"]["name"], &claimed["event"]["event_id"]),
        (&json!("Harbour Lights"), &json!(w.event.id))
    );
    assert_eq!(claimed["event"]["time_zone"], "Europe/Paris");
    assert_eq!(
        claimed["live"],
        json!({"activated": false, "ttl_seconds": 300, "ttl_effect": "hard", "printed": "allowed"})
    );
    assert_eq!(w.claims().await, json!([{"phone_name": "Mateo's phone", "claimed_at": NOW}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_phone_claims_again_and_nothing_changes() {
    let w = world(json!({})).await;
    let phone = Phone::new("Mateo's phone");
    let first = phone.claim(&w.server, &w.link).await.expect(200);
    w.server.clock.advance(60_000);
    assert_eq!(phone.claim(&w.server, &w.link).await.expect(200), first);
    assert_eq!(w.claims().await, json!([{"phone_name": "Mateo's phone", "claimed_at": NOW}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_phone_at_a_time_holds_a_ticket() {
    let w = world(json!({})).await;
    let (first, second) = (Phone::new("First"), Phone::new("Second"));
    first.claim(&w.server, &w.link).await.expect(200);
    second.claim(&w.server, &w.link).await.expect_problem(409, "already_claimed");
    second.call(&w.server, "POST", &w.ticket, "/activate").await.expect_problem(401, "unauthenticated");
    for _ in 0..2 {
        first.call(&w.server, "DELETE", &w.ticket, "").await.expect(204);
    }
    assert_eq!(first.tickets(&w.server).await, json!([]));
    second.claim(&w.server, &w.link).await.expect(200);
    first.claim(&w.server, &w.link).await.expect_problem(409, "already_claimed");
    assert_eq!(w.claims().await[0]["phone_name"], "Second");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_phones_that_claim_at_once_one_holds_the_ticket() {
    let w = world(json!({})).await;
    let (first, second) = (Phone::new("First"), Phone::new("Second"));
    let (one, other) = tokio::join!(first.claim(&w.server, &w.link), second.claim(&w.server, &w.link));
    let mut found = [one.status, other.status];
    found.sort_unstable();
    assert_eq!(found, [200, 409]);
    assert_eq!(w.claims().await.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_shares_a_ticket_on_as_many_phones_as_the_event_allows() {
    let w = world(json!({"wallet": {"claims": {"mode": "several", "max_phones": 2}}})).await;
    let phones = [Phone::new("First"), Phone::new("Second"), Phone::new("Third")];
    for phone in &phones[..2] {
        w.server.clock.advance(1);
        phone.claim(&w.server, &w.link).await.expect(200);
    }
    phones[2].claim(&w.server, &w.link).await.expect_problem(409, "already_claimed");
    phones[0].claim(&w.server, &w.link).await.expect(200);
    let names: Vec<Value> =
        w.claims().await.as_array().unwrap().iter().map(|c| c["phone_name"].clone()).collect();
    assert_eq!(names, ["First", "Second"]);
    // Live codes of one phone are live codes of all of them.
    let activated = phones[0].live_code(&w.server, &w.ticket, NOW).await;
    let seen = &phones[1].tickets(&w.server).await[0]["live"];
    assert_eq!((&seen["activated"], seen["base"].is_object()), (&json!(true), true));
    // One of two lets go: the other still mints.
    phones[0].call(&w.server, "DELETE", &w.ticket, "").await.expect(204);
    assert_eq!(phones[1].tickets(&w.server).await[0]["live"]["activated"], true);
    assert_eq!(w.redeem(&activated).await, "entered");
    phones[2].claim(&w.server, &w.link).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_known_by_its_secret_alone() {
    let w = world(json!({})).await;
    let phone = Phone::new("Mateo's phone");
    phone.claim(&w.server, &w.link).await.expect(200);
    let thief = Phone::with_id("Thief", phone.id());
    thief.claim(&w.server, &w.link).await.expect_problem(401, "unauthenticated");
    w.server.get("/v1/wallet/tickets", &thief.token).await.expect_problem(401, "unauthenticated");
    thief.call(&w.server, "DELETE", &w.ticket, "").await.expect_problem(401, "unauthenticated");
    assert_eq!(w.claims().await[0]["phone_name"], "Mateo's phone");
    // No other kind of token claims.
    let token = w.link.rsplit('/').next().unwrap();
    let body = json!({"token": token, "phone_name": "x"});
    for other in ["", token, &w.organiser.key] {
        w.server.post("/v1/wallet/claim", other, &body).await.expect_problem(401, "unauthenticated");
    }
    w.server.get("/v1/events", &phone.token).await.expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_nobody_made_are_unknown_and_guessing_is_limited() {
    let limits = Limits { bad_token: Limit::per_minute(6), ..Limits::default() };
    let server = Server::start_with(limits).await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let ticket = organiser.ticket(&server, &event).await;
    let phone = Phone::new("Mateo's phone");
    let link = organiser.link(&server, &event, &ticket).await;
    let (kept, last) = link.split_at(link.len() - 1);
    let other = format!("{kept}{}", if last == "A" { "E" } else { "A" });
    let of_nobody = format!("lxt_{}_{}", "0".repeat(32), "A".repeat(43));
    for bad in ["", "hello", &link[..link.len() - 4], &other, &of_nobody, &organiser.key] {
        phone.claim(&server, bad).await.expect_problem(404, "link_unknown");
    }
    phone.claim(&server, "hello").await.expect_problem(429, "rate_limited");
    // Whoever has the link is never slowed down.
    phone.claim(&server, &link).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_says_which_phone_it_is_for() {
    let w = world(json!({})).await;
    let phone = Phone::new("x");
    let token = w.link.rsplit('/').next().unwrap();
    for name in ["", "   ", &"x".repeat(81), "a\nb"] {
        let body = json!({"token": token, "phone_name": name});
        w.server.post("/v1/wallet/claim", &phone.token, &body).await.expect_problem(422, "invalid_field");
    }
    assert_eq!(w.claims().await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reissue_kills_the_link_and_ends_the_claims() {
    let w = world(json!({})).await;
    let phone = Phone::new("Mateo's phone");
    phone.claim(&w.server, &w.link).await.expect(200);
    let live = phone.live_code(&w.server, &w.ticket, NOW).await;
    let offer = phone.offer(&w.server, &w.ticket).await;
    let new = w.organiser.act(&w.server, &w.event, &w.ticket, "reissue").await;
    assert_eq!(new["live_activated"], false);
    assert_eq!((phone.tickets(&w.server).await, w.claims().await), (json!([]), json!([])));
    phone.call(&w.server, "POST", &w.ticket, "/activate").await.expect_problem(404, "ticket_not_found");
    for dead in [&w.link, &offer] {
        phone.claim(&w.server, dead).await.expect_problem(410, "link_used");
    }
    assert_eq!(w.redeem(&live).await, "replaced");
    let link = w.organiser.link(&w.server, &w.event, &w.ticket).await;
    assert_ne!(link, w.link);
    assert_eq!(phone.claim(&w.server, &link).await.expect(200)["code"], new["code"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_is_cancelled_or_blocked_is_not_claimed_and_an_unpaid_one_is() {
    let w = world(json!({})).await;
    let phone = Phone::new("Mateo's phone");
    for action in ["revoke", "cancel"] {
        let ticket = w.organiser.ticket(&w.server, &w.event).await;
        let link = w.organiser.link(&w.server, &w.event, &ticket).await;
        w.organiser.act(&w.server, &w.event, &ticket, action).await;
        phone.claim(&w.server, &link).await.expect_problem(409, "ticket_not_valid");
    }
    assert_eq!(w.server.get("/v1/wallet/tickets", &phone.token).await.status, 401, "nothing was registered");
    let unpaid = w.organiser.ticket_with(&w.server, &w.event, json!({"status": "unpaid"})).await;
    let link = w.organiser.link(&w.server, &w.event, &unpaid).await;
    assert_eq!(phone.claim(&w.server, &link).await.expect(200)["status"], "unpaid");
    for (action, status) in [("mark-paid", "valid"), ("revoke", "revoked"), ("cancel", "cancelled")] {
        w.organiser.act(&w.server, &w.event, &unpaid, action).await;
        assert_eq!(phone.tickets(&w.server).await[0]["status"], status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_lists_what_the_phone_holds_and_nothing_else() {
    let w = world(json!({})).await;
    let (phone, other) = (Phone::new("Mateo's phone"), Phone::new("Other"));
    let elsewhere = Organiser::create(&w.server, "B").await;
    let event = elsewhere.event_with(&w.server, json!({"name": "Night Market"})).await;
    let mut links = vec![w.link.clone()];
    for _ in 0..2 {
        let ticket = elsewhere.ticket(&w.server, &event).await;
        links.push(elsewhere.link(&w.server, &event, &ticket).await);
    }
    for (link, phone) in links.iter().zip([&phone, &phone, &other]) {
        w.server.clock.advance(1_000);
        phone.claim(&w.server, link).await.expect(200);
    }
    let all = w.server.get("/v1/wallet/tickets", &phone.token).await.expect(200);
    let names: Vec<&Value> = all["tickets"].as_array().unwrap().iter().map(|t| &t["event"]["name"]).collect();
    assert_eq!(names, ["Harbour Lights", "Night Market"]);
    assert_eq!(all["server_ms"], NOW + 3_000);
    // What its organiser changes, the phone sees.
    w.server
        .call("PATCH", &w.event.path, &w.organiser.key, &json!({"name": "Harbour Nights"}))
        .await
        .expect(200);
    assert_eq!(phone.tickets(&w.server).await[0]["event"]["name"], "Harbour Nights");
    // Another's ticket, held by another phone, is nothing to this one.
    let theirs = other.tickets(&w.server).await[0].clone();
    for (method, rest) in [("POST", "/activate"), ("POST", "/transfer"), ("DELETE", "/transfer")] {
        phone.call(&w.server, method, &theirs, rest).await.expect_problem(404, "ticket_not_found");
    }
    phone.call(&w.server, "DELETE", &theirs, "").await.expect(204);
    assert_eq!(other.tickets(&w.server).await, json!([theirs]));
}

#[tokio::test(flavor = "multi_thread")]
async fn activating_turns_the_printed_code_off_until_the_phone_lets_go() {
    let w = world(json!({"policy": {"printed": "until_live_activated"}})).await;
    let door = w.organiser.door(&w.server, &w.event).await;
    let phone = Phone::new("Mateo's phone");
    phone.claim(&w.server, &w.link).await.expect(200);
    let cursor = door.page(&w.server, "").await["next_cursor"].clone();
    let activated = phone.call(&w.server, "POST", &w.ticket, "/activate").await.expect(200);
    let delta = door.page(&w.server, &format!("cursor={cursor}")).await;
    assert_eq!(delta["tickets"][0]["live_activated"], true);
    assert_eq!(phone.call(&w.server, "POST", &w.ticket, "/activate").await.expect(200), activated);
    assert_eq!(door.page(&w.server, &format!("cursor={}", delta["next_cursor"])).await["tickets"], json!([]));
    w.server.clock.advance(10_000);
    assert_eq!(w.redeem(&text(&w.ticket["code"])).await, "printed_refused");
    // Refused at the door is not used up: the phone still enters.
    let live = phone.live_code(&w.server, &w.ticket, NOW + 10_000).await;
    phone.call(&w.server, "DELETE", &w.ticket, "").await.expect(204);
    let view = w.server.get(&w.path(""), &w.organiser.key).await.expect(200);
    assert_eq!(view["live_activated"], false);
    w.server.clock.advance(10_000);
    assert_eq!(w.redeem(&text(&w.ticket["code"])).await, "entered");
    w.server.clock.advance(60_000);
    assert_ne!(w.redeem(&live).await, "entered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_code_from_the_phone_enters() {
    let w = world(json!({"policy": {"printed": "refused"}})).await;
    let phone = Phone::new("Mateo's phone");
    phone.claim(&w.server, &w.link).await.expect(200);
    let live = phone.live_code(&w.server, &w.ticket, NOW).await;
    assert_eq!(w.redeem(&text(&w.ticket["code"])).await, "printed_refused");
    w.server.clock.advance(10_000);
    assert_eq!(w.redeem(&live).await, "entered");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organiser_frees_a_ticket_of_a_lost_phone() {
    let w = world(json!({"policy": {"printed": "until_live_activated"}})).await;
    let (lost, new) = (Phone::new("Lost"), Phone::new("New"));
    lost.claim(&w.server, &w.link).await.expect(200);
    lost.live_code(&w.server, &w.ticket, NOW).await;
    let offer = lost.offer(&w.server, &w.ticket).await;
    for _ in 0..2 {
        w.server.call("DELETE", &w.path("/claims"), &w.organiser.key, &json!(null)).await.expect(204);
    }
    assert_eq!((lost.tickets(&w.server).await, w.claims().await), (json!([]), json!([])));
    new.claim(&w.server, &offer).await.expect_problem(410, "link_used");
    assert_eq!(new.claim(&w.server, &w.link).await.expect(200)["live"]["activated"], false);
    assert_eq!(w.redeem(&text(&w.ticket["code"])).await, "entered");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_claims_are_the_organisers_own() {
    let w = world(json!({})).await;
    let other = Organiser::create(&w.server, "B").await;
    let foreign = other.event(&w.server).await;
    let path = format!("{}/tickets/{}", foreign.path, text(&w.ticket["ticket_id"]));
    for (method, rest) in [("GET", "/link"), ("GET", "/claims"), ("DELETE", "/claims")] {
        let reply = w.server.call(method, &w.path(rest), &other.key, &json!(null)).await;
        reply.expect_problem(404, "event_not_found");
        // Nor by way of an event of their own.
        let reply = w.server.call(method, &format!("{path}{rest}"), &other.key, &json!(null)).await;
        reply.expect_problem(404, "ticket_not_found");
    }
    let reader = w.organiser.key_with(&w.server, "read").await;
    w.server.get(&w.path("/link"), &reader).await.expect_problem(403, "scope_missing");
    w.server
        .call("DELETE", &w.path("/claims"), &reader, &json!(null))
        .await
        .expect_problem(403, "scope_missing");
    w.server.get(&w.path("/claims"), &reader).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_phones_may_do_is_checked_and_can_be_changed() {
    let w = world(json!({})).await;
    let view = w.server.get(&w.event.path, &w.organiser.key).await.expect(200);
    assert_eq!(view["wallet"], json!({"claims": {"mode": "once"}, "transfer": "allowed"}));
    let change = async |wallet: Value| {
        w.server.call("PATCH", &w.event.path, &w.organiser.key, &json!({ "wallet": wallet })).await
    };
    for max_phones in [0, 1, 11] {
        let wallet = json!({"claims": {"mode": "several", "max_phones": max_phones}});
        change(wallet.clone()).await.expect_problem(422, "invalid_field");
        let body =
            json!({"name": "x", "starts_at": NOW, "ends_at": NOW + 1, "time_zone": "UTC", "wallet": wallet});
        let reply = w.server.post("/v1/events", &w.organiser.key, &body).await;
        reply.expect_problem(422, "invalid_field");
        assert_eq!(reply.json["issues"][0]["field"], "wallet.claims.max_phones");
    }
    for wrong in [json!({"claims": {"mode": "many"}}), json!({"transfer": "maybe"}), json!({"phones": 2})] {
        change(wrong).await.expect_problem(422, "invalid_body");
    }
    let several = json!({"claims": {"mode": "several", "max_phones": 10}, "transfer": "refused"});
    assert_eq!(change(several.clone()).await.expect(200)["wallet"], several);
    // A change of something else leaves it.
    let renamed = json!({"name": "Harbour Nights"});
    let view = w.server.call("PATCH", &w.event.path, &w.organiser.key, &renamed).await.expect(200);
    assert_eq!(view["wallet"], several);
}
