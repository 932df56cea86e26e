//! Finding a ticket by the name of who holds it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use harness::{Door, MINUTE, NOW, Venue};
use liventix_core::rules::{Direction, TicketStatus};
use liventix_core::sync::wire::TicketEntry;

fn door_with(venue: &Venue, names: &[&str]) -> (Door, Vec<TicketEntry>) {
    let tickets: Vec<TicketEntry> = names
        .iter()
        .map(|name| {
            let mut ticket = venue.ticket(venue.family);
            ticket.attendee_name = (!name.is_empty()).then(|| (*name).to_owned());
            ticket
        })
        .collect();
    (venue.door(&tickets), tickets)
}

fn found(venue: &Venue, door: &Door, text: &str, limit: usize) -> Vec<String> {
    let tickets = door.ledger.search(venue.event.event_id, text, limit).unwrap();
    tickets.into_iter().map(|ticket| ticket.attendee_name).collect()
}

#[test]
fn every_word_must_fit_and_the_best_fit_comes_first() {
    let venue = Venue::new();
    let names = ["Marianne Stone", "Ann Mar", "Anna Martin", "Joanna Lamar", "Ann Marsh", "Bob Hannigan", ""];
    let (door, _) = door_with(&venue, &names);
    assert_eq!(
        found(&venue, &door, "ann", 10),
        ["Ann Mar", "Ann Marsh", "Anna Martin", "Bob Hannigan", "Joanna Lamar", "Marianne Stone"]
    );
    assert_eq!(
        found(&venue, &door, "MAR  ann", 10),
        ["Ann Mar", "Ann Marsh", "Anna Martin", "Marianne Stone", "Joanna Lamar"]
    );
    assert_eq!(found(&venue, &door, "ann marsh", 10), ["Ann Marsh"]);
    assert_eq!(found(&venue, &door, "ann", 2), ["Ann Mar", "Ann Marsh"]);
    for nothing in ["", "  ", "-", "xyz", "ann xyz"] {
        assert!(found(&venue, &door, nothing, 10).is_empty(), "{nothing:?}");
    }
    assert!(found(&venue, &door, "ann", 0).is_empty());
}

#[test]
fn accents_case_and_apostrophes_make_no_difference() {
    let venue = Venue::new();
    let (door, _) = door_with(&venue, &["Zoë Quist", "Åsa Öberg", "Łukasz Żak", "Sinéad O\u{2019}Connor"]);
    for (typed, name) in [
        ("zoe", "Zoë Quist"),
        ("ÅSA", "Åsa Öberg"),
        ("asa oberg", "Åsa Öberg"),
        ("lukasz zak", "Łukasz Żak"),
        ("o'connor", "Sinéad O\u{2019}Connor"),
        ("OCONNOR sinead", "Sinéad O\u{2019}Connor"),
    ] {
        assert_eq!(found(&venue, &door, typed, 10), [name], "{typed}");
    }
}

#[test]
fn no_more_than_fifty_are_found() {
    let venue = Venue::new();
    let names: Vec<String> = (0..120).rev().map(|number| format!("Guest {number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (door, _) = door_with(&venue, &names);
    let found = found(&venue, &door, "guest", usize::MAX);
    assert_eq!(found.len(), 50);
    assert_eq!((found[0].as_str(), found[49].as_str()), ("Guest 000", "Guest 049"));
}

#[test]
fn what_is_found_says_how_far_it_is_used() {
    let venue = Venue::new();
    let (mut door, mut tickets) = door_with(&venue, &["Ada Lovelace", "Alan Turing"]);
    let code = venue.code(&tickets[0]);
    door.pass(&code, Direction::Entry, 3);
    door.clock.advance(MINUTE);
    let last = door.pass(&code, Direction::Exit, 1);
    tickets[1].status = TicketStatus::Unpaid;
    door.ledger
        .apply_page(&liventix_core::sync::wire::ManifestPage { next_cursor: 2, ..venue.page(&tickets[1..]) })
        .unwrap();

    let ada = door.ledger.search(venue.event.event_id, "ada", 1).unwrap().remove(0);
    assert_eq!((ada.ticket_id, ada.type_name.as_str()), (tickets[0].ticket_id, "Family ticket"));
    assert_eq!((ada.remaining, ada.inside, ada.last_passage_at), (Some(3), 2, Some(NOW + MINUTE)));
    door.undo(last.scan_id).unwrap();
    let ada = door.ledger.search(venue.event.event_id, "ada", 1).unwrap().remove(0);
    assert_eq!((ada.remaining, ada.inside, ada.last_passage_at), (Some(2), 3, Some(NOW)));
    let alan = door.ledger.search(venue.event.event_id, "turing", 1).unwrap().remove(0);
    assert_eq!((alan.status, alan.inside, alan.last_passage_at), (TicketStatus::Unpaid, 0, None));
}
