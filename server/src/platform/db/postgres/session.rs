//! One connection in one transaction.

use std::fmt::Write as _;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use liventix_core::ids::OrganiserId;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::{error, value};
use crate::platform::db::{DbError, Row, Value};

/// Statements kept prepared per connection. Lists of ids make many texts of different lengths.
const PREPARED: usize = 512;
/// Longer texts are long lists: seldom the same twice.
const KEPT_TEXT: usize = 16_000;

/// A connection from the pool, inside a transaction. Dropped before its end, the connection is closed, so
/// that the server rolls back and nobody else gets a half-done transaction.
#[derive(Debug)]
pub struct Session {
    pool: Pool,
    connection: Option<Object>,
    /// What begins the transaction, until it is sent: together with the first statement, so that nobody waits
    /// for it alone.
    begin: Option<String>,
    /// Whether a statement failed: the server keeps nothing of such a transaction.
    spoilt: bool,
}

impl Session {
    /// A transaction that begins with its first statement. `tenant` confines what row-level security watches
    /// to one organiser.
    pub(super) async fn new(
        pool: Pool,
        how: &'static str,
        tenant: Option<OrganiserId>,
    ) -> Result<Self, DbError> {
        let begin = match tenant {
            None => how.to_owned(),
            // An id is letters, digits and hyphens.
            Some(organiser) => format!(
                "{how}; SET LOCAL ROLE liventix_tenant; SET LOCAL liventix.organiser_id = '{organiser}'"
            ),
        };
        let connection = Some(super::connection(&pool).await?);
        Ok(Self { pool, connection, begin: Some(begin), spoilt: false })
    }

    /// No statement may take longer than this. Before the first one.
    pub(in crate::platform::db) fn bound(&mut self, limit: Duration) {
        if let Some(begin) = &mut self.begin {
            let _ = write!(begin, "; SET LOCAL statement_timeout = {}", limit.as_millis().max(1));
        }
    }

    /// # Errors
    /// When nothing was kept: also where a statement failed and the caller went on, for then the server answers
    /// a COMMIT with a ROLLBACK that is no error.
    pub(super) async fn commit(mut self) -> Result<(), DbError> {
        if self.spoilt {
            self.roll_back().await;
            return Err(DbError::RolledBack("a statement in it had failed".to_owned()));
        }
        self.end("COMMIT").await
    }

    pub(in crate::platform::db) const fn is_spoilt(&self) -> bool {
        self.spoilt
    }

    pub(super) async fn roll_back(mut self) {
        // Failing that, the connection is closed, which does the same.
        let _ = self.end("ROLLBACK").await;
    }

    async fn end(&mut self, sql: &str) -> Result<(), DbError> {
        if self.begin.is_none() {
            let ended = self.connection()?.batch_execute(sql).await;
            ended.map_err(|error| DbError::RolledBack(DbError::from(error).to_string()))?;
        }
        // Only now may it go back into the pool.
        drop(self.connection.take());
        Ok(())
    }

    fn connection(&self) -> Result<&Object, DbError> {
        self.connection.as_ref().ok_or(DbError::Closed)
    }

    pub(in crate::platform::db) async fn query(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<Row>, DbError> {
        self.run(sql, params, true).await.map(|done| done.rows)
    }

    pub(in crate::platform::db) async fn execute(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<u64, DbError> {
        self.run(sql, params, false).await.map(|done| done.changed)
    }

    /// Runs a statement. A pooled connection may have died unnoticed: as long as the transaction has not begun,
    /// nothing has happened, and another connection is taken.
    async fn run(&mut self, sql: &str, params: &[Value], rows: bool) -> Result<Done, DbError> {
        let unbegun = self.begin.clone();
        loop {
            let connection = self.connection.as_ref().ok_or(DbError::Closed)?;
            match run(connection, &mut self.begin, sql, params, rows).await {
                Err(error) if unbegun.is_some() && error::is_lost(&error) && is_used(connection) => {
                    self.connection = Some(super::connection(&self.pool).await?);
                    self.begin.clone_from(&unbegun);
                }
                Err(error) => {
                    self.spoilt = true;
                    return Err(error.into());
                }
                Ok(raw) => return raw.try_into(),
            }
        }
    }

    /// Waits for a lock that ends with the transaction.
    pub(in crate::platform::db) async fn lock(&mut self, kind: &str, key: &[u8]) -> Result<(), DbError> {
        let sql = "SELECT 1 FROM pg_advisory_xact_lock($1)";
        self.query(sql, &[Value::Int(lock_number(kind, key))]).await.map(drop)
    }
}

/// The rows of a query outside any transaction.
pub(super) async fn look(pool: &Pool, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
    loop {
        let connection = super::connection(pool).await?;
        match run(&connection, &mut None, sql, params, true).await {
            Err(error) if error::is_lost(&error) && is_used(&connection) => {}
            result => return Done::try_from(result?).map(|done| done.rows),
        }
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

/// Whether it has come from the pool before: one just made that fails tells of the server, not of itself.
fn is_used(connection: &Object) -> bool {
    Object::metrics(connection).recycle_count > 0
}

/// What a statement came to.
struct Done {
    rows: Vec<Row>,
    changed: u64,
}

/// The same in the driver's words.
enum Raw {
    Rows(Vec<tokio_postgres::Row>),
    Changed(u64),
}

impl TryFrom<Raw> for Done {
    type Error = DbError;

    fn try_from(raw: Raw) -> Result<Self, DbError> {
        Ok(match raw {
            Raw::Changed(changed) => Self { rows: Vec::new(), changed },
            Raw::Rows(rows) => {
                Self { rows: rows.iter().map(value::row).collect::<Result<_, _>>()?, changed: 0 }
            }
        })
    }
}

/// Runs a statement; what is still to `begin` goes with it, and only then counts as begun: a text that the
/// server cannot read is refused before.
async fn run(
    connection: &Object,
    begin: &mut Option<String>,
    sql: &str,
    params: &[Value],
    rows: bool,
) -> Result<Raw, tokio_postgres::Error> {
    let statement = prepare(connection, sql).await?;
    let (begin, params) = (begin.take(), borrowed(params));
    if rows {
        behind(connection, begin.as_deref(), connection.query(&statement, &params)).await.map(Raw::Rows)
    } else {
        behind(connection, begin.as_deref(), connection.execute(&statement, &params)).await.map(Raw::Changed)
    }
}

/// Sends what begins the transaction and, without waiting for its answer, the statement: the server takes them
/// in this order.
async fn behind<T>(
    connection: &Object,
    begin: Option<&str>,
    statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, tokio_postgres::Error> {
    let Some(begin) = begin else { return statement.await };
    let (begun, result) = tokio::join!(connection.batch_execute(begin), statement);
    begun.and(result)
}

async fn prepare(connection: &Object, sql: &str) -> Result<Statement, tokio_postgres::Error> {
    if sql.len() > KEPT_TEXT {
        return connection.prepare(sql).await;
    }
    if connection.statement_cache.size() > PREPARED {
        connection.statement_cache.clear();
    }
    connection.prepare_cached(sql).await
}

fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}
