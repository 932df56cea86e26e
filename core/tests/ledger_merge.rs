//! Any number of ledgers, any order of arrival, any duplication, interrupted anywhere: everyone ends
//! with the same standing and the same conflicts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use std::collections::BTreeMap;

use harness::{Door, Venue};
use liventix_core::ids::{DeviceId, GateId, ScanId, TicketId};
use liventix_core::rules::{Allowance, Direction, EntryPolicy, Outcome, Passage, Reentry, Standing};
use liventix_core::sync::wire::{ForeignPassage, TicketEntry};
use proptest::prelude::*;

/// One step of a door's evening.
#[derive(Debug, Clone)]
struct Step {
    door: usize,
    ticket: usize,
    exit: bool,
    people: u16,
    pause_ms: i64,
    /// With a supervisor at the door, who overrules a refusal.
    force: bool,
    /// Afterwards, the door's last passage is taken back.
    undo: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seldom = || prop::sample::select(vec![true, false, false, false]);
    let step = (0..3_usize, 0..4_usize, any::<bool>(), 1..4_u16, 0..40_000_i64, seldom(), seldom());
    let step = step.prop_map(|(door, ticket, exit, people, pause_ms, force, undo)| Step {
        door,
        ticket,
        exit,
        people,
        pause_ms,
        force,
        undo,
    });
    prop::collection::vec(step, 1..24)
}

/// Sends every passage to `door`, in an order and with repeats that the seed picks, a few a page;
/// `restarts` closes and opens the ledger on the way.
fn deliver(venue: &Venue, mut door: Door, all: &[ForeignPassage], seed: u64, restart: bool) -> Door {
    let mut order: Vec<usize> = (0..all.len()).chain(0..all.len() / 2).collect();
    let mut state = seed;
    for place in (1..order.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(place, (state >> 33) as usize % (place + 1));
    }
    for (page, places) in order.chunks(3).enumerate() {
        let passages = places.iter().map(|place| all[*place]).collect();
        let page = venue.passages(page as i64 + 2, passages);
        door.ledger.apply_page(&page).unwrap();
        if restart {
            // As if the answer had been lost: the same page again, after a restart.
            door = door.restart().0;
            door.ledger.apply_page(&page).unwrap();
        }
    }
    door
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn all_ledgers_agree(steps in steps(), seeds in prop::array::uniform3(any::<u64>()), skews in prop::array::uniform3(-90_000..90_000_i64)) {
        let venue = Venue::new();
        let kinds = [venue.single, venue.family, venue.season, venue.single];
        let tickets: Vec<TicketEntry> = kinds.into_iter().map(|kind| venue.ticket(kind)).collect();
        // The last ticket is on nobody's list.
        let mut doors: Vec<Door> = (0..3).map(|_| venue.door(&tickets[..3])).collect();
        for (door, skew) in doors.iter().zip(skews) {
            // A wrong wall clock changes nothing: the offset makes up for it.
            door.clock.set_wall(harness::NOW + skew);
        }
        for step in &steps {
            doors.iter().for_each(|door| door.clock.advance(step.pause_ms));
            let direction = if step.exit { Direction::Exit } else { Direction::Entry };
            let door = &mut doors[step.door];
            (door.context.direction, door.context.people) = (direction, step.people);
            let code = venue.code(&tickets[step.ticket]);
            let verdict = if step.force { door.force(&code) } else { door.scan(&code) };
            if step.undo && verdict.decision.outcome == Outcome::Admit {
                door.undo(verdict.scan_id).unwrap();
            }
        }
        let all: Vec<ForeignPassage> = doors.iter().flat_map(Door::passages).collect();
        // Its own passages come back to each door too: the union takes every scan once.
        let views: Vec<_> = doors
            .into_iter()
            .zip(seeds)
            .enumerate()
            .map(|(number, (door, seed))| {
                let before = door.ledger.counts(venue.event.event_id).unwrap();
                let door = deliver(&venue, door, &all, seed, number == 1);
                let counts = door.ledger.counts(venue.event.event_id).unwrap();
                prop_assert_eq!(before.scans_here, counts.scans_here);
                let conflicts = door.ledger.conflicts(venue.event.event_id).unwrap();
                // Added up as it came, and added up anew, is the same.
                let door = door.restart().0;
                prop_assert_eq!(door.ledger.counts(venue.event.event_id).unwrap(), counts);
                prop_assert_eq!(&door.ledger.conflicts(venue.event.event_id).unwrap(), &conflicts);
                Ok((counts.admitted_people, counts.inside, counts.conflicts, conflicts))
            })
            .collect::<Result<_, TestCaseError>>()?;
        prop_assert_eq!(&views[0], &views[1]);
        prop_assert_eq!(&views[1], &views[2]);
        // And what they agree on is the fold over everything.
        let mut by_ticket: BTreeMap<TicketId, Vec<Passage>> = BTreeMap::new();
        for foreign in &all {
            by_ticket.entry(foreign.ticket_id).or_default().push(foreign.passage);
        }
        let conflicts: usize = by_ticket
            .iter()
            .map(|(id, passages)| {
                let kind = tickets[..3].iter().find(|ticket| ticket.ticket_id == *id);
                let allowance = kind.map_or(Allowance::unlisted(passages, 1), |ticket| {
                    let kind = venue.event.ticket_type(ticket.ticket_type_id).unwrap();
                    Allowance { people: kind.admits, entry: kind.entry }
                });
                Standing::fold(allowance, passages).conflicts.len()
            })
            .sum();
        prop_assert_eq!(views[0].3.len(), conflicts);
    }
}

