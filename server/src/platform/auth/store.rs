//! Finding the rows tokens name.

use liventix_core::ids::{DeviceId, OrganiserId};

use super::scope::ScopeSet;
use crate::params;
use crate::platform::db::{Conn, Db, DbError};
use crate::platform::ids::UserId;

pub(super) struct ApiKeyRow {
    pub(super) organiser_id: OrganiserId,
    pub(super) name: String,
    pub(super) secret_hash: [u8; 32],
    pub(super) scopes: ScopeSet,
    pub(super) revoked: bool,
}

pub(super) async fn api_key(db: &Db, id: [u8; 16]) -> Result<Option<ApiKeyRow>, DbError> {
    let sql =
        "SELECT organiser_id, name, secret_hash, scopes, revoked_at FROM api_keys WHERE api_key_id = $1";
    let Some(row) = db.first(sql, params![id]).await? else { return Ok(None) };
    Ok(Some(ApiKeyRow {
        organiser_id: row.get(0)?,
        name: row.get(1)?,
        secret_hash: row.get(2)?,
        scopes: ScopeSet::from_stored(&row.get::<String>(3)?),
        revoked: row.get::<Option<i64>>(4)?.is_some(),
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

pub(super) struct SessionRow {
    pub(super) user_id: UserId,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) secret_hash: [u8; 32],
    pub(super) remembered: bool,
    pub(super) created_at: i64,
    pub(super) seen_at: i64,
    pub(super) expires_at: i64,
    pub(super) ended_at: Option<i64>,
    pub(super) by_link: bool,
    pub(super) is_operator: bool,
}

pub(super) async fn session(db: &Db, id: [u8; 16]) -> Result<Option<SessionRow>, DbError> {
    let sql = "SELECT u.user_id, u.name, u.email, s.secret_hash, s.remembered, s.seen_at, s.expires_at, \
               s.ended_at, o.user_id, s.created_at, s.by_link FROM sessions s JOIN users u ON u.user_id = s.user_id \
               LEFT JOIN operators o ON o.user_id = s.user_id WHERE s.session_id = $1";
    let Some(row) = db.first(sql, params![id]).await? else { return Ok(None) };
    Ok(Some(SessionRow {
        user_id: row.get(0)?,
        name: row.get(1)?,
        email: row.get(2)?,
        secret_hash: row.get(3)?,
        remembered: row.get(4)?,
        seen_at: row.get(5)?,
        expires_at: row.get(6)?,
        ended_at: row.get(7)?,
        is_operator: row.get::<Option<UserId>>(8)?.is_some(),
        created_at: row.get(9)?,
        by_link: row.get(10)?,
    }))
}

/// The organisers a person belongs to: two at most, enough to see whether there is only one.
pub(super) async fn some_organisers(conn: &mut Conn, user: UserId) -> Result<Vec<OrganiserId>, DbError> {
    let sql = "SELECT organiser_id FROM members WHERE user_id = $1 ORDER BY organiser_id LIMIT 2";
    conn.query(sql, params![user]).await?.iter().map(|row| row.get(0)).collect()
}
