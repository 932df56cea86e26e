//! Verdicts in short, for the tables.

use liventix_core::rules::{Confidence, Direction, Flag, Outcome, Reason};
use liventix_tests::conformance::format::{Expect, ExpectedUndo, ExpectedVerdict, ScanRef};

use crate::venue::{Guest, scan_id};

/// A verdict in the making.
#[derive(Clone)]
pub(crate) struct Is(ExpectedVerdict);

/// One person of this ticket passes, green, and nobody else may enter on it.
pub(crate) fn admit(reason: Reason, guest: &Guest) -> Is {
    let verdict = ExpectedVerdict {
        outcome: Outcome::Admit,
        reason,
        confidence: Confidence::Green,
        flags: Vec::new(),
        people: 1,
        remaining: Some(0),
        first_admission: None,
        overruled: None,
        ticket_id: Some(guest.entry.ticket_id),
    };
    Is(verdict)
}

/// [`admit`] for the first time.
pub(crate) fn welcome(guest: &Guest) -> Is {
    admit(Reason::Entered, guest)
}

/// One person goes out; nothing is said about entries.
pub(crate) fn goodbye(guest: &Guest) -> Is {
    admit(Reason::Exited, guest).unlimited()
}

/// Nobody passes, red; it is not known which ticket it is, or it does not matter.
pub(crate) fn refuse(reason: Reason) -> Is {
    let verdict = ExpectedVerdict {
        outcome: Outcome::Refuse,
        reason,
        confidence: Confidence::Red,
        flags: Vec::new(),
        people: 0,
        remaining: None,
        first_admission: None,
        overruled: None,
        ticket_id: None,
    };
    Is(verdict)
}

/// Nobody passes with this ticket, red.
pub(crate) fn refuse_ticket(reason: Reason, guest: &Guest) -> Is {
    let Is(verdict) = refuse(reason);
    Is(ExpectedVerdict { ticket_id: Some(guest.entry.ticket_id), ..verdict })
}

/// All its entries are used, by that passage first.
pub(crate) fn used(guest: &Guest, first: ScanRef) -> Is {
    refuse_ticket(Reason::AlreadyUsed, guest).left(0).first(first)
}

/// A supervisor lets one person of this ticket pass in spite of that reason, and nobody else may enter.
pub(crate) fn forced(overruled: Reason, guest: &Guest) -> Is {
    let Is(verdict) = admit(Reason::Forced, guest).amber(&[Flag::Forced]);
    Is(ExpectedVerdict { overruled: Some(overruled), ..verdict })
}

/// It was scanned here a moment ago.
pub(crate) fn repeated(guest: &Guest, before: ScanRef) -> Is {
    refuse_ticket(Reason::RapidRescan, guest).amber(&[]).left(0).first(before)
}

/// The scan of that step.
pub(crate) const fn step(number: usize) -> ScanRef {
    ScanRef::Step(number)
}

/// The other door's scan with that number, at that moment.
pub(crate) fn elsewhere(number: u8, at: i64) -> ScanRef {
    ScanRef::ScanId(scan_id(number, at))
}

/// A passage of so many people was taken back, and so many may enter now.
pub(crate) const fn undone(people: u16, direction: Direction, remaining: Option<u32>) -> Expect {
    Expect::Undone(ExpectedUndo { people, direction, remaining })
}

/// An error with that code.
pub(crate) fn error(code: &str) -> Expect {
    Expect::Error(code.to_owned())
}

impl Is {
    /// Amber, for these reasons.
    pub(crate) fn amber(self, flags: &[Flag]) -> Self {
        Self(ExpectedVerdict { confidence: Confidence::Amber, flags: flags.to_vec(), ..self.0 })
    }

    /// With these doubts, whatever its colour.
    pub(crate) fn doubting(self, flags: &[Flag]) -> Self {
        Self(ExpectedVerdict { flags: flags.to_vec(), ..self.0 })
    }

    /// So many may still enter.
    pub(crate) fn left(self, remaining: u32) -> Self {
        Self(ExpectedVerdict { remaining: Some(remaining), ..self.0 })
    }

    /// How many may still enter is not said.
    pub(crate) fn unlimited(self) -> Self {
        Self(ExpectedVerdict { remaining: None, ..self.0 })
    }

    /// So many pass.
    pub(crate) fn people(self, people: u16) -> Self {
        Self(ExpectedVerdict { people, ..self.0 })
    }

    /// It names that passage.
    pub(crate) fn first(self, first: ScanRef) -> Self {
        Self(ExpectedVerdict { first_admission: Some(first), ..self.0 })
    }

    /// It shows no ticket: this scanner's list does not have it.
    pub(crate) fn unknown(self) -> Self {
        Self(ExpectedVerdict { ticket_id: None, ..self.0 })
    }

    /// A supervisor has to decide; nobody passed.
    pub(crate) fn asking(self) -> Self {
        Self(ExpectedVerdict { outcome: Outcome::Ask, people: 0, ..self.0 })
    }
}

impl From<Is> for Expect {
    fn from(Is(verdict): Is) -> Self {
        Self::Verdict(verdict)
    }
}
