//! The threads, and the jobs they run.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::platform::db::{Conn, DbError, StoreFuture, Tx};

/// Writes that share one commit at most: enough to hide the disk, few enough to answer soon.
const GROUP: usize = 64;

/// One closure to run, and who waits for its answer.
pub(super) trait Job<C>: Send {
    /// Runs it; keeps the answer. Says whether its changes are to stay.
    fn run(&mut self, connection: &mut C) -> bool;
    /// Replaces the answer: what it did was lost.
    fn fail(&mut self, error: DbError);
    /// Sends the answer.
    fn answer(self: Box<Self>);
}

pub(super) struct Task<F, T, E> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Task<F, T, E> {
    pub(super) const fn new(work: F, answer: oneshot::Sender<Result<T, E>>) -> Self {
        Self { work: Some(work), result: None, answer }
    }
}

impl<C, F, T, E> Job<C> for Task<F, T, E>
where
    T: Send,
    E: From<DbError> + Send,
    F: for<'t> FnOnce(&'t mut C) -> StoreFuture<'t, T, E> + Send,
{
    fn run(&mut self, connection: &mut C) -> bool {
        let Some(work) = self.work.take() else { return false };
        let outcome = catch_unwind(AssertUnwindSafe(|| poll_once(work(connection))));
        let result = outcome.unwrap_or_else(|_| Err(DbError::Panicked.into()));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn fail(&mut self, error: DbError) {
        // A write that failed by itself keeps its own, more telling error.
        if !matches!(self.result, Some(Err(_))) {
            self.result = Some(Err(error.into()));
        }
    }

    fn answer(self: Box<Self>) {
        let result = self.result.unwrap_or_else(|| Err(DbError::Closed.into()));
        // Nobody may be waiting any more: the client hung up. What was committed stays.
        let _ = self.answer.send(result);
    }
}

/// Store futures never wait on SQLite: one poll ends them.
fn poll_once<T, E: From<DbError>>(
    mut future: Pin<Box<dyn Future<Output = Result<T, E>> + Send + '_>>,
) -> Result<T, E> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(DbError::Suspended.into()),
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, DbError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| DbError::Statement(format!("cannot start a thread: {error}")))
}

pub(super) fn writer(
    mut tx: Tx,
    mut queue: mpsc::Receiver<Box<dyn Job<Tx>>>,
) -> Result<JoinHandle<()>, DbError> {
    spawn("db-writer", move || {
        let mut group = Vec::with_capacity(GROUP);
        while queue.blocking_recv_many(&mut group, GROUP) > 0 {
            if let Err(error) = run_group(&mut tx, &mut group) {
                let _ = batch(&tx, "ROLLBACK");
                let reason = error.to_string();
                group.iter_mut().for_each(|job| job.fail(DbError::RolledBack(reason.clone())));
            }
            group.drain(..).for_each(Job::answer);
        }
    })
}

/// The threads were given this engine's connections, and have no others.
fn connection(conn: &Conn) -> Result<&Connection, rusqlite::Error> {
    match conn {
        Conn::Sqlite(connection) => Ok(connection),
        Conn::Postgres(_) => Err(rusqlite::Error::InvalidQuery),
    }
}

/// Runs every job of the group and commits once. An error here concerns them all.
fn run_group(tx: &mut Tx, group: &mut [Box<dyn Job<Tx>>]) -> Result<(), rusqlite::Error> {
    batch(tx, "BEGIN IMMEDIATE")?;
    for job in group {
        batch(tx, "SAVEPOINT job")?;
        if !job.run(tx) {
            // After a full disk or an I/O error SQLite has rolled everything back already; then this
            // fails, as it must: the jobs before it are lost as well.
            batch(tx, "ROLLBACK TO job")?;
        }
        batch(tx, "RELEASE job")?;
    }
    batch(tx, "COMMIT")
}

fn batch(conn: &Conn, sql: &str) -> Result<(), rusqlite::Error> {
    connection(conn)?.prepare_cached(sql)?.execute([]).map(|_| ())
}

pub(super) fn reader(
    mut conn: Conn,
    queue: Arc<Mutex<mpsc::Receiver<Box<dyn Job<Conn>>>>>,
) -> Result<JoinHandle<()>, DbError> {
    spawn("db-reader", move || {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
            let Some(mut job) = next else { return };
            if let Err(error) = run_read(&mut conn, job.as_mut()) {
                job.fail(error.into());
            }
            job.answer();
        }
    })
}

fn run_read(conn: &mut Conn, job: &mut dyn Job<Conn>) -> Result<(), rusqlite::Error> {
    batch(conn, "BEGIN")?;
    job.run(conn);
    // What one read may take is no matter of the next one's.
    connection(conn)?.progress_handler(0, None::<fn() -> bool>)?;
    batch(conn, "ROLLBACK")
}
