//! What a person at the door may do besides scanning: let people in against a refusal, take a scan back,
//! and find a ticket by name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use harness::{HOUR, MINUTE, NOW, Venue};
use liventix_core::ids::{ScanId, TicketId};
use liventix_core::ledger::record::Medium;
use liventix_core::rules::{
    Confidence, Direction, EventPolicy, Flag, LegacyStage, Outcome, PrintedPolicy, Reason, TicketStatus,
    UnlistedPolicy,
};
use liventix_core::scan::{admit_listed, force, force_listed, undo};
use liventix_core::sync::wire::TicketEntry;

/// A venue whose rules a test changes.
fn venue_with(change: impl FnOnce(&mut EventPolicy)) -> Venue {
    let mut venue = Venue::new();
    change(&mut venue.event.policy);
    venue
}

fn ticket_with(venue: &Venue, change: impl FnOnce(&mut TicketEntry)) -> TicketEntry {
    let mut ticket = venue.ticket(venue.single);
    change(&mut ticket);
    ticket
}

#[test]
fn a_supervisor_overrules_what_may_be_overruled() {
    let venue = venue_with(|policy| {
        policy.unlisted = UnlistedPolicy::Refuse;
        policy.printed = PrintedPolicy::UntilLiveActivated;
        policy.legacy = LegacyStage::Refuse;
    });
    let cases: Vec<(TicketEntry, bool, Reason)> = vec![
        (ticket_with(&venue, |ticket| ticket.status = TicketStatus::Unpaid), true, Reason::Unpaid),
        (ticket_with(&venue, |ticket| ticket.valid_from = Some(NOW + HOUR)), true, Reason::NotYetValid),
        (ticket_with(&venue, |ticket| ticket.valid_until = Some(NOW - HOUR)), true, Reason::Expired),
        (ticket_with(&venue, |ticket| ticket.live_activated = true), true, Reason::PrintedRefused),
        (venue.ticket(venue.vip), true, Reason::WrongGate),
        (venue.ticket(venue.single), false, Reason::Unlisted),
    ];
    let list: Vec<TicketEntry> =
        cases.iter().filter(|(_, listed, _)| *listed).map(|(ticket, ..)| ticket.clone()).collect();
    let mut door = venue.door(&list);
    for (ticket, listed, reason) in &cases {
        let code = venue.code(ticket);
        assert_eq!(door.scan(&code).decision.reason, *reason);
        let verdict = door.force(&code);
        let decision = &verdict.decision;
        assert_eq!((decision.outcome, decision.reason), (Outcome::Admit, Reason::Forced), "{reason:?}");
        assert_eq!(decision.confidence, Confidence::Amber);
        assert_eq!((decision.people, decision.overruled), (1, Some(*reason)));
        assert!(decision.flags.contains(&Flag::Forced) && decision.flags.is_sorted());
        assert_eq!(decision.remaining, listed.then_some(0));
        assert!(verdict.line.starts_with("Let in by supervisor"), "{}", verdict.line);
        assert!(verdict.line.contains(reason.line()), "{}", verdict.line);
        let record = door.records().pop().unwrap();
        assert_eq!((record.overruled, record.note.as_deref()), (Some(*reason), Some("known at the desk")));
        assert!(record.is_intact() && record.is_consistent());
    }
    assert!(door.ledger.conflicts(venue.event.event_id).unwrap().is_empty());
    assert!(door.ledger.verify_chain().unwrap().is_whole());
}

