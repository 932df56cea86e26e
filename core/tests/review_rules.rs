//! Wrong verdicts that a fraudster or an unlucky guest could have provoked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use harness::{NOW, Venue};
use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::{DeviceId, ScanId};
use liventix_core::rules::{
    Allowance, Direction, EntryPolicy, EventPolicy, Outcome, Passage, Reason, Reentry, Standing,
};
use liventix_core::sync::wire::ForeignPassage;

fn passage(venue: &Venue, seconds: i64, direction: Direction) -> Passage {
    let at = NOW + seconds * 1_000;
    let entropy = FixedEntropy::new(seconds.unsigned_abs());
    let device_id = DeviceId::generate(at, &entropy);
    let scan_id = ScanId::generate(at, &entropy);
    Passage {
        scan_id,
        at,
        direction,
        people: 1,
        gate_id: venue.south,
        device_id,
        undoes: None,
        forced: false,
    }
}

const ONE_WITH_REENTRY: Allowance =
    Allowance { people: 1, entry: EntryPolicy { max_entries: Some(1), reentry: Reentry::AfterExit } };

#[test]
fn scanned_out_at_two_doors_one_guest_comes_back_once() {
    let venue = Venue::new();
    let mut passages = vec![passage(&venue, 0, Direction::Entry)];
    passages.extend([60, 61].map(|seconds| passage(&venue, seconds, Direction::Exit)));
    let standing = Standing::fold(ONE_WITH_REENTRY, &passages);
    assert_eq!((standing.outside, standing.remaining(ONE_WITH_REENTRY)), (1, Some(1)));
    passages.push(passage(&venue, 120, Direction::Entry));
    assert_eq!(Standing::fold(ONE_WITH_REENTRY, &passages).remaining(ONE_WITH_REENTRY), Some(0));
    passages.push(passage(&venue, 121, Direction::Entry));
    assert_eq!(Standing::fold(ONE_WITH_REENTRY, &passages).conflicts.len(), 1);
}

#[test]
fn an_exit_of_more_people_than_the_ticket_holds_lets_no_more_of_them_back() {
    let venue = Venue::new();
    let mut ticket = venue.ticket(venue.family);
    ticket.admits = Some(2);
    let code = venue.code(&ticket);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    assert_eq!(door.pass(&code, Direction::Entry, 2).decision.outcome, Outcome::Admit);
    door.clock.advance(60_000);
    assert_eq!(door.pass(&code, Direction::Exit, 9).decision.outcome, Outcome::Admit);
    door.clock.advance(60_000);
    let verdict = door.pass(&code, Direction::Entry, 3);
    assert_eq!((verdict.decision.reason, verdict.decision.remaining), (Reason::GroupExceeded, Some(2)));
    assert_eq!(door.pass(&code, Direction::Entry, 2).decision.reason, Reason::Reentered);
}

#[test]
fn a_guest_who_left_elsewhere_a_moment_ago_is_not_a_repeat() {
    let venue = Venue::with_policy(EventPolicy { rapid_rescan_seconds: 60, ..EventPolicy::default() });
    let ticket = venue.ticket(venue.family);
    let ticket = liventix_core::sync::wire::TicketEntry { admits: Some(1), ..ticket };
    let code = venue.code(&ticket);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    assert_eq!(door.scan(&code).decision.reason, Reason::Entered);
    let left = ForeignPassage { ticket_id: ticket.ticket_id, passage: passage(&venue, 20, Direction::Exit) };
    door.clock.advance(30_000);
    door.ledger.apply_page(&venue.passages(2, vec![left])).unwrap();
    assert_eq!(door.scan(&code).decision.reason, Reason::Reentered);
    assert_eq!(door.scan(&code).decision.reason, Reason::RapidRescan);
}

#[test]
fn a_copy_used_elsewhere_meanwhile_is_a_duplicate_not_a_repeat() {
    let venue = Venue::with_policy(EventPolicy { rapid_rescan_seconds: 60, ..EventPolicy::default() });
    let ticket = venue.ticket(venue.single);
    let code = venue.code(&ticket);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    assert_eq!(door.scan(&code).decision.reason, Reason::Entered);
    let copy = ForeignPassage { ticket_id: ticket.ticket_id, passage: passage(&venue, 20, Direction::Entry) };
    door.clock.advance(30_000);
    door.ledger.apply_page(&venue.passages(2, vec![copy])).unwrap();
    assert_eq!(door.scan(&code).decision.reason, Reason::AlreadyUsed);
}

#[test]
fn a_passage_of_the_future_does_not_hide_a_repeat() {
    // Made while this door's clock was ahead, or at a door whose clock is.
    let venue = Venue::new();
    let ticket = venue.ticket(venue.season);
    let code = venue.code(&ticket);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    let mut ahead = passage(&venue, 86_400, Direction::Exit);
    ahead.device_id = door.context.device_id;
    let ahead = ForeignPassage { ticket_id: ticket.ticket_id, passage: ahead };
    door.ledger.apply_page(&venue.passages(2, vec![ahead])).unwrap();
    assert_eq!(door.scan(&code).decision.reason, Reason::Entered);
    door.clock.advance(2_000);
    assert_eq!(door.scan(&code).decision.reason, Reason::RapidRescan);
}

#[test]
fn an_old_code_that_resembles_a_link_is_still_looked_up() {
    use liventix_core::rules::LegacyStage;
    let venue = Venue::with_policy(EventPolicy { legacy: LegacyStage::Accept, ..EventPolicy::default() });
    let old_codes = [
        // As long as a code in a link, but with spare bits at its end that no code has.
        format!("E{}", "x".repeat(90)),
        // A SHA-256 in upper-case hex that reads as the first byte of a printed code.
        format!("EA{}", "0123456789ABCDEF".repeat(4).split_at(2).1),
    ];
    let key = venue.master.lookup_key(venue.event.event_id);
    let tickets = old_codes.clone().map(|code| {
        let legacy_tag = Some(key.legacy_tag(&code));
        liventix_core::sync::wire::TicketEntry { legacy_tag, ..venue.ticket(venue.single) }
    });
    let mut door = venue.door(&tickets);
    for code in old_codes {
        assert_eq!(door.scan(&code).decision.reason, Reason::Entered, "{code}");
    }
    assert_eq!(door.scan(&format!("F{}", "x".repeat(90))).decision.reason, Reason::BadSignature);
    assert_eq!(door.scan(&format!("EB{}", "0".repeat(62))).decision.reason, Reason::OtherEvent);
}

#[test]
fn a_guest_goes_out_with_a_code_whose_key_was_withdrawn_since() {
    use liventix_core::ticket::keys::{Algorithm, KeyId, KeyState};
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let code = venue.code(&ticket);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    assert_eq!(door.scan(&code).decision.reason, Reason::Entered);
    let withdrawn =
        KeyState { key_id: KeyId(0), algorithm: Algorithm::HmacSha256, accept_until: Some(NOW - 60_000) };
    door.keys.insert(&venue.master.event_keys(venue.event.event_id, 99, &[withdrawn])).unwrap();
    door.clock.advance(60_000);
    assert_eq!(door.pass(&code, Direction::Exit, 1).decision.reason, Reason::Exited);
    door.clock.advance(60_000);
    assert_eq!(door.scan(&code).decision.reason, Reason::RetiredKey);
}
