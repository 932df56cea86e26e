//! Storage: one SQL text, run by an engine behind [`Db`].
//!
//! **Why rusqlite on threads of its own and not sqlx.** Measured on the redeem workload, sqlx-sqlite
//! reached 0.1 to 0.7 times the throughput of rusqlite under group commit, because every statement
//! crosses a thread; the target is 0.7. Here a whole transaction crosses once. It is a closure that
//! the writer thread runs to its end, together with every other write that waits: they share one
//! durable commit (`synchronous=FULL`), each inside a savepoint of its own.
//!
//! Store code is `async` over [`Tx`] and [`Conn`]. On SQLite every future is ready at once and the
//! thread polls it exactly once; on a networked engine the same bodies really wait.
//!
//! **Invariant:** SQL is portable: `$1` placeholders; TEXT, BIGINT, DOUBLE PRECISION and BYTEA; no
//! functions that only one engine has; upserts by `ON CONFLICT`; pages by key, never by offset.

pub mod backup;
mod convert;
mod error;
mod migrations;
mod postgres;
mod sqlite;
mod value;

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use liventix_core::ids::OrganiserId;
use tokio::sync::broadcast;

use super::problem::ApiError;
use super::telemetry::context;
use super::telemetry::metrics::Metrics;

pub use convert::{FromValue, Row};
pub use error::DbError;
use postgres::Postgres;
pub use postgres::{PostgresOptions, Session};
use sqlite::Sqlite;
pub use sqlite::SqliteOptions;
pub use value::{Value, batches, in_list, padded, values_rows};

/// SQLite looks at the clock once in so many steps of its machine: every few tenths of a millisecond.
const STEPS: std::ffi::c_int = 10_000;

/// What a store body returns: a future that may borrow the transaction it runs in.
pub type StoreFuture<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// Which engine runs the statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded: one process, all writes one after the other.
    Sqlite,
    /// PostgreSQL: any number of processes, writes side by side unless they take the same [`Tx::lock`].
    Postgres,
}

impl Engine {
    /// Its name, as operators know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// What follows a `SELECT` that claims rows: others pass over what this transaction has taken. Empty on
    /// SQLite, where no other write runs meanwhile.
    #[must_use]
    pub const fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }
}

/// Where the data is.
#[derive(Debug, Clone)]
pub enum Storage {
    /// In a file.
    Sqlite(SqliteOptions),
    /// On a PostgreSQL server.
    Postgres(PostgresOptions),
}

/// What another process said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// One [`Db::hint`].
    Hint(String),
    /// Some may have been lost: look at everything.
    Missed,
}

/// The database, whichever engine runs it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pool: Pool,
    tenant: Option<OrganiserId>,
    metrics: Option<Metrics>,
}

/// How busy the database's connections or threads are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Connections that are open; threads, of SQLite.
    pub size: usize,
    /// Those of them that are in use (PostgreSQL).
    pub used: usize,
    /// Callers that wait for one.
    pub waiting: usize,
}

#[derive(Debug, Clone)]
enum Pool {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Db {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// When it cannot be opened or reached, has a newer schema, or a migration fails.
    pub async fn open(storage: &Storage) -> Result<Self, DbError> {
        let pool = match storage {
            Storage::Sqlite(options) => Pool::Sqlite(Sqlite::open(options)?),
            Storage::Postgres(options) => Pool::Postgres(Postgres::open(options).await?),
        };
        Ok(Self { pool, tenant: None, metrics: None })
    }

    /// The same database, whose transactions are measured from now on.
    #[must_use]
    pub fn measured(self, metrics: Metrics) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// How busy it is.
    #[must_use]
    pub fn pool_status(&self) -> PoolStatus {
        match &self.pool {
            Pool::Sqlite(sqlite) => sqlite.status(),
            Pool::Postgres(postgres) => postgres.status(),
        }
    }

    /// The same database, seen by one organiser: on PostgreSQL, row-level security shows its transactions the
    /// scans and devices of this organiser only, whatever their SQL says.
    #[must_use]
    pub fn of(&self, organiser: OrganiserId) -> Self {
        Self { pool: self.pool.clone(), tenant: Some(organiser), metrics: self.metrics.clone() }
    }

