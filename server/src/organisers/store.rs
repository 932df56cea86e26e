//! Rows of organisers and API keys.

use liventix_core::ids::{DeviceId, EventId, OrganiserId};

use super::service::{ApiKeyView, OrganiserView};
use crate::params;
use crate::platform::auth::{ApiKeyId, ScopeSet, Token};
use crate::platform::db::{Conn, Db, DbError, Row, Tx};
use crate::platform::page::Key;

pub(super) async fn insert_organiser(
    tx: &mut Tx,
    organiser: &OrganiserView,
    sealed_master_key: Vec<u8>,
) -> Result<(), DbError> {
    let sql =
        "INSERT INTO organisers (organiser_id, name, sealed_master_key, created_at) VALUES ($1, $2, $3, $4)";
    let values = params![organiser.organiser_id, &organiser.name, sealed_master_key, organiser.created_at];
    tx.execute(sql, values).await.map(drop)
}

pub(super) async fn organiser(conn: &mut Conn, id: OrganiserId) -> Result<Option<OrganiserView>, DbError> {
    let sql = "SELECT organiser_id, name, created_at, time_zone FROM organisers WHERE organiser_id = $1";
    let row = conn.first(sql, params![id]).await?;
    let view = |row: Row| {
        Ok(OrganiserView {
            organiser_id: row.get(0)?,
            name: row.get(1)?,
            created_at: row.get(2)?,
            time_zone: row.get(3)?,
        })
    };
    row.map(view).transpose()
}

/// Writes back what can change of an organiser.
pub(super) async fn update_organiser(tx: &mut Tx, organiser: &OrganiserView) -> Result<(), DbError> {
    let sql = "UPDATE organisers SET name = $2, time_zone = $3 WHERE organiser_id = $1";
    let values = params![organiser.organiser_id, &organiser.name, &organiser.time_zone];
    tx.execute(sql, values).await.map(drop)
}

pub(super) async fn insert_api_key(
    tx: &mut Tx,
    organiser: OrganiserId,
    key: &ApiKeyView,
    token: &Token,
) -> Result<(), DbError> {
    let sql = "INSERT INTO api_keys (api_key_id, organiser_id, name, secret_hash, scopes, created_at, limited) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let scopes = ScopeSet::new(key.scopes.clone()).stored();
    let values = params![
        key.api_key_id.0,
        organiser,
        &key.name,
        token.secret_hash(),
        scopes,
        key.created_at,
        key.event_ids.is_some(),
    ];
    tx.execute(sql, values).await?;
    for event in key.event_ids.iter().flatten() {
        let sql = "INSERT INTO api_key_events (organiser_id, api_key_id, event_id) VALUES ($1, $2, $3)";
        tx.execute(sql, params![organiser, key.api_key_id.0, *event]).await?;
    }
    Ok(())
}

pub(super) async fn api_keys(
    conn: &mut Conn,
    organiser: OrganiserId,
    after: Key,
    limit: u32,
) -> Result<Vec<ApiKeyView>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM api_keys WHERE organiser_id = $1 AND api_key_id > $2 ORDER BY api_key_id LIMIT $3"
    );
    let rows = conn.query(&sql, params![organiser, after.id, limit]).await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        keys.push(view(conn, &row).await?);
    }
    Ok(keys)
}

pub(super) async fn api_key(
    conn: &mut Conn,
    organiser: OrganiserId,
    id: ApiKeyId,
) -> Result<Option<ApiKeyView>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE organiser_id = $1 AND api_key_id = $2");
    match conn.first(&sql, params![organiser, id.0]).await? {
        Some(row) => view(conn, &row).await.map(Some),
        None => Ok(None),
    }
}

const COLUMNS: &str = "api_key_id, name, scopes, created_at, revoked_at, limited";

async fn view(conn: &mut Conn, row: &Row) -> Result<ApiKeyView, DbError> {
    let id: DeviceId = row.get(0)?;
    let event_ids = if row.get(5)? { Some(events(conn, id).await?) } else { None };
    Ok(ApiKeyView {
        api_key_id: ApiKeyId(id),
        name: row.get(1)?,
        scopes: ScopeSet::from_stored(&row.get::<String>(2)?).as_slice().to_vec(),
        event_ids,
        created_at: row.get(3)?,
        revoked_at: row.get(4)?,
    })
}

async fn events(conn: &mut Conn, id: DeviceId) -> Result<Vec<EventId>, DbError> {
    let sql = "SELECT event_id FROM api_key_events WHERE api_key_id = $1 ORDER BY event_id";
    conn.query(sql, params![id]).await?.iter().map(|row| row.get(0)).collect()
}

/// Revokes; a key revoked before keeps its time. Says whether it was revoked only now.
pub(super) async fn revoke_api_key(
    tx: &mut Tx,
    organiser: OrganiserId,
    id: ApiKeyId,
    now: i64,
) -> Result<bool, DbError> {
    let sql = "UPDATE api_keys SET revoked_at = $3 \
               WHERE organiser_id = $1 AND api_key_id = $2 AND revoked_at IS NULL";
    Ok(tx.execute(sql, params![organiser, id.0, now]).await? > 0)
}

/// Organisers by their names, the first 1 000.
pub(crate) async fn names(db: &Db) -> Result<Vec<(OrganiserId, String)>, DbError> {
    let sql = "SELECT organiser_id, name FROM organisers ORDER BY name, organiser_id LIMIT 1000";
    let rows = db.read(move |conn| Box::pin(async move { conn.query(sql, &[]).await }));
    let rows: Result<Vec<Row>, DbError> = rows.await;
    rows?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// What an organiser is called; none if there is none.
pub(crate) async fn name(db: &Db, id: OrganiserId) -> Result<Option<String>, DbError> {
    let row = db.first("SELECT name FROM organisers WHERE organiser_id = $1", params![id]).await?;
    row.map(|row| row.get(0)).transpose()
}
