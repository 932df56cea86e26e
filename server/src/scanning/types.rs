//! What callers send and get.

use liventix_core::ids::{DeviceId, EventId, GateId, LedgerId, ScanId, TicketId};
use liventix_core::ledger::record::Medium;
use liventix_core::rules::{Confidence, Decision, Direction, Evidence, Flag, Outcome, Reason};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::platform::remark::Remark;

/// A request to redeem a code.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemRequest {
    /// Made by the scanner, once per attempt of a guest. The same id again, with the same request, gets
    /// the same answer and counts once: repeat it freely after a lost connection.
    pub scan_id: ScanId,
    /// The text as scanned or typed (up to 4 096 bytes).
    pub code: String,
    /// Where.
    pub gate_id: GateId,
    /// In or out.
    #[serde(default)]
    pub direction: Direction,
    /// How many people want to pass (1 to 1 000).
    #[serde(default = "one")]
    pub people: u16,
    /// Let them pass in spite of a refusal, for this reason (one line of 1 to 200 characters). Needs a
    /// device enrolled as a supervisor's, or an API key with the scope `supervise`.
    #[serde(default)]
    pub force: Option<String>,
}

const fn one() -> u16 {
    1
}

/// The verdict.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RedeemResponse {
    /// The scan.
    pub scan_id: ScanId,
    /// When it was decided (UTC milliseconds).
    pub at: i64,
    /// What the rules decided.
    #[serde(flatten)]
    pub decision: Decision,
    /// What to show, in one line.
    pub line: &'static str,
    /// The ticket, if the code named one of this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<RedeemedTicket>,
}

/// A request to take a passage back.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoRequest {
    /// Made by the scanner, once per attempt: the id of the scan that takes the other one back. The same
    /// id again, with the same request, gets the same answer and counts once.
    pub scan_id: ScanId,
    /// Why (one line of 1 to 200 characters).
    pub note: String,
}

/// A passage that was taken back.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UndoResponse {
    /// The scan that says so.
    pub scan_id: ScanId,
    /// The scan that was taken back.
    pub undoes: ScanId,
    /// When (UTC milliseconds).
    pub at: i64,
    /// How many people had passed.
    pub people: u16,
    /// Which way.
    pub direction: Direction,
    /// The ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_id: Option<TicketId>,
    /// How many people may enter on it now; none where unlimited.
    pub remaining: Option<u32>,
}

/// Whose ticket it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RedeemedTicket {
    /// The ticket.
    pub ticket_id: TicketId,
    /// The name of its type.
    pub type_name: String,
    /// Who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attendee_name: Option<String>,
}

/// A scan.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ScanView {
    /// The scan.
    pub scan_id: ScanId,
    /// Where.
    pub gate_id: GateId,
    /// By which device; for an online scanner, its API key's id.
    pub device_id: DeviceId,
    /// The device's ledger and the place in it; none for online scans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger_id: Option<LedgerId>,
    /// See `ledger_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// The ticket, where the code named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_id: Option<TicketId>,
    /// In or out.
    pub direction: Direction,
    /// People who passed.
    pub people: u16,
    /// How the ticket was presented.
    pub medium: Medium,
    /// May they pass?
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// How sure was it?
    pub confidence: Confidence,
    /// What could not be checked.
    pub flags: Vec<Flag>,
    /// The admission a duplicate ran into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_admission: Option<Evidence>,
    /// When it happened, corrected to server time (UTC milliseconds).
    pub at: i64,
    /// How far that may be off (milliseconds); none if nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_ms: Option<i64>,
    /// When the server got it (UTC milliseconds).
    pub received_at: i64,
    /// What a supervisor overruled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overruled: Option<Reason>,
    /// The passage it takes back: nobody passed with this scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<ScanId>,
    /// Why it was overruled or taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// More people entered than the ticket allows: both admissions, for the organiser to judge.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConflictView {
    /// The ticket.
    pub ticket_id: TicketId,
    /// Who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attendee_name: Option<String>,
    /// How many people were too many.
    pub people: u32,
    /// The earliest admission, which stands.
    pub standing: SideView,
    /// The later one, which should not have been.
    pub excess: SideView,
    /// Who settled it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Remark>,
}

/// What became of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConflictState {
    /// Nobody has settled it.
    Open,
    /// Somebody has.
    Resolved,
}

/// Which conflicts.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConflictQuery {
    /// Where the last page ended: its `next_cursor`.
    pub cursor: Option<String>,
    /// Rows in the page (1 to 200; 50 unless told).
    pub limit: Option<u32>,
    /// Only those in this state.
    #[param(inline)]
    pub state: Option<ConflictState>,
}

/// One side of a conflict.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SideView {
    /// The scan.
    #[serde(flatten)]
    pub scan: ScanView,
    /// The gate's name.
    pub gate_name: String,
    /// The device's name, or the API key's.
    pub device_name: String,
}

/// A scan set aside, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuarantineView {
    /// The id it came with.
    pub scan_id: ScanId,
    /// The device that sent it.
    pub device_id: DeviceId,
    /// The event it names, if it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// The stable code that says why.
    pub code: String,
    /// The record as it came.
    pub record: serde_json::Value,
    /// When the server got it (UTC milliseconds).
    pub received_at: i64,
    /// Orders the list within one millisecond.
    #[serde(skip)]
    pub(super) quarantine_id: [u8; 16],
}

/// Which quarantined scans.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QuarantineQuery {
    /// Where the last page ended: its `next_cursor`.
    pub cursor: Option<String>,
    /// Rows in the page (1 to 200; 50 unless told).
    pub limit: Option<u32>,
    /// Only those that name this event.
    pub event_id: Option<EventId>,
}

/// An event in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CountsView {
    /// Tickets by status.
    pub tickets: TicketCounts,
    /// Scans in all, without those that only take another one back.
    pub scans: i64,
    /// Scans that let people pass, either way, and still stand.
    pub admitted: i64,
    /// Those of them that a supervisor forced.
    pub forced: i64,
    /// Scans that let people pass and were taken back.
    pub undone: i64,
    /// Scans that did not.
    pub refused: i64,
    /// Scans that asked a supervisor.
    pub asked: i64,
    /// Scans of unsigned codes of an older system.
    pub legacy: i64,
    /// People who went in.
    pub people_in: i64,
    /// People who went out.
    pub people_out: i64,
    /// People inside now, as far as scans tell.
    pub inside: i64,
    /// Conflicting admissions.
    pub conflicts: i64,
    /// Those of them that nobody has settled.
    pub conflicts_open: i64,
    /// Scans set aside that name this event.
    pub quarantined: i64,
}

/// Tickets by status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TicketCounts {
    /// Good for entry.
    pub valid: i64,
    /// Not paid.
    pub unpaid: i64,
    /// Cancelled.
    pub cancelled: i64,
    /// Blocked.
    pub revoked: i64,
}
