//! Which device this ledger belongs to.

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Ledger, LedgerError};
use crate::ids::{DeviceId, EventId, GateId};
use crate::sync::wire::Assignment;

/// What a device knows of its own enrolment. Nothing secret: the token is in the secret store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceState {
    /// The device.
    pub device_id: DeviceId,
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

impl DeviceState {
    /// Whether it may scan at this gate of this event.
    #[must_use]
    pub fn may_scan(&self, event_id: EventId, gate_id: GateId) -> bool {
        self.assignments.iter().any(|assignment| {
            assignment.event_id == event_id
                && (assignment.gate_ids.is_empty() || assignment.gate_ids.contains(&gate_id))
        })
    }

    /// Whether it may let people pass in spite of a refusal at this event.
    #[must_use]
    pub fn may_force(&self, event_id: EventId) -> bool {
        self.assignments.iter().any(|assignment| assignment.event_id == event_id && assignment.supervisor)
    }
}

/// The name of the device's row in `meta`.
pub(super) const DEVICE: &str = "device";

/// Reads a JSON value from `meta`.
pub(super) fn read_meta<T: DeserializeOwned>(
    connection: &Connection,
    name: &str,
) -> Result<Option<T>, LedgerError> {
    let mut select = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    let text: Option<String> = select.query_row([name], |row| row.get(0)).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// Writes a JSON value to `meta`.
pub(super) fn write_meta<T: Serialize>(
    connection: &Connection,
    name: &str,
    value: &T,
) -> Result<(), LedgerError> {
    let text = serde_json::to_string(value)?;
    let mut replace = connection.prepare_cached("REPLACE INTO meta (name, value) VALUES (?1, ?2)")?;
    replace.execute((name, text))?;
    Ok(())
}

impl Ledger {
    /// The device, once it is enrolled.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn device(&self) -> Result<Option<DeviceState>, LedgerError> {
        Ok(self.known_device(&self.connection)?.map(|device| (*device).clone()))
    }

    /// Stores the device after enrolment, and again when something about it changes.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn set_device(&mut self, device: &DeviceState) -> Result<(), LedgerError> {
        self.write(|transaction| write_meta(transaction, DEVICE, device))?;
        self.cache.get_mut().device = None;
        Ok(())
    }
}
