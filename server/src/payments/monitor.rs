//! How payments do: what is watched, and told when it goes wrong.

use super::failure::Outcome;
use super::proof;
use crate::app::AppState;
use crate::params;
use crate::platform::db::{Conn, DbError};

const MINUTE_MS: i64 = 60_000;
/// Over how long calls are counted.
const OVER_MS: i64 = 60 * MINUTE_MS;
/// What is not known for longer than this should have been found out.
const UNKNOWN_MS: i64 = 10 * MINUTE_MS;

/// How payments do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// Payments that the provider was asked to begin in the last hour, and was not left alone with.
    pub(crate) begun: i64,
    /// Those of them that it did not answer for in time.
    pub(crate) timeouts: i64,
    /// Those that did not work, through us or the provider. Refusals of buyers' banks come later and are none of these.
    pub(crate) failed: i64,
    /// Payments, refunds and payouts of which nobody has known for ten minutes what became.
    pub(crate) unknown: i64,
    /// By how much the books differ from what was received and given back, in minor units over all currencies, and
    /// how many entries do not add up to nothing.
    pub(crate) books_off: i64,
}

/// Looks.
///
/// # Errors
/// When the database fails.
pub(crate) async fn health(app: &AppState) -> Result<Health, DbError> {
    let now = app.now();
    app.db().read(move |conn| Box::pin(async move { look(conn, now).await })).await
}

async fn look(conn: &mut Conn, now: i64) -> Result<Health, DbError> {
    let mut health = Health::default();
    let sql = "SELECT outcome, COUNT(*) FROM provider_calls WHERE operation = 'payment.create' \
               AND started_at > $1 AND outcome IS NOT NULL GROUP BY outcome";
    for row in conn.query(sql, params![now - OVER_MS]).await? {
        let (code, count): (String, i64) = (row.get(0)?, row.get(1)?);
        let outcome = Outcome::from_code(&code);
        health.begun += count;
        match outcome {
            Some(Outcome::Timeout) => {
                health.timeouts += count;
                health.failed += count;
            }
            Some(Outcome::Done) => {}
            // They come again by themselves.
            Some(Outcome::Busy | Outcome::InProgress | Outcome::NotCalled) => health.begun -= count,
            _ => health.failed += count,
        }
    }
    health.unknown = unknown(conn, now - UNKNOWN_MS).await?;
    health.books_off = proof::off_by(conn, now).await?;
    Ok(health)
}

async fn unknown(conn: &mut Conn, before: i64) -> Result<i64, DbError> {
    let sql = "SELECT (SELECT COUNT(*) FROM payments WHERE status IN ('asking', 'unknown') AND asked_first_at <= $1) \
               + (SELECT COUNT(*) FROM refunds WHERE status IN ('asking', 'unknown') AND created_at <= $1) \
               + (SELECT COUNT(*) FROM payouts WHERE status IN ('asking', 'unknown') AND created_at <= $1)";
    conn.first(sql, params![before]).await?.map_or(Ok(0), |row| row.get(0))
}
