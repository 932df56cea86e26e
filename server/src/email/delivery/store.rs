//! Rows of what providers told.

use super::wire::{About, Event};
use crate::email::types::Delivery;
use crate::params;
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::ids::EmailId;

/// Stores that something was told, once. Says whether it is new.
pub(super) async fn insert(tx: &mut Tx, event: &Event, now: i64) -> Result<bool, DbError> {
    let sql = "INSERT INTO email_events (event_id, kind, made_at, received_at, deliveries, result) \
               VALUES ($1, $2, $3, $4, 1, 'received') ON CONFLICT (event_id) DO NOTHING";
    if tx.execute(sql, params![&event.event_id, &event.kind, event.made_at, now]).await? == 1 {
        return Ok(true);
    }
    let sql = "UPDATE email_events SET deliveries = deliveries + 1 WHERE event_id = $1";
    tx.execute(sql, params![&event.event_id]).await?;
    Ok(false)
}

/// The mail that something is about: by our own name for it, which it carries, or by the provider's.
pub(super) async fn find(conn: &mut Conn, about: &About) -> Result<Option<EmailId>, DbError> {
    if let Some(id) = about.email_id {
        let sql = "SELECT email_id FROM emails WHERE email_id = $1 AND provider = 'resend'";
        return conn.first(sql, params![id]).await?.map(|row| row.get(0)).transpose();
    }
    let sql = "SELECT email_id FROM emails WHERE provider_id = $1 AND provider = 'resend'";
    conn.first(sql, params![&about.provider_id]).await?.map(|row| row.get(0)).transpose()
}

/// What came of it.
pub(super) async fn done(
    tx: &mut Tx,
    event: &str,
    result: &str,
    email: Option<EmailId>,
) -> Result<(), DbError> {
    let sql = "UPDATE email_events SET result = $2, email_id = $3 WHERE event_id = $1";
    tx.execute(sql, params![event, result, email]).await.map(drop)
}

/// A mail has moved on.
pub(super) async fn moves(
    tx: &mut Tx,
    id: EmailId,
    (delivery, detail): (Delivery, Option<&str>),
    at: i64,
) -> Result<(), DbError> {
    let sql = "UPDATE emails SET delivery = $2, delivery_detail = $3, delivery_at = $4 WHERE email_id = $1";
    tx.execute(sql, params![id, delivery.code(), detail, at]).await.map(drop)
}

/// Forgets what was told before `before`.
pub(super) async fn forget(tx: &mut Tx, before: i64) -> Result<(), DbError> {
    tx.execute("DELETE FROM email_events WHERE received_at < $1", params![before]).await.map(drop)
}