#[test]
fn nobody_overrules_what_the_organiser_took_back_or_what_is_not_authentic() {
    let venue = Venue::new();
    let cancelled = ticket_with(&venue, |ticket| ticket.status = TicketStatus::Cancelled);
    let blocked = ticket_with(&venue, |ticket| ticket.status = TicketStatus::Revoked);
    // The rules come to the date first; that the ticket is cancelled is still final.
    let both = ticket_with(&venue, |ticket| {
        ticket.status = TicketStatus::Cancelled;
        ticket.valid_until = Some(NOW - HOUR);
    });
    let mut old = venue.claims(&venue.ticket(venue.vip));
    let reissued = ticket_with(&venue, |ticket| {
        ticket.ticket_id = old.ticket_id;
        ticket.ticket_type_id = venue.vip;
        ticket.code_issued_at = NOW - HOUR;
    });
    let mut expired = old;
    expired.expires_at = Some(NOW - HOUR);
    old.issued_at = NOW - 24 * HOUR;
    let mut door = venue.door(&[cancelled.clone(), blocked.clone(), both.clone(), reissued]);
    let mut forged = venue.code(&cancelled);
    forged.replace_range(20..21, if &forged[20..21] == "A" { "B" } else { "A" });
    for (text, reason) in [
        (venue.code(&cancelled), Reason::Cancelled),
        (venue.code(&blocked), Reason::Revoked),
        (venue.code(&both), Reason::Cancelled),
        (venue.signing.printed(&old).text(), Reason::Replaced),
        (venue.signing.printed(&expired).text(), Reason::Replaced),
        (forged, Reason::BadSignature),
        ("https://example.org/menu".to_owned(), Reason::NotATicket),
    ] {
        let verdict = door.force(&text);
        assert_eq!((verdict.decision.outcome, verdict.decision.reason), (Outcome::Refuse, reason), "{text}");
        let record = door.records().pop().unwrap();
        assert_eq!((record.overruled, record.note), (None, None));
    }
    assert_eq!(door.records().len(), 7, "each refusal is recorded");
}

#[test]
fn what_the_rules_admit_is_not_overruled() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    let verdict = door.force(&venue.code(&ticket));
    assert_eq!((verdict.decision.reason, verdict.decision.confidence), (Reason::Entered, Confidence::Green));
    let record = door.records().pop().unwrap();
    assert_eq!((record.overruled, record.note), (None, None));
}

#[test]
fn forced_people_count_but_conflict_with_nobody() {
    let venue = Venue::new();
    let event_id = venue.event.event_id;
    let ticket = venue.ticket(venue.single);
    let code = venue.code(&ticket);
    let mut north = venue.door(std::slice::from_ref(&ticket));
    let mut south = venue.door(&[ticket]);
    let first = north.scan(&code);
    north.clock.advance(MINUTE);
    north.context.people = 2;
    let forced = north.force(&code);
    assert_eq!(forced.decision.overruled, Some(Reason::AlreadyUsed));
    assert_eq!(forced.decision.first_admission.unwrap().scan_id, first.scan_id);
    assert!(forced.line.contains("Already used 1 min ago at North gate, this scanner"), "{}", forced.line);
    let counts = north.ledger.counts(event_id).unwrap();
    assert_eq!((counts.admitted_people, counts.inside, counts.conflicts), (3, 3, 0));
    assert_eq!(counts.flagged_here, 1);
    // The other door learns of it and still refuses the next one.
    south.ledger.apply_page(&venue.passages(2, north.passages())).unwrap();
    south.clock.advance(2 * MINUTE);
    assert_eq!(south.scan(&code).decision.reason, Reason::AlreadyUsed);
    assert_eq!(south.ledger.counts(event_id).unwrap().admitted_people, 3);
}

#[test]
fn only_a_supervisor_with_a_reason_may_overrule() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.vip);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    let code = venue.code(&ticket);
    for note in ["", "  ", "two\nlines", &"x".repeat(201)] {
        let error = force(&mut door.ledger, &door.keys, &door.context, &code, note).unwrap_err();
        assert_eq!(error.code(), "note_invalid");
    }
    let mut device = door.ledger.device().unwrap().unwrap();
    device.assignments[0].supervisor = false;
    door.ledger.set_device(&device).unwrap();
    let error = force(&mut door.ledger, &door.keys, &door.context, &code, "a guest of ours").unwrap_err();
    assert_eq!(error.code(), "not_supervisor");
    assert!(error.to_string().contains("fetch a supervisor"));
    let error = force_listed(&mut door.ledger, &door.context, ticket.ticket_id, "a guest").unwrap_err();
    assert_eq!(error.code(), "not_supervisor");
    assert!(door.records().is_empty(), "nothing was recorded");
}

