//! What doors and server say to each other. One definition, compiled into both.
//!
//! All of it is JSON over HTTP; the paths stand beside each type. Times are UTC milliseconds, ids
//! UUID text, binary values base64url without padding. Unknown fields are ignored, so that an older
//! door understands a newer server.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::ids::{DeviceId, EventId, GateId, LedgerId, ScanId, TicketId, TicketTypeId};
use crate::ledger::record::ScanRecord;
use crate::rules::{EntryPolicy, EventInfo, EventPolicy, Passage, TicketStatus};
use crate::ticket::manual::LookupTag;

/// The most tickets and passages, added, in one manifest page.
pub const MAX_PAGE_ROWS: u32 = 5_000;
/// The most scans in one upload.
pub const MAX_UPLOAD_SCANS: usize = 1_000;
/// The longest a long-poll waits, in seconds.
pub const MAX_WAIT_SECONDS: u32 = 30;

/// `POST /v1/door/enrol`: a one-time code becomes a device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolRequest {
    /// The one-time code from the enrolment QR.
    pub code: String,
    /// What people call the device, e.g. `North gate 2` (1 to 80 characters).
    pub device_name: String,
}

impl std::fmt::Debug for EnrolRequest {
    /// Without the code, which is good until it is used.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolRequest").field("device_name", &self.device_name).finish_non_exhaustive()
    }
}

/// The answer to [`EnrolRequest`]. The only time the token is ever shown.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolResponse {
    /// The new device.
    pub device_id: DeviceId,
    /// Its bearer token for every other `/v1/door` call. Secret.
    pub token: String,
    /// Whose device it is.
    pub organiser_name: String,
    /// What it may scan.
    pub assignments: Vec<Assignment>,
}

/// One event a device may scan. `GET /v1/door/assignments` lists them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Assignment {
    /// The event.
    pub event_id: EventId,
    /// Its name.
    pub event_name: String,
    /// The gates it may scan at; empty means every gate of the event.
    pub gate_ids: Vec<GateId>,
    /// Whether a supervisor holds it: it may let people pass in spite of a refusal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub supervisor: bool,
}

/// The answer to `GET /v1/door/assignments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Assignments {
    /// What the device may scan.
    pub assignments: Vec<Assignment>,
}

/// The answer to `GET /v1/time`: for measuring the clock offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerTime {
    /// The server's clock (UTC milliseconds).
    pub server_ms: i64,
}

/// A ticket as a door knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicketEntry {
    /// The ticket.
    pub ticket_id: TicketId,
    /// Its type.
    pub ticket_type_id: TicketTypeId,
    /// Where it stands.
    #[serde(default)]
    pub status: TicketStatus,
    /// When its current code was issued (UTC milliseconds, whole seconds).
    pub code_issued_at: i64,
    /// Whether the attendee's phone has activated live codes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live_activated: bool,
    /// Overrides the type's window start (UTC milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<i64>,
    /// Overrides the type's window end (UTC milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<i64>,
    /// Overrides how many people the type admits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admits: Option<u16>,
    /// Who holds it, for the door to greet and to search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendee_name: Option<String>,
    /// Finds the ticket by its manual code.
    pub manual_tag: LookupTag,
    /// Finds the ticket by the unsigned code of an older system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy_tag: Option<LookupTag>,
}

/// A passage at another door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForeignPassage {
    /// The ticket that passed.
    pub ticket_id: TicketId,
    /// The passage.
    #[serde(flatten)]
    pub passage: Passage,
}

/// The answer to `GET /v1/door/events/{event_id}/manifest?cursor=&limit=&wait=&ledger=&unsent=`: what changed after
/// `cursor`, oldest change first. Cursor 0 is the whole event, so that the first download and every
/// later delta are the same call, and a download that broke off goes on where it was.
///
/// `wait` (seconds) holds the answer back until something changes, if nothing has yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManifestPage {
    /// The event.
    pub event_id: EventId,
    /// The event itself, where it changed after the cursor.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "of_any_version")]
    pub event: Option<EventInfo>,
    /// Tickets that changed.
    pub tickets: Vec<TicketEntry>,
    /// Passages, wherever they were made; those of the ledger that asks are left out.
    pub passages: Vec<ForeignPassage>,
    /// Ask for the next page with this.
    pub next_cursor: i64,
    /// Whether more waits already.
    pub has_more: bool,
    /// Rows after `cursor` in all (tickets and passages), this page's included: for a progress bar.
    pub pending_rows: i64,
    /// When the server answered (UTC milliseconds).
    pub server_ms: i64,
}

/// An event of a server that may be newer. Policies refuse unknown fields, for an organiser's typing
/// mistakes; a door must not lose its list over a setting that it does not know yet.
fn of_any_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<EventInfo>, D::Error> {
    let Some(mut event) = Option::<Value>::deserialize(deserializer)? else { return Ok(None) };
    keep_known(event.get_mut("policy"), &EventPolicy::default());
    for kind in event.get_mut("ticket_types").and_then(Value::as_array_mut).into_iter().flatten() {
        keep_known(kind.get_mut("entry"), &EntryPolicy::default());
    }
    serde_json::from_value(event).map(Some).map_err(D::Error::custom)
}

/// Takes out the fields that `known` does not have.
fn keep_known(fields: Option<&mut Value>, known: &impl Serialize) {
    if let (Some(Value::Object(fields)), Ok(Value::Object(known))) = (fields, serde_json::to_value(known)) {
        fields.retain(|name, _| known.contains_key(name));
    }
}

/// `POST /v1/door/scans`: a batch of scans, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadRequest {
    /// The ledger they come from. A rescued ledger uploads under its old id.
    pub ledger_id: LedgerId,
    /// The scans, 1 to [`MAX_UPLOAD_SCANS`].
    pub scans: Vec<ScanRecord>,
}

/// What became of one uploaded scan. Every one is final: the device never sends that scan again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The scan.
    pub scan_id: ScanId,
    /// What became of it.
    pub status: ReceiptStatus,
    /// For a quarantined scan: a stable code that says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What became of an uploaded scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStatus {
    /// Stored and merged.
    Accepted,
    /// Was stored before; nothing changed.
    Duplicate,
    /// Stored aside, not merged; the organiser sees it.
    Quarantined,
}

/// The answer to [`UploadRequest`]: a receipt for each scan, in the order sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadResponse {
    /// One for each scan.
    pub receipts: Vec<Receipt>,
}

/// An error answer of any call: RFC 9457 `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// The stable code programs branch on, e.g. `device_revoked`.
    pub code: String,
    /// What happened and what to do next.
    pub detail: String,
    /// The request id, to quote when asking for help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}
