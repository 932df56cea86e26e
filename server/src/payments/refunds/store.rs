//! Rows of refunds.

use std::collections::HashMap;

use liventix_core::ids::{EventId, OrganiserId};

use super::types::{Refund, RefundStatus};
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx, values_rows};
use crate::platform::ids::{OrderId, PaymentId, RefundId};
use crate::platform::page::Key;
use crate::pricing::Currency;

const COLUMNS: &str = "refund_id, order_id, payment_id, organiser_id, amount, fees, currency, reason, asked_by, \
    status, provider_id, idempotency_key, failure, created_at, asked_at, settled_at";

fn read(row: &Row) -> Result<Refund, DbError> {
    Ok(Refund {
        refund_id: row.get(0)?,
        order_id: row.get(1)?,
        payment_id: row.get(2)?,
        organiser_id: row.get(3)?,
        amount: row.get(4)?,
        fees: row.get(5)?,
        currency: row.coded(6, Currency::from_code)?,
        reason: row.get(7)?,
        asked_by: row.get(8)?,
        status: row.coded(9, RefundStatus::from_code)?,
        provider_id: row.get(10)?,
        idempotency_key: row.get(11)?,
        failure: row.get(12)?,
        created_at: row.get(13)?,
        asked_at: row.get(14)?,
        settled_at: row.get(15)?,
    })
}

/// Reserves `amount` of what a payment brought, if there is as much. Says whether there was.
pub(super) async fn reserve(tx: &mut Tx, payment: PaymentId, amount: i64) -> Result<bool, DbError> {
    let sql = "UPDATE payments SET refunding = refunding + $2 \
               WHERE payment_id = $1 AND refunding + $2 <= received";
    Ok(tx.execute(sql, params![payment, amount]).await? == 1)
}

/// What was reserved is there again.
pub(super) async fn give_back(tx: &mut Tx, payment: PaymentId, amount: i64) -> Result<(), DbError> {
    let sql = "UPDATE payments SET refunding = refunding - $2 WHERE payment_id = $1";
    tx.execute(sql, params![payment, amount]).await.map(drop)
}

/// What of a payment can still go back.
pub(super) async fn left(conn: &mut Conn, payment: PaymentId) -> Result<i64, DbError> {
    let sql = "SELECT received - refunding FROM payments WHERE payment_id = $1";
    conn.first(sql, params![payment]).await?.map_or(Ok(0), |row| row.get(0))
}

pub(super) async fn insert(tx: &mut Tx, refund: &Refund) -> Result<(), DbError> {
    let sql = format!("INSERT INTO refunds ({COLUMNS}) VALUES {}", values_rows(16, 1));
    let values = params![
        refund.refund_id,
        refund.order_id,
        refund.payment_id,
        refund.organiser_id,
        refund.amount,
        refund.fees,
        refund.currency.code(),
        &refund.reason,
        &refund.asked_by,
        refund.status.code(),
        refund.provider_id.clone(),
        &refund.idempotency_key,
        refund.failure.clone(),
        refund.created_at,
        refund.asked_at,
        refund.settled_at,
    ];
    tx.execute(&sql, values).await.map(drop)
}

/// Writes back what can change of a refund.
pub(super) async fn update(tx: &mut Tx, refund: &Refund) -> Result<(), DbError> {
    let sql = "UPDATE refunds SET status = $2, provider_id = $3, idempotency_key = $4, failure = $5, \
               asked_at = $6, settled_at = $7 WHERE refund_id = $1";
    let values = params![
        refund.refund_id,
        refund.status.code(),
        refund.provider_id.clone(),
        &refund.idempotency_key,
        refund.failure.clone(),
        refund.asked_at,
        refund.settled_at,
    ];
    tx.execute(sql, values).await.map(drop)
}

pub(super) async fn by_id(conn: &mut Conn, id: RefundId) -> Result<Option<Refund>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM refunds WHERE refund_id = $1");
    conn.first(&sql, params![id]).await?.as_ref().map(read).transpose()
}

pub(super) async fn by_provider(conn: &mut Conn, id: &str) -> Result<Option<Refund>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM refunds WHERE provider_id = $1");
    conn.first(&sql, params![id]).await?.as_ref().map(read).transpose()
}

/// An order's refunds, oldest first.
pub(crate) async fn of_order(conn: &mut Conn, order: OrderId) -> Result<Vec<Refund>, DbError> {
    let sql =
        format!("SELECT {COLUMNS} FROM refunds WHERE order_id = $1 ORDER BY created_at, refund_id LIMIT 500");
    conn.query(&sql, params![order]).await?.iter().map(read).collect()
}

/// A refund, with the event and the reference of its order, and the tickets it is for.
pub(super) struct Listed {
    pub(super) refund: Refund,
    pub(super) event_id: EventId,
    pub(super) reference: String,
    pub(super) positions: Vec<u32>,
}

/// An organiser's refunds, newest first.
pub(super) async fn of_organiser(
    conn: &mut Conn,
    (organiser, only_failed): (OrganiserId, bool),
    before: Key,
    limit: u32,
) -> Result<Vec<Listed>, DbError> {
    let failed = if only_failed { "AND r.status IN ('failed', 'refused')" } else { "" };
    let columns = COLUMNS.split(", ").map(|column| format!("r.{column}")).collect::<Vec<_>>().join(", ");
    let rest = format!(
        "FROM refunds r JOIN orders o ON o.order_id = r.order_id \
         WHERE r.organiser_id = $1 AND (r.created_at, r.refund_id) < ($2, $3) {failed} \
         ORDER BY r.created_at DESC, r.refund_id DESC LIMIT $4"
    );
    let values = params![organiser, before.at, before.id, limit];
    let sql = format!(
        "SELECT i.refund_id, i.position FROM order_items i WHERE i.order_id IN (SELECT r.order_id {rest}) \
         AND i.refund_id IS NOT NULL ORDER BY i.position"
    );
    let mut positions: HashMap<RefundId, Vec<u32>> = HashMap::new();
    for row in conn.query(&sql, values).await? {
        positions.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    let rows = conn.query(&format!("SELECT {columns}, o.event_id, o.reference {rest}"), values).await?;
    let listed = |row: &Row| {
        let refund = read(row)?;
        let positions = positions.remove(&refund.refund_id).unwrap_or_default();
        Ok(Listed { refund, event_id: row.get(16)?, reference: row.get(17)?, positions })
    };
    rows.iter().map(listed).collect()
}

/// Refunds that were asked for before `before`, and of which nobody knows what became.
pub(crate) async fn uncertain(conn: &mut Conn, before: i64, limit: u32) -> Result<Vec<RefundId>, DbError> {
    let sql = "SELECT refund_id FROM refunds WHERE status IN ('asking', 'unknown') AND created_at <= $1 \
               ORDER BY created_at LIMIT $2";
    conn.query(sql, params![before, limit]).await?.iter().map(|row| row.get(0)).collect()
}
