//! The table of alerts.

use super::outbox;
use super::reconcile::Open;
use super::types::{AlertView, Finding, Rule};
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx};
use crate::platform::ids::AlertId;
use crate::platform::page::Key;
use crate::platform::remark::Remark;
use crate::platform::severity::Severity;

const COLUMNS: &str = "alert_id, rule, subject, severity, sentence, opened_at, seen_at, told_at, resolved_at, \
                       acknowledged";

/// A row, whatever it is for.
struct Alert {
    open: Open,
    resolved_at: Option<i64>,
    acknowledged: Option<Remark>,
}

fn coded<T>(row: &Row, column: usize, named: fn(&str) -> Option<T>) -> Result<Option<T>, DbError> {
    Ok(named(&row.get::<String>(column)?))
}

/// None for a rule or severity of a newer version: that version's processes look after it.
fn read(row: &Row) -> Result<Option<Alert>, DbError> {
    let (rule, severity) = (coded(row, 1, Rule::from_code)?, coded(row, 3, Severity::from_code)?);
    let Some((rule, severity)) = rule.zip(severity) else { return Ok(None) };
    let acknowledged: Option<String> = row.get(9)?;
    let acknowledged = acknowledged.and_then(|json| serde_json::from_str(&json).ok());
    let finding = Finding { rule, subject: row.get(2)?, severity, sentence: row.get(4)? };
    Ok(Some(Alert {
        open: Open {
            alert_id: row.get(0)?,
            finding,
            opened_at: row.get(5)?,
            seen_at: row.get(6)?,
            told_at: row.get(7)?,
            is_acknowledged: acknowledged.is_some(),
        },
        resolved_at: row.get(8)?,
        acknowledged,
    }))
}

/// Every alert that is open.
pub(super) async fn open(tx: &mut Tx) -> Result<Vec<Open>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM alerts WHERE resolved_at IS NULL ORDER BY rule, subject");
    let rows = tx.query(&sql, &[]).await?;
    let alerts = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(alerts.into_iter().flatten().map(|alert| alert.open).collect())
}

/// Opens an alert. A constraint if another process did at the same moment.
pub(super) async fn insert(tx: &mut Tx, id: AlertId, found: &Finding, now: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO alerts (alert_id, rule, subject, severity, sentence, opened_at, seen_at, told_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $6, $6)";
    let Finding { rule, subject, severity, sentence } = found;
    tx.execute(sql, params![id, rule.code(), subject.as_str(), severity.code(), sentence.as_str(), now])
        .await
        .map(drop)
}

/// It was found again.
pub(super) async fn seen(
    tx: &mut Tx,
    id: AlertId,
    (severity, sentence): (Severity, &str),
    (seen_at, told_at): (i64, i64),
) -> Result<(), DbError> {
    let sql =
        "UPDATE alerts SET severity = $2, sentence = $3, seen_at = $4, told_at = $5 WHERE alert_id = $1";
    tx.execute(sql, params![id, severity.code(), sentence, seen_at, told_at]).await.map(drop)
}

/// It is over.
pub(super) async fn end(tx: &mut Tx, id: AlertId, now: i64) -> Result<(), DbError> {
    let sql = "UPDATE alerts SET resolved_at = $2 WHERE alert_id = $1 AND resolved_at IS NULL";
    tx.execute(sql, params![id, now]).await.map(drop)
}

/// Somebody looks after it. Says whether it was open.
pub(super) async fn acknowledge(tx: &mut Tx, id: AlertId, json: &str) -> Result<bool, DbError> {
    let sql = "UPDATE alerts SET acknowledged = $2 WHERE alert_id = $1 AND resolved_at IS NULL";
    Ok(tx.execute(sql, params![id, json]).await? == 1)
}

/// Forgets those that were over before `before`, and ended notices with them.
pub(super) async fn forget(tx: &mut Tx, before: i64) -> Result<(), DbError> {
    tx.execute("DELETE FROM notices WHERE ended_at < $1", params![before]).await?;
    tx.execute("DELETE FROM alerts WHERE resolved_at < $1", params![before]).await.map(drop)
}

/// Alerts with what was told of them, the newest first.
pub(super) async fn list(
    conn: &mut Conn,
    is_open: bool,
    before: Key,
    limit: u32,
) -> Result<Vec<AlertView>, DbError> {
    let which = if is_open { "resolved_at IS NULL" } else { "resolved_at IS NOT NULL" };
    let sql = format!(
        "SELECT {COLUMNS} FROM alerts WHERE {which} AND (opened_at, alert_id) < ($1, $2) \
         ORDER BY opened_at DESC, alert_id DESC LIMIT $3"
    );
    let rows = conn.query(&sql, params![before.at, before.id, limit]).await?;
    views(conn, &rows).await
}

/// One alert.
pub(super) async fn get(conn: &mut Conn, id: AlertId) -> Result<Option<AlertView>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM alerts WHERE alert_id = $1");
    let rows = conn.query(&sql, params![id]).await?;
    Ok(views(conn, &rows).await?.pop())
}

async fn views(conn: &mut Conn, rows: &[Row]) -> Result<Vec<AlertView>, DbError> {
    let alerts = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let alerts: Vec<Alert> = alerts.into_iter().flatten().collect();
    let ids: Vec<AlertId> = alerts.iter().map(|alert| alert.open.alert_id).collect();
    let mut told = outbox::about(conn, &ids).await?;
    let mut views = Vec::new();
    for Alert { open, resolved_at, acknowledged } in alerts {
        let Finding { rule, subject, severity, sentence } = open.finding;
        views.push(AlertView {
            alert_id: open.alert_id,
            rule,
            subject,
            severity,
            sentence,
            next_step: rule.next_step(),
            opened_at: open.opened_at,
            seen_at: open.seen_at,
            resolved_at,
            acknowledged,
            notices: told.remove(&open.alert_id).unwrap_or_default(),
        });
    }
    Ok(views)
}

/// How many alerts are open, by rule.
pub(super) async fn counts(conn: &mut Conn) -> Result<Vec<(String, i64)>, DbError> {
    let sql = "SELECT rule, COUNT(*) FROM alerts WHERE resolved_at IS NULL GROUP BY rule";
    let rows = conn.query(sql, &[]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
