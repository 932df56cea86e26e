//! Tickets on a phone: claimed, refreshed, handed on, and kept apart by server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;
mod wallet_support;

use harness::Venue;
use liventix_core::rules::TicketStatus;
use liventix_core::wallet::{ClaimLink, WalletError};
use wallet_support::{OTHER_URL, Phone, World};

async fn claimed() -> (World, Phone) {
    let world = World::new(Venue::new());
    let phone = world.phone(1);
    phone.wallet.claim(&world.link(), "Ada's phone").await.unwrap();
    (world, phone)
}

#[tokio::test]
async fn a_claimed_ticket_is_there_without_a_network() {
    let (world, mut phone) = claimed().await;
    phone.restart();
    let held = phone.held();
    assert_eq!(held.ticket.event.name, "Summer Fair");
    assert_eq!(held.refreshed_at / 1_000, world.server_now() / 1_000);
    let printed = phone.wallet.printed_code(world.ticket_id()).unwrap();
    assert_eq!(printed.text, world.venue.code(&world.server().ticket));
    assert!(printed.accepted);
    assert_eq!(phone.wallet.live_code(world.ticket_id()).unwrap_err().code(), "not_activated");
}

#[tokio::test]
async fn another_phone_is_refused_until_the_first_lets_go() {
    let (world, first) = claimed().await;
    let second = world.phone(2);
    let error = second.wallet.claim(&world.link(), "Ben's phone").await.unwrap_err();
    assert!(matches!(error, WalletError::AlreadyClaimed), "{error:?}");
    assert!(second.wallet.tickets().unwrap().is_empty());
    first.wallet.release(world.ticket_id()).await.unwrap();
    second.wallet.claim(&world.link(), "Ben's phone").await.unwrap();
    assert_eq!(first.wallet.ticket(world.ticket_id()).unwrap_err().code(), "ticket_unknown");
}

