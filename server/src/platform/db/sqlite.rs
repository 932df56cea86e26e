//! The embedded engine: one writer thread that commits in groups, a few reader threads.

mod schema;
mod thread;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio::sync::{mpsc, oneshot};

use super::{Conn, DbError, PoolStatus, Row, StoreFuture, Tx, Value};
use thread::{Job, Task};

/// Writes that may wait before callers wait to be queued.
const QUEUE: usize = 1_024;
/// Connections for looks that nobody changes threads for.
const LOOKS: usize = 4;

/// Where the file is and how many threads read it.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The database file; its directory must exist.
    pub path: PathBuf,
    /// Reader threads, each with a connection of its own (1 to 64).
    pub readers: usize,
}

/// A handle to the threads. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sqlite(Arc<Shared>);

/// Where jobs for connections of type `C` are put; none once it is closed.
type Queue<C> = Mutex<Option<mpsc::Sender<Box<dyn Job<C>>>>>;

struct Shared {
    writer: Queue<Tx>,
    readers: Queue<Conn>,
    /// Those that are free; none once it is closed.
    looks: Mutex<Vec<rusqlite::Connection>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sqlite")
    }
}

impl Sqlite {
    /// Opens the file, brings its schema up to date, and starts the threads.
    ///
    /// # Errors
    /// When the file cannot be opened or has a newer schema.
    pub(super) fn open(options: &SqliteOptions) -> Result<Self, DbError> {
        let writer = schema::open_writer(&options.path)?;
        let (write, write_queue) = mpsc::channel(QUEUE);
        let (read, read_queue) = mpsc::channel(QUEUE);
        let mut threads = vec![thread::writer(Tx(Conn::Sqlite(writer)), write_queue)?];
        let read_queue = Arc::new(Mutex::new(read_queue));
        for _ in 0..options.readers.clamp(1, 64) {
            let connection = Conn::Sqlite(schema::open_reader(&options.path)?);
            threads.push(thread::reader(connection, Arc::clone(&read_queue))?);
        }
        let looks = (0..LOOKS).map(|_| schema::open_reader(&options.path)).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Shared {
            looks: Mutex::new(looks),
            writer: Mutex::new(Some(write)),
            readers: Mutex::new(Some(read)),
            threads: Mutex::new(threads),
        })))
    }

    pub(super) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> StoreFuture<'t, T, E> + Send + 'static,
    {
        submit(&self.0.writer, work).await
    }

    pub(super) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Conn) -> StoreFuture<'t, T, E> + Send + 'static,
    {
        submit(&self.0.readers, work).await
    }

    /// The first row of one query, on this very thread: for one step in an index, going to another thread and back
    /// costs more than the step. None if every connection for it is in use.
    pub(super) fn look(&self, sql: &str, params: &[Value]) -> Option<Result<Option<Row>, DbError>> {
        let connection = lock(&self.0.looks).pop()?;
        // One statement sees one moment, also without a transaction around it.
        let rows = query(&connection, sql, params);
        let mut looks = lock(&self.0.looks);
        // Closed meanwhile.
        if lock(&self.0.readers).is_some() {
            looks.push(connection);
        }
        Some(rows.map(|rows| rows.into_iter().next()))
    }

    /// Writes that wait for the writer, and reads for a reader.
    pub(super) fn status(&self) -> PoolStatus {
        let waiting = waiting(&self.0.writer) + waiting(&self.0.readers);
        PoolStatus { size: lock(&self.0.threads).len(), used: 0, waiting }
    }

    pub(super) async fn close(&self) {
        drop(lock(&self.0.writer).take());
        drop(lock(&self.0.readers).take());
        lock(&self.0.looks).clear();
        let threads = std::mem::take(&mut *lock(&self.0.threads));
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                // A thread that panicked has nothing left to finish.
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }
}

fn waiting<C>(queue: &Queue<C>) -> usize {
    lock(queue).as_ref().map_or(0, |queue| queue.max_capacity() - queue.capacity())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn submit<C, T, E, F>(queue: &Queue<C>, work: F) -> Result<T, E>
where
    C: 'static,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
    F: for<'t> FnOnce(&'t mut C) -> StoreFuture<'t, T, E> + Send + 'static,
{
    let queue = lock(queue).clone().ok_or(DbError::Closed)?;
    let (answer, wait) = oneshot::channel();
    queue.send(Box::new(Task::new(work, answer))).await.map_err(|_| DbError::Closed)?;
    wait.await.map_err(|_| DbError::Closed)?
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

/// SQLite reads `$1` as a name, numbered by first appearance; only `?1` says which value is meant. No
/// statement has a `$` anywhere else.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

pub(super) fn query(
    connection: &rusqlite::Connection,
    sql: &str,
    params: &[Value],
) -> Result<Vec<Row>, DbError> {
    let mut statement = connection.prepare_cached(&numbered(sql))?;
    let columns = statement.column_count();
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let values: Result<Vec<Value>, rusqlite::Error> =
            (0..columns).map(|column| row.get_ref(column).map(owned)).collect();
        out.push(Row(values?));
    }
    Ok(out)
}

pub(super) fn execute(
    connection: &rusqlite::Connection,
    sql: &str,
    params: &[Value],
) -> Result<u64, DbError> {
    let mut statement = connection.prepare_cached(&numbered(sql))?;
    let changed = statement.execute(rusqlite::params_from_iter(params))?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}