fn passage() -> impl Strategy<Value = Passage> {
    // Few different times, so that ties are frequent; two devices.
    let fields = (any::<[u8; 16]>(), 0..6_i64, any::<bool>(), 1..5_u16, any::<bool>(), 1..3_u8);
    fields.prop_map(|(id, at, exit, people, forced, device)| Passage {
        scan_id: ScanId::from_bytes(id),
        at,
        direction: if exit { Direction::Exit } else { Direction::Entry },
        people,
        gate_id: GateId::from_bytes([1; 16]),
        device_id: DeviceId::from_bytes([device; 16]),
        undoes: None,
        forced,
    })
}

/// What takes `target` back, by the same device or by one that may not.
fn undo_of(target: &Passage, number: u8, own: bool) -> Passage {
    let device_id = if own { target.device_id } else { DeviceId::from_bytes([9; 16]) };
    Passage {
        scan_id: ScanId::from_bytes([number; 16]),
        at: target.at + i64::from(number),
        device_id,
        undoes: Some(target.scan_id),
        forced: false,
        ..*target
    }
}

proptest! {
    #[test]
    fn the_fold_does_not_depend_on_order_or_repeats(
        passages in prop::collection::vec(passage(), 0..12),
        shuffled in any::<prop::sample::Index>(),
        people in 1..6_u16,
        max_entries in prop::option::of(1..3_u16),
        returns in any::<bool>(),
    ) {
        let reentry = if returns { Reentry::AfterExit } else { Reentry::Never };
        let allowance = Allowance { people, entry: EntryPolicy { max_entries, reentry } };
        let standing = Standing::fold(allowance, &passages);
        let mut other = passages.clone();
        other.reverse();
        if !other.is_empty() {
            let middle = shuffled.index(other.len());
            other.rotate_left(middle);
            other.extend_from_within(..middle);
        }
        prop_assert_eq!(&Standing::fold(allowance, &other), &standing);
        if let Some(entries) = allowance.entries() {
            prop_assert!(standing.used <= entries);
        } else {
            prop_assert!(standing.conflicts.is_empty());
        }
        for conflict in &standing.conflicts {
            prop_assert!((conflict.standing.at, conflict.standing.scan_id) <= (conflict.excess.at, conflict.excess.scan_id));
            prop_assert!(conflict.people <= u32::from(conflict.excess.people));
        }
    }
}

proptest! {
    #[test]
    fn what_was_taken_back_might_as_well_never_have_been(
        passages in prop::collection::vec(passage(), 1..12),
        undone in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..6),
        turn in any::<prop::sample::Index>(),
        people in 1..6_u16,
        returns in any::<bool>(),
    ) {
        let reentry = if returns { Reentry::AfterExit } else { Reentry::Never };
        let allowance = Allowance { people, entry: EntryPolicy { max_entries: Some(1), reentry } };
        let undos: Vec<(Passage, bool)> = undone
            .iter()
            .enumerate()
            .map(|(number, (place, own))| (undo_of(place.get(&passages), number as u8 + 1, *own), *own))
            .collect();
        let gone = |passage: &&Passage| {
            undos.iter().any(|(undo, own)| *own && undo.undoes == Some(passage.scan_id))
        };
        let left: Vec<Passage> = passages.iter().filter(|passage| !gone(passage)).copied().collect();
        let mut all = passages.clone();
        all.extend(undos.iter().map(|(undo, _)| *undo));
        let middle = turn.index(all.len());
        all.rotate_left(middle);
        all.extend_from_within(..middle);
        prop_assert_eq!(Standing::fold(allowance, &all), Standing::fold(allowance, &left));
        prop_assert_eq!(Allowance::unlisted(&all, 2), Allowance::unlisted(&left, 2));
        // Before the passages come, what takes them back does nothing.
        let early: Vec<Passage> = undos.iter().map(|(undo, _)| *undo).collect();
        prop_assert_eq!(Standing::fold(allowance, &early), Standing::default());
    }

    #[test]
    fn everybody_who_entered_is_counted_once(
        passages in prop::collection::vec(passage(), 0..12),
        people in 1..6_u16,
    ) {
        let entries: Vec<Passage> =
            passages.into_iter().filter(|passage| passage.direction == Direction::Entry).collect();
        let standing = Standing::fold(Allowance { people, entry: EntryPolicy::default() }, &entries);
        let excess: u32 = standing.conflicts.iter().map(|conflict| conflict.people).sum();
        let entered: u32 = entries.iter().map(|passage| u32::from(passage.people)).sum();
        prop_assert_eq!(standing.used + standing.beyond + excess, entered);
        prop_assert!(standing.conflicts.iter().all(|conflict| !conflict.excess.forced));
    }
}

#[test]
fn two_doors_that_admitted_one_ticket_show_both_sides() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let code = venue.code(&ticket);
    let mut north = venue.door(std::slice::from_ref(&ticket));
    let mut south = venue.door(&[ticket]);
    south.context.gate_id = venue.south;
    south.clock.advance(1_000);
    let second = south.scan(&code);
    let first = north.scan(&code);
    north.ledger.apply_page(&venue.passages(2, south.passages())).unwrap();
    south.ledger.apply_page(&venue.passages(2, north.passages())).unwrap();
    for door in [&north, &south] {
        let conflicts = door.ledger.conflicts(venue.event.event_id).unwrap();
        assert_eq!(conflicts.len(), 1);
        let conflict = conflicts[0].conflict;
        assert_eq!(conflicts[0].attendee_name.as_deref(), Some("Ada Lovelace"));
        assert_eq!((conflict.standing.scan_id, conflict.standing.gate_id), (first.scan_id, venue.north));
        assert_eq!((conflict.excess.scan_id, conflict.excess.gate_id), (second.scan_id, venue.south));
    }
}
