//! Tickets handed on from phone to phone.

use serde_json::{Value, json};

use crate::support::{Event, NOW, Organiser, Phone, Reply, Server, new_id, text};

const WEEK: i64 = 7 * 24 * 3_600_000;

struct World {
    server: Server,
    organiser: Organiser,
    event: Event,
    ticket: Value,
    giver: Phone,
}

/// A ticket on its giver's phone.
async fn world(event: Value) -> World {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event_with(&server, event).await;
    let ticket = organiser.ticket(&server, &event).await;
    let giver = Phone::new("Giver");
    let link = organiser.link(&server, &event, &ticket).await;
    giver.claim(&server, &link).await.expect(200);
    World { server, organiser, event, ticket, giver }
}

impl World {
    async fn redeem(&self, code: &Value) -> Value {
        self.event.redeem(&self.server, &self.organiser.key, &text(code)).await
    }

    async fn offer(&self) -> Reply {
        self.giver.call(&self.server, "POST", &self.ticket, "/transfer").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_stays_the_same_until_it_is_taken_back() {
    let w = world(json!({})).await;
    let offer = w.offer().await.expect(200);
    assert_eq!(offer["expires_at"], NOW + WEEK);
    w.server.clock.advance(60_000);
    assert_eq!(w.offer().await.expect(200), offer);
    assert_eq!(w.giver.tickets(&w.server).await[0]["transfer_pending_until"], NOW + WEEK);
    for _ in 0..2 {
        let back = w.giver.call(&w.server, "DELETE", &w.ticket, "/transfer").await.expect(200);
        assert!(back["transfer_pending_until"].is_null());
    }
    let friend = Phone::new("Friend");
    friend.claim(&w.server, &text(&offer["url"])).await.expect_problem(410, "link_used");
    assert_eq!(w.giver.tickets(&w.server).await[0]["code"], w.ticket["code"]);
    assert_ne!(w.offer().await.expect(200)["url"], offer["url"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_ends_after_a_week() {
    let w = world(json!({})).await;
    let offer = w.offer().await.expect(200);
    let friend = Phone::new("Friend");
    w.server.clock.advance(WEEK);
    friend.claim(&w.server, &text(&offer["url"])).await.expect_problem(410, "link_expired");
    assert!(w.giver.tickets(&w.server).await[0]["transfer_pending_until"].is_null());
    let again = w.offer().await.expect(200);
    assert_eq!(again["expires_at"], NOW + 2 * WEEK);
    w.server.clock.advance(WEEK - 1);
    friend.claim(&w.server, &text(&again["url"])).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_transfer_gives_new_codes_and_kills_the_old_ones() {
    let w = world(json!({"policy": {"legacy": "accept"}})).await;
    let ticket = w.organiser.ticket_with(&w.server, &w.event, json!({"legacy_code": "OLD-1"})).await;
    let (giver, friend) = (&w.giver, Phone::new("Friend"));
    let link = w.organiser.link(&w.server, &w.event, &ticket).await;
    giver.claim(&w.server, &link).await.expect(200);
    let live = giver.live_code(&w.server, &ticket, NOW).await;
    let door = w.organiser.door(&w.server, &w.event).await;
    let cursor = door.page(&w.server, "").await["next_cursor"].clone();
    let offer = giver.offer(&w.server, &ticket).await;
    assert_eq!(door.page(&w.server, &format!("cursor={cursor}")).await["tickets"], json!([]));
    let theirs = friend.claim(&w.server, &offer).await.expect(200);
    assert_eq!(theirs["ticket_id"], ticket["ticket_id"]);
    assert_eq!((&theirs["live"]["activated"], theirs["live"].get("base")), (&json!(false), None));
    let delta = door.page(&w.server, &format!("cursor={cursor}")).await;
    assert_ne!(delta["tickets"][0].get("live_activated"), Some(&json!(true)));
    // The giver has nothing any more: not the ticket, not its link, not its codes.
    assert_eq!(giver.tickets(&w.server).await.as_array().unwrap().len(), 1);
    giver.call(&w.server, "POST", &ticket, "/activate").await.expect_problem(404, "ticket_not_found");
    giver.claim(&w.server, &link).await.expect_problem(410, "link_used");
    giver.claim(&w.server, &offer).await.expect_problem(410, "link_used");
    w.server.clock.advance(2_000);
    let reason = async |code: &Value| text(&w.redeem(code).await["reason"]);
    assert_eq!(reason(&ticket["code"]).await, "replaced");
    assert_eq!(reason(&json!(live)).await, "replaced");
    assert_eq!(reason(&ticket["manual_code"]).await, "manual_unknown");
    assert_eq!(reason(&json!("OLD-1")).await, "not_a_ticket");
    let code = friend.live_code(&w.server, &ticket, NOW + 2_000).await;
    assert_eq!(reason(&json!(code)).await, "entered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claimant_whose_answer_was_lost_asks_again_and_changes_nothing() {
    let w = world(json!({})).await;
    let offer = w.giver.offer(&w.server, &w.ticket).await;
    let friend = Phone::new("Friend");
    let first = friend.claim(&w.server, &offer).await.expect(200);
    w.server.clock.advance(WEEK * 2);
    assert_eq!(friend.claim(&w.server, &offer).await.expect(200), first);
    Phone::new("Late").claim(&w.server, &offer).await.expect_problem(410, "link_used");
    // Handed on again, the offer that brought it brings it no more.
    let onward = friend.offer(&w.server, &w.ticket).await;
    let next = Phone::new("Next");
    next.claim(&w.server, &onward).await.expect(200);
    friend.claim(&w.server, &offer).await.expect_problem(410, "link_used");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_claimants_at_once_exactly_one_has_the_ticket() {
    let w = world(json!({})).await;
    for _ in 0..5 {
        let ticket = w.organiser.ticket(&w.server, &w.event).await;
        let link = w.organiser.link(&w.server, &w.event, &ticket).await;
        w.giver.claim(&w.server, &link).await.expect(200);
        let offer = w.giver.offer(&w.server, &ticket).await;
        let phones = [Phone::new("First"), Phone::new("Second")];
        let replies = tokio::join!(phones[0].claim(&w.server, &offer), phones[1].claim(&w.server, &offer));
        let winner = usize::from(replies.1.status == 200);
        let (won, lost) = if winner == 1 { (replies.1, replies.0) } else { replies };
        lost.expect_problem(410, "link_used");
        let code = &won.expect(200)["code"];
        assert_eq!(phones[winner].tickets(&w.server).await[0]["code"], *code);
        // The loser was never registered.
        let loser = w.server.get("/v1/wallet/tickets", &phones[1 - winner].token).await;
        loser.expect_problem(401, "unauthenticated");
        w.server.clock.advance(2_000);
        assert_eq!(w.redeem(code).await["reason"], "entered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organiser_may_refuse_transfers() {
    let w = world(json!({})).await;
    let offer = w.offer().await.expect(200);
    let change = async |transfer: &str| {
        let body = json!({"wallet": {"transfer": transfer}});
        w.server.call("PATCH", &w.event.path, &w.organiser.key, &body).await.expect(200)
    };
    change("refused").await;
    w.offer().await.expect_problem(403, "transfer_refused");
    assert_eq!(w.giver.tickets(&w.server).await[0]["transfer"], "refused");
    // One offered before is not completed either.
    let friend = Phone::new("Friend");
    friend.claim(&w.server, &text(&offer["url"])).await.expect_problem(403, "transfer_refused");
    change("allowed").await;
    friend.claim(&w.server, &text(&offer["url"])).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_valid_ticket_is_handed_on() {
    let w = world(json!({})).await;
    let unpaid = w.organiser.ticket_with(&w.server, &w.event, json!({"status": "unpaid"})).await;
    let link = w.organiser.link(&w.server, &w.event, &unpaid).await;
    w.giver.claim(&w.server, &link).await.expect(200);
    let refused = w.giver.call(&w.server, "POST", &unpaid, "/transfer").await;
    refused.expect_problem(409, "ticket_not_valid");
    let offer = w.giver.offer(&w.server, &w.ticket).await;
    let friend = Phone::new("Friend");
    for action in ["revoke", "unblock"] {
        w.organiser.act(&w.server, &w.event, &w.ticket, action).await;
        let claimed = friend.claim(&w.server, &offer).await;
        if action == "revoke" {
            claimed.expect_problem(409, "ticket_not_valid");
            w.offer().await.expect_problem(409, "ticket_not_valid");
        } else {
            claimed.expect(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_ticket_is_not_handed_on_unless_the_use_was_undone() {
    let w = world(json!({})).await;
    let offer = w.giver.offer(&w.server, &w.ticket).await;
    let entered = w.redeem(&w.ticket["code"]).await;
    assert_eq!(entered["reason"], "entered");
    let friend = Phone::new("Friend");
    friend.claim(&w.server, &offer).await.expect_problem(409, "ticket_used");
    w.offer().await.expect_problem(409, "ticket_used");
    let undo = format!("{}/scans/{}/undo", w.event.path, text(&entered["scan_id"]));
    w.server
        .post(&undo, &w.organiser.key, &json!({"scan_id": new_id(), "note": "Wrong guest"}))
        .await
        .expect(200);
    w.offer().await.expect(200);
    w.server.clock.advance(60_000);
    let theirs = friend.claim(&w.server, &offer).await.expect(200);
    w.server.clock.advance(2_000);
    assert_eq!(w.redeem(&theirs["code"]).await["reason"], "entered");
    assert_eq!(w.redeem(&w.ticket["code"]).await["reason"], "replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_takes_the_ticket_off_the_whole_familys_phones() {
    let w = world(json!({"wallet": {"claims": {"mode": "several", "max_phones": 3}}})).await;
    let link = w.organiser.link(&w.server, &w.event, &w.ticket).await;
    let (sister, friend) = (Phone::new("Sister"), Phone::new("Friend"));
    sister.claim(&w.server, &link).await.expect(200);
    let offer = sister.offer(&w.server, &w.ticket).await;
    // Whoever of them holds it may take the offer back.
    assert_eq!(w.giver.offer(&w.server, &w.ticket).await, offer);
    friend.claim(&w.server, &offer).await.expect(200);
    for phone in [&w.giver, &sister] {
        assert_eq!(phone.tickets(&w.server).await, json!([]));
    }
    assert_eq!(friend.tickets(&w.server).await.as_array().unwrap().len(), 1);
    // The friend's own link, for the friend's second phone.
    let new = w.organiser.link(&w.server, &w.event, &w.ticket).await;
    assert_ne!(new, link);
    Phone::new("Tablet").claim(&w.server, &new).await.expect(200);
}
