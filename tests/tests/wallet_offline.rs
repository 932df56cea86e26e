//! A ticket on a phone, a server that is gone, and a door that has never seen the code: it enters.

use std::sync::Arc;

use liventix_core::clock::Clock as _;
use liventix_core::ids::TicketId;
use liventix_core::rules::{Outcome, Reason};
use liventix_core::ticket::{Scanned, read};
use liventix_tests::phone::link;
use liventix_tests::{Door, Phone, Stage};

const MINUTE: i64 = 60_000;

/// Issues a ticket; its id, and the link that the organiser sends.
async fn sold(stage: &Stage) -> (TicketId, String) {
    let code = stage.issue().await;
    let Ok(Scanned::Signed(code)) = read(&code) else { panic!("not a code: {code}") };
    let path = stage.of_event(&format!("tickets/{}/link", code.ticket_id()));
    let answer = stage.get(&path).await;
    (code.ticket_id(), answer["url"].as_str().expect("a link").to_owned())
}

async fn enrolled(stage: &Stage) -> Door {
    let enrolment = stage.enrolment(&format!("http://{}", stage.address())).await;
    let path = stage.folder().join("door.ledger");
    Door::enrol(&enrolment, &path, Arc::clone(&stage.clock), stage.event_id, stage.gates[0]).await
}

fn pass(stage: &Stage, phones: &[&Phone], ms: i64) {
    stage.clock.advance(ms);
    phones.iter().for_each(|phone| phone.clock.advance(ms));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_code_minted_offline_enters_at_an_offline_door() {
    let mut stage = Stage::new().await;
    let door = enrolled(&stage).await;
    let (first, first_link) = sold(&stage).await;
    let (second, second_link) = sold(&stage).await;
    // Eleven minutes fast: more than a live code is good for.
    let phone = Phone::new(stage.clock.wall_ms() + 11 * MINUTE);
    for (ticket, text) in [(first, &first_link), (second, &second_link)] {
        phone.wallet.claim(&link(text), "Ada's phone").await.expect("a claim");
        phone.wallet.activate(ticket).await.expect("live codes");
    }
    door.sync().await.expect("a list");

    stage.stop().await;
    pass(&stage, &[&phone], 90 * MINUTE);
    let code = phone.wallet.live_code(first).expect("a code without a network");
    let kept = phone.wallet.live_code(second).expect("a code without a network");
    let decision = door.scan(&code.text).decision;
    assert_eq!((decision.outcome, decision.reason), (Outcome::Admit, Reason::Entered));
    // Somebody photographed the other one and comes too late.
    pass(&stage, &[&phone], 5 * MINUTE + 2_000);
    assert_eq!(door.scan(&kept.text).decision.reason, Reason::Stale);
    assert_eq!(phone.wallet.refresh().await.expect("a report").failed[0].error.code(), "offline");
    let fresh = phone.wallet.live_code(second).expect("a newer code");
    assert_eq!(door.scan(&fresh.text).decision.outcome, Outcome::Admit);

    stage.start().await;
    door.sync().await.expect("the scans go up");
    let counts = stage.get(&stage.of_event("counts")).await;
    assert_eq!(counts["admitted"], 2, "{counts}");
    let error = phone.wallet.transfer(first).await.expect_err("somebody entered with it");
    assert_eq!(error.code(), "ticket_used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_changed_hands_enters_with_its_new_holder_only() {
    let stage = Stage::new().await;
    let door = enrolled(&stage).await;
    let (ticket, text) = sold(&stage).await;
    let now = stage.clock.wall_ms();
    let (giver, taker, late) = (Phone::new(now - 20 * MINUTE), Phone::new(now), Phone::new(now));
    giver.wallet.claim(&link(&text), "Ada's phone").await.expect("a claim");
    giver.wallet.activate(ticket).await.expect("live codes");
    let error = taker.wallet.claim(&link(&text), "Ben's phone").await.expect_err("one phone at a time");
    assert_eq!(error.code(), "already_claimed");

    let offer = giver.wallet.transfer(ticket).await.expect("an offer");
    let offered = link(&offer.url);
    let (one, other) =
        tokio::join!(taker.wallet.claim(&offered, "Ben's phone"), late.wallet.claim(&offered, "Eve's phone"));
    assert_ne!(one.is_ok(), other.is_ok(), "one of the two has it");
    let (winner, refused) = if one.is_ok() { (&taker, other) } else { (&late, one) };
    assert_eq!(refused.expect_err("the link works once").code(), "link_used");
    winner.wallet.claim(&offered, "Ben's phone").await.expect("the same phone may ask again");
    winner.wallet.activate(ticket).await.expect("live codes");
    let report = giver.wallet.refresh().await.expect("a report");
    assert_eq!(report.gone, [ticket]);

    // Codes hold whole seconds: the new one is good from the next second on.
    pass(&stage, &[&giver, &taker, &late], 2_000);
    door.sync().await.expect("a list");
    let old = giver.wallet.live_code(ticket).expect("the giver's phone can still mint");
    assert_eq!(door.scan(&old.text).decision.reason, Reason::Replaced);
    let new = winner.wallet.live_code(ticket).expect("a code");
    assert_eq!(door.scan(&new.text).decision.reason, Reason::Entered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_ticket_can_be_claimed_on_another_phone() {
    let stage = Stage::new().await;
    let (ticket, text) = sold(&stage).await;
    let (old, new) = (Phone::new(stage.clock.wall_ms()), Phone::new(stage.clock.wall_ms()));
    old.wallet.claim(&link(&text), "Old phone").await.expect("a claim");
    old.wallet.activate(ticket).await.expect("live codes");
    let offer = old.wallet.transfer(ticket).await.expect("an offer");
    let held = old.wallet.cancel_transfer(ticket).await.expect("taken back");
    assert_eq!(held.ticket.transfer_pending_until, None);
    let error = new.wallet.claim(&link(&offer.url), "New phone").await.expect_err("it was taken back");
    assert_eq!(error.code(), "link_used");

    old.wallet.release(ticket).await.expect("given back");
    assert!(old.wallet.tickets().expect("a wallet").is_empty());
    let held = new.wallet.claim(&link(&text), "New phone").await.expect("a claim");
    assert!(!held.ticket.live.activated, "no phone could mint: the printed code counted again");
    assert_eq!(new.wallet.live_code(ticket).expect_err("not here yet").code(), "not_activated");
    // Reissued, it is nobody's until its new link is opened.
    stage.post(&stage.of_event(&format!("tickets/{ticket}/reissue")), &serde_json::json!({})).await;
    assert_eq!(new.wallet.activate(ticket).await.expect_err("not held").code(), "not_held");
    let error = new.wallet.claim(&link(&text), "New phone").await.expect_err("the old link");
    assert_eq!(error.code(), "link_used");
}
