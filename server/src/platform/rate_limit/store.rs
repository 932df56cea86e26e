//! Rows of the rate limits.
//!
//! **Why packed rows.** A row for each hit would take four statements to check, count, insert and expire, and
//! an index that all scanners write; one row for a key takes two, whose cost does not grow with the limit
//! (see [`super::window`]). Nothing is indexed but the key, so that PostgreSQL updates rows in place.

use std::collections::HashMap;

use super::MAX_WINDOW_MS;
use super::window::{Window, pack, unpack};
use crate::params;
use crate::platform::db::{Conn, DbError, Engine, Row, Tx, Value, batches, in_list, padded, values_rows};

type Hash = [u8; 32];

/// Neighbours looked at whenever a new key comes. Keys are hashes, so these are any eight: rows that ran out
/// are found as fast as new ones are made, and never are more than about an eighth of all.
const NEIGHBOURS: i64 = 8;
/// How long a row that counts nothing is kept (an hour), so that there is one to hold.
const EMPTY_MS: i64 = 60 * 60 * 1_000;
/// Rows in one statement at most.
const ROWS: usize = 64;
/// Keys a sweep looks at in one transaction.
const BATCH: i64 = 500;

/// The windows of these keys (sorted, each once), held until the transaction ends: others that ask for one of
/// them wait. A key that has no row has none.
///
/// Whoever asks for several takes them in the order of their hashes, one way or the other, so that no two wait
/// for each other.
pub(super) async fn hold(tx: &mut Tx, keys: &[Hash]) -> Result<HashMap<Hash, Window>, DbError> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let mut found = select(tx, keys).await?;
    if tx.engine() == Engine::Postgres && found.len() < keys.len() {
        // Where there is no row to hold, there is a lock. Whoever makes a row has it.
        found.clear();
        for key in keys {
            tx.lock("rate", key).await?;
            found.extend(select(tx, std::slice::from_ref(key)).await?);
        }
    }
    Ok(found.into_iter().collect())
}

async fn select(tx: &mut Tx, keys: &[Hash]) -> Result<Vec<(Hash, Window)>, DbError> {
    let mut values = padded(keys.iter().map(|key| Value::from(*key)).collect());
    let list = in_list(1, values.len());
    let mut sql = format!(
        "SELECT key_hash, recent, first_part, next_part, in_parts, oldest_at FROM rate_windows \
         WHERE key_hash IN ({list})"
    );
    if tx.engine() == Engine::Postgres {
        // All or none: with some held, waiting for the others would be out of order.
        values.push(Value::Int(i64::try_from(keys.len()).unwrap_or(i64::MAX)));
        let all =
            format!("(SELECT COUNT(*) FROM rate_windows WHERE key_hash IN ({list})) = ${}", values.len());
        sql = format!("{sql} AND {all} ORDER BY key_hash FOR UPDATE");
    }
    tx.query(&sql, &values).await?.iter().map(window).collect()
}

fn window(row: &Row) -> Result<(Hash, Window), DbError> {
    let window = Window {
        recent: times(row, 1)?,
        first: row.get(2)?,
        next: row.get(3)?,
        in_parts: row.get(4)?,
        oldest_at: row.get(5)?,
    };
    Ok((row.get(0)?, window))
}

fn times(row: &Row, column: usize) -> Result<Vec<i64>, DbError> {
    unpack(&row.get::<Vec<u8>>(column)?).ok_or(DbError::Column { column, expected: "packed times" })
}

/// What a full part holds; nothing if it is gone.
pub(super) async fn part(conn: &mut Conn, key: &Hash, part: i64) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT hits FROM rate_parts WHERE key_hash = $1 AND part = $2";
    let row = conn.first(sql, params![*key, part]).await?;
    row.map_or_else(|| Ok(Vec::new()), |row| times(&row, 0))
}

/// One key's window to be written.
pub(super) struct Changed {
    pub(super) key: Hash,
    pub(super) window: Window,
    pub(super) window_ms: i64,
    /// The number of its first part as it was read, by which it is known whether any is to go.
    pub(super) first_before: i64,
    /// Whether there was no row.
    pub(super) is_new: bool,
}

