//! From scanned text to verdict, through the front door: every kind of text, every kind of ticket.

mod harness;

use harness::{HOUR, MINUTE, NOW, Venue};
use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::{EventId, GateId, TicketId};
use liventix_core::ledger::record::Medium;
use liventix_core::rules::{
    Confidence, Direction, EventPolicy, Flag, LegacyStage, Outcome, Reason, TicketStatus, UnlistedPolicy,
};
use liventix_core::scan::ScanError;
use liventix_core::ticket::{Algorithm, Claims, KeyId, ManualCode};

#[test]
fn a_good_ticket_is_welcomed_once() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let code = venue.code(&ticket);
    let mut door = venue.door(&[ticket]);

    let first = door.scan(&code);
    assert_eq!(first.decision.outcome, Outcome::Admit);
    assert_eq!(first.decision.confidence, Confidence::Green);
    assert_eq!(first.line, "Welcome, Ada Lovelace · Day ticket");

    let repeat = door.scan(&code);
    assert_eq!(repeat.decision.reason, Reason::RapidRescan);
    assert_eq!(repeat.decision.confidence, Confidence::Amber);
    assert_eq!(repeat.line, "Just scanned here · just now at North gate, this scanner");

    door.clock.advance(12 * MINUTE);
    let duplicate = door.scan(&code);
    assert_eq!(duplicate.decision.outcome, Outcome::Refuse);
    assert_eq!(duplicate.decision.reason, Reason::AlreadyUsed);
    assert_eq!(duplicate.decision.first_admission.as_ref().unwrap().scan_id, first.scan_id);
    assert_eq!(duplicate.first_gate.as_deref(), Some("North gate"));
    assert_eq!(duplicate.line, "Already used · 12 min ago at North gate, this scanner");
}

#[test]
fn a_duplicate_of_another_door_says_when_and_where() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let code = venue.code(&ticket);
    let mut north = venue.door(std::slice::from_ref(&ticket));
    let mut south = venue.door(&[ticket]);
    south.context.gate_id = venue.south;
    north.scan(&code);
    south.ledger.apply_page(&venue.passages(2, north.passages())).unwrap();
    south.clock.advance(5 * MINUTE);
    let duplicate = south.scan(&code);
    assert_eq!(duplicate.decision.reason, Reason::AlreadyUsed);
    assert_eq!(duplicate.line, "Already used · 5 min ago at North gate");
}

#[test]
fn every_text_is_recorded_with_its_reason() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let good = venue.code(&ticket);
    let entropy = FixedEntropy::new(5);
    let other_event = EventId::generate(NOW, &entropy);
    let elsewhere = Claims { event_id: other_event, ..venue.claims(&ticket) };
    let algorithm = Algorithm::HmacSha256;
    let unknown_key = venue.master.signing_key(venue.event.event_id, KeyId(9), algorithm);
    let mut forged = good.clone();
    let end = forged.pop().unwrap();
    forged.push(if end == '0' { '1' } else { '0' });
    let expired = Claims { expires_at: Some(NOW - HOUR), ..venue.claims(&ticket) };
    let long = "x".repeat(1 << 20);
    let manual = ManualCode::generate(&entropy).to_string();
    let stranger = TicketId::generate(NOW, &entropy).to_string();
    let mut door = venue.door(&[ticket.clone()]);
    let other_code = venue.master.signing_key(other_event, KeyId(0), algorithm).printed(&elsewhere).text();
    let cases = [
        (other_code, Reason::OtherEvent, Medium::Printed),
        (unknown_key.printed(&venue.claims(&ticket)).text(), Reason::UnknownKey, Medium::Printed),
        (venue.signing.printed(&expired).text(), Reason::Expired, Medium::Printed),
        (venue.live_code(&ticket, NOW - HOUR), Reason::Stale, Medium::Live),
        ("LX9:ABCDEF".to_owned(), Reason::UnknownVersion, Medium::Unreadable),
        (String::new(), Reason::NotATicket, Medium::Unreadable),
        ("\u{0}\u{feff}\r\n".to_owned(), Reason::NotATicket, Medium::Unreadable),
        (long, Reason::NotATicket, Medium::Unreadable),
        ("https://example.org/menu".to_owned(), Reason::NotATicket, Medium::Unreadable),
        (manual, Reason::ManualUnknown, Medium::Manual),
        (stranger, Reason::Unlisted, Medium::Legacy),
        (
            format!(r#"{{"id":"{}","event":"{other_event}"}}"#, ticket.ticket_id),
            Reason::OtherEvent,
            Medium::Legacy,
        ),
        (ticket.ticket_id.to_string(), Reason::LegacyRefused, Medium::Legacy),
    ];
    for (text, reason, medium) in &cases {
        let verdict = door.scan(text);
        assert_eq!(verdict.decision.reason, *reason, "{:.40}", text);
        assert_eq!(verdict.decision.outcome, Outcome::Refuse);
        let record = door.records().pop().unwrap();
        assert_eq!((record.scan_id, record.medium), (verdict.scan_id, *medium), "{:.40}", text);
        assert_eq!(record.people, 0);
    }
    let forged = door.scan(&forged);
    assert_eq!(forged.decision.outcome, Outcome::Refuse);
    // Only what is authentic or on the list names its ticket.
    let named = door.records().iter().filter(|scan| scan.ticket_id.is_some()).count();
    assert_eq!(named, 3, "expired, stale, and the bare id of a listed ticket");
    assert_eq!(door.records().len(), cases.len() + 1);
    assert_eq!(door.scan(&good).decision.outcome, Outcome::Admit);
    assert!(door.ledger.verify_chain().unwrap().is_whole());
}

