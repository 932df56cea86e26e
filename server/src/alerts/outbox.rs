//! Messages on their way: put in by the transaction that has something to say, taken out when a channel has them.

use std::collections::HashMap;

use super::types::{Message, Notice, NoticeView, Turn};
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx, Value, in_list, padded};
use crate::platform::ids::{AlertId, CauseId, NoticeId};

/// What of one alert's messages is shown.
const TOLD: usize = 50;

/// What was told of alerts.
pub(super) type Told = HashMap<AlertId, Vec<NoticeView>>;

/// Puts a message to one channel in.
pub(super) async fn put(
    tx: &mut Tx,
    id: NoticeId,
    (channel, about): (&str, [u8; 16]),
    message: &str,
    now: i64,
) -> Result<(), DbError> {
    let sql = "INSERT INTO notices (notice_id, channel, about, message, created_at, state, tries) \
               VALUES ($1, $2, $3, $4, $5, 'pending', 0)";
    tx.execute(sql, params![id, channel, about, message, now]).await.map(drop)
}

/// The channels that have messages to send.
pub(super) async fn waiting(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let sql = "SELECT DISTINCT channel FROM notices WHERE state = 'pending'";
    conn.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect()
}

/// Notes that the oldest messages of a channel are tried now, and returns them.
pub(super) async fn take(tx: &mut Tx, channel: &str, count: u32, now: i64) -> Result<Vec<Notice>, DbError> {
    let sql = "SELECT notice_id, message FROM notices WHERE channel = $1 AND state = 'pending' \
               ORDER BY created_at, notice_id LIMIT $2";
    let mut notices = Vec::new();
    for row in tx.query(sql, params![channel, count]).await? {
        let id: NoticeId = row.get(0)?;
        match serde_json::from_str(&row.get::<String>(1)?) {
            Ok(message) => notices.push(Notice { notice_id: id, message }),
            Err(error) => {
                let detail = format!("This version cannot read the message: {error}");
                end(tx, &[id], ("failed", Some(&detail)), now).await?;
            }
        }
    }
    let sql = "UPDATE notices SET tries = tries + 1, tried_at = $2 WHERE notice_id = $1";
    for notice in &notices {
        tx.execute(sql, params![notice.notice_id, now]).await?;
    }
    Ok(notices)
}

/// These are sent (`sent`) or given up (`failed`).
pub(super) async fn end(
    tx: &mut Tx,
    ids: &[NoticeId],
    (state, detail): (&str, Option<&str>),
    now: i64,
) -> Result<(), DbError> {
    let sql = "UPDATE notices SET state = $2, detail = COALESCE($3, detail), ended_at = $4 \
               WHERE notice_id = $1 AND state = 'pending'";
    for id in ids {
        tx.execute(sql, params![*id, state, detail, now]).await?;
    }
    Ok(())
}

/// These became mails, which are on their way.
pub(super) async fn mailed(tx: &mut Tx, ids: &[NoticeId], cause: CauseId, now: i64) -> Result<(), DbError> {
    let sql = "UPDATE notices SET cause_id = $2 WHERE notice_id = $1 AND state = 'pending'";
    for id in ids {
        tx.execute(sql, params![*id, cause]).await?;
    }
    end(tx, ids, ("sent", None), now).await
}

/// A try failed; they stay.
pub(super) async fn note(tx: &mut Tx, ids: &[NoticeId], detail: &str) -> Result<(), DbError> {
    for id in ids {
        tx.execute("UPDATE notices SET detail = $2 WHERE notice_id = $1", params![*id, detail]).await?;
    }
    Ok(())
}

/// Gives up what waits since before `before`: it would tell what was so long ago.
pub(super) async fn expire(tx: &mut Tx, channel: &str, before: i64, now: i64) -> Result<u64, DbError> {
    let sql = "UPDATE notices SET state = 'failed', detail = COALESCE(detail, 'It waited for too long.'), \
               ended_at = $3 WHERE channel = $1 AND state = 'pending' AND created_at < $2";
    tx.execute(sql, params![channel, before, now]).await
}

/// How many messages were given up since `since`, by channel.
pub(super) async fn failed_since(conn: &mut Conn, since: i64) -> Result<Vec<(String, i64)>, DbError> {
    let sql = format!(
        "SELECT channel, COUNT(*) FROM notices WHERE {STATE} = 'failed' AND ended_at >= $1 \
         GROUP BY channel ORDER BY channel"
    );
    let rows = conn.query(&sql, params![since]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// What became of a message: of one that became mails, what became of the one that fared worst.
const STATE: &str = "CASE \
    WHEN EXISTS (SELECT 1 FROM emails e WHERE e.cause_id = notices.cause_id AND e.status IN ('failed', 'withheld')) \
    THEN 'failed' \
    WHEN EXISTS (SELECT 1 FROM emails e WHERE e.cause_id = notices.cause_id AND e.status <> 'sent') THEN 'pending' \
    ELSE state END";

/// Why it failed.
const DETAIL: &str =
    "COALESCE(detail, (SELECT MAX(e.failure) FROM emails e WHERE e.cause_id = notices.cause_id))";

fn columns() -> String {
    format!("notice_id, channel, message, {STATE}, tries, created_at, ended_at, {DETAIL}")
}

fn view(row: &Row) -> Result<NoticeView, DbError> {
    let message: Result<Message, _> = serde_json::from_str(&row.get::<String>(2)?);
    Ok(NoticeView {
        notice_id: row.get(0)?,
        channel: row.get(1)?,
        turn: message.map_or(Turn::Open, |message| message.turn),
        state: row.get(3)?,
        tries: row.get(4)?,
        created_at: row.get(5)?,
        ended_at: row.get(6)?,
        detail: row.get(7)?,
    })
}

/// What was told of each of these alerts, the first first; 50 of one at most.
pub(super) async fn about(conn: &mut Conn, alerts: &[AlertId]) -> Result<Told, DbError> {
    let mut told = Told::new();
    if alerts.is_empty() {
        return Ok(told);
    }
    let ids = padded(alerts.iter().map(|id| Value::from(*id)).collect());
    let sql = format!(
        "SELECT {}, about FROM notices WHERE about IN ({}) ORDER BY created_at, channel, notice_id",
        columns(),
        in_list(1, ids.len())
    );
    for row in conn.query(&sql, &ids).await? {
        let of_alert: &mut Vec<NoticeView> = told.entry(row.get(8)?).or_default();
        if of_alert.len() < TOLD {
            of_alert.push(view(&row)?);
        }
    }
    Ok(told)
}

/// The newest message of each channel.
pub(super) async fn last(conn: &mut Conn, channels: &[&str]) -> Result<Vec<NoticeView>, DbError> {
    let mut found = Vec::new();
    for channel in channels {
        let sql = format!(
            "SELECT {} FROM notices WHERE channel = $1 ORDER BY created_at DESC, notice_id DESC LIMIT 1",
            columns()
        );
        found.extend(conn.query(&sql, params![*channel]).await?.first().map(view).transpose()?);
    }
    Ok(found)
}
