//! One connection in one transaction.

use deadpool_postgres::Object;
use liventix_core::ids::OrganiserId;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::value;
use crate::platform::db::{DbError, Row, Value};

/// Statements kept prepared per connection. Lists of ids make many texts of different lengths.
const PREPARED: usize = 512;
/// Longer texts are long lists: seldom the same twice.
const KEPT_TEXT: usize = 4_000;

/// A connection from the pool, inside a transaction. Dropped before its end, the connection is closed, so
/// that the server rolls back and nobody else gets a half-done transaction.
#[derive(Debug)]
pub struct Session {
    connection: Option<Object>,
}

impl Session {
    /// Begins. `tenant` confines what row-level security watches to one organiser.
    pub(super) async fn begin(
        connection: Object,
        how: &'static str,
        tenant: Option<OrganiserId>,
    ) -> Result<Self, DbError> {
        let session = Self { connection: Some(connection) };
        let sql = match tenant {
            None => how.to_owned(),
            // An id is letters, digits and hyphens.
            Some(organiser) => format!(
                "{how}; SET LOCAL ROLE liventix_tenant; SET LOCAL liventix.organiser_id = '{organiser}'"
            ),
        };
        session.connection()?.batch_execute(&sql).await?;
        Ok(session)
    }

    pub(super) async fn commit(mut self) -> Result<(), DbError> {
        self.end("COMMIT").await
    }

    pub(super) async fn roll_back(mut self) {
        // Failing that, the connection is closed, which does the same.
        let _ = self.end("ROLLBACK").await;
    }

    async fn end(&mut self, sql: &str) -> Result<(), DbError> {
        self.connection()?
            .batch_execute(sql)
            .await
            .map_err(|error| DbError::RolledBack(DbError::from(error).to_string()))?;
        // Only now may it go back into the pool.
        drop(self.connection.take());
        Ok(())
    }

    fn connection(&self) -> Result<&Object, DbError> {
        self.connection.as_ref().ok_or(DbError::Closed)
    }

    pub(in crate::platform::db) async fn query(
        &self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<Row>, DbError> {
        let connection = self.connection()?;
        let statement = prepare(connection, sql).await?;
        let rows = connection.query(&statement, &borrowed(params)).await?;
        rows.iter().map(value::row).collect()
    }

    pub(in crate::platform::db) async fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        let connection = self.connection()?;
        let statement = prepare(connection, sql).await?;
        Ok(connection.execute(&statement, &borrowed(params)).await?)
    }

    /// Waits for a lock that ends with the transaction.
    pub(in crate::platform::db) async fn lock(&self, kind: &str, key: &[u8]) -> Result<(), DbError> {
        let sql = "SELECT 1 FROM pg_advisory_xact_lock($1)";
        self.query(sql, &[Value::Int(lock_number(kind, key))]).await.map(drop)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(Object::take(connection));
        }
    }
}

/// Two keys that share a number by chance (one pair in 2^64) only wait for each other.
fn lock_number(kind: &str, key: &[u8]) -> i64 {
    let digest = Sha256::new().chain_update(kind).chain_update([0]).chain_update(key).finalize();
    digest.iter().take(8).fold(0_i64, |number, byte| (number << 8) | i64::from(*byte))
}

async fn prepare(connection: &Object, sql: &str) -> Result<Statement, DbError> {
    if sql.len() > KEPT_TEXT {
        return Ok(connection.prepare(sql).await?);
    }
    if connection.statement_cache.size() > PREPARED {
        connection.statement_cache.clear();
    }
    Ok(connection.prepare_cached(sql).await?)
}

fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}
