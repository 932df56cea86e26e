//! How push messages do.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::params;
use crate::platform::db::{Conn, DbError, Row};

const HOUR_MS: i64 = 3_600_000;
const MONTH_MS: i64 = 30 * 24 * HOUR_MS;

/// How many of what, by its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Count {
    /// The code.
    pub code: String,
    /// How many.
    pub count: i64,
}

/// How push messages do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    /// Messages that are to go still.
    pub waiting: i64,
    /// Since when the oldest of them waits (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<i64>,
    /// Why those wait that wait for something.
    pub held: Vec<Count>,
    /// Messages that went in the last hour.
    pub last_hour: i64,
    /// Messages that went in the last 30 days.
    pub month: i64,
    /// Of these, the ones that phones say they have.
    pub delivered: i64,
    /// Of these, the ones that somebody opened.
    pub opened: i64,
    /// Of the last 30 days, the ones that no service took, by the reason.
    pub failed: Vec<Count>,
    /// Of the last 30 days, the ones that did not go, by the reason.
    pub withheld: Vec<Count>,
    /// Of the last 30 days, the ones that went as a part of another.
    pub grouped: i64,
    /// Of the last 30 days, the ones that waited for a limit.
    pub limited: i64,
    /// Phones that messages go to, by the service.
    pub devices: Vec<Count>,
    /// Phones that none go to any more, by the reason.
    pub inactive: Vec<Count>,
}

/// How push messages do.
///
/// # Errors
/// When the database fails.
pub(crate) async fn health(app: &AppState) -> Result<Health, DbError> {
    let now = app.now();
    app.db().read(move |conn| Box::pin(async move { look(conn, now).await })).await
}

async fn counts(conn: &mut Conn, sql: &str, since: Option<i64>) -> Result<Vec<Count>, DbError> {
    let values: Vec<_> = since.into_iter().map(Into::into).collect();
    let read =
        |row: &Row| Ok(Count { code: row.get::<Option<String>>(0)?.unwrap_or_default(), count: row.get(1)? });
    conn.query(sql, &values).await?.iter().map(read).collect()
}

async fn look(conn: &mut Conn, now: i64) -> Result<Health, DbError> {
    let sql = "SELECT (SELECT COUNT(*) FROM push_messages WHERE status IN ('queued', 'sending')), \
               (SELECT MIN(created_at) FROM push_messages WHERE status IN ('queued', 'sending')), \
               (SELECT COUNT(*) FROM push_messages WHERE sent_at > $1), \
               (SELECT COUNT(*) FROM push_messages WHERE status = 'grouped' AND created_at > $2), \
               (SELECT COUNT(*) FROM push_messages WHERE was_limited = 1 AND created_at > $2)";
    let row = conn.first(sql, params![now - HOUR_MS, now - MONTH_MS]).await?;
    let Some(row) = row else { return Err(DbError::Statement("no counts".to_owned())) };
    let sent = "SELECT COUNT(*), COUNT(delivered_at), COUNT(opened_at) FROM push_messages WHERE sent_at > $1";
    let sent = conn.first(sent, params![now - MONTH_MS]).await?;
    let Some(sent) = sent else { return Err(DbError::Statement("no counts".to_owned())) };
    let held = "SELECT reason, COUNT(*) FROM push_messages WHERE status IN ('queued', 'sending') AND reason IS NOT NULL \
                GROUP BY reason ORDER BY 2 DESC, 1";
    let ended = |status: &str| {
        format!(
            "SELECT reason, COUNT(*) FROM push_messages WHERE status = '{status}' AND created_at > $1 \
             GROUP BY reason ORDER BY 2 DESC, 1"
        )
    };
    let devices =
        "SELECT service, COUNT(*) FROM push_devices WHERE inactive_at IS NULL GROUP BY service ORDER BY 1";
    let inactive = "SELECT inactive_reason, COUNT(*) FROM push_devices WHERE inactive_at IS NOT NULL \
                    GROUP BY inactive_reason ORDER BY 2 DESC, 1";
    let month = Some(now - MONTH_MS);
    Ok(Health {
        waiting: row.get(0)?,
        oldest: row.get(1)?,
        held: counts(conn, held, None).await?,
        last_hour: row.get(2)?,
        month: sent.get(0)?,
        delivered: sent.get(1)?,
        opened: sent.get(2)?,
        failed: counts(conn, &ended("failed"), month).await?,
        withheld: counts(conn, &ended("withheld"), month).await?,
        grouped: row.get(3)?,
        limited: row.get(4)?,
        devices: counts(conn, devices, None).await?,
        inactive: counts(conn, inactive, None).await?,
    })
}
