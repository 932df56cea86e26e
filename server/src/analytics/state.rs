//! How far counting is.

use serde::Serialize;
use utoipa::ToSchema;

use crate::params;
use crate::platform::db::{Conn, DbError, Tx};

/// How far counting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// Which generation of sums is shown.
    pub(super) generation: i64,
    /// The number of the last fact in it.
    pub(super) counted_to: i64,
    /// Everything that was committed before this is in it (UTC milliseconds); 0: never counted.
    pub(super) complete_at: i64,
    /// The generation that is being built anew.
    pub(super) building: Option<i64>,
    /// The number of the last fact in that.
    pub(super) built_to: i64,
    /// Rounds that failed one after the other.
    pub(super) failures: i64,
}

/// How fresh figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Freshness {
    /// Everything that happened before this is in the figures (UTC milliseconds); none: nothing was counted yet.
    pub complete_at: Option<i64>,
    /// The number of the last fact in them: where it is the same, so are the figures.
    pub version: i64,
}

impl State {
    pub(super) async fn load(conn: &mut Conn) -> Result<Self, DbError> {
        let sql = "SELECT generation, counted_to, complete_at, building, built_to, failures FROM rollup_state \
                   WHERE name = 'all'";
        let row = conn.first(sql, &[]).await?;
        let row = row.ok_or_else(|| DbError::Constraint("rollup_state has no row".to_owned()))?;
        Ok(Self {
            generation: row.get(0)?,
            counted_to: row.get(1)?,
            complete_at: row.get(2)?,
            building: row.get(3)?,
            built_to: row.get(4)?,
            failures: row.get(5)?,
        })
    }

    /// The state, which nobody else changes until the transaction ends: who counts holds it.
    pub(super) async fn hold(tx: &mut Tx) -> Result<Self, DbError> {
        tx.lock("analytics", b"rollups").await?;
        Self::load(tx).await
    }

    pub(super) async fn save(&self, tx: &mut Tx) -> Result<(), DbError> {
        let sql = "UPDATE rollup_state SET generation = $1, counted_to = $2, complete_at = $3, building = $4, \
                   built_to = $5, failures = $6 WHERE name = 'all'";
        let values = params![
            self.generation,
            self.counted_to,
            self.complete_at,
            self.building,
            self.built_to,
            self.failures,
        ];
        tx.execute(sql, values).await.map(drop)
    }

    pub(super) fn freshness(&self) -> Freshness {
        let complete_at = (self.complete_at > 0).then_some(self.complete_at);
        Freshness { complete_at, version: self.counted_to }
    }
}