/// Writes windows that were [held](hold), sorted by their keys.
pub(super) async fn save(tx: &mut Tx, mut changed: Vec<Changed>, now: i64) -> Result<(), DbError> {
    let mut full = Vec::new();
    let mut rows = Vec::with_capacity(changed.len());
    for Changed { key, window, window_ms, .. } in &mut changed {
        let newest = window.recent.pop();
        if let Some((number, times)) = window.full_part() {
            full.push((*key, number, times));
        }
        window.recent.extend(newest);
        let expires_at = window.expires_at(*window_ms);
        rows.push([
            Value::from(*key),
            pack(&window.recent).into(),
            window.first.into(),
            window.next.into(),
            window.in_parts.into(),
            window.oldest_at.into(),
            expires_at.unwrap_or_else(|| now.saturating_add(EMPTY_MS)).into(),
        ]);
    }
    upsert(tx, &rows).await?;
    for (key, number, times) in full {
        let sql = "INSERT INTO rate_parts (key_hash, part, hits) VALUES ($1, $2, $3)";
        tx.execute(sql, params![key, number, pack(&times)]).await?;
    }
    for Changed { key, window, first_before, .. } in &changed {
        if *first_before < window.first {
            let sql = "DELETE FROM rate_parts WHERE key_hash = $1 AND part < $2";
            tx.execute(sql, params![*key, window.first]).await?;
        }
    }
    if let Some(new) = changed.iter().find(|changed| changed.is_new) {
        let (sql, key) = (expired(tx, "ORDER BY key_hash LIMIT $4"), new.key);
        tx.execute(&sql, params![key, now, now.saturating_add(MAX_WINDOW_MS), NEIGHBOURS]).await?;
    }
    Ok(())
}

async fn upsert(tx: &mut Tx, rows: &[[Value; 7]]) -> Result<(), DbError> {
    for chunk in batches(rows, ROWS) {
        let sql = format!(
            "INSERT INTO rate_windows \
             (key_hash, recent, first_part, next_part, in_parts, oldest_at, expires_at) VALUES {} \
             ON CONFLICT (key_hash) DO UPDATE SET recent = excluded.recent, \
             first_part = excluded.first_part, next_part = excluded.next_part, \
             in_parts = excluded.in_parts, oldest_at = excluded.oldest_at, expires_at = excluded.expires_at",
            values_rows(7, chunk.len())
        );
        tx.execute(&sql, chunk.as_flattened()).await?;
    }
    Ok(())
}

/// Deletes those that have run out (or, by a clock that was set back, are farther ahead than any can be) of
/// the keys after `$1` that `which` picks. What another transaction holds is passed over: it is in use.
fn expired(tx: &Tx, which: &str) -> String {
    format!(
        "DELETE FROM rate_windows WHERE key_hash IN (SELECT key_hash FROM rate_windows WHERE key_hash IN \
         (SELECT key_hash FROM rate_windows WHERE key_hash > $1 {which}) \
         AND (expires_at <= $2 OR expires_at > $3){})",
        tx.engine().skip_locked()
    )
}

/// The key at the end of the next batch after `key`; none after the last.
pub(super) async fn batch_end(conn: &mut Conn, key: &[u8]) -> Result<Option<Vec<u8>>, DbError> {
    let sql = "SELECT key_hash FROM rate_windows WHERE key_hash > $1 ORDER BY key_hash LIMIT $2";
    let rows = conn.query(sql, params![key, BATCH]).await?;
    rows.last().map(|row| row.get(0)).transpose()
}

/// Deletes what has run out after `from`, up to `to`. Says how many.
pub(super) async fn sweep(tx: &mut Tx, from: &[u8], to: &[u8], now: i64) -> Result<u64, DbError> {
    let sql = expired(tx, "AND key_hash <= $4");
    tx.execute(&sql, params![from, now, now.saturating_add(MAX_WINDOW_MS), to]).await
}