#[test]
fn a_manual_code_is_found_by_its_tag() {
    let venue = Venue::new();
    let manual = ManualCode::generate(&FixedEntropy::new(77));
    let mut ticket = venue.ticket(venue.single);
    ticket.manual_tag = venue.master.lookup_key(venue.event.event_id).manual_tag(&manual);
    let mut door = venue.door(&[venue.ticket(venue.single), ticket.clone()]);
    let typed = manual.to_string().to_lowercase().replace('-', " ");
    let verdict = door.scan(&typed);
    assert_eq!(verdict.decision.reason, Reason::Entered);
    assert_eq!(verdict.ticket.unwrap().ticket_id, ticket.ticket_id);
    // The printed code is the same ticket.
    door.clock.advance(MINUTE);
    assert_eq!(door.scan(&venue.code(&ticket)).decision.reason, Reason::AlreadyUsed);
}

#[test]
fn legacy_codes_follow_the_stage() {
    for (stage, outcome, confidence) in [
        (LegacyStage::Accept, Outcome::Admit, Confidence::Green),
        (LegacyStage::Flag, Outcome::Admit, Confidence::Amber),
        (LegacyStage::Refuse, Outcome::Refuse, Confidence::Red),
    ] {
        let venue = Venue::with_policy(EventPolicy { legacy: stage, ..EventPolicy::default() });
        let lookup = venue.master.lookup_key(venue.event.event_id);
        let mut by_tag = venue.ticket(venue.single);
        by_tag.legacy_tag = Some(lookup.legacy_tag("OLD-0001"));
        let by_id = venue.ticket(venue.single);
        let mut door = venue.door(&[by_tag, by_id.clone()]);
        let json = format!(r#"{{"ticketId":"{}"}}"#, by_id.ticket_id);
        for text in ["OLD-0001", json.as_str()] {
            let verdict = door.scan(text);
            assert_eq!(verdict.decision.outcome, outcome, "{stage:?} {text}");
            assert_eq!(verdict.decision.confidence, confidence, "{stage:?} {text}");
        }
        assert_eq!(door.scan("OLD-0002").decision.reason, Reason::NotATicket);
        let counts = door.ledger.counts(venue.event.event_id).unwrap();
        assert_eq!(counts.legacy_here, 2);
    }
}

#[test]
fn an_unlisted_ticket_follows_the_policy_and_is_still_a_duplicate() {
    for (unlisted, outcome) in [
        (UnlistedPolicy::AdmitAndFlag, Outcome::Admit),
        (UnlistedPolicy::AskSupervisor, Outcome::Ask),
        (UnlistedPolicy::Refuse, Outcome::Refuse),
    ] {
        let venue = Venue::with_policy(EventPolicy { unlisted, ..EventPolicy::default() });
        let ticket = venue.ticket(venue.single);
        let mut door = venue.door(&[]);
        let verdict = door.scan(&venue.code(&ticket));
        assert_eq!(verdict.decision.outcome, outcome);
        assert!(verdict.ticket.is_none());
        if outcome == Outcome::Admit {
            assert_eq!(verdict.line, "Welcome · not on the list yet");
            assert_eq!(verdict.decision.flags, [Flag::Unlisted]);
            door.clock.advance(MINUTE);
            assert_eq!(door.scan(&venue.code(&ticket)).decision.reason, Reason::AlreadyUsed);
        }
    }
}

#[test]
fn a_group_comes_in_parts() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.family);
    let code = venue.code(&ticket);
    let mut door = venue.door(&[ticket]);
    assert_eq!(
        door.pass(&code, Direction::Entry, 2).line,
        "Welcome, Ada Lovelace · Family ticket · 2 of 5 · 3 left"
    );
    let too_many = door.pass(&code, Direction::Entry, 4);
    assert_eq!(too_many.decision.reason, Reason::GroupExceeded);
    assert!(too_many.line.starts_with("Fewer people left on this ticket · 3 left · just now"));
    assert_eq!(door.pass(&code, Direction::Entry, 3).decision.remaining, Some(0));
    assert_eq!(door.pass(&code, Direction::Exit, 1).decision.reason, Reason::Exited);
    assert_eq!(door.pass(&code, Direction::Entry, 1).decision.reason, Reason::Reentered);
    let counts = door.ledger.counts(venue.event.event_id).unwrap();
    assert_eq!((counts.admitted_people, counts.inside), (5, 5));
}

