//! Rows of payments.

use super::types::{Payment, PaymentStatus, ProviderKind};
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx, values_rows};
use crate::platform::ids::{OrderId, PaymentId};
use crate::pricing::Currency;

const COLUMNS: &str = "payment_id, order_id, organiser_id, provider, is_live, provider_id, status, currency, \
    amount, received, sealed_client_secret, idempotency_key, decline, created_at, asked_first_at, asked_at, \
    settled_at, description, receipt_email";
/// Those that can still be made, or were: of one order there is one.
const ALIVE: &str = "status IN ('unasked', 'asking', 'unknown', 'open', 'processing', 'succeeded')";

fn read(row: &Row) -> Result<Payment, DbError> {
    Ok(Payment {
        payment_id: row.get(0)?,
        order_id: row.get(1)?,
        organiser_id: row.get(2)?,
        provider: row.coded(3, ProviderKind::from_code)?,
        is_live: row.get(4)?,
        provider_id: row.get(5)?,
        status: row.coded(6, PaymentStatus::from_code)?,
        currency: row.coded(7, Currency::from_code)?,
        amount: row.get(8)?,
        received: row.get(9)?,
        sealed_client_secret: row.get(10)?,
        idempotency_key: row.get(11)?,
        decline: row.get(12)?,
        created_at: row.get(13)?,
        asked_first_at: row.get(14)?,
        asked_at: row.get(15)?,
        settled_at: row.get(16)?,
        description: row.get(17)?,
        receipt_email: row.get(18)?,
    })
}

pub(super) async fn insert(tx: &mut Tx, payment: &Payment) -> Result<(), DbError> {
    let sql = format!("INSERT INTO payments ({COLUMNS}) VALUES {}", values_rows(19, 1));
    let values = params![
        payment.payment_id,
        payment.order_id,
        payment.organiser_id,
        payment.provider.code(),
        payment.is_live,
        payment.provider_id.clone(),
        payment.status.code(),
        payment.currency.code(),
        payment.amount,
        payment.received,
        payment.sealed_client_secret.clone(),
        &payment.idempotency_key,
        payment.decline.clone(),
        payment.created_at,
        payment.asked_first_at,
        payment.asked_at,
        payment.settled_at,
        &payment.description,
        &payment.receipt_email,
    ];
    tx.execute(&sql, values).await.map(drop)
}

/// Writes back what can change of a payment.
pub(super) async fn update(tx: &mut Tx, payment: &Payment) -> Result<(), DbError> {
    let sql = "UPDATE payments SET provider_id = $2, status = $3, received = $4, sealed_client_secret = $5, \
               decline = $6, asked_first_at = $7, asked_at = $8, settled_at = $9 WHERE payment_id = $1";
    let values = params![
        payment.payment_id,
        payment.provider_id.clone(),
        payment.status.code(),
        payment.received,
        payment.sealed_client_secret.clone(),
        payment.decline.clone(),
        payment.asked_first_at,
        payment.asked_at,
        payment.settled_at,
    ];
    tx.execute(sql, values).await.map(drop)
}

pub(super) async fn by_id(conn: &mut Conn, id: PaymentId) -> Result<Option<Payment>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE payment_id = $1");
    conn.first(&sql, params![id]).await?.as_ref().map(read).transpose()
}

/// The payment that its provider calls so.
pub(super) async fn by_provider(
    conn: &mut Conn,
    provider: ProviderKind,
    id: &str,
) -> Result<Option<Payment>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE provider = $1 AND provider_id = $2");
    conn.first(&sql, params![provider.code(), id]).await?.as_ref().map(read).transpose()
}

/// The order's payment that can still be made, or was.
pub(super) async fn alive(conn: &mut Conn, order: OrderId) -> Result<Option<Payment>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE order_id = $1 AND {ALIVE}");
    conn.first(&sql, params![order]).await?.as_ref().map(read).transpose()
}

/// Every payment of an order, oldest first.
pub(super) async fn of_order(conn: &mut Conn, order: OrderId) -> Result<Vec<Payment>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM payments WHERE order_id = $1 ORDER BY created_at, payment_id LIMIT 100"
    );
    conn.query(&sql, params![order]).await?.iter().map(read).collect()
}

/// Payments that the provider was asked for before `before`, and of which nobody knows what became.
pub(super) async fn uncertain(conn: &mut Conn, before: i64, limit: u32) -> Result<Vec<PaymentId>, DbError> {
    let sql = "SELECT payment_id FROM payments WHERE status IN ('asking', 'unknown') AND asked_first_at <= $1 \
               ORDER BY asked_first_at LIMIT $2";
    conn.query(sql, params![before, limit]).await?.iter().map(|row| row.get(0)).collect()
}
