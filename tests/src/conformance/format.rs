//! The format of `tests/vectors/scan/*.json`. Its README describes it in words.

use liventix_core::ids::{DeviceId, GateId, ScanId, TicketId};
use liventix_core::rules::{Confidence, Direction, EventInfo, Flag, Outcome, Reason};
use liventix_core::sync::wire::{Assignment, ForeignPassage, TicketEntry};
use liventix_core::ticket::EventKeys;
use serde::{Deserialize, Serialize};

/// One file: what its cases are about, what they share, and the cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The theme.
    pub about: String,
    /// What holds for a case that does not say otherwise.
    pub setup: Facts,
    /// The cases.
    pub cases: Vec<WrittenCase>,
}

/// What is the case before the first step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The organiser's master key, hexadecimal: for servers. Doors do not need it.
    pub master_key: String,
    /// The keys that the device holds.
    pub keys: EventKeys,
    /// The event with its gates, ticket types and policy.
    pub event: EventInfo,
    /// The tickets on the list.
    pub tickets: Vec<TicketEntry>,
    /// What other doors let through so far.
    pub passages: Vec<ForeignPassage>,
    /// The scanner.
    pub device: Device,
    /// When it starts, and what the scanner's clock shows then.
    pub clock: StartingClock,
}

/// The scanner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its id.
    pub device_id: DeviceId,
    /// What people call it.
    pub device_name: String,
    /// Whose it is.
    pub organiser_name: String,
    /// What it may scan.
    pub assignments: Vec<Assignment>,
}

/// The clocks at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartingClock {
    /// The true time at which the scanner is enrolled and synced (UTC milliseconds).
    pub starts_at: i64,
    /// How far the scanner's wall clock is ahead of that (milliseconds; below 0: behind).
    pub wall_ahead_ms: i64,
}

/// A case as it stands in a file: only the facts that differ from the file's setup, each as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenCase {
    /// Unique among all files: `a-z`, `0-9` and `_`.
    pub name: String,
    /// What it is for, in one sentence.
    pub about: String,
    /// Where it can be played, if not everywhere, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    /// Instead of the setup's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<EventKeys>,
    /// Instead of the setup's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventInfo>,
    /// Instead of the setup's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tickets: Option<Vec<TicketEntry>>,
    /// Instead of the setup's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passages: Option<Vec<ForeignPassage>>,
    /// Instead of the setup's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// Instead of the setup's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<StartingClock>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One kind of implementation a case is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    /// The surface.
    pub surface: SurfaceKind,
    /// Why no other can play it.
    pub because: String,
}

/// Who makes the scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurfaceKind {
    /// A scanner with a list, a clock and a ledger of its own.
    Door,
    /// The server's redeem API.
    Online,
}

/// A case with all its facts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    /// See [`WrittenCase::name`].
    pub name: String,
    /// See [`WrittenCase::about`].
    pub about: String,
    /// See [`WrittenCase::only`].
    pub only: Option<Only>,
    /// What is the case before the first step.
    #[serde(flatten)]
    pub facts: Facts,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

impl WrittenCase {
    /// The case with what it takes over from its file.
    #[must_use]
    pub fn complete(self, setup: &Facts) -> Case {
        let facts = Facts {
            master_key: setup.master_key.clone(),
            keys: self.keys.unwrap_or_else(|| setup.keys.clone()),
            event: self.event.unwrap_or_else(|| setup.event.clone()),
            tickets: self.tickets.unwrap_or_else(|| setup.tickets.clone()),
            passages: self.passages.unwrap_or_else(|| setup.passages.clone()),
            device: self.device.unwrap_or_else(|| setup.device.clone()),
            clock: self.clock.unwrap_or(setup.clock),
        };
        Case { name: self.name, about: self.about, only: self.only, facts, steps: self.steps }
    }
}

impl Case {
    /// Whether it can be played there.
    #[must_use]
    pub fn is_for(&self, surface: SurfaceKind) -> bool {
        self.only.as_ref().is_none_or(|only| only.surface == surface)
    }
}

/// Something that happens, at a true time (UTC milliseconds) not before that of the step before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When.
    pub at: i64,
    /// What.
    #[serde(rename = "do")]
    pub action: Action,
    /// What must come of it; none for a step that only changes something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// What must come of it online, where that rightly differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_online: Option<Expect>,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A code is scanned or typed.
    Scan(Scan),
    /// A ticket is picked from the list by its holder's name.
    Listed(Listed),
    /// A passage is taken back.
    Undo(Undo),
    /// The scanner syncs; online, the news reach the server.
    Sync(Box<News>),
    /// Something happens to the scanner's clock; online, nothing.
    Clock(ClockChange),
}

/// Where people want to pass, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The gate.
    pub gate_id: GateId,
    /// In or out.
    pub direction: Direction,
    /// How many.
    pub people: u16,
}

/// A code is scanned or typed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scan {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// The text.
    pub text: String,
    /// A supervisor lets them pass, for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<String>,
    /// Online only: it is sent under this id, which another scan has already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_id_of: Option<ScanRef>,
}

/// A ticket is picked from the list by its holder's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// The ticket.
    pub ticket_id: TicketId,
    /// A supervisor lets them pass, for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<String>,
}

/// A passage is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// Which.
    pub target: ScanRef,
    /// Why.
    pub note: String,
    /// Online only: it is sent under this id, which another scan has already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_id_of: Option<ScanRef>,
}

/// What a sync brings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct News {
    /// The event, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventInfo>,
    /// Its keys, if they changed: then the event's `key_version` rose too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<EventKeys>,
    /// What the device may scan, if that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignments: Option<Vec<Assignment>>,
    /// Tickets that are new or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<TicketEntry>,
    /// What other doors let through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passages: Vec<ForeignPassage>,
    /// The passages of these earlier steps come back to the scanner that made them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_passages: Vec<usize>,
}

/// What happens to the scanner's clock, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockChange {
    /// The scanner is switched off and on: its monotonic clock starts again.
    pub reboot: bool,
    /// Its wall clock then shows this (UTC milliseconds); none: what it would show anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<i64>,
}

/// One scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanRef {
    /// What an earlier step of the case made, by its place in the list (from 0).
    Step(usize),
    /// A scan by its id: one of another door, or of nobody.
    ScanId(ScanId),
}

/// What must come of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Of a scan.
    Verdict(ExpectedVerdict),
    /// Of an undo.
    Undone(ExpectedUndo),
    /// No scan, no undo, nothing recorded: an error with this stable code.
    Error(String),
}

/// The verdict, all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedVerdict {
    /// May they pass?
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// How sure is it?
    pub confidence: Confidence,
    /// What could not be checked, in the order of [`Flag`].
    pub flags: Vec<Flag>,
    /// How many passed.
    pub people: u16,
    /// How many may still enter; null where unlimited or unknown.
    pub remaining: Option<u32>,
    /// The passage it ran into.
    pub first_admission: Option<ScanRef>,
    /// The reason that a supervisor overruled; none where nothing was overruled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overruled: Option<Reason>,
    /// The ticket that the verdict shows; null if it shows none.
    pub ticket_id: Option<TicketId>,
}

/// What an undo comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedUndo {
    /// How many had passed.
    pub people: u16,
    /// Which way.
    pub direction: Direction,
    /// How many may enter now; null where unlimited or unknown.
    pub remaining: Option<u32>,
}
