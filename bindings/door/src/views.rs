//! What every command has to say, as data: drawn by [`crate::render`] or printed as JSON. The field
//! names are the stable interface of `--json`; each object names its `kind`.

use liventix_core::ids::{DeviceId, EventId, GateId, ScanId, TicketId};
use liventix_core::rules::{Confidence, Direction, Flag, Outcome, Reason};
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

/// How one item of the readiness check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckState {
    /// Fine.
    Ready,
    /// Works, but someone should know.
    Warning,
    /// Doors must not open like this.
    NotReady,
}

/// One item of the readiness check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CheckView {
    /// Stable: `device`, `storage`, `chain`, `keys`, `list`, `clock`, `unsent`, `sample_code`, `server`.
    pub(crate) check: &'static str,
    pub(crate) state: CheckState,
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) next: Option<String>,
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
