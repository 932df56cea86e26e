//! Trusted time: every clock trick as a table, then what it does to a verdict.

mod harness;

use harness::{HOUR, MINUTE, NOW, Venue};
use liventix_core::clock::{Clock, ManualClock, RoundTrip, TimeState, TrustedTime};
use liventix_core::ledger::OpenReport;
use liventix_core::rules::{Confidence, EventPolicy, Flag, Outcome, Reason};

/// A phone whose wall clock is an hour and a half ahead, synced over a round trip of 200 ms.
fn synced() -> (ManualClock, TrustedTime) {
    let clock = ManualClock::new(NOW + 90 * MINUTE);
    let mut time = TrustedTime::default();
    assert!(observe(&clock, &mut time, NOW, 200));
    (clock, time)
}

/// A round trip that ends now; the server read its clock half-way.
fn observe(clock: &ManualClock, time: &mut TrustedTime, server_now: i64, round_trip: i64) -> bool {
    let received = clock.sample();
    let mut sent = received;
    sent.wall_ms -= round_trip;
    sent.mono_ms -= round_trip;
    time.observe(&RoundTrip { sent, received, server_ms: server_now - round_trip / 2 })
}

#[test]
fn before_the_first_sync_nobody_knows() {
    let clock = ManualClock::new(NOW);
    let reading = TrustedTime::default().read(clock.sample());
    assert_eq!((reading.now(), reading.error_ms, reading.floor_ms), (NOW, None, 0));
    assert_eq!((reading.bounds().earliest, reading.bounds().latest), (0, i64::MAX));
}

#[test]
fn a_sync_corrects_the_wall_clock_and_the_error_grows_with_drift() {
    let (clock, mut time) = synced();
    let reading = time.read(clock.sample());
    assert_eq!((reading.now(), reading.error_ms), (NOW, Some(102)));
    clock.advance(10 * HOUR);
    let reading = time.read(clock.sample());
    assert_eq!((reading.now(), reading.error_ms), (NOW + 10 * HOUR, Some(102 + 3_600)));
    assert_eq!(reading.jumped_ms, None);
}

#[test]
fn a_clock_set_by_hand_changes_nothing_and_is_noticed_once() {
    for jump in [-30 * HOUR, -3_000, 3_000, 30 * HOUR] {
        let (clock, mut time) = synced();
        clock.set_wall(clock.sample().wall_ms + jump);
        let reading = time.read(clock.sample());
        assert_eq!((reading.jumped_ms, reading.now(), reading.error_ms), (Some(jump), NOW, Some(102)));
        clock.advance(1_000);
        let reading = time.read(clock.sample());
        assert_eq!((reading.jumped_ms, reading.now()), (None, NOW + 1_000));
    }
}

#[test]
fn small_steps_add_up_to_a_jump() {
    let (clock, mut time) = synced();
    let jumps = (0..4).filter(|_| {
        clock.set_wall(clock.sample().wall_ms + 900);
        time.read(clock.sample()).jumped_ms.is_some()
    });
    assert_eq!(jumps.count(), 1);
}

#[test]
fn drift_over_a_night_is_not_a_jump() {
    let (clock, mut time) = synced();
    clock.advance(12 * HOUR);
    // 60 ppm of twelve hours.
    clock.set_wall(clock.sample().wall_ms + 2_592);
    assert_eq!(time.read(clock.sample()).jumped_ms, None);
}

#[test]
fn a_reboot_widens_the_error_and_keeps_the_offset() {
    let (clock, mut time) = synced();
    clock.advance(HOUR);
    time.read(clock.sample());
    clock.reboot();
    clock.advance(HOUR);
    let reading = time.read(clock.sample());
    assert_eq!((reading.now(), reading.error_ms), (NOW + 2 * HOUR, Some(102 + 720 + 5_000)));
}

#[test]
fn a_jump_before_a_reboot_does_not_come_back_after_it() {
    let (clock, mut time) = synced();
    clock.set_wall(clock.sample().wall_ms - 7 * HOUR);
    time.read(clock.sample());
    clock.reboot();
    let reading = time.read(clock.sample());
    assert_eq!(reading.now(), NOW);
    assert!(reading.error_ms.is_some());
}

#[test]
fn a_clock_behind_after_a_reboot_is_not_believed_and_time_still_runs() {
    let (clock, mut time) = synced();
    clock.advance(HOUR);
    let floor = time.read(clock.sample()).bounds().earliest;
    clock.reboot();
    clock.set_wall(clock.sample().wall_ms - 5 * HOUR);
    let reading = time.read(clock.sample());
    assert_eq!((reading.now(), reading.error_ms, reading.floor_ms), (floor, None, floor));
    assert_eq!(reading.bounds().earliest, floor);
    clock.advance(MINUTE);
    assert_eq!(time.read(clock.sample()).now(), floor + MINUTE);
    // Set right by hand: the guess improves, but nobody vouches for it until the next sync.
    clock.set_wall(clock.sample().wall_ms + 5 * HOUR);
    let reading = time.read(clock.sample());
    assert_eq!((reading.now(), reading.error_ms), (NOW + HOUR + MINUTE, None));
    assert!(observe(&clock, &mut time, NOW + HOUR + MINUTE, 50));
    assert_eq!(time.read(clock.sample()).error_ms, Some(27));
}

#[test]
fn a_clock_set_after_a_reboot_is_not_believed_either_way() {
    for jump in [-HOUR, HOUR] {
        let (clock, mut time) = synced();
        clock.reboot();
        time.read(clock.sample());
        clock.set_wall(clock.sample().wall_ms + jump);
        assert_eq!(time.read(clock.sample()).error_ms, None, "{jump}");
    }
}

