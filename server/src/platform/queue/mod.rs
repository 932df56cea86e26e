//! The queue: work that outlives the request that wanted it, and the process that began it.
//!
//! A job is put in by the transaction that wants it done, so that there is neither a job without its cause nor
//! a cause without its job. A worker holds a job by a lease that it has to keep alive; when it does not, others
//! take the job, and what the first one says afterwards changes nothing. What fails too often becomes a dead
//! letter with its history, and stays until somebody tries it again or throws it away. See `docs/queue.md`.

mod claim;
mod dead;
mod enqueue;
mod pace;
mod schedule;
mod settle;
mod types;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use liventix_core::clock::Clock;
use liventix_core::entropy::Entropy;
use liventix_core::ids::OrganiserId;
use tokio::sync::{Notify, broadcast};

use super::db::{Db, DbError, Notice, Tx};
use super::ids::{JobId, LeaseId};
use super::page::Key;
use super::request_id;
use crate::params;

pub use dead::{AttemptView, DeadGroup, DeadLetter, DeadLetterView, Filter, Replay};
pub use pace::{Pace, Room};
pub use schedule::keep;
pub use settle::Fate;
pub use types::{Claimed, Enqueued, Failure, NewJob, QueueSpec, QueueStats, Verdict};
pub use worker::{Handlers, Round, Worker};

/// What a hint of ours starts with.
const HINT: &str = "queue ";
/// Dead letters that one call tries again or throws away at most.
pub const AT_ONCE: u32 = 1_000;

/// Every queue of a database. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    db: Db,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    bells: Arc<Mutex<HashMap<String, Arc<Notify>>>>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

/// A worker's turn at claiming: who it is, and whose jobs it took last.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Its name, for the record.
    pub worker: String,
    /// The organiser whose turn was the last.
    pub last: OrganiserId,
}

impl Turn {
    /// A worker that has claimed nothing yet.
    #[must_use]
    pub fn new(worker: impl Into<String>) -> Self {
        Self { worker: worker.into(), last: enqueue::SERVER }
    }
}

impl Queue {
    /// The queues of `db`.
    #[must_use]
    pub fn new(db: Db, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { db, clock, entropy, bells: Arc::default() }
    }

    fn now(&self) -> i64 {
        self.clock.wall_ms()
    }

