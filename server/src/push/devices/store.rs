//! Rows of phones and of what people want.

use std::collections::HashMap;

use liventix_core::ids::PushDeviceId;
use liventix_core::push::wire::PushPreferences;
use liventix_core::push::{PushService, PushToken};

use crate::params;
use crate::platform::auth::WalletId;
use crate::platform::db::{Conn, DbError, Row, Tx, in_list, padded};

/// A phone.
#[derive(Debug, Clone)]
pub(in crate::push) struct Device {
    pub(in crate::push) device_id: PushDeviceId,
    pub(in crate::push) wallet_id: WalletId,
    pub(in crate::push) fingerprint: [u8; 32],
    pub(in crate::push) service: PushService,
    pub(in crate::push) sealed_token: Vec<u8>,
    pub(in crate::push) locale: Option<String>,
    pub(in crate::push) time_zone: Option<String>,
    pub(in crate::push) is_active: bool,
}

/// What a phone tells of itself.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) token: PushToken,
    pub(super) sealed_token: Vec<u8>,
    pub(super) locale: Option<String>,
    pub(super) time_zone: Option<String>,
}

const COLUMNS: &str =
    "device_id, wallet_id, fingerprint, service, sealed_token, locale, time_zone, inactive_at";

pub(in crate::push) fn service_of(code: &str) -> Option<PushService> {
    PushService::ALL.into_iter().find(|service| service.code() == code)
}

fn read(row: &Row) -> Result<Device, DbError> {
    Ok(Device {
        device_id: row.get(0)?,
        wallet_id: WalletId::from_bytes(row.get(1)?),
        fingerprint: row.get(2)?,
        service: row.coded(3, service_of)?,
        sealed_token: row.get(4)?,
        locale: row.get(5)?,
        time_zone: row.get(6)?,
        is_active: row.get::<Option<i64>>(7)?.is_none(),
    })
}

/// The phone of a wallet.
pub(super) async fn of_wallet(conn: &mut Conn, wallet: WalletId) -> Result<Option<Device>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM push_devices WHERE wallet_id = $1");
    conn.first(&sql, params![wallet.to_bytes()]).await?.as_ref().map(read).transpose()
}

/// The phones among these that there are.
pub(in crate::push) async fn by_ids(conn: &mut Conn, ids: &[PushDeviceId]) -> Result<Vec<Device>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let values = padded(ids.iter().copied().map(Into::into).collect());
    let sql = format!("SELECT {COLUMNS} FROM push_devices WHERE device_id IN ({})", in_list(1, values.len()));
    conn.query(&sql, &values).await?.iter().map(read).collect()
}

/// The token belongs to this wallet from now on, and the wallet has no other. What another wallet was still to be told
/// goes to nobody.
pub(super) async fn register(
    tx: &mut Tx,
    (device, wallet): (PushDeviceId, WalletId),
    told: &Told,
    now: i64,
) -> Result<(), DbError> {
    let fingerprint = *told.token.fingerprint().as_bytes();
    tx.lock("push_token", &fingerprint).await?;
    let sql = "DELETE FROM push_devices WHERE fingerprint = $1 AND wallet_id <> $2";
    tx.execute(sql, params![fingerprint, wallet.to_bytes()]).await?;
    let sql = "INSERT INTO push_devices (device_id, wallet_id, fingerprint, service, sealed_token, locale, time_zone, \
               created_at, registered_at, failures) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 0) \
               ON CONFLICT (wallet_id) DO UPDATE SET fingerprint = excluded.fingerprint, service = excluded.service, \
               sealed_token = excluded.sealed_token, locale = excluded.locale, time_zone = excluded.time_zone, \
               registered_at = excluded.registered_at, failures = 0, inactive_at = NULL, inactive_reason = NULL";
    let values = params![
        device,
        wallet.to_bytes(),
        fingerprint,
        told.token.service().code(),
        told.sealed_token.clone(),
        told.locale.clone(),
        told.time_zone.clone(),
        now,
    ];
    tx.execute(sql, values).await.map(drop)
}

/// Nothing goes to the wallet's phone any more.
pub(super) async fn forget(tx: &mut Tx, wallet: WalletId) -> Result<(), DbError> {
    tx.execute("DELETE FROM push_devices WHERE wallet_id = $1", params![wallet.to_bytes()]).await.map(drop)
}