    /// Which engine it is.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self.pool {
            Pool::Sqlite(_) => Engine::Sqlite,
            Pool::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs `work` in a write transaction. It is durable when this returns; if `work` fails, nothing
    /// of it happened.
    ///
    /// # Errors
    /// What `work` returns, or a [`DbError`] if the engine could not begin or commit.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> StoreFuture<'t, T, E> + Send + 'static,
    {
        let stopwatch = self.stopwatch("write");
        let work = stopwatch.clone().timed(work);
        let result = match &self.pool {
            Pool::Sqlite(sqlite) => sqlite.write(work).await,
            Pool::Postgres(postgres) => postgres.write(self.tenant, work).await,
        };
        stopwatch.ended(result.as_ref().err());
        result
    }

    fn stopwatch(&self, kind: &'static str) -> Stopwatch {
        Stopwatch { kind, started: Instant::now(), metrics: self.metrics.clone() }
    }

    /// Runs `work` on one snapshot that no write changes meanwhile.
    ///
    /// # Errors
    /// What `work` returns, or a [`DbError`] if the engine could not begin.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Conn) -> StoreFuture<'t, T, E> + Send + 'static,
    {
        let stopwatch = self.stopwatch("read");
        let work = stopwatch.clone().timed(work);
        let result = match &self.pool {
            Pool::Sqlite(sqlite) => sqlite.read(work).await,
            Pool::Postgres(postgres) => postgres.read(self.tenant, work).await,
        };
        stopwatch.ended(result.as_ref().err());
        result
    }

    /// The same, but its statements are stopped once `limit` has passed: by the engine, so that nothing goes on that
    /// nobody waits for.
    ///
    /// # Errors
    /// What `work` returns; [`DbError::TimedOut`] from a statement that was stopped.
    pub async fn read_within<T, E, F>(&self, limit: Duration, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Conn) -> StoreFuture<'t, T, E> + Send + 'static,
    {
        let started = Instant::now();
        let bounded = move |conn: &mut Conn| {
            // Whoever has waited for a thread or a connection has less left.
            conn.bound(limit.saturating_sub(started.elapsed()))
        };
        self.read(move |conn| {
            Box::pin(async move {
                bounded(conn)?;
                work(conn).await
            })
        })
        .await
    }

    /// The first row of one query, if it has one: a look that needs no transaction around it, and finds its row by a
    /// key.
    ///
    /// # Errors
    /// When the engine refuses the statement.
    pub async fn first(&self, sql: &'static str, params: &[Value]) -> Result<Option<Row>, DbError> {
        let stopwatch = self.stopwatch("read");
        let looked = match (&self.pool, self.tenant) {
            (Pool::Sqlite(sqlite), _) => sqlite.look(sql, params),
            (Pool::Postgres(postgres), None) => Some(postgres.first(sql, params).await),
            (Pool::Postgres(_), Some(_)) => None,
        };
        if let Some(result) = looked {
            stopwatch.ended(result.as_ref().err());
            return result;
        }
        let params = params.to_vec();
        self.read(move |conn| Box::pin(async move { conn.first(sql, &params).await })).await
    }

    /// Tells the other processes on this database to look again, for example at an event. Call it after the
    /// commit; it never waits, and may be lost: whoever acts on hints looks by itself now and then as well.
    pub fn hint(&self, hint: impl Into<String>) {
        if let Pool::Postgres(postgres) = &self.pool {
            postgres.notices().send(hint.into());
        }
    }

    /// The hints of every process on this database, this one's included. None where there is only one process.
    #[must_use]
    pub fn hints(&self) -> Option<broadcast::Receiver<Notice>> {
        match &self.pool {
            Pool::Sqlite(_) => None,
            Pool::Postgres(postgres) => Some(postgres.notices().listen()),
        }
    }

    /// Ends the engine's threads or connections once everything queued is done.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(sqlite) => sqlite.close().await,
            Pool::Postgres(postgres) => postgres.close(),
        }
    }
}

