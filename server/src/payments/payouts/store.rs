//! Rows of payouts.

use liventix_core::ids::OrganiserId;

use super::types::{Payout, PayoutStatus};
use crate::params;
use crate::payments::types::ProviderKind;
use crate::platform::db::{Conn, DbError, Row, Tx, values_rows};
use crate::platform::ids::PayoutId;
use crate::platform::page::Key;
use crate::pricing::Currency;

const COLUMNS: &str = "payout_id, organiser_id, provider, is_live, account, amount, reversed, currency, status, \
    provider_id, idempotency_key, failure, asked_by, created_at, asked_at, settled_at";

fn read(row: &Row) -> Result<Payout, DbError> {
    Ok(Payout {
        payout_id: row.get(0)?,
        organiser_id: row.get(1)?,
        provider: row.coded(2, ProviderKind::from_code)?,
        is_live: row.get(3)?,
        account: row.get(4)?,
        amount: row.get(5)?,
        reversed: row.get(6)?,
        currency: row.coded(7, Currency::from_code)?,
        status: row.coded(8, PayoutStatus::from_code)?,
        provider_id: row.get(9)?,
        idempotency_key: row.get(10)?,
        failure: row.get(11)?,
        asked_by: row.get(12)?,
        created_at: row.get(13)?,
        asked_at: row.get(14)?,
        settled_at: row.get(15)?,
    })
}

pub(super) async fn insert(tx: &mut Tx, payout: &Payout) -> Result<(), DbError> {
    let sql = format!("INSERT INTO payouts ({COLUMNS}) VALUES {}", values_rows(16, 1));
    let values = params![
        payout.payout_id,
        payout.organiser_id,
        payout.provider.code(),
        payout.is_live,
        &payout.account,
        payout.amount,
        payout.reversed,
        payout.currency.code(),
        payout.status.code(),
        payout.provider_id.clone(),
        &payout.idempotency_key,
        payout.failure.clone(),
        &payout.asked_by,
        payout.created_at,
        payout.asked_at,
        payout.settled_at,
    ];
    tx.execute(&sql, values).await.map(drop)
}

/// Writes back what can change of a payout.
pub(super) async fn update(tx: &mut Tx, payout: &Payout) -> Result<(), DbError> {
    let sql = "UPDATE payouts SET reversed = $2, status = $3, provider_id = $4, idempotency_key = $5, failure = $6, \
               asked_at = $7, settled_at = $8 WHERE payout_id = $1";
    let values = params![
        payout.payout_id,
        payout.reversed,
        payout.status.code(),
        payout.provider_id.clone(),
        &payout.idempotency_key,
        payout.failure.clone(),
        payout.asked_at,
        payout.settled_at,
    ];
    tx.execute(sql, values).await.map(drop)
}

pub(super) async fn by_id(conn: &mut Conn, id: PayoutId) -> Result<Option<Payout>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM payouts WHERE payout_id = $1");
    conn.first(&sql, params![id]).await?.as_ref().map(read).transpose()
}

pub(super) async fn by_provider(conn: &mut Conn, id: &str) -> Result<Option<Payout>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM payouts WHERE provider_id = $1");
    conn.first(&sql, params![id]).await?.as_ref().map(read).transpose()
}

/// The payout, which nobody else changes until this transaction ends.
pub(super) async fn hold(tx: &mut Tx, id: PayoutId) -> Result<Option<Payout>, DbError> {
    tx.lock("payout", id.as_bytes()).await?;
    by_id(tx, id).await
}

/// An organiser's payouts, newest first.
pub(super) async fn list(
    conn: &mut Conn,
    organiser: OrganiserId,
    before: Key,
    limit: u32,
) -> Result<Vec<Payout>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM payouts WHERE organiser_id = $1 AND (created_at, payout_id) < ($2, $3) \
         ORDER BY created_at DESC, payout_id DESC LIMIT $4"
    );
    conn.query(&sql, params![organiser, before.at, before.id, limit]).await?.iter().map(read).collect()
}

/// Payouts that were asked for before `before`, and of which nobody knows what became.
pub(crate) async fn uncertain(conn: &mut Conn, before: i64, limit: u32) -> Result<Vec<PayoutId>, DbError> {
    let sql = "SELECT payout_id FROM payouts WHERE status IN ('asking', 'unknown') AND created_at <= $1 \
               ORDER BY created_at LIMIT $2";
    conn.query(sql, params![before, limit]).await?.iter().map(|row| row.get(0)).collect()
}
