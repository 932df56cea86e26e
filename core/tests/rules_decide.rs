//! The rules as a door manager reads them: one table each for tickets, codes, times, entries, exits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use harness::{HOUR, MINUTE, NOW, Venue};
use liventix_core::clock::TimeReading;
use liventix_core::ids::{DeviceId, GateId, ScanId};
use liventix_core::rules::{
    Allowance, Confidence, Decision, Direction, EntryPolicy, EventInfo, Flag, LegacyStage, Outcome, Passage,
    Presented, PrintedPolicy, Reason, Reentry, Request, Standing, TicketFacts, TicketStatus, TtlEffect,
    UnlistedPolicy, decide,
};

const HERE: DeviceId = DeviceId::from_bytes([1; 16]);
const ELSEWHERE: DeviceId = DeviceId::from_bytes([2; 16]);
const ISSUED: i64 = NOW - 24 * HOUR;

/// A scan that is in order in every way; each test changes what it is about.
struct Scene {
    event: EventInfo,
    kind: usize,
    gate_id: GateId,
    direction: Direction,
    people: u16,
    time: TimeReading,
    list_age_ms: Option<i64>,
    presented: Presented,
    listed: bool,
    status: TicketStatus,
    live_activated: bool,
    valid_from: Option<i64>,
    valid_until: Option<i64>,
    passages: Vec<Passage>,
}

const SINGLE: usize = 0;
const FAMILY: usize = 1;
const SEASON: usize = 2;
const VIP: usize = 3;

