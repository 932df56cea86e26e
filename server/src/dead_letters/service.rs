//! Trying dead letters again, throwing them away, pausing queues: each with its entry in the audit trail.

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Pen, Target};
use crate::platform::authorize::By;
use crate::platform::db::{Db, DbError, Tx};
use crate::platform::ids::JobId;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::queue::{Filter, Queue, Replay};

/// How many jobs something was done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Done {
    /// The jobs.
    pub jobs: u64,
}

/// The operator's hands on the queue.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    /// The database.
    pub db: Db,
    /// Its queues.
    pub queue: Queue,
    /// What writes the record.
    pub pen: Pen,
    /// Whoever it is.
    pub by: By,
}

/// What is said of a letter that is not there.
pub(crate) fn not_found() -> ApiError {
    ApiError::new(
        Code::JobNotFound,
        "There is no dead letter with this id: it was tried again, or thrown away.",
    )
}

impl DeadLetters {
    /// The hands of `by`.
    #[must_use]
    pub fn of(app: &AppState, by: By) -> Self {
        Self { db: app.db().clone(), queue: app.queue().clone(), pen: audit::pen(app), by }
    }

    /// Tries one again.
    ///
    /// # Errors
    /// `job_not_found`, `job_superseded`.
    pub async fn replay(&self, job: JobId) -> ApiResult<()> {
        match self.replay_one(job).await? {
            Replay::Alive => Ok(()),
            Replay::NotDead => Err(not_found()),
            Replay::Superseded => Err(ApiError::new(
                Code::JobSuperseded,
                "Another job does the same by now. Throw this one away, or wait until the other one is done.",
            )),
        }
    }

    async fn replay_one(&self, job: JobId) -> ApiResult<Replay> {
        let letter = self.queue.dead_letter(job).await?;
        let Some(letter) = letter.map(|view| view.letter) else { return Ok(Replay::NotDead) };
        let this = self.clone();
        let entry = Entry::of(Deed::JobReplayed).to(Target::Job, job.as_bytes()).before(&letter);
        let done = self.db.write(move |tx| {
            Box::pin(async move {
                let replay = this.queue.replay(tx, job).await?;
                if replay == Replay::Alive {
                    this.pen.write(tx, letter.organiser_id, &this.by, entry).await?;
                }
                Ok::<_, DbError>((replay, letter.queue))
            })
        });
        match done.await {
            Ok((replay, queue)) => {
                self.queue.wake(&queue);
                Ok(replay)
            }
            // A job with its unique key was put in at the same moment.
            Err(error) if error.is_constraint() => Ok(Replay::Superseded),
            Err(error) => Err(error.into()),
        }
    }

    /// Tries up to 1 000 again; those that others do by now stay dead.
    ///
    /// # Errors
    /// When the database fails; those before are alive then.
    pub async fn replay_all(&self, filter: Filter) -> ApiResult<Done> {
        let mut jobs = 0;
        for job in self.queue.dead_ids(filter).await? {
            jobs += u64::from(self.replay_one(job).await? == Replay::Alive);
        }
        Ok(Done { jobs })
    }

    /// Throws one away, with its history.
    ///
    /// # Errors
    /// `job_not_found`.
    pub async fn discard(&self, job: JobId) -> ApiResult<()> {
        let letter = self.queue.dead_letter(job).await?.ok_or_else(not_found)?.letter;
        let this = self.clone();
        let entry = Entry::of(Deed::JobDiscarded).to(Target::Job, job.as_bytes()).before(&letter);
        let gone = self.db.write(move |tx| {
            Box::pin(async move {
                let gone = this.queue.discard(tx, job).await?;
                if gone {
                    this.pen.write(tx, letter.organiser_id, &this.by, entry).await?;
                }
                Ok::<_, DbError>(gone)
            })
        });
        if gone.await? { Ok(()) } else { Err(not_found()) }
    }

    /// Throws away up to 1 000 that died before `before` (UTC milliseconds).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&self, queue: Option<String>, before: i64) -> ApiResult<Done> {
        let this = self.clone();
        let entry = Entry::of(Deed::JobsPurged);
        let jobs = self.db.write(move |tx| {
            Box::pin(async move {
                let jobs = this.queue.purge(tx, queue.as_deref(), before).await?;
                if jobs > 0 {
                    let entry = entry.after(json!({"queue": queue, "before": before, "jobs": jobs}));
                    this.pen.write(tx, None, &this.by, entry).await?;
                }
                Ok::<_, DbError>(jobs)
            })
        });
        Ok(Done { jobs: jobs.await? })
    }

    /// Stops claims from a queue; what runs goes on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pause(&self, queue: String) -> ApiResult<()> {
        let this = self.clone();
        let done = self.db.write(move |tx| {
            Box::pin(async move {
                this.queue.pause(tx, &queue).await?;
                this.note(tx, Deed::QueuePaused, queue).await
            })
        });
        Ok(done.await?)
    }

    /// Lets a queue go on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume(&self, queue: String) -> ApiResult<()> {
        let (this, name) = (self.clone(), queue.clone());
        let done = self.db.write(move |tx| {
            Box::pin(async move {
                this.queue.resume(tx, &queue).await?;
                this.note(tx, Deed::QueueResumed, queue).await
            })
        });
        done.await?;
        self.queue.wake(&name);
        Ok(())
    }

    async fn note(&self, tx: &mut Tx, deed: Deed, queue: String) -> Result<(), DbError> {
        self.pen.write(tx, None, &self.by, Entry::of(deed).named(queue)).await
    }
}
