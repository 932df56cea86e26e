//! Clocks at their worst moment.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use harness::{HOUR, MINUTE, NOW, Venue};
use liventix_core::clock::{Clock, ManualClock, RoundTrip, TrustedTime};
use liventix_core::ledger::OpenReport;
use liventix_core::rules::{Confidence, Outcome, Reason};

#[test]
fn a_future_clock_after_a_reboot_does_not_expire_tickets_for_good() {
    let venue = Venue::new();
    let mut ticket = venue.ticket(venue.single);
    ticket.valid_until = Some(NOW + 10 * HOUR);
    let code = venue.code(&ticket);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    // Boots with next year's date, scans, restarts, and then somebody sets the clock right.
    door.clock.reboot();
    door.clock.set_wall(NOW + 365 * 24 * HOUR);
    assert_eq!(door.scan(&code).decision.reason, Reason::Expired);
    let (mut door, _) = door.restart();
    door.clock.advance(MINUTE);
    door.clock.set_wall(NOW + 2 * MINUTE);
    let verdict = door.scan(&code);
    assert_eq!((verdict.decision.outcome, verdict.at), (Outcome::Admit, NOW + 2 * MINUTE));
    assert_eq!(verdict.decision.confidence, Confidence::Amber, "nobody vouches for it");
}

#[test]
fn after_a_reboot_a_clock_behind_the_last_reading_is_not_believed() {
    let clock = ManualClock::new(NOW);
    let mut time = TrustedTime::default();
    let sample = clock.sample();
    assert!(time.observe(&RoundTrip { sent: sample, received: sample, server_ms: NOW }));
    clock.reboot();
    clock.advance(3 * HOUR);
    assert!(time.read(clock.sample()).error_ms.is_some());
    // Restarted, rebooted once more, and set back behind what was read before.
    let mut time = TrustedTime::restore(time.state(), 0);
    clock.reboot();
    clock.set_wall(NOW + HOUR);
    assert_eq!(time.read(clock.sample()).error_ms, None);
}

#[test]
fn an_absurd_server_time_teaches_nothing() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    for server_ms in [i64::MIN, -1, 253_402_300_800_000, i64::MAX] {
        assert!(!door.sync_clock_to(server_ms, 0), "{server_ms}");
    }
    assert_eq!(door.ledger.now().now(), NOW);
}

#[test]
fn a_ledger_opens_again_whatever_the_server_said_the_time_was() {
    let venue = Venue::new();
    let mut door = venue.door(&[venue.ticket(venue.single)]);
    door.sync_clock_to(i64::MAX, 0);
    door.clock.reboot();
    door.clock.advance(HOUR);
    door.scan("nothing");
    let (mut door, report) = door.restart();
    assert_eq!(report, OpenReport::Opened);
    door.scan("nothing");
}

#[test]
fn a_rescued_ledger_still_knows_the_time() {
    let venue = Venue::new();
    let tickets: Vec<_> = (0..60).map(|_| venue.ticket(venue.single)).collect();
    let mut door = venue.door(&tickets);
    // The phone's clock is an hour ahead, and the door knows.
    door.clock.set_wall(NOW + HOUR);
    door.sync_clock_to(NOW, 0);
    for ticket in &tickets {
        door.clock.advance(1_000);
        door.scan(&venue.code(ticket));
    }
    let needle = door.records()[30].hash.0;
    let path = door.path.clone();
    let harness::Door { ledger, clock, entropy, .. } = door;
    drop(ledger);
    let mut bytes = std::fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4_096).filter(|page| page.windows(32).any(|part| part == needle)) {
        page.fill(0xAA);
    }
    std::fs::write(&path, bytes).unwrap();
    clock.advance(1_000);
    let (mut ledger, report) = liventix_core::ledger::Ledger::open(&path, clock.clone(), entropy).unwrap();
    assert!(matches!(report, OpenReport::Rescued(_)), "{report:?}");
    let reading = ledger.now();
    assert_eq!(reading.now(), NOW + 61_000);
    assert!(reading.error_ms.is_some_and(|error| error < 100), "{reading:?}");
    assert!(reading.floor_ms > NOW + 58_000, "{reading:?}");
}

#[test]
fn what_one_process_learns_of_the_time_the_others_know() {
    let venue = Venue::new();
    let tickets: Vec<_> = (0..2).map(|_| venue.ticket(venue.single)).collect();
    let mut scanning = venue.door(&tickets);
    // Its clock is wrong since a reboot, and a second process on the same file asks the server.
    scanning.clock.reboot();
    scanning.clock.set_wall(NOW - 9 * HOUR);
    let verdict = scanning.scan(&venue.code(&tickets[0]));
    assert_eq!(verdict.decision.confidence, Confidence::Amber);
    let clock = scanning.clock.clone();
    let (mut syncing, _) =
        liventix_core::ledger::Ledger::open(&scanning.path, clock.clone(), scanning.entropy.clone()).unwrap();
    let sample = clock.sample();
    assert!(
        syncing.observe_time(&RoundTrip { sent: sample, received: sample, server_ms: NOW + MINUTE }).unwrap()
    );
    let verdict = scanning.scan(&venue.code(&tickets[1]));
    assert_eq!((verdict.decision.confidence, verdict.at), (Confidence::Green, NOW + MINUTE));
    // Nor does the one that learnt nothing overwrite what the other did.
    clock.set_wall(NOW - 7 * HOUR);
    scanning.scan("nothing");
    drop((syncing, scanning.ledger));
    let (mut ledger, _) =
        liventix_core::ledger::Ledger::open(&scanning.path, clock, scanning.entropy).unwrap();
    assert_eq!(ledger.now().now(), NOW + MINUTE);
}
