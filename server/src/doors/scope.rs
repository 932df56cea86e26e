//! What a device may scan.

use liventix_core::ids::{DeviceId, EventId, GateId};

use crate::params;
use crate::platform::db::{Conn, DbError};
use crate::platform::problem::{ApiError, ApiResult, Code};

/// The gates a device may scan at in an event (empty: every gate); none if it may not scan it at all.
pub(crate) async fn gates(
    conn: &mut Conn,
    device: DeviceId,
    event: EventId,
) -> Result<Option<Vec<GateId>>, DbError> {
    let sql = "SELECT gate_ids FROM device_events WHERE device_id = $1 AND event_id = $2";
    conn.first(sql, params![device, event]).await?.map(|row| row.json(0)).transpose()
}

/// Whether a supervisor holds the device at an event.
pub(crate) async fn is_supervisor(
    conn: &mut Conn,
    device: DeviceId,
    event: EventId,
) -> Result<bool, DbError> {
    let sql = "SELECT supervisor FROM device_events WHERE device_id = $1 AND event_id = $2";
    conn.first(sql, params![device, event]).await?.map_or(Ok(false), |row| row.get(0))
}

/// Since when a device is revoked (UTC milliseconds).
pub(super) async fn revoked_at(conn: &mut Conn, device: DeviceId) -> Result<Option<i64>, DbError> {
    let sql = "SELECT revoked_at FROM devices WHERE device_id = $1";
    conn.first(sql, params![device]).await?.map_or(Ok(None), |row| row.get(0))
}

/// Requires that a device that is not revoked may scan the event, and at the gate if one is given.
///
/// Read inside the caller's transaction, so that a revocation counts from the moment it is committed.
///
/// # Errors
/// `device_revoked`, `event_not_assigned`, `gate_not_assigned`.
pub(crate) async fn require(
    conn: &mut Conn,
    device: DeviceId,
    event: EventId,
    gate: Option<GateId>,
) -> ApiResult<()> {
    if revoked_at(conn, device).await?.is_some() {
        return Err(ApiError::new(Code::DeviceRevoked, "The organiser revoked this device."));
    }
    let Some(gates) = gates(conn, device, event).await? else {
        let detail =
            "This device is not enrolled for this event. Enrol it again with the event in its scope.";
        return Err(ApiError::new(Code::EventNotAssigned, detail));
    };
    match gate {
        Some(gate) if !gates.is_empty() && !gates.contains(&gate) => {
            let detail = "This device is enrolled for other gates of the event.";
            Err(ApiError::new(Code::GateNotAssigned, detail))
        }
        _ => Ok(()),
    }
}