impl Scene {
    fn new() -> Self {
        let venue = Venue::new();
        Self {
            gate_id: venue.north,
            event: venue.event,
            kind: SINGLE,
            direction: Direction::Entry,
            people: 1,
            time: TimeReading::exact(NOW),
            list_age_ms: Some(MINUTE),
            presented: printed(ISSUED, None),
            listed: true,
            status: TicketStatus::Valid,
            live_activated: false,
            valid_from: None,
            valid_until: None,
            passages: Vec::new(),
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut scene = Self::new();
        change(&mut scene);
        scene
    }

    fn decide(&self) -> Decision {
        let ticket = TicketFacts {
            status: self.status,
            ticket_type: &self.event.ticket_types[self.kind],
            code_issued_at: ISSUED,
            live_activated: self.live_activated,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            admits: None,
        };
        decide(&Request {
            event: &self.event,
            gate_id: self.gate_id,
            device_id: HERE,
            direction: self.direction,
            people: self.people,
            time: self.time,
            list_age_ms: self.list_age_ms,
            presented: self.presented,
            ticket: self.listed.then_some(ticket),
            passages: &self.passages,
        })
    }

    /// Scans it and, if people pass, remembers the passage.
    fn step(&mut self, device_id: DeviceId, direction: Direction, people: u16) -> Reason {
        self.time = TimeReading::exact(self.time.wall_ms + MINUTE);
        (self.direction, self.people) = (direction, people);
        let decision = self.decide();
        if decision.outcome == Outcome::Admit {
            let number = self.passages.len() as u8;
            self.passages.push(passage(number, self.time.wall_ms, device_id, direction, people));
        }
        decision.reason
    }
}

const fn printed(issued_at: i64, expires_at: Option<i64>) -> Presented {
    Presented::Printed { issued_at, expires_at }
}

const fn live(minted_at: i64) -> Presented {
    Presented::Live { issued_at: ISSUED, expires_at: None, minted_at }
}

fn passage(number: u8, at: i64, device_id: DeviceId, direction: Direction, people: u16) -> Passage {
    let gate_id = GateId::from_bytes([7; 16]);
    Passage {
        scan_id: ScanId::from_bytes([number; 16]),
        at,
        direction,
        people,
        gate_id,
        device_id,
        undoes: None,
        forced: false,
    }
}

fn off_by(error_ms: i64) -> TimeReading {
    TimeReading { error_ms: Some(error_ms), ..TimeReading::exact(NOW) }
}

type Change = fn(&mut Scene);

fn check(table: &[(&str, Change, Reason, Confidence)]) {
    for (name, change, reason, confidence) in table {
        let decision = Scene::with(change).decide();
        assert_eq!((decision.reason, decision.confidence), (*reason, *confidence), "{name}: {decision:?}");
        assert_eq!(decision.people > 0, decision.outcome == Outcome::Admit, "{name}");
        assert!(decision.flags.is_sorted(), "{name}");
    }
}

use Confidence::{Amber, Green, Red};

#[test]
fn what_a_supervisor_may_overrule() {
    let overruled: Vec<&str> =
        Reason::ALL.iter().filter(|reason| reason.can_be_overruled()).map(|reason| reason.code()).collect();
    assert_eq!(
        overruled,
        [
            "rapid_rescan",
            "already_used",
            "group_exceeded",
            "already_out",
            "unpaid",
            "wrong_gate",
            "not_yet_valid",
            "expired",
            "stale",
            "printed_refused",
            "legacy_refused",
            "unlisted",
        ]
    );
}

#[test]
fn tickets() {
    check(&[
        ("in order", |_| {}, Reason::Entered, Green),
        ("unpaid", |s| s.status = TicketStatus::Unpaid, Reason::Unpaid, Red),
        ("cancelled", |s| s.status = TicketStatus::Cancelled, Reason::Cancelled, Red),
        ("revoked", |s| s.status = TicketStatus::Revoked, Reason::Revoked, Red),
        ("wrong gate", |s| s.kind = VIP, Reason::WrongGate, Red),
        ("right gate", |s| (s.kind, s.gate_id) = (VIP, s.event.gates[1].gate_id), Reason::Entered, Green),
        ("too early", |s| s.valid_from = Some(NOW + 1), Reason::NotYetValid, Red),
        ("on the moment", |s| s.valid_from = Some(NOW), Reason::Entered, Green),
        ("too late", |s| s.valid_until = Some(NOW), Reason::Expired, Red),
        ("just in time", |s| s.valid_until = Some(NOW + 1), Reason::Entered, Green),
        ("type too late", |s| s.event.ticket_types[SINGLE].valid_until = Some(NOW), Reason::Expired, Red),
        (
            "the ticket's own window goes before the type's",
            |s| {
                s.event.ticket_types[SINGLE].valid_until = Some(NOW - HOUR);
                s.valid_until = Some(NOW + HOUR);
            },
            Reason::Entered,
            Green,
        ),
        ("old list", |s| s.list_age_ms = Some(13 * HOUR), Reason::Entered, Amber),
        ("no list", |s| s.list_age_ms = None, Reason::Entered, Amber),
        ("unlisted", |s| s.listed = false, Reason::Entered, Amber),
        (
            "unlisted, ask",
            |s| (s.listed, s.event.policy.unlisted) = (false, UnlistedPolicy::AskSupervisor),
            Reason::Unlisted,
            Amber,
        ),
        (
            "unlisted, refuse",
            |s| (s.listed, s.event.policy.unlisted) = (false, UnlistedPolicy::Refuse),
            Reason::Unlisted,
            Red,
        ),
    ]);
}

#[test]
fn codes() {
    check(&[
        ("replaced", |s| s.presented = printed(ISSUED - 1_000, None), Reason::Replaced, Red),
        ("reissued since the sync", |s| s.presented = printed(ISSUED + 1_000, None), Reason::Entered, Amber),
        ("reissued in its own second", |s| s.presented = printed(NOW + 1_000, None), Reason::Entered, Amber),
        ("issued in the future", |s| s.presented = printed(NOW + 1_001, None), Reason::NotYetValid, Red),
        ("expired", |s| s.presented = printed(ISSUED, Some(NOW)), Reason::Expired, Red),
        ("expires soon", |s| s.presented = printed(ISSUED, Some(NOW + 1)), Reason::Entered, Green),
        ("fresh live", |s| s.presented = live(NOW - 299_999), Reason::Entered, Green),
        ("stale live", |s| s.presented = live(NOW - 300_000), Reason::Stale, Red),
        ("phone ahead by the time to live", |s| s.presented = live(NOW + 300_000), Reason::Entered, Green),
        ("phone too far ahead", |s| s.presented = live(NOW + 300_001), Reason::NotYetValid, Red),
        (
            "stale, soft",
            |s| (s.presented, s.event.policy.live_ttl_effect) = (live(NOW - HOUR), TtlEffect::Soft),
            Reason::Entered,
            Amber,
        ),
        (
            "ahead, soft",
            |s| (s.presented, s.event.policy.live_ttl_effect) = (live(NOW + HOUR), TtlEffect::Soft),
            Reason::Entered,
            Amber,
        ),
        ("printed refused", |s| s.event.policy.printed = PrintedPolicy::Refused, Reason::PrintedRefused, Red),
        (
            "printed refused, unlisted",
            |s| (s.listed, s.event.policy.printed) = (false, PrintedPolicy::Refused),
            Reason::PrintedRefused,
            Red,
        ),
        (
            "live where printed is refused",
            |s| (s.presented, s.event.policy.printed) = (live(NOW), PrintedPolicy::Refused),
            Reason::Entered,
            Green,
        ),
        (
            "printed until activated, not yet",
            |s| s.event.policy.printed = PrintedPolicy::UntilLiveActivated,
            Reason::Entered,
            Green,
        ),
        (
            "printed until activated, activated",
            |s| (s.live_activated, s.event.policy.printed) = (true, PrintedPolicy::UntilLiveActivated),
            Reason::PrintedRefused,
            Red,
        ),
        ("manual", |s| s.presented = Presented::Manual, Reason::Entered, Green),
        ("legacy, refused", |s| s.presented = Presented::Legacy, Reason::LegacyRefused, Red),
        (
            "legacy, flagged",
            |s| (s.presented, s.event.policy.legacy) = (Presented::Legacy, LegacyStage::Flag),
            Reason::Entered,
            Amber,
        ),
        (
            "legacy, accepted",
            |s| (s.presented, s.event.policy.legacy) = (Presented::Legacy, LegacyStage::Accept),
            Reason::Entered,
            Green,
        ),
    ]);
}

#[test]
fn clocks() {
    check(&[
        ("exact enough", |s| s.time = off_by(60_000), Reason::Entered, Green),
        ("too inexact", |s| s.time = off_by(60_001), Reason::Entered, Amber),
        ("unknown", |s| s.time.error_ms = None, Reason::Entered, Amber),
        (
            "perhaps expired",
            |s| (s.time, s.valid_until) = (off_by(5_000), Some(NOW - 4_000)),
            Reason::Entered,
            Amber,
        ),
        (
            "certainly expired",
            |s| (s.time, s.valid_until) = (off_by(5_000), Some(NOW - 5_000)),
            Reason::Expired,
            Red,
        ),
        (
            "perhaps stale",
            |s| (s.time, s.presented) = (off_by(5_000), live(NOW - 304_000)),
            Reason::Entered,
            Amber,
        ),
        (
            "certainly stale",
            |s| (s.time, s.presented) = (off_by(5_000), live(NOW - 305_000)),
            Reason::Stale,
            Red,
        ),
        (
            "unknown clock, but that moment has passed",
            |s| {
                s.time = TimeReading { error_ms: None, floor_ms: NOW, ..TimeReading::exact(NOW - 9 * HOUR) };
                s.valid_until = Some(NOW);
            },
            Reason::Expired,
            Red,
        ),
    ]);
}

/// A step at a door, and what it must come to.
type Step = (DeviceId, Direction, u16, Reason);
use Direction::{Entry, Exit};

fn play(kind: usize, entry: EntryPolicy, steps: &[Step]) {
    let mut scene = Scene::with(|scene| scene.kind = kind);
    scene.event.ticket_types[kind].entry = entry;
    for (number, (device_id, direction, people, reason)) in steps.iter().enumerate() {
        assert_eq!(scene.step(*device_id, *direction, *people), *reason, "step {}", number + 1);
    }
}

const ONCE: EntryPolicy = EntryPolicy { max_entries: Some(1), reentry: Reentry::Never };
const RETURN: EntryPolicy = EntryPolicy { max_entries: Some(1), reentry: Reentry::AfterExit };
const TWICE: EntryPolicy = EntryPolicy { max_entries: Some(2), reentry: Reentry::Never };
const ALWAYS: EntryPolicy = EntryPolicy { max_entries: None, reentry: Reentry::Never };

#[test]
fn entries_and_exits() {
    play(SINGLE, ONCE, &[(HERE, Entry, 1, Reason::Entered), (HERE, Entry, 1, Reason::AlreadyUsed)]);
    play(
        SINGLE,
        ONCE,
        &[
            (HERE, Entry, 1, Reason::Entered),
            (HERE, Exit, 1, Reason::Exited),
            (HERE, Entry, 1, Reason::AlreadyUsed),
            (HERE, Exit, 1, Reason::AlreadyOut),
        ],
    );
    play(
        SINGLE,
        RETURN,
        &[
            (HERE, Entry, 1, Reason::Entered),
            (HERE, Entry, 1, Reason::AlreadyUsed),
            (HERE, Exit, 1, Reason::Exited),
            (ELSEWHERE, Entry, 1, Reason::Reentered),
            (HERE, Entry, 1, Reason::AlreadyUsed),
        ],
    );
    // The entry was at a door not synced yet: the exit counts as its proof.
    play(SINGLE, ONCE, &[(HERE, Exit, 1, Reason::Exited), (HERE, Entry, 1, Reason::AlreadyUsed)]);
    play(SINGLE, RETURN, &[(HERE, Exit, 1, Reason::Exited), (HERE, Entry, 1, Reason::Reentered)]);
    play(
        SINGLE,
        TWICE,
        &[
            (HERE, Entry, 1, Reason::Entered),
            (HERE, Exit, 1, Reason::Exited),
            (HERE, Entry, 1, Reason::Entered),
            (HERE, Exit, 1, Reason::Exited),
            (HERE, Entry, 1, Reason::AlreadyUsed),
        ],
    );
    play(SEASON, ALWAYS, &[(HERE, Entry, 1, Reason::Entered), (HERE, Entry, 1, Reason::Entered)]);
}

#[test]
fn groups() {
    play(
        FAMILY,
        ONCE,
        &[
            (HERE, Entry, 2, Reason::Entered),
            (ELSEWHERE, Entry, 2, Reason::Entered),
            (HERE, Entry, 2, Reason::GroupExceeded),
            (HERE, Entry, 1, Reason::Entered),
            (HERE, Entry, 1, Reason::AlreadyUsed),
        ],
    );
    play(
        FAMILY,
        RETURN,
        &[
            (HERE, Entry, 5, Reason::Entered),
            (HERE, Exit, 2, Reason::Exited),
            (HERE, Entry, 3, Reason::GroupExceeded),
            (HERE, Entry, 2, Reason::Reentered),
        ],
    );
    // A family whose entry was not seen leaves one by one, and only its members.
    let leave = (HERE, Exit, 1, Reason::Exited);
    play(FAMILY, ONCE, &[leave, leave, leave, leave, leave, (HERE, Exit, 1, Reason::AlreadyOut)]);
}

#[test]
fn nobody_is_held_back_on_the_way_out() {
    let changes: [Change; 6] = [
        |s| s.status = TicketStatus::Revoked,
        |s| s.kind = VIP,
        |s| s.valid_until = Some(NOW - HOUR),
        |s| s.presented = printed(ISSUED, Some(NOW - HOUR)),
        |s| s.event.policy.printed = PrintedPolicy::Refused,
        |s| s.listed = false,
    ];
    for change in changes {
        let mut scene = Scene::with(change);
        scene.direction = Direction::Exit;
        let decision = scene.decide();
        assert_eq!((decision.outcome, decision.reason), (Outcome::Admit, Reason::Exited));
        assert!(decision.flags.contains(&Flag::ExitWithoutEntry));
    }
}

#[test]
fn a_rapid_rescan_is_a_repeat_only_here_and_only_for_a_while() {
    for (kind, device_id, ago, reason) in [
        (SINGLE, HERE, 0, Reason::RapidRescan),
        (SINGLE, HERE, 14_999, Reason::RapidRescan),
        (SINGLE, HERE, 15_000, Reason::AlreadyUsed),
        (SINGLE, ELSEWHERE, 1_000, Reason::AlreadyUsed),
        (SEASON, HERE, 1_000, Reason::RapidRescan),
        (SEASON, HERE, 15_000, Reason::Entered),
        (FAMILY, HERE, 1_000, Reason::Entered),
    ] {
        let mut scene = Scene::with(|scene| scene.kind = kind);
        scene.passages.push(passage(1, NOW - ago, device_id, Direction::Entry, 1));
        let decision = scene.decide();
        assert_eq!(decision.reason, reason, "type {kind}, {ago} ms ago");
        if decision.outcome == Outcome::Refuse {
            assert_eq!(decision.first_admission.unwrap().at, NOW - ago);
        }
    }
    let mut off = Scene::with(|scene| scene.event.policy.rapid_rescan_seconds = 0);
    off.passages.push(passage(1, NOW, HERE, Direction::Entry, 1));
    assert_eq!(off.decide().reason, Reason::AlreadyUsed);
}

#[test]
fn an_unlisted_ticket_is_single_entry_for_its_people() {
    let mut scene = Scene::with(|scene| scene.listed = false);
    assert_eq!(scene.step(HERE, Direction::Entry, 3), Reason::Entered);
    assert_eq!(scene.step(HERE, Direction::Entry, 1), Reason::AlreadyUsed);
    assert_eq!(scene.step(HERE, Direction::Exit, 1), Reason::Exited);
}

#[test]
fn the_earliest_admission_stands_even_if_it_arrives_last() {
    let allowance = Allowance { people: 1, entry: ONCE };
    let late = passage(5, NOW + 10, HERE, Direction::Entry, 1);
    let early = passage(9, NOW, ELSEWHERE, Direction::Entry, 1);
    let alone = Standing::fold(allowance, &[late]);
    assert_eq!((alone.first_entry, alone.conflicts.len()), (Some(late), 0));
    let both = Standing::fold(allowance, &[late, early]);
    assert_eq!(both.first_entry, Some(early));
    assert_eq!((both.conflicts[0].standing, both.conflicts[0].excess), (early, late));
    assert_eq!((both.used, both.inside), (1, 2), "both people are inside, whatever the ticket says");
    // A tie is decided by the scan's id, alike everywhere.
    let tie = passage(4, NOW, HERE, Direction::Entry, 1);
    assert_eq!(Standing::fold(allowance, &[early, tie]).first_entry, Some(tie));
}

#[test]
fn a_hostile_history_does_not_overflow() {
    let most = u16::MAX;
    let many: Vec<_> = (0..=255)
        .map(|number| {
            let direction = if number % 2 == 0 { Direction::Entry } else { Direction::Exit };
            passage(number, i64::MAX, HERE, direction, most)
        })
        .collect();
    for max_entries in [None, Some(most)] {
        let allowance =
            Allowance { people: most, entry: EntryPolicy { max_entries, reentry: Reentry::AfterExit } };
        assert!(Standing::fold(allowance, &many).remaining(allowance).is_none_or(|left| left > 0));
    }
}
