//! Finding the rows tokens name.

use liventix_core::ids::{DeviceId, OrganiserId};

use super::scope::ScopeSet;
use crate::params;
use crate::platform::db::{Db, DbError};

pub(super) struct ApiKeyRow {
    pub(super) organiser_id: OrganiserId,
    pub(super) secret_hash: [u8; 32],
    pub(super) scopes: ScopeSet,
    pub(super) revoked: bool,
}

pub(super) async fn api_key(db: &Db, id: [u8; 16]) -> Result<Option<ApiKeyRow>, DbError> {
    let sql = "SELECT organiser_id, secret_hash, scopes, revoked_at FROM api_keys WHERE api_key_id = $1";
    let Some(row) = db.first(sql, params![id]).await? else { return Ok(None) };
    Ok(Some(ApiKeyRow {
        organiser_id: row.get(0)?,
        secret_hash: row.get(1)?,
        scopes: ScopeSet::from_stored(&row.get::<String>(2)?),
        revoked: row.get::<Option<i64>>(3)?.is_some(),
    }))
}

pub(super) struct DeviceRow {
    pub(super) device_id: DeviceId,
    pub(super) organiser_id: OrganiserId,
    pub(super) token_hash: [u8; 32],
    pub(super) revoked_at: Option<i64>,
}

/// The hash of a wallet's secret, if it ever claimed a ticket.
pub(super) async fn wallet(db: &Db, id: [u8; 16]) -> Result<Option<[u8; 32]>, DbError> {
    let sql = "SELECT secret_hash FROM wallets WHERE wallet_id = $1";
    db.first(sql, params![id]).await?.map(|row| row.get(0)).transpose()
}

pub(super) async fn device(db: &Db, id: [u8; 16]) -> Result<Option<DeviceRow>, DbError> {
    let sql = "SELECT device_id, organiser_id, token_hash, revoked_at FROM devices WHERE device_id = $1";
    let Some(row) = db.first(sql, params![id]).await? else { return Ok(None) };
    Ok(Some(DeviceRow {
        device_id: row.get(0)?,
        organiser_id: row.get(1)?,
        token_hash: row.get(2)?,
        revoked_at: row.get(3)?,
    }))
}