#[test]
fn the_wrong_gate_says_which_is_right() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.vip);
    let code = venue.code(&ticket);
    let mut door = venue.door(&[ticket]);
    assert_eq!(door.scan(&code).line, "Wrong gate for this ticket · go to South gate");
    door.context.gate_id = venue.south;
    assert_eq!(door.scan(&code).decision.reason, Reason::Entered);
}

#[test]
fn a_ticket_of_an_unknown_type_keeps_its_status() {
    let venue = Venue::new();
    let mut ticket = venue.ticket(venue.single);
    ticket.ticket_type_id = liventix_core::ids::TicketTypeId::generate(NOW, &FixedEntropy::new(3));
    let mut revoked = ticket.clone();
    revoked.ticket_id = TicketId::generate(NOW, &FixedEntropy::new(4));
    revoked.status = TicketStatus::Revoked;
    let mut door = venue.door(&[ticket.clone(), revoked.clone()]);
    assert_eq!(door.scan(&venue.code(&revoked)).decision.reason, Reason::Revoked);
    let verdict = door.scan(&venue.code(&ticket));
    assert_eq!(verdict.decision.outcome, Outcome::Admit);
    assert_eq!(verdict.decision.flags, [Flag::ListStale]);
}

#[test]
fn a_door_set_up_wrongly_is_an_error_and_records_nothing() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let code = venue.code(&ticket);
    let mut door = venue.door(&[ticket]);
    let good = door.context;
    let stranger = FixedEntropy::new(8);
    let mut error_of = |change: &dyn Fn(&mut liventix_core::scan::DoorContext)| {
        door.context = good;
        change(&mut door.context);
        door.try_scan(&code).unwrap_err().code()
    };
    assert_eq!(error_of(&|context| context.people = 0), "people_out_of_range");
    assert_eq!(error_of(&|context| context.people = 1_001), "people_out_of_range");
    assert_eq!(error_of(&|context| context.gate_id = GateId::generate(NOW, &stranger)), "gate_unknown");
    assert_eq!(error_of(&|context| context.event_id = EventId::generate(NOW, &stranger)), "event_unknown");
    let other = liventix_core::ids::DeviceId::generate(NOW, &stranger);
    assert_eq!(error_of(&|context| context.device_id = other), "wrong_device");

    door.context = good;
    let mut device = door.ledger.device().unwrap().unwrap();
    device.assignments[0].gate_ids = vec![venue.south];
    door.ledger.set_device(&device).unwrap();
    assert!(matches!(door.try_scan(&code), Err(ScanError::NotAssigned)));
    device.revoked = true;
    door.ledger.set_device(&device).unwrap();
    assert!(matches!(door.try_scan(&code), Err(ScanError::Revoked)));
    assert!(door.records().is_empty());
}
