//! What a ticket's passages add up to. This fold is the merge: devices and server run it over the
//! union of all scans they know, and since it sorts them first, the order in which they arrived
//! never matters.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::outcome::{Direction, Evidence};
use super::policy::{EntryPolicy, Reentry};
use crate::ids::{DeviceId, GateId, ScanId};

/// A scan that let people through, as far as the rules care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Passage {
    /// The scan.
    pub scan_id: ScanId,
    /// When, corrected to server time (UTC milliseconds).
    pub at: i64,
    /// In or out.
    pub direction: Direction,
    /// How many people.
    pub people: u16,
    /// Where.
    pub gate_id: GateId,
    /// By which device.
    pub device_id: DeviceId,
    /// Takes back that passage: nobody passed with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<ScanId>,
    /// A supervisor overruled the rules.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
}

/// The passages that stand: without those taken back, and without what took them back. A device takes
/// back its own only; until the passage it names is known, that has no effect.
///
/// Copies nothing where nothing is taken back.
#[must_use]
pub fn standing_passages(passages: &[Passage]) -> Cow<'_, [Passage]> {
    if passages.iter().all(|passage| passage.undoes.is_none()) {
        return Cow::Borrowed(passages);
    }
    let stands = |passage: &&Passage| passage.undoes.is_none() && !passage.is_undone(passages);
    Cow::Owned(passages.iter().filter(stands).copied().collect())
}

impl Passage {
    /// Whether one of `passages` takes it back.
    #[must_use]
    pub fn is_undone(&self, passages: &[Passage]) -> bool {
        let undoes_it =
            |other: &Passage| other.undoes == Some(self.scan_id) && other.device_id == self.device_id;
        passages.iter().any(undoes_it)
    }

    const fn evidence(&self) -> Evidence {
        Evidence { scan_id: self.scan_id, at: self.at, gate_id: self.gate_id, device_id: self.device_id }
    }
}

/// How many entries a ticket holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// People on the ticket.
    pub people: u16,
    /// Entries per person, and what an exit gives back.
    pub entry: EntryPolicy,
}

impl Allowance {
    /// What an unlisted ticket is taken to hold until the manifest says more: a single entry for as
    /// many people as were ever admitted with it, or for `people` before the first time. Two scans
    /// of it are still a duplicate. What a supervisor let in says how many only if nothing else does.
    #[must_use]
    pub fn unlisted(passages: &[Passage], people: u16) -> Self {
        let passages = standing_passages(passages);
        let most = |forced: bool| {
            passages.iter().filter(|passage| passage.forced == forced).map(|passage| passage.people).max()
        };
        let people = most(false).or_else(|| most(true)).unwrap_or(people);
        Self { people, entry: EntryPolicy::default() }
    }

    /// Entries in all, over all people; none where unlimited.
    #[must_use]
    pub fn entries(&self) -> Option<u32> {
        self.entry.max_entries.map(|entries| u32::from(entries) * u32::from(self.people))
    }
}

/// More people entered than the ticket allows: two doors admitted it without knowing of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Conflict {
    /// The earliest admission, which stands.
    pub standing: Passage,
    /// The later admission, which should not have been.
    pub excess: Passage,
    /// How many of its people were too many.
    pub people: u32,
}

/// What a ticket's passages add up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Entries used, at most what the ticket holds.
    pub used: u32,
    /// People inside now.
    pub inside: u32,
    /// People who left and did not come back.
    pub outside: u32,
    /// The first admission.
    pub first_entry: Option<Passage>,
    /// The latest passage, in or out.
    pub last: Option<Passage>,
    /// People whom a supervisor let in beyond what the ticket holds. That is no conflict: somebody
    /// meant it.
    pub beyond: u32,
    /// Admissions beyond what the ticket holds, earliest first.
    pub conflicts: Vec<Conflict>,
}

impl Standing {
    /// Folds passages, in any order. A scan that is there twice counts once, one that was taken back
    /// not at all.
    #[must_use]
    pub fn fold(allowance: Allowance, passages: &[Passage]) -> Self {
        let passages = standing_passages(passages);
        let mut sorted: Vec<&Passage> = passages.iter().collect();
        sorted.sort_unstable_by_key(|passage| (passage.scan_id, passage.at));
        sorted.dedup_by_key(|passage| passage.scan_id);
        // The id breaks ties, so that every device orders two scans of one millisecond alike.
        sorted.sort_unstable_by_key(|passage| (passage.at, passage.scan_id));
        let mut standing = Self::default();
        for passage in sorted {
            match passage.direction {
                Direction::Entry => standing.enter(allowance, passage),
                Direction::Exit => standing.exit(allowance, passage),
            }
            standing.last = Some(*passage);
        }
        standing
    }

    fn enter(&mut self, allowance: Allowance, passage: &Passage) {
        let people = u32::from(passage.people);
        let fresh = people - self.returning(allowance.entry, people);
        let left = allowance.entries().map(|entries| entries.saturating_sub(self.used));
        let excess = left.map_or(0, |left| fresh.saturating_sub(left));
        // Whoever comes in is not outside any more, whether or not that was for free.
        self.outside -= people.min(self.outside);
        self.used = self.used.saturating_add(fresh - excess);
        self.inside = self.inside.saturating_add(people);
        let standing = *self.first_entry.get_or_insert(*passage);
        if passage.forced {
            self.beyond = self.beyond.saturating_add(excess);
        } else if excess > 0 {
            self.conflicts.push(Conflict { standing, excess: *passage, people: excess });
        }
    }

    fn exit(&mut self, allowance: Allowance, passage: &Passage) {
        let people = u32::from(passage.people);
        let seen = people.min(self.inside);
        // Whoever leaves unseen must have entered: that entry is used, though its scan is unknown.
        let unseen = people - seen;
        let left = allowance.entries().map_or(unseen, |entries| entries.saturating_sub(self.used));
        self.used = self.used.saturating_add(unseen.min(left));
        self.inside -= seen;
        // Only so many can be away as the ticket holds: scanned out twice, at two doors, a guest still
        // comes back once.
        let may_be_away = u32::from(allowance.people).saturating_sub(self.inside);
        self.outside = self.outside.saturating_add(people).min(may_be_away);
    }

    fn returning(&self, entry: EntryPolicy, people: u32) -> u32 {
        match entry.reentry {
            Reentry::Never => 0,
            Reentry::AfterExit => people.min(self.outside),
        }
    }

    /// How many people may still enter now; none where unlimited.
    #[must_use]
    pub fn remaining(&self, allowance: Allowance) -> Option<u32> {
        let left = allowance.entries()?.saturating_sub(self.used);
        Some(left.saturating_add(self.returning(allowance.entry, u32::MAX)))
    }

    /// The admission that a duplicate ran into.
    #[must_use]
    pub fn first_evidence(&self) -> Option<Evidence> {
        self.first_entry.as_ref().map(Passage::evidence)
    }

    /// The latest passage as evidence.
    #[must_use]
    pub fn last_evidence(&self) -> Option<Evidence> {
        self.last.as_ref().map(Passage::evidence)
    }
}
