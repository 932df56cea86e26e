//! Each time that counting was done or tried, for whoever looks after the server.

use serde::Serialize;
use utoipa::ToSchema;

use super::state::State;
use crate::params;
use crate::platform::coded::coded;
use crate::platform::db::{Conn, DbError, Row, Tx};
use crate::platform::ids::RoundId;

/// How long they are kept.
const KEEP_MS: i64 = 7 * 86_400_000;

coded! {
    /// What was done.
    RoundKind {
        /// What had happened since was counted.
        Refresh = "refresh",
        /// Everything was counted anew.
        Rebuild = "rebuild",
    }
}

/// One time that facts were counted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RoundView {
    /// What was done.
    pub kind: RoundKind,
    /// Since when (UTC milliseconds).
    pub started_at: i64,
    /// Until when (UTC milliseconds); none: it is under way, or its process ended.
    pub ended_at: Option<i64>,
    /// How many facts were counted.
    pub facts: i64,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

pub(super) async fn begin(tx: &mut Tx, id: RoundId, kind: RoundKind, now: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO rollup_rounds (round_id, kind, started_at, facts) VALUES ($1, $2, $3, 0)";
    tx.execute(sql, params![id, kind.code(), now]).await.map(drop)
}

/// It went well: everything that was committed before `complete_at` is counted.
pub(super) async fn done(
    tx: &mut Tx,
    id: RoundId,
    (facts, complete_at): (i64, Option<i64>),
    now: i64,
) -> Result<(), DbError> {
    let mut state = State::hold(tx).await?;
    state.complete_at = state.complete_at.max(complete_at.unwrap_or_default());
    state.failures = 0;
    state.save(tx).await?;
    let sql = "UPDATE rollup_rounds SET ended_at = $2, facts = $3 WHERE round_id = $1";
    tx.execute(sql, params![id, now, facts]).await?;
    tx.execute("DELETE FROM rollup_rounds WHERE started_at < $1", params![now - KEEP_MS]).await.map(drop)
}

/// It failed. Returns how many have, one after the other.
pub(super) async fn failed(tx: &mut Tx, id: RoundId, failure: &str, now: i64) -> Result<i64, DbError> {
    let mut state = State::hold(tx).await?;
    state.failures += 1;
    state.save(tx).await?;
    let sql = "UPDATE rollup_rounds SET ended_at = $2, failure = $3 WHERE round_id = $1";
    tx.execute(sql, params![id, now, failure]).await?;
    Ok(state.failures)
}

/// The last ones, newest first.
pub(super) async fn last(conn: &mut Conn, limit: u32) -> Result<Vec<RoundView>, DbError> {
    let sql = "SELECT kind, started_at, ended_at, facts, failure FROM rollup_rounds \
               ORDER BY started_at DESC, round_id DESC LIMIT $1";
    let read = |row: &Row| {
        Ok(RoundView {
            kind: row.coded(0, RoundKind::from_code)?,
            started_at: row.get(1)?,
            ended_at: row.get(2)?,
            facts: row.get(3)?,
            failure: row.get(4)?,
        })
    };
    conn.query(sql, params![limit]).await?.iter().map(read).collect()
}