/// Measures one transaction.
#[derive(Clone)]
struct Stopwatch {
    kind: &'static str,
    started: Instant,
    metrics: Option<Metrics>,
}

impl Stopwatch {
    /// The same work, in the context of whoever wants it, and how long it had to wait before it began.
    fn timed<C, T: 'static, E: 'static>(
        self,
        work: impl for<'t> FnOnce(&'t mut C) -> StoreFuture<'t, T, E> + Send + 'static,
    ) -> impl for<'t> FnOnce(&'t mut C) -> StoreFuture<'t, T, E> + Send + 'static {
        let context = context::carried();
        move |connection| {
            if let Some(metrics) = &self.metrics {
                metrics.db_began(self.kind, self.started.elapsed());
            }
            context.on(work(connection))
        }
    }

    /// `error` is what the store's body returned, or the engine's.
    fn ended<E: 'static>(&self, error: Option<&E>) {
        let Some(metrics) = &self.metrics else { return };
        let error = error.map(|error| error as &dyn Any).and_then(|error| {
            error.downcast_ref::<DbError>().or_else(|| error.downcast_ref::<ApiError>()?.database())
        });
        metrics.db_ended(self.kind, self.started.elapsed(), error);
    }
}

/// A connection inside a snapshot: it reads.
#[derive(Debug)]
pub enum Conn {
    /// The embedded engine's.
    Sqlite(rusqlite::Connection),
    /// One of PostgreSQL's.
    Postgres(Session),
}

impl Conn {
    /// Which engine it belongs to.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Statements from now on are stopped once `limit` has passed: all of them together on SQLite, each one on
    /// PostgreSQL.
    fn bound(&mut self, limit: Duration) -> Result<(), DbError> {
        match self {
            Self::Sqlite(connection) => {
                let deadline = Instant::now() + limit;
                connection.progress_handler(STEPS, Some(move || Instant::now() >= deadline))?;
            }
            Self::Postgres(session) => session.bound(limit),
        }
        Ok(())
    }

    /// Every row of a query (bounded by its LIMIT: callers always give one, or a key).
    ///
    /// # Errors
    /// When the engine refuses the statement.
    pub async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        match self {
            Self::Sqlite(connection) => sqlite::query(connection, sql, params),
            Self::Postgres(session) => session.query(sql, params).await,
        }
    }

    /// The first row of a query, if it has one.
    ///
    /// # Errors
    /// When the engine refuses the statement.
    pub async fn first(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }
}

/// A connection inside a write transaction. Everything a [`Conn`] does, and changes.
#[derive(Debug)]
pub struct Tx(Conn);

impl Tx {
    /// Waits until no other transaction, of any process, holds the lock `kind` of `key`, and holds it until
    /// this one ends: what is read afterwards, nobody changes who takes the same lock. Transactions that take
    /// several take them in the order organiser, event, then anything else, so that none waits for itself.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn lock(&mut self, kind: &'static str, key: &[u8]) -> Result<(), DbError> {
        match &mut self.0 {
            // Writes pass one after the other anyway.
            Conn::Sqlite(_) => Ok(()),
            Conn::Postgres(session) => session.lock(kind, key).await,
        }
    }

    /// Whether a statement failed after which nothing of this transaction can be kept: PostgreSQL gives up the
    /// whole, SQLite only the statement.
    #[must_use]
    pub const fn is_spoilt(&self) -> bool {
        match &self.0 {
            Conn::Sqlite(_) => false,
            Conn::Postgres(session) => session.is_spoilt(),
        }
    }

    /// Runs a statement that changes rows; returns how many.
    ///
    /// # Errors
    /// When the engine refuses it, for example a broken constraint.
    pub async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        match &mut self.0 {
            Conn::Sqlite(connection) => sqlite::execute(connection, sql, params),
            Conn::Postgres(session) => session.execute(sql, params).await,
        }
    }
}

// A store function that only reads takes `&mut Conn` and so runs inside a write as well.
impl std::ops::Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

/// The parameters of a statement, in the order of its placeholders.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::platform::db::Value::from($value)),*] };
}