#[test]
fn a_passage_taken_back_never_happened_anywhere() {
    let venue = Venue::new();
    let event_id = venue.event.event_id;
    let ticket = venue.ticket(venue.family);
    let code = venue.code(&ticket);
    let mut north = venue.door(std::slice::from_ref(&ticket));
    let mut south = venue.door(std::slice::from_ref(&ticket));
    let before = north.ledger.counts(event_id).unwrap();
    let entered = north.pass(&code, Direction::Entry, 3);
    assert_eq!(entered.decision.remaining, Some(2));
    north.clock.advance(20_000);
    let undone = north.undo(entered.scan_id).unwrap();
    assert_eq!((undone.undoes, undone.people, undone.direction), (entered.scan_id, 3, Direction::Entry));
    assert_eq!((undone.ticket_id, undone.remaining, undone.seq), (ticket.ticket_id, Some(5), 2));
    assert_eq!(undone.at, NOW + 20_000);
    let counts = north.ledger.counts(event_id).unwrap();
    assert_eq!((counts.admitted_people, counts.inside, counts.scans_here), (0, 0, before.scans_here + 1));

    let record = north.records().pop().unwrap();
    assert_eq!((record.outcome, record.reason), (Outcome::Admit, Reason::Undone));
    assert_eq!((record.undoes, record.note.as_deref()), (Some(entered.scan_id), Some("wrong ticket")));
    assert!(record.is_intact() && record.is_consistent());
    assert!(north.ledger.verify_chain().unwrap().is_whole());
    assert_eq!(north.ledger.unsent(10).unwrap().unwrap().scans.len(), 2);

    // In the wrong order, and one page at a time.
    for (cursor, foreign) in north.passages().into_iter().rev().enumerate() {
        south.ledger.apply_page(&venue.passages(cursor as i64 + 2, vec![foreign])).unwrap();
    }
    assert_eq!(south.pass(&code, Direction::Entry, 5).decision.reason, Reason::Entered);
    // And a restart counts the same.
    let north = north.restart().0;
    assert_eq!(north.ledger.counts(event_id).unwrap(), counts);
}

#[test]
fn the_guest_scanned_again_after_an_undo_enters() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let code = venue.code(&ticket);
    let mut door = venue.door(&[ticket]);
    let first = door.scan(&code);
    door.undo(first.scan_id).unwrap();
    // Neither "just scanned here" nor "already used".
    let second = door.scan(&code);
    assert_eq!((second.decision.reason, second.decision.confidence), (Reason::Entered, Confidence::Green));
    // The new entry can be taken back in turn, and so can a forced one.
    door.undo(second.scan_id).unwrap();
    door.scan(&code);
    let forced = door.force(&code);
    assert_eq!(forced.decision.overruled, Some(Reason::RapidRescan));
    assert_eq!(door.undo(forced.scan_id).unwrap().remaining, Some(0));
}

#[test]
fn an_unlisted_ticket_taken_back_may_come_again_with_another_number_of_people() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.family);
    let code = venue.code(&ticket);
    let mut door = venue.door(&[]);
    let alone = door.pass(&code, Direction::Entry, 1);
    door.undo(alone.scan_id).unwrap();
    assert_eq!(door.pass(&code, Direction::Entry, 4).decision.outcome, Outcome::Admit);
    door.clock.advance(MINUTE);
    assert_eq!(door.pass(&code, Direction::Entry, 1).decision.reason, Reason::AlreadyUsed);
}

#[test]
fn an_undo_is_refused_for_a_reason() {
    let venue = venue_with(|policy| policy.undo_seconds = 60);
    let tickets = [venue.ticket(venue.single), venue.ticket(venue.single), venue.ticket(venue.vip)];
    let mut door = venue.door(&tickets);
    let mut other = venue.door(&tickets);
    let admitted = door.scan(&venue.code(&tickets[0]));
    let refused = door.scan(&venue.code(&tickets[2]));
    let elsewhere = other.scan(&venue.code(&tickets[1]));
    door.ledger.apply_page(&venue.passages(2, other.passages())).unwrap();
    assert_eq!(door.undo(elsewhere.scan_id).unwrap_err().code(), "undo_unknown");
    assert_eq!(door.undo(ScanId::from_bytes([7; 16])).unwrap_err().code(), "undo_unknown");
    assert_eq!(door.undo(refused.scan_id).unwrap_err().code(), "undo_not_a_passage");
    assert_eq!(undo(&mut door.ledger, admitted.scan_id, " ").unwrap_err().code(), "note_invalid");
    door.clock.advance(MINUTE + 1);
    let late = door.undo(admitted.scan_id).unwrap_err();
    assert_eq!(late.code(), "undo_too_late");
    assert!(late.to_string().contains("60 seconds"));
    let scans = door.records().len();
    // To the millisecond, and by corrected time: setting the wall clock back gains nothing.
    door.clock.set_wall(NOW - HOUR);
    assert_eq!(door.undo(admitted.scan_id).unwrap_err().code(), "undo_too_late");
    assert_eq!(door.records().len(), scans, "nothing was recorded");

    let admitted = door.scan(&venue.code(&tickets[1]));
    assert_eq!(admitted.decision.reason, Reason::AlreadyUsed);
    let exit = door.pass(&venue.code(&tickets[1]), Direction::Exit, 1);
    door.clock.advance(MINUTE);
    let undone = door.undo(exit.scan_id).unwrap();
    assert_eq!(undone.direction, Direction::Exit);
    assert_eq!(door.undo(exit.scan_id).unwrap_err().code(), "undo_already");
    assert_eq!(door.undo(undone.scan_id).unwrap_err().code(), "undo_not_a_passage");
}

