//! The organiser's view of devices.

use liventix_core::ids::{DeviceId, EventId};

use super::types::{DeviceView, LedgerView, ScopeEvent};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::params;
use crate::platform::authorize::{self, Events, Granted, Who};
use crate::platform::db::{Conn, DbError, Row, Tx, Value};
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};

/// How many devices a page about an event shows at most.
pub(crate) const MAX_AT_EVENT: u32 = 200;

/// The devices of an event, revoked ones as well, oldest first; and whether there are more than
/// [`MAX_AT_EVENT`].
pub(crate) async fn list_at(app: &AppState, who: Who, event: EventId) -> ApiResult<(Vec<DeviceView>, bool)> {
    let mut rows = app
        .db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                authorize::event(conn, &who, event).await?;
                let granted = Granted { organiser_id: who.organiser_id, events: Events::Only(vec![event]) };
                Ok::<_, ApiError>(rows(conn, &granted, Key { at: 0, id: [0; 16] }, MAX_AT_EVENT + 1).await?)
            })
        })
        .await?;
    let more = rows.len() > MAX_AT_EVENT as usize;
    rows.truncate(MAX_AT_EVENT as usize);
    Ok((rows, more))
}

pub(super) async fn list(app: &AppState, who: Who, page: &PageQuery) -> ApiResult<Page<DeviceView>> {
    let (after, limit) = (page.after()?, page.limit()?);
    let rows = app
        .db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let granted = authorize::organiser(conn, &who).await?;
                Ok::<_, ApiError>(rows(conn, &granted, after, limit + 1).await?)
            })
        })
        .await?;
    Ok(Page::of(rows, limit, |device| Key { at: 0, id: *device.device_id.as_bytes() }))
}

async fn rows(
    conn: &mut Conn,
    granted: &Granted,
    after: Key,
    limit: u32,
) -> Result<Vec<DeviceView>, DbError> {
    let mut values: Vec<Value> = vec![granted.organiser_id.into(), after.id.into(), limit.into()];
    let among = match granted.events.condition("event_id", &mut values) {
        all if all.is_empty() => all,
        some => {
            format!(" AND EXISTS (SELECT 1 FROM device_events x WHERE x.device_id = devices.device_id{some})")
        }
    };
    let sql = format!(
        "SELECT device_id, name, created_at, revoked_at, last_upload_at, last_seen_at, unsent FROM devices \
         WHERE organiser_id = $1 AND device_id > $2{among} ORDER BY device_id LIMIT $3"
    );
    let mut devices = Vec::new();
    for row in conn.query(&sql, &values).await? {
        let device_id = row.get(0)?;
        devices.push(DeviceView {
            device_id,
            name: row.get(1)?,
            events: scope(conn, device_id).await?,
            created_at: row.get(2)?,
            revoked_at: row.get(3)?,
            last_upload_at: row.get(4)?,
            last_seen_at: row.get(5)?,
            unsent: row.get(6)?,
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

fn not_found() -> ApiError {
    ApiError::new(Code::DeviceNotFound, "You have no device with this id. List them at /v1/devices.")
}

/// Revokes a device, from now on. Revoking it again changes nothing.
pub(crate) async fn revoke(app: &AppState, who: Who, device: DeviceId) -> ApiResult<()> {
    let app_in = app.clone();
    let events: Vec<EventId> = app
        .db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let granted = authorize::organiser(tx, &who).await?;
                let events: Vec<EventId> =
                    scope(tx, device).await?.into_iter().map(|scope| scope.event_id).collect();
                check_reach(&granted, &events)?;
                revoke_in(tx, &app_in, &who, device).await?;
                Ok::<_, ApiError>(events)
            })
        })
        .await?;
    // Its long-polls wake up and find that they may not go on.
    events.into_iter().for_each(|event| app.ring(event));
    Ok(())
}

/// Who is limited to some events revokes only devices of none but those.
fn check_reach(granted: &Granted, events: &[EventId]) -> ApiResult<()> {
    let seen = events.iter().any(|event| granted.events.contain(*event));
    match granted.events {
        Events::All => Ok(()),
        Events::Only(_) if !seen => Err(not_found()),
        Events::Only(_) if events.iter().all(|event| granted.events.contain(*event)) => Ok(()),
        Events::Only(_) => {
            let detail = "The device is enrolled for events that you do not manage as well. Ask an owner.";
            Err(ApiError::new(Code::RoleMissing, detail))
        }
    }
}

async fn revoke_in(tx: &mut Tx, app: &AppState, who: &Who, device: DeviceId) -> ApiResult<()> {
    let sql = "SELECT name FROM devices WHERE organiser_id = $1 AND device_id = $2";
    let row = tx.first(sql, params![who.organiser_id, device]).await?.ok_or_else(not_found)?;
    // The condition decides between two that revoke at once.
    let sql = "UPDATE devices SET revoked_at = $3 \
               WHERE organiser_id = $1 AND device_id = $2 AND revoked_at IS NULL";
    if tx.execute(sql, params![who.organiser_id, device, app.now()]).await? == 0 {
        return Ok(());
    }
    let entry = Entry::of(Deed::DeviceRevoked).to(Target::Device, device.as_bytes());
    audit::record(tx, app, who, entry.named(row.get::<String>(0)?)).await
}
