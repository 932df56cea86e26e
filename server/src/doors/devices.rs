//! The organiser's view of devices.

use liventix_core::ids::{DeviceId, EventId, OrganiserId};

use super::types::{DeviceView, LedgerView, ScopeEvent};
use crate::app::AppState;
use crate::params;
use crate::platform::db::{Conn, DbError, Row};
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};

pub(super) async fn list(
    app: &AppState,
    organiser: OrganiserId,
    page: &PageQuery,
) -> ApiResult<Page<DeviceView>> {
    let (after, limit) = (page.after()?, page.limit()?);
    let rows = app
        .db_of(organiser)
        .read(move |conn| {
            Box::pin(async move { Ok::<_, ApiError>(rows(conn, organiser, after, limit + 1).await?) })
        })
        .await?;
    Ok(Page::of(rows, limit, |device| Key { at: 0, id: *device.device_id.as_bytes() }))
}

async fn rows(
    conn: &mut Conn,
    organiser: OrganiserId,
    after: Key,
    limit: u32,
) -> Result<Vec<DeviceView>, DbError> {
    let sql = "SELECT device_id, name, created_at, revoked_at, last_upload_at FROM devices \
               WHERE organiser_id = $1 AND device_id > $2 ORDER BY device_id LIMIT $3";
    let mut devices = Vec::new();
    for row in conn.query(sql, params![organiser, after.id, limit]).await? {
        let device_id = row.get(0)?;
        devices.push(DeviceView {
            device_id,
            name: row.get(1)?,
            events: scope(conn, device_id).await?,
            created_at: row.get(2)?,
            revoked_at: row.get(3)?,
            last_upload_at: row.get(4)?,
            ledgers: ledgers(conn, device_id).await?,
        });
    }
    Ok(devices)
}

async fn scope(conn: &mut Conn, device: DeviceId) -> Result<Vec<ScopeEvent>, DbError> {
    let sql =
        "SELECT event_id, gate_ids, supervisor FROM device_events WHERE device_id = $1 ORDER BY event_id";
    let rows = conn.query(sql, params![device]).await?;
    let event =
        |row: &Row| Ok(ScopeEvent { event_id: row.get(0)?, gate_ids: row.json(1)?, supervisor: row.get(2)? });
    rows.iter().map(event).collect()
}

async fn ledgers(conn: &mut Conn, device: DeviceId) -> Result<Vec<LedgerView>, DbError> {
    let sql = "SELECT ledger_id, last_seq, chain_ok, first_break_seq FROM ledgers \
               WHERE device_id = $1 ORDER BY ledger_id LIMIT 50";
    let view = |row: &Row| {
        Ok(LedgerView {
            ledger_id: row.get(0)?,
            last_seq: row.get(1)?,
            chain_ok: row.get(2)?,
            first_break_seq: row.get(3)?,
        })
    };
    conn.query(sql, params![device]).await?.iter().map(view).collect()
}

/// Revokes a device, from now on. Revoking it again changes nothing.
pub(super) async fn revoke(app: &AppState, organiser: OrganiserId, device: DeviceId) -> ApiResult<()> {
    let now = app.now();
    let events: Vec<EventId> = app
        .db_of(organiser)
        .write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE devices SET revoked_at = COALESCE(revoked_at, $3) \
                           WHERE organiser_id = $1 AND device_id = $2";
                if tx.execute(sql, params![organiser, device, now]).await? == 0 {
                    let detail = "You have no device with this id. List them at /v1/devices.";
                    return Err(ApiError::new(Code::DeviceNotFound, detail));
                }
                Ok(scope(tx, device).await?.into_iter().map(|scope| scope.event_id).collect())
            })
        })
        .await?;
    // Its long-polls wake up and find that they may not go on.
    events.into_iter().for_each(|event| app.ring(event));
    Ok(())
}
