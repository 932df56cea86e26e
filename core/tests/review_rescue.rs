//! A rescue must not mix things up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use harness::Venue;
use liventix_core::ids::EventId;
use liventix_core::ledger::{Ledger, OpenReport};
use liventix_core::sync::wire::ManifestPage;

#[test]
fn tickets_of_a_lost_event_do_not_turn_up_in_another() {
    let venue = Venue::new();
    let tickets: Vec<_> = (0..200).map(|_| venue.ticket(venue.single)).collect();
    let harness::Door { ledger, clock, entropy, path, .. } = venue.door(&tickets);
    drop(ledger);
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = b"Summer Fair\",\"starts_at";
    let pages = bytes.chunks_mut(4_096).filter(|page| page.windows(needle.len()).any(|part| part == needle));
    pages.for_each(|page| page.fill(0xAA));
    std::fs::write(&path, bytes).unwrap();
    let (mut ledger, report) = Ledger::open(&path, clock, entropy).unwrap();
    assert!(matches!(report, OpenReport::Rescued(_)), "{report:?}");
    let mut event = venue.event.clone();
    event.event_id = EventId::generate(harness::NOW, &*venue.entropy);
    let page = ManifestPage { event_id: event.event_id, event: Some(event.clone()), ..venue.page(&[]) };
    ledger.apply_page(&page).unwrap();
    assert_eq!(ledger.counts(event.event_id).unwrap().tickets, 0);
}
