//! What organisers send and get; what doors say stands in `liventix_core::sync::wire`.

use liventix_core::ids::{DeviceId, EventId, GateId, LedgerId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One event, and where in it a device may scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeEvent {
    /// The event.
    pub event_id: EventId,
    /// The gates; empty means every gate of the event.
    #[serde(default)]
    pub gate_ids: Vec<GateId>,
    /// Whether a supervisor holds the device: it may let people pass in spite of a refusal.
    #[serde(default)]
    pub supervisor: bool,
}

/// A request for a one-time enrolment code.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnrolment {
    /// What the device may scan (1 to 20 events).
    pub events: Vec<ScopeEvent>,
}

/// A one-time enrolment code. The only time it is ever shown.
#[derive(Serialize, ToSchema)]
pub struct EnrolmentView {
    /// To type in.
    pub code: String,
    /// To scan: server address and code.
    pub uri: String,
    /// The QR code of `uri` as SVG.
    pub qr_svg: String,
    /// The QR code of `uri` as PNG, in base64.
    pub qr_png_base64: String,
    /// Until when it can be used, once (UTC milliseconds).
    pub expires_at: i64,
}

/// An enrolled device.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeviceView {
    /// The device.
    pub device_id: DeviceId,
    /// What people call it.
    pub name: String,
    /// What it may scan.
    pub events: Vec<ScopeEvent>,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// Since when it is revoked (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
    /// When it last handed in scans (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_upload_at: Option<i64>,
    /// When it was last heard of, to the half minute (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<i64>,
    /// How many scans it had yet to hand in, as it said then.
    pub unsent: i64,
    /// Its ledger files.
    pub ledgers: Vec<LedgerView>,
}

/// A ledger file, as far as the server has seen it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LedgerView {
    /// The ledger.
    pub ledger_id: LedgerId,
    /// The furthest scan seen.
    pub last_seq: i64,
    /// Whether every scan followed from the one before. If not, scans are missing or were changed.
    pub chain_ok: bool,
    /// Where it first did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_break_seq: Option<i64>,
}

/// What to send of the manifest.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ManifestQuery {
    /// `next_cursor` of the last page; 0 for the whole event.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The most tickets and passages, added (1 to 5 000; 5 000 unless told).
    #[serde(default)]
    pub limit: Option<u32>,
    /// Seconds to wait for a change if there is none yet (0 to 30; 0 unless told).
    #[serde(default)]
    pub wait: Option<u32>,
    /// The ledger that asks: its own passages are left out, for it has them. None: nothing is left out.
    #[serde(default)]
    pub ledger: Option<LedgerId>,
    /// How many scans the device has yet to hand in, so that the organiser sees whose numbers are missing.
    #[serde(default)]
    pub unsent: Option<u32>,
}
