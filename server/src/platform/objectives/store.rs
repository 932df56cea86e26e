//! The table of counts.

use super::recorder::Counts;
use super::targets::{Cell, Sli};
use crate::params;
use crate::platform::db::{Conn, DbError, Tx};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
/// The period of one row.
pub(super) const PERIOD_MS: i64 = 5 * MINUTE_MS;
/// After this long, an hour is one row.
const FOLD_AFTER_MS: i64 = 2 * DAY_MS;
/// After this long nobody asks any more.
const KEEP_MS: i64 = 35 * DAY_MS;

/// Adds counts. In the order of their keys, so that no two processes wait for each other.
pub(super) async fn add(tx: &mut Tx, counts: &Counts) -> Result<(), DbError> {
    let sql = "INSERT INTO sli_counts (sli, started_at, cell, events) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (sli, started_at, cell) DO UPDATE SET events = sli_counts.events + excluded.events";
    for (place, events) in counts {
        let events = i64::try_from(*events).unwrap_or(i64::MAX);
        tx.execute(sql, params![place.sli.code(), place.started_at, place.cell.code(), events]).await?;
    }
    Ok(())
}

/// Events of one day (its number since 1970, UTC) in one cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfDay {
    pub(super) sli: Sli,
    pub(super) day: i64,
    /// Its place among the bounds; none: without a time.
    pub(super) place: Option<usize>,
    pub(super) failed: bool,
    pub(super) events: i64,
}

/// What was counted since a moment, by day.
pub(super) async fn by_day(conn: &mut Conn, since: i64) -> Result<Vec<OfDay>, DbError> {
    let sql = "SELECT sli, started_at / 86400000, cell, CAST(SUM(events) AS BIGINT) FROM sli_counts \
               WHERE started_at >= $1 GROUP BY 1, 2, 3";
    let mut days = Vec::new();
    for row in conn.query(sql, params![since]).await? {
        // A newer version may know more indicators.
        let Some(sli) = Sli::named(&row.get::<String>(0)?) else { continue };
        let cell: i64 = row.get(2)?;
        let failed = cell == Cell::FAILED.code();
        days.push(OfDay { sli, day: row.get(1)?, place: Cell::place(cell), failed, events: row.get(3)? });
    }
    Ok(days)
}

/// Events of one period.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfPeriod {
    pub(super) sli: Sli,
    pub(super) started_at: i64,
    pub(super) events: i64,
    pub(super) failed: i64,
}

/// What was counted since a moment not long ago, by period.
pub(super) async fn by_period(conn: &mut Conn, since: i64) -> Result<Vec<OfPeriod>, DbError> {
    let sql = "SELECT sli, started_at, CAST(SUM(events) AS BIGINT), \
               CAST(SUM(CASE WHEN cell = -1 THEN events ELSE 0 END) AS BIGINT) FROM sli_counts \
               WHERE started_at >= $1 GROUP BY 1, 2";
    let mut periods = Vec::new();
    for row in conn.query(sql, params![since]).await? {
        let Some(sli) = Sli::named(&row.get::<String>(0)?) else { continue };
        periods.push(OfPeriod { sli, started_at: row.get(1)?, events: row.get(2)?, failed: row.get(3)? });
    }
    Ok(periods)
}

/// Folds what is old into hours, and forgets what is older. Nothing that is still asked for changes by it.
pub(super) async fn fold(tx: &mut Tx, now: i64) -> Result<(), DbError> {
    // What two read at once, both would add.
    tx.lock("objectives", b"fold").await?;
    let fold_before = (now - FOLD_AFTER_MS) / HOUR_MS * HOUR_MS;
    let sql = "INSERT INTO sli_counts (sli, started_at, cell, events) \
               SELECT sli, started_at - started_at % 3600000, cell, CAST(SUM(events) AS BIGINT) FROM sli_counts \
               WHERE started_at < $1 AND started_at % 3600000 <> 0 GROUP BY 1, 2, 3 \
               ON CONFLICT (sli, started_at, cell) DO UPDATE SET events = sli_counts.events + excluded.events";
    tx.execute(sql, params![fold_before]).await?;
    let sql = "DELETE FROM sli_counts WHERE started_at < $1 AND started_at % 3600000 <> 0";
    tx.execute(sql, params![fold_before]).await?;
    tx.execute("DELETE FROM sli_counts WHERE started_at < $1", params![now - KEEP_MS]).await?;
    Ok(())
}
