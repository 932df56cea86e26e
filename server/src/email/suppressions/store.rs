//! Rows of suppressions.

use super::types::{Reason, SuppressionView};
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx};
use crate::platform::ids::{EmailId, SuppressionId};
use crate::platform::page::Key;

/// Puts an address in, or lengthens what stands; what happened before it was lifted changes nothing.
pub(super) async fn put(
    tx: &mut Tx,
    (id, address): (SuppressionId, &str),
    (reason, detail): (Reason, Option<&str>),
    (since, until): (i64, i64),
) -> Result<(), DbError> {
    let sql = "INSERT INTO email_suppressions (suppression_id, address, reason, detail, since, until) \
               VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, detail = excluded.detail, \
               since = excluded.since, until = excluded.until, lifted_at = NULL, lifted_by = NULL, \
               asked_at = NULL, asked_result = NULL \
               WHERE (email_suppressions.lifted_at IS NULL AND excluded.until > email_suppressions.until) \
               OR excluded.since > email_suppressions.lifted_at";
    tx.execute(sql, params![id, address, reason.code(), detail, since, until]).await.map(drop)
}

pub(super) async fn active(conn: &mut Conn, address: &str, now: i64) -> Result<Option<Reason>, DbError> {
    let sql = "SELECT reason FROM email_suppressions WHERE address = $1 AND lifted_at IS NULL AND until > $2";
    let row = conn.first(sql, params![address, now]).await?;
    row.map(|row| row.coded(0, Reason::from_code)).transpose()
}

const COLUMNS: &str = "suppression_id, address, reason, detail, since, until, lifted_at, lifted_by, asked_at, \
    asked_result";

fn read(row: &Row, now: i64) -> Result<SuppressionView, DbError> {
    let (until, lifted_at): (i64, Option<i64>) = (row.get(5)?, row.get(6)?);
    let (asked_at, asked_result): (Option<i64>, Option<String>) = (row.get(8)?, row.get(9)?);
    Ok(SuppressionView {
        suppression_id: row.get(0)?,
        address: row.get(1)?,
        reason: row.coded(2, Reason::from_code)?,
        detail: row.get(3)?,
        since: row.get(4)?,
        until,
        is_active: lifted_at.is_none() && until > now,
        lifted_at,
        lifted_by: row.get(7)?,
        provider: asked_result.or(asked_at.map(|_| "asking".to_owned())),
    })
}

pub(super) async fn list(
    conn: &mut Conn,
    now: i64,
    before: Key,
    limit: u32,
) -> Result<Vec<SuppressionView>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM email_suppressions WHERE (since, suppression_id) < ($1, $2) \
         ORDER BY since DESC, suppression_id DESC LIMIT $3"
    );
    let rows = conn.query(&sql, params![before.at, before.id, limit]).await?;
    rows.iter().map(|row| read(row, now)).collect()
}

pub(super) async fn by_id(
    conn: &mut Conn,
    id: SuppressionId,
    now: i64,
) -> Result<Option<SuppressionView>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM email_suppressions WHERE suppression_id = $1");
    conn.first(&sql, params![id]).await?.map(|row| read(&row, now)).transpose()
}

/// It is lifted, if it still held. Says whether it did.
pub(super) async fn lift(tx: &mut Tx, id: SuppressionId, by: &str, now: i64) -> Result<bool, DbError> {
    let sql = "UPDATE email_suppressions SET lifted_at = $2, lifted_by = $3 \
               WHERE suppression_id = $1 AND lifted_at IS NULL AND until > $2";
    Ok(tx.execute(sql, params![id, now, by]).await? == 1)
}

/// The mails that were withheld from an address and were written after `after`, the oldest first.
pub(super) async fn withheld(
    conn: &mut Conn,
    address: &str,
    (after, limit): (i64, u32),
) -> Result<Vec<EmailId>, DbError> {
    let sql = "SELECT email_id FROM emails WHERE LOWER(to_address) = $1 AND status = 'withheld' AND created_at > $2 \
               ORDER BY created_at, email_id LIMIT $3";
    conn.query(sql, params![address, after, limit]).await?.iter().map(|row| row.get(0)).collect()
}

/// The provider is about to be asked to forget it.
pub(super) async fn asks(tx: &mut Tx, id: SuppressionId, now: i64) -> Result<(), DbError> {
    let sql = "UPDATE email_suppressions SET asked_at = $2, asked_result = NULL WHERE suppression_id = $1";
    tx.execute(sql, params![id, now]).await.map(drop)
}

/// What came of it.
pub(super) async fn asked(tx: &mut Tx, id: SuppressionId, result: &str) -> Result<(), DbError> {
    let sql =
        "UPDATE email_suppressions SET asked_result = $2 WHERE suppression_id = $1 AND asked_at IS NOT NULL";
    tx.execute(sql, params![id, result]).await.map(drop)
}

/// Forgets what was over before `before`.
pub(super) async fn forget(tx: &mut Tx, before: i64) -> Result<(), DbError> {
    let sql = "DELETE FROM email_suppressions WHERE COALESCE(lifted_at, until) < $1";
    tx.execute(sql, params![before]).await.map(drop)
}
