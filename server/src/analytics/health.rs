//! Whether figures are counted, for whoever looks after the server.

use serde::Serialize;
use utoipa::ToSchema;

use super::failures::{self, FailureView};
use super::rounds::{self, RoundView};
use super::state::{Freshness, State};
use crate::app::AppState;
use crate::params;
use crate::platform::db::DbError;

/// Rounds and failures that are shown.
const SHOWN: u32 = 20;

/// Whether figures are counted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Health {
    /// How fresh figures are.
    pub freshness: Freshness,
    /// Transactions whose facts are not counted yet.
    pub waiting: i64,
    /// Since when the oldest of them waits (UTC milliseconds).
    pub oldest_waiting_at: Option<i64>,
    /// Rounds that failed one after the other, since the last that did not. An alert from three on.
    pub failures_in_a_row: i64,
    /// Of how many facts the sums that are being built anew are; none: none are.
    pub built: Option<i64>,
    /// The last rounds, newest first.
    pub rounds: Vec<RoundView>,
    /// The last questions that had no answer, newest first.
    pub failures: Vec<FailureView>,
}

/// Whether figures are counted, now.
///
/// # Errors
/// When the database fails.
pub async fn health(app: &AppState) -> Result<Health, DbError> {
    let read = app.db().read(|conn| {
        Box::pin(async move {
            let state = State::load(conn).await?;
            let sql = "SELECT COUNT(*), MIN(appended_at) FROM fact_inbox";
            let row = conn.first(sql, params![]).await?;
            let (waiting, oldest) = match row {
                Some(row) => (row.get(0)?, row.get(1)?),
                None => (0, None),
            };
            Ok(Health {
                freshness: state.freshness(),
                waiting,
                oldest_waiting_at: oldest,
                failures_in_a_row: state.failures,
                built: state.building.map(|_| state.built_to),
                rounds: rounds::last(conn, SHOWN).await?,
                failures: failures::last(conn, SHOWN).await?,
            })
        })
    });
    read.await
}

/// Rounds that failed one after the other.
pub(crate) async fn failures_in_a_row(app: &AppState) -> Result<i64, DbError> {
    let read =
        app.db().read(|conn| Box::pin(async move { Ok::<_, DbError>(State::load(conn).await?.failures) }));
    read.await
}