#[test]
fn a_restart_of_the_program_remembers_all_of_it() {
    let (clock, mut time) = synced();
    time.read(clock.sample());
    let text = serde_json::to_string(&time.state()).unwrap();
    let mut time = TrustedTime::restore(serde_json::from_str::<TimeState>(&text).unwrap(), 0);
    clock.set_wall(clock.sample().wall_ms + HOUR);
    assert_eq!(time.read(clock.sample()).jumped_ms, Some(HOUR), "set while the program was closed");
    // A later scan than the state knows of has passed too.
    let mut time = TrustedTime::restore(time.state(), NOW + 2 * HOUR);
    clock.reboot();
    assert_eq!(time.read(clock.sample()).error_ms, None);
}

#[test]
fn the_most_exact_measurement_stays() {
    let (clock, mut time) = synced();
    clock.advance(MINUTE);
    assert!(!observe(&clock, &mut time, NOW + MINUTE + 300, 4_000), "worse, and consistent");
    assert!(observe(&clock, &mut time, NOW + MINUTE, 20), "better");
    assert!(observe(&clock, &mut time, NOW - HOUR, 4_000), "worse, but contradicts: the server was set");
    let reading = time.read(clock.sample());
    assert_eq!(reading.now(), NOW - HOUR);
    assert!(reading.floor_ms < NOW, "the floor follows the server");
}

#[test]
fn impossible_round_trips_teach_nothing() {
    let (clock, mut time) = synced();
    let sent = clock.sample();
    clock.reboot();
    let received = clock.sample();
    assert!(!time.observe(&RoundTrip { sent, received, server_ms: NOW }));
    assert!(!time.observe(&RoundTrip {
        sent: sent,
        received: {
            let mut early = sent;
            early.mono_ms -= 1;
            early
        },
        server_ms: NOW
    }));
}

#[test]
fn extreme_values_do_not_overflow() {
    for wall in [i64::MIN, -1, 0, i64::MAX] {
        let clock = ManualClock::new(wall);
        let mut time = TrustedTime::default();
        let sample = clock.sample();
        for server_ms in [i64::MIN, 0, i64::MAX] {
            time.observe(&RoundTrip { sent: sample, received: sample, server_ms });
            let _bounds = time.read(sample).bounds();
            clock.reboot();
            let _bounds = time.read(clock.sample()).bounds();
        }
    }
}

#[test]
fn a_rolled_back_clock_turns_verdicts_amber_until_the_next_sync() {
    let venue = Venue::new();
    let tickets: Vec<_> = (0..4).map(|_| venue.ticket(venue.single)).collect();
    let codes: Vec<_> = tickets.iter().map(|ticket| venue.code(ticket)).collect();
    let mut door = venue.door(&tickets);
    assert_eq!(door.scan(&codes[0]).decision.confidence, Confidence::Green);
    // Set by hand while running: the monotonic clock knows better. Green, but kept.
    door.clock.set_wall(NOW - 24 * HOUR);
    let verdict = door.scan(&codes[1]);
    assert_eq!((verdict.decision.confidence, verdict.at), (Confidence::Green, NOW));
    let events = door.ledger.clock_events().unwrap();
    assert_eq!((events.len(), events[0].jumped_ms), (1, -24 * HOUR));
    // Rebooted with a clock in the past: nothing vouches for the time any more.
    door.clock.advance(MINUTE);
    door.scan("nothing");
    door.clock.reboot();
    door.clock.set_wall(NOW - 72 * HOUR);
    let (mut door, report) = door.restart();
    assert_eq!(report, OpenReport::Opened);
    let verdict = door.scan(&codes[2]);
    assert_eq!(verdict.decision.outcome, Outcome::Admit);
    assert_eq!(verdict.decision.confidence, Confidence::Amber);
    assert_eq!(verdict.decision.flags, [Flag::ClockUncertain]);
    assert!(verdict.at >= NOW, "never before what has passed");
    assert_eq!(door.records().pop().unwrap().error_ms, None);
    let server = NOW + 2 * MINUTE;
    door.sync_clock_to(server, 10);
    assert_eq!(door.scan(&codes[3]).decision.confidence, Confidence::Green);
}

#[test]
fn a_time_limit_near_the_clock_s_error_is_amber_not_refused() {
    let venue = Venue::with_policy(EventPolicy { clock_max_error_ms: 60_000, ..EventPolicy::default() });
    let ticket = venue.ticket(venue.single);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    door.sync_clock_to(NOW - 5_000 - 1, 20_000);
    // Expired a second ago by the best guess, but the guess may be ten seconds off.
    let mut expiring = ticket.clone();
    expiring.valid_until = Some(door.ledger.now().now() - 1);
    let mut page = venue.page(&[expiring]);
    page.next_cursor = 2;
    door.ledger.apply_page(&page).unwrap();
    let code = venue.code(&ticket);
    let verdict = door.scan(&code);
    let uncertain = verdict.decision.flags.contains(&Flag::ClockUncertain);
    assert_eq!((verdict.decision.outcome, uncertain), (Outcome::Admit, true));
}

#[test]
fn a_live_code_is_judged_by_server_time() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    // The door's wall clock is wrong by a day; codes minted by right clocks still work.
    door.clock.set_wall(NOW - 24 * HOUR);
    assert_eq!(door.scan(&venue.live_code(&ticket, NOW - 6 * MINUTE)).decision.reason, Reason::Stale);
    assert_eq!(door.scan(&venue.live_code(&ticket, NOW + 6 * MINUTE)).decision.reason, Reason::NotYetValid);
    assert_eq!(door.scan(&venue.live_code(&ticket, NOW - MINUTE)).decision.reason, Reason::Entered);
}
