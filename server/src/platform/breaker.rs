//! A circuit breaker that all processes share: where a service failed again and again, nobody waits for it any
//! more until one try has gone well.
//!
//! While it is closed, asking is one look at a row, and telling that a call went well writes nothing.

use super::db::{Db, DbError, Tx};
use crate::params;

/// So many failures in a row open it.
const FAILURES: i64 = 5;
/// Failures further apart than this are not in a row.
const APART_MS: i64 = 60_000;
/// How long it stays open.
const OPEN_MS: i64 = 30_000;
/// How long one try may take before another may try.
const PROBE_MS: i64 = 20_000;

/// Whether to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Yes; afterwards, [`told`] how it went.
    Call {
        /// Whether failures are on record, which a success has to clear.
        had_failures: bool,
    },
    /// Not before this time (UTC milliseconds).
    NotBefore(i64),
}

/// Whether the service `name` is worth calling at `now`. Where it was not for a while, one caller is let through.
///
/// # Errors
/// When the database fails.
pub async fn ask(db: &Db, name: &'static str, now: i64) -> Result<Permit, DbError> {
    let sql = "SELECT failures, open_until FROM breakers WHERE name = $1";
    let Some(row) = db.first(sql, params![name]).await? else {
        return Ok(Permit::Call { had_failures: false });
    };
    let (failures, open_until): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
    match open_until {
        None => Ok(Permit::Call { had_failures: failures > 0 }),
        // An end further away than any can be is from before a clock was set back.
        Some(until) if (1..=OPEN_MS).contains(&(until - now)) => Ok(Permit::NotBefore(until)),
        Some(_) => probe(db, name, now).await,
    }
}

async fn probe(db: &Db, name: &'static str, now: i64) -> Result<Permit, DbError> {
    let taken = db.write(move |tx| {
        Box::pin(async move {
            let sql = "UPDATE breakers SET probe_until = $2 WHERE name = $1 \
                       AND (probe_until IS NULL OR probe_until <= $3 OR probe_until > $2)";
            tx.execute(sql, params![name, now + PROBE_MS, now]).await
        })
    });
    let taken: u64 = taken.await?;
    Ok(if taken == 1 { Permit::Call { had_failures: true } } else { Permit::NotBefore(now + 1_000) })
}

/// How a call went, in a transaction of the caller's.
///
/// # Errors
/// When the database fails.
pub async fn told(
    tx: &mut Tx,
    name: &'static str,
    (had_failures, went_well): (bool, bool),
    now: i64,
) -> Result<(), DbError> {
    if went_well {
        if had_failures {
            tx.execute("DELETE FROM breakers WHERE name = $1", params![name]).await?;
        }
        return Ok(());
    }
    let sql = "INSERT INTO breakers (name, failures, failed_at) VALUES ($1, 1, $2) \
               ON CONFLICT (name) DO UPDATE SET \
               failures = CASE WHEN breakers.failed_at < $3 THEN 1 ELSE breakers.failures + 1 END, \
               failed_at = excluded.failed_at, probe_until = NULL, \
               open_until = CASE \
                   WHEN breakers.open_until IS NOT NULL THEN CAST($4 AS BIGINT) \
                   WHEN breakers.failed_at >= $3 AND breakers.failures + 1 >= $5 THEN CAST($4 AS BIGINT) END";
    tx.execute(sql, params![name, now, now - APART_MS, now + OPEN_MS, FAILURES]).await.map(drop)
}