#[test]
fn an_event_may_switch_undo_off_and_a_device_may_lose_it() {
    let venue = venue_with(|policy| policy.undo_seconds = 0);
    let ticket = venue.ticket(venue.single);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    let admitted = door.scan(&venue.code(&ticket));
    assert_eq!(door.undo(admitted.scan_id).unwrap_err().code(), "undo_off");
    let mut device = door.ledger.device().unwrap().unwrap();
    device.assignments[0].gate_ids = vec![venue.south];
    door.ledger.set_device(&device).unwrap();
    assert_eq!(door.undo(admitted.scan_id).unwrap_err().code(), "not_assigned");
    device.revoked = true;
    door.ledger.set_device(&device).unwrap();
    assert_eq!(door.undo(admitted.scan_id).unwrap_err().code(), "device_revoked");
}

#[test]
fn an_undo_works_after_a_restart_and_after_the_server_had_the_scan() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    let admitted = door.scan(&venue.code(&ticket));
    // The server sends the passage back: it is the same one.
    door.ledger.apply_page(&venue.passages(2, door.passages())).unwrap();
    let mut door = door.restart().0;
    assert_eq!(door.undo(admitted.scan_id).unwrap().remaining, Some(1));
    door.ledger.apply_page(&venue.passages(3, door.passages())).unwrap();
    assert_eq!(door.ledger.counts(venue.event.event_id).unwrap().inside, 0);
}

#[test]
fn a_ticket_picked_from_the_list_is_judged_like_a_manual_code() {
    let venue = venue_with(|policy| policy.printed = PrintedPolicy::UntilLiveActivated);
    let ticket = venue.ticket(venue.single);
    let live = ticket_with(&venue, |ticket| ticket.live_activated = true);
    let mut door = venue.door(&[ticket.clone(), live.clone()]);
    let verdict = admit_listed(&mut door.ledger, &door.context, ticket.ticket_id).unwrap();
    assert_eq!((verdict.decision.reason, verdict.decision.confidence), (Reason::Entered, Confidence::Green));
    assert_eq!(verdict.ticket.unwrap().attendee_name.as_deref(), Some("Ada Lovelace"));
    let record = door.records().pop().unwrap();
    assert_eq!((record.medium, record.ticket_id), (Medium::Listed, Some(ticket.ticket_id)));

    let refused = admit_listed(&mut door.ledger, &door.context, live.ticket_id).unwrap();
    assert_eq!(refused.decision.reason, Reason::PrintedRefused);
    let forced = force_listed(&mut door.ledger, &door.context, live.ticket_id, "battery empty").unwrap();
    assert_eq!(forced.decision.overruled, Some(Reason::PrintedRefused));

    // Not on the list: nobody knows whose ticket that is, so nobody can vouch for it.
    let nobody = TicketId::from_bytes([9; 16]);
    for forced in [false, true] {
        let verdict = if forced {
            force_listed(&mut door.ledger, &door.context, nobody, "says so").unwrap()
        } else {
            admit_listed(&mut door.ledger, &door.context, nobody).unwrap()
        };
        assert_eq!((verdict.decision.outcome, verdict.decision.reason), (Outcome::Refuse, Reason::Unlisted));
    }
}
