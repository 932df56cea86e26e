//! A case in the making. What changes a step changes the last one.

use liventix_core::ids::{GateId, TicketId};
use liventix_core::rules::{Direction, EventInfo, EventPolicy};
use liventix_core::sync::wire::{Assignment, ForeignPassage};
use liventix_core::ticket::{EventKeys, KeyState};
use liventix_tests::conformance::format::{
    Action, ClockChange, Expect, Listed, News, Only, Place, Scan, ScanRef, StartingClock, Step, SurfaceKind,
    Undo, WrittenCase,
};

use crate::venue::{self, Guest};

/// A case in the making.
pub(crate) struct Draft(WrittenCase);

/// An empty one: the venue as it is, no tickets.
pub(crate) fn case(name: &str, about: &str) -> Draft {
    Draft(WrittenCase {
        name: name.to_owned(),
        about: about.to_owned(),
        only: None,
        keys: None,
        event: None,
        tickets: None,
        passages: None,
        device: None,
        clock: None,
        steps: Vec::new(),
    })
}

const HERE: fn() -> Place = || Place { gate_id: venue::north(), direction: Direction::Entry, people: 1 };

impl Draft {
    /// Done.
    pub(crate) fn end(self) -> WrittenCase {
        self.0
    }

    // What is the case.

    pub(crate) fn event(mut self, change: impl FnOnce(&mut EventInfo)) -> Self {
        change(self.0.event.get_or_insert_with(venue::event));
        self
    }

    pub(crate) fn policy(self, change: impl FnOnce(&mut EventPolicy)) -> Self {
        self.event(|event| change(&mut event.policy))
    }

    pub(crate) fn keys(mut self, states: &[KeyState]) -> Self {
        self.0.keys = Some(venue::keys(1, states));
        self
    }

    pub(crate) fn ticket(mut self, guest: &Guest) -> Self {
        self.0.tickets.get_or_insert_default().push(guest.entry.clone());
        self
    }

    pub(crate) fn passage(mut self, passage: ForeignPassage) -> Self {
        self.0.passages.get_or_insert_default().push(passage);
        self
    }

    pub(crate) fn assigned(mut self, assignment: Assignment) -> Self {
        self.0.device.get_or_insert_with(venue::device).assignments = vec![assignment];
        self
    }

    pub(crate) fn wall_ahead(mut self, ms: i64) -> Self {
        self.0.clock = Some(StartingClock { starts_at: venue::NOW, wall_ahead_ms: ms });
        self
    }

    pub(crate) fn only_at_doors(mut self, because: &str) -> Self {
        self.0.only = Some(Only { surface: SurfaceKind::Door, because: because.to_owned() });
        self
    }

    pub(crate) fn only_online(mut self, because: &str) -> Self {
        self.0.only = Some(Only { surface: SurfaceKind::Online, because: because.to_owned() });
        self
    }

    // What happens.

    fn step(mut self, at: i64, action: Action, expect: Option<Expect>) -> Self {
        self.0.steps.push(Step { at, action, expect, expect_online: None });
        self
    }

    /// One person comes to the north gate.
    pub(crate) fn scan(self, at: i64, text: impl Into<String>, expect: impl Into<Expect>) -> Self {
        let scan = Scan { place: HERE(), text: text.into(), force: None, scan_id_of: None };
        self.step(at, Action::Scan(scan), Some(expect.into()))
    }

    /// The same, on the way out.
    pub(crate) fn exit(self, at: i64, text: impl Into<String>, expect: impl Into<Expect>) -> Self {
        self.scan(at, text, expect).out()
    }

    /// One person comes to the north gate and is picked from the list.
    pub(crate) fn listed(self, at: i64, ticket_id: TicketId, expect: impl Into<Expect>) -> Self {
        let listed = Listed { place: HERE(), ticket_id, force: None };
        self.step(at, Action::Listed(listed), Some(expect.into()))
    }

    pub(crate) fn undo(self, at: i64, target: ScanRef, note: &str, expect: impl Into<Expect>) -> Self {
        self.step(
            at,
            Action::Undo(Undo { target, note: note.to_owned(), scan_id_of: None }),
            Some(expect.into()),
        )
    }

    pub(crate) fn sync(self, at: i64, news: News) -> Self {
        self.step(at, Action::Sync(Box::new(news)), None)
    }

    pub(crate) fn wall(self, at: i64, wall_ms: i64) -> Self {
        self.step(at, Action::Clock(ClockChange { reboot: false, wall_ms: Some(wall_ms) }), None)
    }

    pub(crate) fn reboot(self, at: i64, wall_ms: Option<i64>) -> Self {
        self.step(at, Action::Clock(ClockChange { reboot: true, wall_ms }), None)
    }

    // What is otherwise about the last step.

    fn last(&mut self) -> &mut Step {
        self.0.steps.last_mut().expect("a step")
    }

    fn place(mut self, change: impl FnOnce(&mut Place)) -> Self {
        match &mut self.last().action {
            Action::Scan(scan) => change(&mut scan.place),
            Action::Listed(listed) => change(&mut listed.place),
            other => panic!("{other:?} happens at no gate"),
        }
        self
    }

    pub(crate) fn gate(self, gate_id: GateId) -> Self {
        self.place(|place| place.gate_id = gate_id)
    }

    pub(crate) fn out(self) -> Self {
        self.place(|place| place.direction = Direction::Exit)
    }

    pub(crate) fn people(self, people: u16) -> Self {
        self.place(|place| place.people = people)
    }

    /// A supervisor lets them pass.
    pub(crate) fn force(mut self, note: &str) -> Self {
        match &mut self.last().action {
            Action::Scan(Scan { force, .. }) | Action::Listed(Listed { force, .. }) => {
                *force = Some(note.to_owned());
            }
            other => panic!("{other:?} cannot be forced"),
        }
        self
    }

    /// Sent under the id of that scan.
    pub(crate) fn again(mut self, before: ScanRef) -> Self {
        match &mut self.last().action {
            Action::Scan(scan) => scan.scan_id_of = Some(before),
            Action::Undo(undo) => undo.scan_id_of = Some(before),
            other => panic!("{other:?} has no scan id of its own"),
        }
        self
    }

    /// The server says this instead.
    pub(crate) fn online(mut self, expect: impl Into<Expect>) -> Self {
        self.last().expect_online = Some(expect.into());
        self
    }
}

/// News of these tickets.
pub(crate) fn tickets<const N: usize>(guests: [&Guest; N]) -> News {
    News { tickets: guests.map(|guest| guest.entry.clone()).to_vec(), ..News::default() }
}

/// News of these passages.
pub(crate) fn passages<const N: usize>(passages: [ForeignPassage; N]) -> News {
    News { passages: passages.to_vec(), ..News::default() }
}

/// News of the event.
pub(crate) fn changed(change: impl FnOnce(&mut EventInfo)) -> News {
    let mut event = venue::event();
    change(&mut event);
    News { event: Some(event), ..News::default() }
}

/// News of the keys, by which the event's `key_version` becomes 2.
pub(crate) fn rekeyed(states: &[KeyState]) -> News {
    let keys: EventKeys = venue::keys(2, states);
    News { keys: Some(keys), ..changed(|event| event.key_version = 2) }
}
