//! Live codes minted offline, on phones whose clocks are wrong, at a door that is right.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;
mod wallet_support;

use harness::{HOUR, MINUTE, Venue};
use liventix_core::clock::Clock;
use liventix_core::rules::{EventPolicy, Outcome, PrintedPolicy, Reason, TtlEffect};
use wallet_support::{Phone, World};

/// A phone with an activated ticket, its clock `skew_ms` ahead of the server's.
async fn activated(policy: EventPolicy, skew_ms: i64) -> (World, Phone) {
    let world = World::with_skew(Venue::with_policy(policy), skew_ms);
    let phone = world.phone(1);
    phone.wallet.claim(&world.link(), "Ada's phone").await.unwrap();
    phone.wallet.activate(world.ticket_id()).await.unwrap();
    (world, phone)
}

/// What a door with the server's time makes of a code.
fn at_the_door(world: &World, text: &str) -> (Outcome, Reason) {
    let mut door = world.venue.door(std::slice::from_ref(&world.server().ticket));
    door.clock.advance(world.server_now() - harness::NOW);
    let decision = door.scan(text).decision;
    (decision.outcome, decision.reason)
}

#[tokio::test]
async fn a_wrong_clock_makes_good_codes() {
    for skew_ms in [0, 3 * MINUTE, -3 * MINUTE, 40 * MINUTE, -40 * MINUTE, 400 * 24 * HOUR] {
        let (world, phone) = activated(EventPolicy::default(), skew_ms).await;
        world.advance(3 * HOUR);
        let code = phone.wallet.live_code(world.ticket_id()).unwrap();
        let apart = code.minted_at - world.server_now();
        assert!((-2_000..=1_000).contains(&apart), "{skew_ms}: {apart}");
        assert!(code.error_ms.is_some_and(|error| error < 5_000), "{skew_ms}: {code:?}");
        assert_eq!(at_the_door(&world, &code.text), (Outcome::Admit, Reason::Entered), "{skew_ms}");
        // Good until it says so, and no longer than the door's doubt about its own clock.
        assert_eq!(code.good_until, code.minted_at + 300_000);
        world.advance(code.good_until - world.server_now() - 1_000);
        assert_eq!(at_the_door(&world, &code.text).0, Outcome::Admit, "{skew_ms}");
        world.advance(3_000);
        assert_eq!(at_the_door(&world, &code.text), (Outcome::Refuse, Reason::Stale), "{skew_ms}");
    }
}

#[tokio::test]
async fn a_clock_set_by_hand_or_an_app_started_again_changes_nothing() {
    let (world, mut phone) = activated(EventPolicy::default(), 2 * MINUTE).await;
    let id = world.ticket_id();
    for set_by in [-6 * HOUR, 6 * HOUR] {
        phone.clock.set_wall(phone.clock.sample().wall_ms + set_by);
        phone.restart();
        world.advance(10 * MINUTE);
        let code = phone.wallet.live_code(id).unwrap();
        assert!((code.minted_at - world.server_now()).abs() < 2_000, "{set_by}: {code:?}");
    }
}

#[tokio::test]
async fn after_a_reboot_the_wall_clock_is_believed_until_it_shows_the_past() {
    let (world, mut phone) = activated(EventPolicy::default(), -5 * MINUTE).await;
    let id = world.ticket_id();
    phone.clock.reboot();
    phone.restart();
    let code = phone.wallet.live_code(id).unwrap();
    assert!((code.minted_at - world.server_now()).abs() < 2_000, "{code:?}");
    assert!(code.error_ms.is_some_and(|error| error >= 5_000), "a wider error: {code:?}");
    phone.clock.reboot();
    phone.clock.set_wall(0);
    phone.restart();
    let code = phone.wallet.live_code(id).unwrap();
    assert_eq!(code.error_ms, None, "nobody knows, and it says so");
    phone.wallet.refresh().await.unwrap();
    let code = phone.wallet.live_code(id).unwrap();
    assert_eq!(at_the_door(&world, &code.text).0, Outcome::Admit);
}

#[tokio::test]
async fn codes_are_renewed_long_before_they_are_stale() {
    for (ttl, refresh_ms) in [(300, 60_000), (40, 20_000), (1, 500), (86_400, 60_000)] {
        let policy = EventPolicy { live_ttl_seconds: ttl, ..EventPolicy::default() };
        let (world, phone) = activated(policy, 7 * MINUTE).await;
        world.advance(333);
        let code = phone.wallet.live_code(world.ticket_id()).unwrap();
        assert_eq!(code.refresh_at, code.minted_at + refresh_ms, "{ttl}");
        assert_eq!(code.good_until, code.minted_at + i64::from(ttl) * 1_000);
        assert!((250..=refresh_ms).contains(&code.refresh_in_ms), "{ttl}: {code:?}");
        // Shown by the pause alone, it is renewed when it says.
        world.advance(code.refresh_in_ms);
        let next = phone.wallet.live_code(world.ticket_id()).unwrap();
        assert!(ttl == 1 || next.minted_at > code.minted_at, "{ttl}: {next:?}");
    }
}

#[tokio::test]
async fn whether_the_printed_code_enters_is_told_as_the_door_decides() {
    for printed in [PrintedPolicy::Allowed, PrintedPolicy::UntilLiveActivated, PrintedPolicy::Refused] {
        let policy = EventPolicy { printed, live_ttl_effect: TtlEffect::Soft, ..EventPolicy::default() };
        let world = World::new(Venue::with_policy(policy));
        let phone = world.phone(1);
        phone.wallet.claim(&world.link(), "Ada's phone").await.unwrap();
        for _ in 0..2 {
            let code = phone.wallet.printed_code(world.ticket_id()).unwrap();
            let (outcome, _) = at_the_door(&world, &code.text);
            assert_eq!(code.accepted, outcome == Outcome::Admit, "{printed:?}");
            phone.wallet.activate(world.ticket_id()).await.unwrap();
        }
        let live = phone.wallet.live_code(world.ticket_id()).unwrap();
        assert_eq!(at_the_door(&world, &live.text).0, Outcome::Admit, "{printed:?}");
    }
}

#[tokio::test]
async fn a_cancelled_ticket_mints_nothing() {
    let (world, phone) = activated(EventPolicy::default(), 0).await;
    world.server().ticket.status = liventix_core::rules::TicketStatus::Cancelled;
    phone.wallet.refresh().await.unwrap();
    let error = phone.wallet.live_code(world.ticket_id()).unwrap_err();
    assert_eq!(error.code(), "ticket_not_valid");
    assert!(error.to_string().contains("cancelled"), "{error}");
}
