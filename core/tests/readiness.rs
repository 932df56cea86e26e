//! May doors open with this device? Each thing that can be wrong, and what it says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use harness::{Door, HOUR, MINUTE, Venue};
use liventix_core::ledger::Ledger;
use liventix_core::readiness::{Check, CheckItem, CheckState, check, is_ready, server_item};
use liventix_core::sync::secrets::DEVICE_TOKEN;
use liventix_core::sync::{MemorySecrets, SecretStore, SyncError};
use liventix_core::ticket::KeyRing;
use secrecy::SecretString;

fn token() -> MemorySecrets {
    let secrets = MemorySecrets::default();
    secrets.put(DEVICE_TOKEN, &SecretString::from("lxd_test")).unwrap();
    secrets
}

fn looked_at(door: &mut Door) -> Vec<CheckItem> {
    check(&mut door.ledger, &token(), &door.keys)
}

/// What is not as it should be.
fn wrong(items: &[CheckItem]) -> Vec<(Check, CheckState)> {
    let wrong = items.iter().filter(|item| item.state != CheckState::Ready);
    wrong.map(|item| (item.check, item.state)).collect()
}

#[test]
fn a_door_in_good_order_is_ready() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    door.scan(&venue.code(&ticket));
    let items = looked_at(&mut door);
    assert!(is_ready(&items), "{items:#?}");
    assert_eq!(wrong(&items), []);
    let order: Vec<&str> = items.iter().map(|item| item.check.code()).collect();
    assert_eq!(order, ["storage", "chain", "device", "keys", "list", "clock", "unsent", "sample_code"]);
    let list = items.iter().find(|item| item.check == Check::List).unwrap();
    assert_eq!(list.event_id, Some(venue.event.event_id));
    assert!(list.detail.starts_with("Summer Fair: 1 ticket, "), "{list:?}");
    for item in &items {
        let json = serde_json::to_value(item).unwrap();
        assert_eq!(json["check"], item.check.code());
        assert_eq!(json["state"], "ready");
        assert!(!item.detail.contains("liventix"), "no program is named: {item:?}");
    }
}

#[test]
fn a_device_that_is_not_enrolled_says_only_that() {
    let venue = Venue::new();
    let (mut ledger, _): (Ledger, _) = harness::open(&venue.path("new.db")).unwrap();
    let items = check(&mut ledger, &MemorySecrets::default(), &KeyRing::new());
    assert_eq!(wrong(&items), [(Check::Device, CheckState::NotReady)]);
    assert!(!is_ready(&items));
    let device = items.iter().find(|item| item.check == Check::Device).unwrap();
    assert!(device.next.as_ref().unwrap().contains("enrol"), "{device:?}");
}

#[test]
fn each_thing_that_is_missing_is_named() {
    let venue = Venue::new();
    // Enrolled, never synced.
    let mut bare = venue.bare_door("bare.db", 7);
    assert_eq!(wrong(&looked_at(&mut bare)), [(Check::List, CheckState::NotReady)]);

    let mut door = venue.door(&[venue.ticket(venue.single)]);
    let lost = check(&mut door.ledger, &MemorySecrets::default(), &door.keys);
    assert_eq!(wrong(&lost), [(Check::Device, CheckState::NotReady)]);
    let unkeyed = check(&mut door.ledger, &token(), &KeyRing::new());
    assert_eq!(wrong(&unkeyed), [(Check::Keys, CheckState::NotReady)]);

    let mut newer = venue.page(&[]);
    newer.next_cursor = 2;
    newer.event.as_mut().unwrap().key_version = 2;
    newer.has_more = true;
    door.ledger.apply_page(&newer).unwrap();
    let items = looked_at(&mut door);
    assert_eq!(wrong(&items), [(Check::Keys, CheckState::NotReady)]);
    assert!(items.iter().any(|item| item.detail == "Summer Fair: newer keys exist"), "{items:#?}");

    let mut device = door.ledger.device().unwrap().unwrap();
    device.revoked = true;
    door.ledger.set_device(&device).unwrap();
    assert!(wrong(&looked_at(&mut door)).contains(&(Check::Device, CheckState::NotReady)));
}

#[test]
fn time_makes_a_ready_door_unready() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    door.scan(&venue.code(&ticket));
    door.clock.advance(90 * MINUTE);
    let items = looked_at(&mut door);
    assert_eq!(wrong(&items), [(Check::Unsent, CheckState::Warning)]);
    assert!(is_ready(&items), "a warning does not close doors");
    door.clock.advance(11 * HOUR);
    assert!(wrong(&looked_at(&mut door)).contains(&(Check::List, CheckState::NotReady)));
    // Set back by hand after a reboot: nobody knows the time any more.
    door.clock.reboot();
    door.clock.set_wall(harness::NOW - HOUR);
    assert!(wrong(&looked_at(&mut door)).contains(&(Check::Clock, CheckState::NotReady)));
}

#[test]
fn a_broken_chain_is_said_but_closes_no_door() {
    let venue = Venue::new();
    let tickets = [venue.ticket(venue.single), venue.ticket(venue.single)];
    let mut door = venue.door(&tickets);
    for ticket in &tickets {
        door.scan(&venue.code(ticket));
    }
    let file = rusqlite::Connection::open(&door.path).unwrap();
    file.execute_batch("DROP TRIGGER scans_never_change; UPDATE scans SET people = 9 WHERE id % 2 = 0;")
        .unwrap();
    assert_eq!(wrong(&looked_at(&mut door)), [(Check::Chain, CheckState::Warning)]);
}

#[test]
fn only_a_revoked_device_needs_the_server_to_open() {
    let item = |answer: Result<(), SyncError>| server_item(&answer);
    assert_eq!(item(Ok(())).state, CheckState::Ready);
    assert_eq!(item(Err(SyncError::Revoked { unsent: 0 })).state, CheckState::NotReady);
    let unknown = item(Err(SyncError::NotEnrolled));
    assert_eq!((unknown.check, unknown.state), (Check::Server, CheckState::Warning));
    assert!(unknown.next.unwrap().contains("works without it"));
}