/// What these want, as far as they ever said.
pub(in crate::push) async fn preferences_of(
    conn: &mut Conn,
    wallets: &[WalletId],
) -> Result<HashMap<WalletId, PushPreferences>, DbError> {
    if wallets.is_empty() {
        return Ok(HashMap::new());
    }
    let values = padded(wallets.iter().map(|wallet| wallet.to_bytes().into()).collect());
    let list = in_list(1, values.len());
    let sql = format!("SELECT wallet_id, preferences FROM push_preferences WHERE wallet_id IN ({list})");
    let read = |row: &Row| Ok((WalletId::from_bytes(row.get(0)?), row.json(1)?));
    conn.query(&sql, &values).await?.iter().map(read).collect()
}

pub(super) async fn preferences(conn: &mut Conn, wallet: WalletId) -> Result<PushPreferences, DbError> {
    Ok(preferences_of(conn, &[wallet]).await?.remove(&wallet).unwrap_or_default())
}

pub(super) async fn put_preferences(
    tx: &mut Tx,
    wallet: WalletId,
    preferences: &PushPreferences,
) -> Result<(), DbError> {
    let text = serde_json::to_string(preferences).map_err(|error| DbError::Statement(error.to_string()))?;
    let sql = "INSERT INTO push_preferences (wallet_id, preferences) VALUES ($1, $2) \
               ON CONFLICT (wallet_id) DO UPDATE SET preferences = excluded.preferences";
    tx.execute(sql, params![wallet.to_bytes(), text]).await.map(drop)
}

/// Why nothing is sent to a phone any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::push) enum Inactive {
    /// Its service says that the token is no longer good.
    Gone,
    /// The token is one of another app.
    OtherApp,
    /// Message after message did not go.
    Failing,
    /// It has not been heard of for most of a year.
    Stale,
}

impl Inactive {
    pub(in crate::push) const fn code(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::OtherApp => "other_app",
            Self::Failing => "failing",
            Self::Stale => "stale",
        }
    }
}

/// Nothing is sent to the token any more, unless the phone has told it since `until` (UTC milliseconds).
pub(in crate::push) async fn deactivate(
    tx: &mut Tx,
    fingerprint: &[u8; 32],
    (why, until): (Inactive, i64),
    now: i64,
) -> Result<(), DbError> {
    let sql = "UPDATE push_devices SET inactive_at = $2, inactive_reason = $3 \
               WHERE fingerprint = $1 AND inactive_at IS NULL AND registered_at <= $4";
    tx.execute(sql, params![*fingerprint, now, why.code(), until]).await.map(drop)
}

/// So many messages in a row that do not go, and nothing is sent any more.
const MAX_FAILURES: i64 = 5;

/// A message did not go, and it was not the service's fault.
pub(in crate::push) async fn failed(tx: &mut Tx, fingerprint: &[u8; 32], now: i64) -> Result<(), DbError> {
    let sql = "UPDATE push_devices SET failures = failures + 1, \
               inactive_reason = CASE WHEN failures + 1 >= $2 AND inactive_at IS NULL THEN $3 ELSE inactive_reason END, \
               inactive_at = CASE WHEN failures + 1 >= $2 AND inactive_at IS NULL THEN CAST($4 AS BIGINT) ELSE inactive_at END \
               WHERE fingerprint = $1";
    let values = params![*fingerprint, MAX_FAILURES, Inactive::Failing.code(), now];
    tx.execute(sql, values).await.map(drop)
}

/// A message went.
pub(in crate::push) async fn went(tx: &mut Tx, fingerprint: &[u8; 32]) -> Result<(), DbError> {
    let sql = "UPDATE push_devices SET failures = 0 WHERE fingerprint = $1 AND failures > 0";
    tx.execute(sql, params![*fingerprint]).await.map(drop)
}

/// Those that were not heard of since `heard_before` are sent nothing any more; those that were sent nothing since
/// `silent_before` are forgotten.
pub(in crate::push) async fn tidy(
    tx: &mut Tx,
    (heard_before, silent_before): (i64, i64),
    now: i64,
) -> Result<(), DbError> {
    let sql = "UPDATE push_devices SET inactive_at = $2, inactive_reason = $3 \
               WHERE registered_at < $1 AND inactive_at IS NULL";
    tx.execute(sql, params![heard_before, now, Inactive::Stale.code()]).await?;
    tx.execute("DELETE FROM push_devices WHERE inactive_at < $1", params![silent_before]).await.map(drop)
}

/// What a token is sealed for: moved to another row, it does not open.
pub(in crate::push) fn context(fingerprint: &[u8; 32]) -> Vec<u8> {
    [b"push token ".as_slice(), fingerprint].concat()
}