#[tokio::test]
async fn a_refresh_says_what_changed_and_what_is_gone() {
    let (world, phone) = claimed().await;
    let id = world.ticket_id();
    let report = phone.wallet.refresh().await.unwrap();
    assert!(report.updated.is_empty() && report.gone.is_empty(), "nothing changed: {report:?}");
    world.server().ticket.status = TicketStatus::Revoked;
    assert_eq!(phone.wallet.refresh().await.unwrap().updated, [id]);
    assert!(!phone.wallet.printed_code(id).unwrap().accepted);
    world.server().reissue();
    assert_eq!(phone.wallet.refresh().await.unwrap().gone, [id]);
    assert!(phone.held().gone, "marked, not thrown away");
    assert!(phone.wallet.refresh().await.unwrap().gone.is_empty(), "told once");
    phone.wallet.forget(id).unwrap();
    phone.wallet.forget(id).unwrap();
    assert!(phone.wallet.tickets().unwrap().is_empty());
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_for_good_comes_with_the_next_refresh() {
    let (world, phone) = claimed().await;
    phone.wallet.forget(world.ticket_id()).unwrap();
    // Something else of that server is needed to know whom to ask.
    phone.wallet.claim(&world.link(), "Ada's phone").await.unwrap();
    phone.secrets.damage("wallet.ticket", None);
    phone.secrets.damage("wallet.index", None);
    assert_eq!(phone.wallet.refresh().await.unwrap().updated, [world.ticket_id()]);
}

#[tokio::test]
async fn a_server_restored_from_a_backup_empties_no_phone() {
    let (world, phone) = claimed().await;
    let id = world.ticket_id();
    phone.wallet.activate(id).await.unwrap();
    world.server().restored = true;
    let report = phone.wallet.refresh().await.unwrap();
    assert_eq!(report.failed[0].error.code(), "unauthorized");
    assert!(!phone.held().gone && phone.wallet.live_code(id).is_ok());
    world.server().restored = false;
    world.server().holders.clear();
    assert_eq!(phone.wallet.refresh().await.unwrap().gone, [id]);
    assert!(phone.wallet.live_code(id).is_ok(), "the door decides, not the phone");
    phone.wallet.claim(&world.link(), "Ada's phone").await.unwrap();
    assert!(!phone.held().gone);
}

#[tokio::test]
async fn a_ticket_changes_hands_once() {
    let (world, giver) = claimed().await;
    let id = world.ticket_id();
    giver.wallet.activate(id).await.unwrap();
    let old = giver.wallet.live_code(id).unwrap();
    let offered = giver.wallet.transfer(id).await.unwrap();
    assert_eq!(giver.wallet.transfer(id).await.unwrap().url, offered.url, "the same link");
    assert_eq!(giver.held().ticket.transfer_pending_until, Some(offered.expires_at));
    let link = ClaimLink::parse(&offered.url, false).unwrap();
    let (taker, late) = (world.phone(2), world.phone(3));
    world.advance(5_000);
    taker.wallet.claim(&link, "Ben's phone").await.unwrap();
    taker.wallet.claim(&link, "Ben's phone").await.unwrap();
    let error = late.wallet.claim(&link, "Eve's phone").await.unwrap_err();
    assert!(matches!(error, WalletError::LinkUsed), "{error:?}");
    taker.wallet.activate(id).await.unwrap();
    assert_eq!(giver.wallet.activate(id).await.unwrap_err().code(), "not_held");
    assert!(giver.held().gone, "the giver's phone has learnt of it");
    // At the door: the old code is replaced, the new one enters.
    world.advance(1_000);
    let mut door = world.venue.door(std::slice::from_ref(&world.server().ticket));
    door.clock.advance(world.server_now() - harness::NOW);
    assert_eq!(door.scan(&old.text).decision.reason.code(), "replaced");
    let new = taker.wallet.live_code(id).unwrap();
    assert_eq!(door.scan(&new.text).decision.reason.code(), "entered");
}

#[tokio::test]
async fn refusals_keep_their_reason() {
    let (world, phone) = claimed().await;
    let id = world.ticket_id();
    world.server().transfer_allowed = false;
    assert_eq!(phone.wallet.transfer(id).await.unwrap_err().code(), "transfer_refused");
    let stale = world.link();
    world.server().reissue();
    assert_eq!(phone.wallet.claim(&stale, "Ada").await.unwrap_err().code(), "link_unknown");
    world.server().ticket.status = TicketStatus::Cancelled;
    let error = world.phone(2).wallet.claim(&world.link(), "Ben").await.unwrap_err();
    assert_eq!(error.code(), "ticket_not_valid");
    for name in ["", " \t", "two\nlines", &"x".repeat(81)] {
        let error = phone.wallet.claim(&world.link(), name).await.unwrap_err();
        assert_eq!(error.code(), "phone_name_invalid", "{name:?}");
    }
}

#[tokio::test]
async fn servers_are_kept_apart() {
    let (world, phone) = claimed().await;
    let other = world.other.server.lock().unwrap().link();
    let other = ClaimLink::parse(&other, false).unwrap();
    phone.wallet.claim(&other, "Ada's phone").await.unwrap();
    assert_eq!(phone.wallet.tickets().unwrap().len(), 2);
    // Neither could act as this phone at the other.
    let (here, there) = (world.server().holders.clone(), world.other.server.lock().unwrap().holders.clone());
    assert!(here.len() == 1 && there.len() == 1 && here != there);
    // A server that is down hides nothing of the one that is up.
    world.other.plan(Some(wallet_support::Plan {
        from: 0,
        until: usize::MAX,
        fault: wallet_support::Fault::CutBeforeSend,
    }));
    world.server().ticket.status = TicketStatus::Unpaid;
    let report = phone.wallet.refresh().await.unwrap();
    assert_eq!(report.updated, [world.ticket_id()]);
    assert_eq!((report.failed.len(), report.failed[0].server_url.as_str()), (1, OTHER_URL));
    assert!(phone.wallet.tickets().unwrap().iter().all(|held| !held.gone));
}

#[tokio::test]
async fn no_server_replaces_a_ticket_of_another() {
    let (world, phone) = claimed().await;
    let id = world.ticket_id();
    let code = phone.wallet.printed_code(id).unwrap();
    {
        let mut evil = world.other.server.lock().unwrap();
        evil.ticket.ticket_id = id;
        evil.ticket.code_issued_at += 60_000;
        evil.reissue();
    }
    let link = ClaimLink::parse(&world.other.server.lock().unwrap().link(), false).unwrap();
    let error = phone.wallet.claim(&link, "Ada's phone").await.unwrap_err();
    assert_eq!(error.code(), "other_server");
    assert!(world.other.sent().is_empty(), "it was not even asked");
    assert_eq!(phone.wallet.printed_code(id).unwrap(), code);
}

#[tokio::test]
async fn nothing_secret_is_in_a_debug_text() {
    let (world, phone) = claimed().await;
    let id = world.ticket_id();
    let held = phone.wallet.activate(id).await.unwrap();
    let transfer = phone.wallet.transfer(id).await.unwrap();
    let (live, printed) = (phone.wallet.live_code(id).unwrap(), phone.wallet.printed_code(id).unwrap());
    let all = format!("{held:?} {transfer:?} {live:?} {printed:?} {:?} {:?}", phone.wallet, world.link());
    for secret in ["LX1:", "0000-0000", "/t/lxt_", "Lovelace"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[tokio::test]
async fn a_printed_code_holds_no_live_key() {
    let (world, phone) = claimed().await;
    let held = phone.wallet.activate(world.ticket_id()).await.unwrap();
    let base = serde_json::to_value(held.ticket.live.base.unwrap()).unwrap();
    let printed = phone.wallet.printed_code(world.ticket_id()).unwrap();
    let shared = format!("{} {}", printed.text, printed.manual_code);
    assert!(!shared.contains(base["live_key"].as_str().unwrap()));
    let code = liventix_core::ticket::read(&printed.text).unwrap();
    assert!(matches!(code, liventix_core::ticket::Scanned::Signed(code)
        if code.kind() == liventix_core::ticket::Kind::Printed));
}
