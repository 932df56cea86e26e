//! Which doors are in touch: noted as they ask, shown to the organiser.

use liventix_core::ids::{DeviceId, EventId, GateId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::params;
use crate::platform::auth::Device;
use crate::platform::db::{Conn, DbError, Row};

/// A door that says nothing new is noted this often, so that not every question writes.
const STEP_MS: i64 = 30_000;

/// A door at an event, as far as it is in touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DoorPresence {
    /// The device.
    pub device_id: DeviceId,
    /// What people call it.
    pub name: String,
    /// Where it may scan; empty means every gate.
    pub gate_ids: Vec<GateId>,
    /// When it was last heard of, to the half minute (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<i64>,
    /// How many scans it had yet to hand in, as it said then.
    pub unsent: i64,
}

/// Whether it is time to [`note`] that a device asks.
pub(super) async fn is_due(
    conn: &mut Conn,
    device: DeviceId,
    unsent: Option<u32>,
    now: i64,
) -> Result<bool, DbError> {
    let sql = "SELECT last_seen_at, unsent FROM devices WHERE device_id = $1";
    let Some(row) = conn.first(sql, params![device]).await? else { return Ok(false) };
    let (seen, known): (Option<i64>, i64) = (row.get(0)?, row.get(1)?);
    let is_new = unsent.is_some_and(|unsent| i64::from(unsent) != known);
    Ok(is_new || seen.is_none_or(|seen| now >= seen.saturating_add(STEP_MS)))
}

/// Notes that a device asks, and what it says of its scans. The door goes on if that fails.
pub(super) async fn note(app: &AppState, device: Device, unsent: Option<u32>) {
    let (id, now, unsent) = (device.device_id, app.now(), unsent.map(i64::from));
    let db = app.db_of(device.organiser_id);
    let noted = db.write(move |tx| {
        Box::pin(async move {
            let sql = "UPDATE devices SET last_seen_at = $2, unsent = COALESCE(CAST($3 AS BIGINT), unsent) \
                       WHERE device_id = $1 AND (last_seen_at IS NULL OR last_seen_at <= $2)";
            tx.execute(sql, params![id, now, unsent]).await.map(drop)
        })
    });
    let noted: Result<(), DbError> = noted.await;
    if let Err(error) = noted {
        tracing::warn!(device_id = %id, %error, "not noted that a door is in touch");
    }
}

/// The devices that may scan an event, by name; not those that are revoked.
pub(crate) async fn at(conn: &mut Conn, event: EventId) -> Result<Vec<DoorPresence>, DbError> {
    let sql = "SELECT d.device_id, d.name, x.gate_ids, d.last_seen_at, d.unsent FROM device_events x \
               JOIN devices d ON d.device_id = x.device_id \
               WHERE x.event_id = $1 AND d.revoked_at IS NULL ORDER BY d.name, d.device_id";
    let door = |row: &Row| {
        Ok(DoorPresence {
            device_id: row.get(0)?,
            name: row.get(1)?,
            gate_ids: row.json(2)?,
            last_seen_at: row.get(3)?,
            unsent: row.get(4)?,
        })
    };
    conn.query(sql, params![event]).await?.iter().map(door).collect()
}
