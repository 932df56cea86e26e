//! What is kept in memory between scans, and when it is thrown away.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::device::{DEVICE, DeviceState, read_meta};
use super::tally::Tally;
use super::{Ledger, LedgerError};
use crate::ids::{EventId, GateId};
use crate::rules::EventInfo;

/// Everything here can be read again from the file.
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// SQLite's number for "another connection has written"; what is cached belongs to it.
    data_version: i64,
    /// Another process has written; it may have learnt the server's time.
    pub(super) time_outdated: bool,
    /// Filled on first use; the outer option says whether it was read.
    pub(super) device: Option<Option<Arc<DeviceState>>>,
    pub(super) events: HashMap<EventId, Arc<KnownEvent>>,
    pub(super) tallies: HashMap<EventId, Tally>,
}

/// An event as scans use it: parsed once, not once a scan.
#[derive(Debug)]
pub(super) struct KnownEvent {
    pub(super) number: i64,
    pub(super) info: EventInfo,
    /// When the manifest was last complete (server time, UTC milliseconds).
    pub(super) fresh_at: Option<i64>,
    pub(super) cursor: i64,
}

impl KnownEvent {
    /// What people call a gate of this event.
    pub(super) fn gate_name(&self, gate_id: GateId) -> Option<&str> {
        self.info.gate(gate_id).map(|gate| gate.name.as_str())
    }
}

impl Cache {
    /// Forgets everything if another process has written since.
    pub(super) fn renew(&mut self, connection: &Connection) -> Result<(), LedgerError> {
        let mut pragma = connection.prepare_cached("PRAGMA data_version")?;
        let data_version = pragma.query_row([], |row| row.get(0))?;
        if data_version != self.data_version {
            *self = Self { data_version, time_outdated: true, ..Self::default() };
        }
        Ok(())
    }

    /// Forgets what the manifest says of an event, after it changed.
    pub(super) fn forget_event(&mut self, event_id: EventId) {
        self.events.remove(&event_id);
    }
}

impl Ledger {
    /// The event, from memory where nothing changed.
    pub(super) fn known_event(
        &self,
        connection: &Connection,
        event_id: EventId,
    ) -> Result<Option<Arc<KnownEvent>>, LedgerError> {
        let mut cache = self.cache.borrow_mut();
        cache.renew(connection)?;
        if let Some(event) = cache.events.get(&event_id) {
            return Ok(Some(Arc::clone(event)));
        }
        let Some(event) = load_event(connection, event_id)? else { return Ok(None) };
        let event = Arc::new(event);
        cache.events.insert(event_id, Arc::clone(&event));
        Ok(Some(event))
    }

    /// The event, or the error that says to sync first.
    pub(super) fn need_event(
        &self,
        connection: &Connection,
        event_id: EventId,
    ) -> Result<Arc<KnownEvent>, LedgerError> {
        self.known_event(connection, event_id)?.ok_or(LedgerError::UnknownEvent(event_id))
    }

    /// The enrolled device, without copying it.
    pub(crate) fn enrolled(&self) -> Result<Option<Arc<DeviceState>>, LedgerError> {
        self.known_device(&self.connection)
    }

    /// Whether the event has this gate.
    pub(crate) fn has_gate(&self, event_id: EventId, gate_id: GateId) -> Result<bool, LedgerError> {
        Ok(self.need_event(&self.connection, event_id)?.info.gate(gate_id).is_some())
    }

    /// The device, from memory where nothing changed.
    pub(super) fn known_device(
        &self,
        connection: &Connection,
    ) -> Result<Option<Arc<DeviceState>>, LedgerError> {
        let mut cache = self.cache.borrow_mut();
        cache.renew(connection)?;
        if let Some(device) = &cache.device {
            return Ok(device.clone());
        }
        let device = read_meta(connection, DEVICE)?.map(Arc::new);
        cache.device = Some(device.clone());
        Ok(device)
    }
}

fn load_event(connection: &Connection, event_id: EventId) -> Result<Option<KnownEvent>, LedgerError> {
    let mut select =
        connection.prepare_cached("SELECT number, info, fresh_at, cursor FROM events WHERE event_id = ?1")?;
    let row: Option<(i64, String, Option<i64>, i64)> = select
        .query_row([event_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((number, info, fresh_at, cursor)) = row else { return Ok(None) };
    Ok(Some(KnownEvent { number, info: serde_json::from_str(&info)?, fresh_at, cursor }))
}
