//! PostgreSQL: any number of processes on one database, transactions side by side.
//!
//! Writes run READ COMMITTED: each statement sees what others have committed. What must not change between
//! reading and writing is kept still by [`Tx::lock`](super::Tx::lock). Reads run REPEATABLE READ: one
//! snapshot. A transaction runs as a task of its own and ends even if its caller has hung up, as on SQLite.

mod connect;
mod error;
mod notices;
mod schema;
mod session;
mod value;

use deadpool_postgres::{Object, Pool, PoolError};
use liventix_core::ids::OrganiserId;
use tracing::Instrument as _;

use super::{Conn, DbError, PoolStatus, Row, StoreFuture, Tx, Value};

pub use connect::PostgresOptions;
use notices::Notices;
pub use session::Session;

const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A handle to a pool of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Postgres {
    pool: Pool,
    notices: Notices,
}

impl Postgres {
    /// Connects and brings the schema up to date; waits for another process that does so.
    ///
    /// # Errors
    /// When the URL is wrong, the server cannot be reached, or has a newer schema.
    pub(super) async fn open(options: &PostgresOptions) -> Result<Self, DbError> {
        let target = connect::target(&options.url)?;
        let pool = connect::pool(target.clone(), options.connections)?;
        let mut connection = connection(&pool).await.map_err(|error| match error {
            DbError::Busy(reason) => DbError::Unreachable { reason },
            other => other,
        })?;
        let migrated = schema::migrate(&mut connection).await;
        drop(Object::take(connection));
        migrated.map(|()| Self { notices: Notices::start(target, pool.clone()), pool })
    }

    /// The first row of one query, which is a transaction by itself.
    pub(super) async fn first(&self, sql: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        Ok(session::look(&self.pool, sql, params).await?.into_iter().next())
    }

    pub(super) async fn write<T, E, F>(&self, tenant: Option<OrganiserId>, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> StoreFuture<'t, T, E> + Send + 'static,
    {
        let pool = self.pool.clone();
        let transaction = async move {
            let mut tx = Tx(Conn::Postgres(Session::new(pool, WRITE, tenant).await?));
            let result = work(&mut tx).await;
            let Conn::Postgres(session) = tx.0 else { return result };
            match result {
                Ok(value) => session.commit().await.map(|()| value).map_err(E::from),
                Err(error) => {
                    session.roll_back().await;
                    Err(error)
                }
            }
        };
        run(transaction).await
    }

    pub(super) async fn read<T, E, F>(&self, tenant: Option<OrganiserId>, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Conn) -> StoreFuture<'t, T, E> + Send + 'static,
    {
        let pool = self.pool.clone();
        let transaction = async move {
            let mut conn = Conn::Postgres(Session::new(pool, READ, tenant).await?);
            let result = work(&mut conn).await;
            if let Conn::Postgres(session) = conn {
                session.roll_back().await;
            }
            result
        };
        run(transaction).await
    }

    pub(super) fn notices(&self) -> &Notices {
        &self.notices
    }

    /// How many connections are open and in use, and how many callers wait for one.
    pub(super) fn status(&self) -> PoolStatus {
        let status = self.pool.status();
        let used = status.size.saturating_sub(status.available);
        PoolStatus { size: status.size, used, waiting: status.waiting }
    }

    /// Closes every connection that is not in use, and the others once they are given back.
    pub(super) fn close(&self) {
        self.notices.close();
        self.pool.close();
    }
}

async fn connection(pool: &Pool) -> Result<Object, DbError> {
    pool.get().await.map_err(|error| match error {
        PoolError::Closed => DbError::Closed,
        PoolError::Timeout(_) => DbError::Busy("no free connection in time".to_owned()),
        PoolError::Backend(error) => DbError::Busy(error::words(&error)),
        other => DbError::Busy(other.to_string()),
    })
}

/// Runs to the end whether or not somebody still waits for the answer.
async fn run<T, E>(work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    match tokio::spawn(work.in_current_span()).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => Err(DbError::Panicked.into()),
        Err(_) => Err(DbError::Closed.into()),
    }
}
