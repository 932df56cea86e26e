//! What this installation is, and what it may scan.

use std::time::{Duration, SystemTime};

use liventix_core::ledger::{self, DeviceState};
use liventix_core::rules::EventInfo;
use liventix_core::sync::wire;

use crate::convert::{duration, time};

/// What was found at the ledger's path.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum OpenReport {
    /// Nothing; an empty ledger was made.
    Created,
    /// A ledger in good order.
    Opened,
    /// A damaged ledger, which was set aside; what could be read is in a new one.
    Rescued {
        /// Where the damaged file lies now. Keep it if anything is missing.
        set_aside: String,
        /// Scans saved.
        scans: u64,
        /// Scans known to be missing. What was lost after the last saved scan cannot be counted.
        missing: u64,
        /// Whether the whole list was saved too. If not, the next sync loads it again.
        list_saved: bool,
    },
}

impl From<ledger::OpenReport> for OpenReport {
    fn from(report: ledger::OpenReport) -> Self {
        match report {
            ledger::OpenReport::Created => Self::Created,
            ledger::OpenReport::Opened => Self::Opened,
            ledger::OpenReport::Rescued(rescue) => Self::Rescued {
                set_aside: rescue.set_aside.display().to_string(),
                scans: rescue.scans,
                missing: rescue.missing,
                list_saved: rescue.manifest,
            },
        }
    }
}

/// What this installation is enrolled as.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Device {
    /// The device.
    pub device_id: String,
    /// What people call it, e.g. `North gate 2`.
    pub device_name: String,
    /// Whose device it is.
    pub organiser_name: String,
    /// Where it syncs.
    pub server_url: String,
    /// What it may scan.
    pub assignments: Vec<Assignment>,
    /// Whether the organiser revoked it: it may then only send what it still holds.
    pub revoked: bool,
}

/// One event a device may scan.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Assignment {
    /// The event.
    pub event_id: String,
    /// Its name.
    pub event_name: String,
    /// The gates it may scan at; empty means every gate of the event.
    pub gate_ids: Vec<String>,
    /// Whether it may let people in against a refusal: see [`crate::Scanner::force`].
    pub supervisor: bool,
}

impl From<&wire::Assignment> for Assignment {
    fn from(assignment: &wire::Assignment) -> Self {
        Self {
            event_id: assignment.event_id.to_string(),
            event_name: assignment.event_name.clone(),
            gate_ids: assignment.gate_ids.iter().map(ToString::to_string).collect(),
            supervisor: assignment.supervisor,
        }
    }
}

impl From<DeviceState> for Device {
    fn from(device: DeviceState) -> Self {
        Self {
            device_id: device.device_id.to_string(),
            assignments: device.assignments.iter().map(Assignment::from).collect(),
            device_name: device.device_name,
            organiser_name: device.organiser_name,
            server_url: device.server_url,
            revoked: device.revoked,
        }
    }
}

/// An event as a door knows it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Event {
    /// The event.
    pub event_id: String,
    /// Its name.
    pub name: String,
    /// When it starts.
    pub starts_at: SystemTime,
    /// When it ends.
    pub ends_at: SystemTime,
    /// IANA name of the time zone in which people read its times, e.g. `Europe/Paris`.
    pub time_zone: String,
    /// The gates this device may stand at.
    pub gates: Vec<Gate>,
    /// How old the list is; none if it was never complete.
    pub list_age: Option<Duration>,
    /// Whether this device may let people in against a refusal: see [`crate::Scanner::force`].
    pub supervisor: bool,
    /// How long a passage may be taken back; none if it may not be.
    pub undo_window: Option<Duration>,
}

/// A place where tickets are scanned.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Gate {
    /// Its id.
    pub gate_id: String,
    /// What people call it, e.g. `North gate`.
    pub name: String,
}

impl Event {
    pub(in crate::scanner) fn of(
        event: EventInfo,
        assignment: &wire::Assignment,
        list_age_ms: Option<i64>,
    ) -> Self {
        let undo_seconds = event.policy.undo_seconds;
        let allowed = &assignment.gate_ids;
        let gates =
            event.gates.into_iter().filter(|gate| allowed.is_empty() || allowed.contains(&gate.gate_id));
        Self {
            event_id: event.event_id.to_string(),
            name: event.name,
            starts_at: time(event.starts_at),
            ends_at: time(event.ends_at),
            time_zone: event.time_zone,
            gates: gates.map(|gate| Gate { gate_id: gate.gate_id.to_string(), name: gate.name }).collect(),
            list_age: list_age_ms.map(duration),
            supervisor: assignment.supervisor,
            undo_window: (undo_seconds > 0).then(|| Duration::from_secs(u64::from(undo_seconds))),
        }
    }
}
