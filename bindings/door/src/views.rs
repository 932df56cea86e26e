//! What every command has to say, as data: drawn by [`crate::render`] or printed as JSON. The field
//! names are the stable interface of `--json`; each object names its `kind`.

use liventix_core::ids::{DeviceId, EventId, GateId, ScanId, TicketId};
use liventix_core::ledger::FoundTicket;
use liventix_core::rules::{Confidence, Direction, Flag, Outcome, Reason, TicketStatus};
use liventix_core::scan::Undone;
use liventix_core::sync::SyncReport;
use serde::Serialize;

/// One scan's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct VerdictView {
    pub(crate) scan_id: ScanId,
    pub(crate) seq: i64,
    /// Corrected time (UTC milliseconds).
    pub(crate) at: i64,
    pub(crate) outcome: Outcome,
    pub(crate) confidence: Confidence,
    pub(crate) reason: Reason,
    /// All of it in one line.
    pub(crate) line: String,
    pub(crate) flags: Vec<Flag>,
    /// What a supervisor overruled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overruled: Option<Reason>,
    pub(crate) direction: Direction,
    /// People who passed.
    pub(crate) people: u16,
    /// People who still may.
    pub(crate) remaining: Option<u32>,
    pub(crate) ticket_id: Option<TicketId>,
    pub(crate) ticket_type: Option<String>,
    pub(crate) attendee_name: Option<String>,
    pub(crate) gate: String,
    pub(crate) first_admission: Option<FirstView>,
    /// The picture it was read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
}

/// The admission a duplicate ran into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FirstView {
    pub(crate) scan_id: ScanId,
    /// Corrected time (UTC milliseconds).
    pub(crate) at: i64,
    pub(crate) gate_id: GateId,
    pub(crate) gate: Option<String>,
    pub(crate) device_id: DeviceId,
    /// Whether it was this very device.
    pub(crate) this_device: bool,
}

/// Where the device stands, for the line under each verdict and for `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StandingView {
    pub(crate) inside: u64,
    pub(crate) admitted: u64,
    pub(crate) scans_here: u64,
    pub(crate) refused_here: u64,
    pub(crate) unsent: u64,
    pub(crate) oldest_unsent_ms: Option<i64>,
    pub(crate) list_age_ms: Option<i64>,
    pub(crate) clock_error_ms: Option<i64>,
    pub(crate) link: Link,
}

/// Whether the server was heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Link {
    /// The last request succeeded.
    Online,
    /// The last request failed.
    Offline,
    /// Nobody tried (`--offline`, or a command that needs no network).
    Unasked,
}

/// One event on the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EventView {
    pub(crate) event_id: EventId,
    pub(crate) name: String,
    pub(crate) gates: Vec<String>,
    pub(crate) tickets: u64,
    pub(crate) keys: bool,
    pub(crate) cursor: i64,
    pub(crate) standing: StandingView,
    pub(crate) conflicts: u64,
}

/// What `status` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StatusView {
    pub(crate) device_id: DeviceId,
    pub(crate) device_name: String,
    pub(crate) organiser_name: String,
    pub(crate) server_url: String,
    pub(crate) revoked: bool,
    pub(crate) quarantined: u64,
    pub(crate) folder: String,
    pub(crate) events: Vec<EventView>,
}

/// What `enrol` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EnrolledView {
    pub(crate) device_id: DeviceId,
    pub(crate) device_name: String,
    pub(crate) organiser_name: String,
    pub(crate) server_url: String,
    pub(crate) events: Vec<String>,
}

/// One side of a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PassageView {
    pub(crate) scan_id: ScanId,
    /// Corrected time (UTC milliseconds).
    pub(crate) at: i64,
    pub(crate) people: u16,
    pub(crate) gate_id: GateId,
    pub(crate) gate: Option<String>,
    pub(crate) device_id: DeviceId,
    pub(crate) this_device: bool,
}

/// More people entered on a ticket than it admits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ConflictView {
    pub(crate) event: String,
    pub(crate) ticket_id: TicketId,
    pub(crate) attendee_name: Option<String>,
    /// People too many.
    pub(crate) people: u32,
    pub(crate) standing: PassageView,
    pub(crate) excess: PassageView,
}

/// A scan that was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct UndoneView {
    pub(crate) scan_id: ScanId,
    pub(crate) seq: i64,
    /// The scan that was taken back.
    pub(crate) undoes: ScanId,
    /// Corrected time (UTC milliseconds).
    pub(crate) at: i64,
    /// People who had passed.
    pub(crate) people: u16,
    pub(crate) direction: Direction,
    pub(crate) ticket_id: TicketId,
    /// People who may enter on the ticket now.
    pub(crate) remaining: Option<u32>,
}

impl From<Undone> for UndoneView {
    fn from(undone: Undone) -> Self {
        let Undone { scan_id, seq, undoes, at, people, direction, ticket_id, remaining } = undone;
        Self { scan_id, seq, undoes, at, people, direction, ticket_id, remaining }
    }
}

/// A ticket found by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FoundView {
    /// Its place among those found: 1, 2, 3 …
    pub(crate) number: usize,
    pub(crate) ticket_id: TicketId,
    pub(crate) attendee_name: String,
    pub(crate) ticket_type: String,
    pub(crate) status: TicketStatus,
    /// People who still may enter.
    pub(crate) remaining: Option<u32>,
    pub(crate) inside: u32,
    /// Corrected time (UTC milliseconds).
    pub(crate) last_passage_at: Option<i64>,
}

impl FoundView {
    /// The tickets found, numbered.
    pub(crate) fn all(found: Vec<FoundTicket>) -> Vec<Self> {
        let view = |(place, found): (usize, FoundTicket)| Self {
            number: place + 1,
            ticket_id: found.ticket_id,
            attendee_name: found.attendee_name,
            ticket_type: found.type_name,
            status: found.status,
            remaining: found.remaining,
            inside: found.inside,
            last_passage_at: found.last_passage_at,
        };
        found.into_iter().enumerate().map(view).collect()
    }
}

/// What `sync` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SyncedView {
    #[serde(flatten)]
    pub(crate) report: SyncReport,
    pub(crate) unsent: u64,
    pub(crate) conflicts: u64,
}

/// An error, for `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ErrorView {
    pub(crate) code: String,
    pub(crate) detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
}