    /// Puts a job in. It runs once the transaction is committed; [`wake`](Self::wake) afterwards, and it runs
    /// at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue(&self, tx: &mut Tx, job: &NewJob) -> Result<Enqueued, DbError> {
        let id = JobId::generate(self.now(), self.entropy.as_ref());
        enqueue::insert(tx, job, id, (self.now(), request_id::current())).await
    }

    /// Wakes the workers of a queue, in every process: there is something new, and it is committed.
    pub fn wake(&self, queue: &str) {
        self.bell(queue).notify_waiters();
        self.db.hint(format!("{HINT}{queue}"));
    }

    fn bell(&self, queue: &str) -> Arc<Notify> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(bells.entry(queue.to_owned()).or_default())
    }

    /// Passes on what other processes ring, for as long as there is a database.
    pub async fn follow(&self, mut hints: broadcast::Receiver<Notice>) {
        loop {
            match hints.recv().await {
                Ok(Notice::Hint(hint)) => {
                    hint.strip_prefix(HINT).into_iter().for_each(|queue| self.bell(queue).notify_waiters());
                }
                Ok(Notice::Missed) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
                    bells.values().for_each(|bell| bell.notify_waiters());
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    /// Makes ready what was waiting for its time, and takes back the jobs of workers that were lost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tend(&self, spec: &QueueSpec) -> Result<usize, DbError> {
        let (spec, now) = (spec.clone(), self.now());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    claim::promote(tx, spec.name, now).await?;
                    claim::rescue(tx, &spec, now).await
                })
            })
            .await
    }

    /// Takes up to `count` jobs that are ready, in turn from organiser to organiser.
    ///
    /// # Errors
    /// When the database fails. Then nothing is taken.
    pub async fn claim(
        &self,
        spec: &QueueSpec,
        turn: &mut Turn,
        count: usize,
    ) -> Result<Vec<Claimed>, DbError> {
        let now = self.now();
        let id = LeaseId::generate(now, self.entropy.as_ref());
        let lease = claim::Lease { id, worker: turn.worker.clone(), now };
        let (spec, last) = (spec.clone(), turn.last);
        let claimed = self
            .db
            .write(move |tx| Box::pin(async move { claim::claim(tx, &spec, &lease, (count, last)).await }));
        let (jobs, last): (Vec<Claimed>, OrganiserId) = claimed.await?;
        turn.last = last;
        Ok(jobs)
    }

    /// Ends tries that went well. Returns how many were this worker's still.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn complete(&self, jobs: &[Claimed]) -> Result<u64, DbError> {
        let (by_lease, now) = (by_lease(jobs), self.now());
        let is_ordered = jobs.iter().any(|job| job.ordering_key.is_some());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let mut done = 0;
                    for (lease, jobs) in &by_lease {
                        done += settle::complete(tx, *lease, (jobs, is_ordered), now).await?;
                    }
                    Ok(done)
                })
            })
            .await
    }

    /// Ends a try that failed: it is tried again, or dead.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fail(&self, spec: &QueueSpec, job: &Claimed, failure: Failure) -> Result<Fate, DbError> {
        let (this, spec, job) = (self.clone(), spec.clone(), job.clone());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let (now, entropy) = (this.now(), this.entropy.as_ref());
                    settle::fail(tx, &spec, (&job, &failure), (now, entropy)).await
                })
            })
            .await
    }

    /// Keeps jobs this worker's for another lease. Returns the claims that are over: whatever is still done for
    /// them should stop. A worker may have claimed such a job again since; that claim is another one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn extend(&self, spec: &QueueSpec, jobs: &[Claimed]) -> Result<Vec<Claimed>, DbError> {
        let (by_lease, until) = (by_lease(jobs), self.now() + spec.lease_ms);
        let extended = self.db.write(move |tx| {
            Box::pin(async move {
                let mut over = Vec::new();
                for (lease, jobs) in &by_lease {
                    let lost = settle::extend(tx, *lease, jobs, until).await?;
                    over.extend(lost.into_iter().map(|job| (*lease, job)));
                }
                Ok::<_, DbError>(over)
            })
        });
        let over: Vec<(LeaseId, JobId)> = extended.await?;
        Ok(jobs.iter().filter(|job| over.contains(&(job.lease, job.job_id))).cloned().collect())
    }

    /// Gives jobs back untried.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(&self, jobs: &[Claimed]) -> Result<u64, DbError> {
        let by_lease = by_lease(jobs);
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let mut given = 0;
                    for (lease, jobs) in &by_lease {
                        given += settle::give_back(tx, *lease, jobs).await?;
                    }
                    Ok(given)
                })
            })
            .await
    }

    /// Dead letters, those that died first first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead(&self, filter: Filter, after: Key, limit: u32) -> Result<Vec<DeadLetter>, DbError> {
        self.db.read(move |conn| Box::pin(async move { dead::list(conn, &filter, after, limit).await })).await
    }

    /// Dead letters by queue, handler and code, the largest groups first; 200 groups at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead_groups(&self) -> Result<Vec<DeadGroup>, DbError> {
        self.db.read(|conn| Box::pin(async move { dead::groups(conn).await })).await
    }

    /// One dead letter with its history.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead_letter(&self, job: JobId) -> Result<Option<DeadLetterView>, DbError> {
        self.db.read(move |conn| Box::pin(async move { dead::get(conn, job).await })).await
    }

    /// Tries a dead letter again, in the caller's transaction; [`wake`](Self::wake) its queue afterwards.
    ///
    /// # Errors
    /// When the database fails; a constraint if a job with its unique key is put in at the same moment.
    pub async fn replay(&self, tx: &mut Tx, job: JobId) -> Result<Replay, DbError> {
        dead::replay(tx, job, self.now()).await
    }

    /// The ids of up to [`AT_ONCE`] dead letters that a filter names, those that died first first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead_ids(&self, filter: Filter) -> Result<Vec<JobId>, DbError> {
        self.db.read(move |conn| Box::pin(async move { dead::ids(conn, &filter, AT_ONCE).await })).await
    }

    /// Throws a dead letter away, in the caller's transaction. Says whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn discard(&self, tx: &mut Tx, job: JobId) -> Result<bool, DbError> {
        dead::discard(tx, job).await
    }

    /// Throws away up to [`AT_ONCE`] dead letters, of one queue or all, that died before `before`, in the
    /// caller's transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&self, tx: &mut Tx, queue: Option<&str>, before: i64) -> Result<u64, DbError> {
        dead::purge(tx, queue, before, AT_ONCE.into()).await
    }

    /// Stops claims from a queue, in every process; what runs goes on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pause(&self, tx: &mut Tx, queue: &str) -> Result<(), DbError> {
        dead::pause(tx, queue, self.now()).await
    }

    /// Lets a queue go on; [`wake`](Self::wake) it afterwards.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume(&self, tx: &mut Tx, queue: &str) -> Result<(), DbError> {
        dead::resume(tx, queue).await
    }

    /// How every queue with jobs in it is doing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stats(&self) -> Result<Vec<QueueStats>, DbError> {
        self.db.read(|conn| Box::pin(async move { dead::stats(conn).await })).await
    }

    /// Whether a job of a queue runs or could begin now; not one that waits for its time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_busy(&self, queue: &'static str) -> Result<bool, DbError> {
        let sql = "SELECT 1 FROM jobs WHERE queue = $1 AND state IN ('ready', 'running') LIMIT 1";
        Ok(self.db.first(sql, params![queue]).await?.is_some())
    }

    /// Puts `job` in if the time of the schedule `name` has come, and not again within `every_ms`. Of any
    /// number of processes that ask, one does. Says whether this one did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn on_schedule(&self, name: &'static str, every_ms: i64, job: NewJob) -> Result<bool, DbError> {
        let (this, now, queue) = (self.clone(), self.now(), job.queue);
        let due = self.db.write(move |tx| {
            Box::pin(async move {
                let due = schedule::take_turn(tx, name, now, every_ms).await?;
                if due {
                    this.enqueue(tx, &job).await?;
                }
                Ok::<_, DbError>(due)
            })
        });
        let due = due.await?;
        if due {
            self.wake(queue);
        }
        Ok(due)
    }
}

fn by_lease(jobs: &[Claimed]) -> Vec<(LeaseId, Vec<JobId>)> {
    let mut by_lease: HashMap<LeaseId, Vec<JobId>> = HashMap::new();
    for job in jobs {
        by_lease.entry(job.lease).or_default().push(job.job_id);
    }
    by_lease.into_iter().collect()
}
