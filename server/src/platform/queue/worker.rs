//! Running jobs: as many at once as the queue allows, kept alive while they run, brought to an end in good
//! order when the server stops.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::MissedTickBehavior;
use tracing::field;

use super::pace::Pace;
use super::settle::Fate;
use super::types::{Claimed, Failure, QueueSpec, Verdict};
use super::{Queue, Turn};
use crate::platform::db::DbError;
use crate::platform::telemetry::context::Context;

/// How often a worker looks though nobody rang.
const LOOK: Duration = Duration::from_secs(2);
/// How long jobs may go on after the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

type Work = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;
type Handler = Arc<dyn Fn(Claimed) -> Work + Send + Sync>;

/// What does the work: a handler for each kind of job.
#[derive(Default, Clone)]
pub struct Handlers(HashMap<&'static str, Handler>);

impl std::fmt::Debug for Handlers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Handlers {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the handler of a kind. It may run more than once for one job: when its worker is lost between the
    /// work and the word that it is done.
    #[must_use]
    pub fn on<F, W>(mut self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(Claimed) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        self.0.insert(kind, Arc::new(move |job| Box::pin(handler(job))));
        self
    }

    fn run(&self, job: Claimed) -> Work {
        match self.0.get(job.kind.as_str()) {
            Some(handler) => handler(job),
            // A newer version put it in: a process of that version may take it.
            None => Box::pin(async move {
                Err(Failure::retry("unknown_kind", format!("No handler for `{}` in this version.", job.kind)))
            }),
        }
    }
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Tries that went well.
    pub done: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Jobs taken back from lost workers.
    pub rescued: u64,
}

/// One process's worker for one queue.
#[derive(Debug)]
pub struct Worker {
    queue: Queue,
    spec: QueueSpec,
    handlers: Handlers,
    turn: Turn,
    pace: Option<Arc<dyn Pace>>,
}

/// Jobs that are running.
#[derive(Default)]
struct Running {
    tasks: JoinSet<Result<(), Failure>>,
    jobs: HashMap<Id, (Claimed, AbortHandle)>,
}

type Ended = Result<(Id, Result<(), Failure>), JoinError>;

impl Running {
    fn start(&mut self, handlers: &Handlers, job: Claimed) {
        let span = tracing::info_span!(
            "job",
            job_id = %job.job_id,
            kind = job.kind,
            attempt = job.attempt,
            request_id = job.request_id,
            organiser_id = field::Empty,
            user_id = field::Empty,
            device_id = field::Empty,
        );
        let context = Context {
            feature: "queue".to_owned(),
            request_id: job.request_id.clone(),
            organiser_id: job.organiser.map(|id| id.to_string()),
            ..Context::default()
        };
        let task = self.tasks.spawn(context.within(span, handlers.run(job.clone())));
        self.jobs.insert(task.id(), (job, task));
    }

    fn held(&self) -> Vec<Claimed> {
        self.jobs.values().map(|(job, _)| job.clone()).collect()
    }

    /// Stops what is done under a claim that is over.
    fn stop(&mut self, over: &Claimed) {
        self.jobs.retain(|_, (job, task)| {
            let is_over = (job.lease, job.job_id) == (over.lease, over.job_id);
            if is_over {
                task.abort();
            }
            !is_over
        });
    }

    /// The job that ended, and how. A panic is a failure like any other.
    fn end(&mut self, ended: Ended) -> Option<(Claimed, Result<(), Failure>)> {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => {
                let failure = Failure::retry("panicked", "The handler panicked; the log says where.");
                (error.id(), Err(failure))
            }
        };
        self.jobs.remove(&id).map(|(job, _)| (job, result))
    }

    /// Waits for one to end; takes all that have ended with it.
    async fn next(&mut self) -> Vec<(Claimed, Result<(), Failure>)> {
        let mut ended = Vec::new();
        if let Some(first) = self.tasks.join_next_with_id().await {
            ended.extend(self.end(first));
        }
        while let Some(more) = self.tasks.try_join_next_with_id() {
            ended.extend(self.end(more));
        }
        ended
    }
}

impl Worker {
    /// A worker with this name for the record, for example of its process.
    #[must_use]
    pub fn new(queue: Queue, spec: QueueSpec, handlers: Handlers, name: impl Into<String>) -> Self {
        Self { queue, spec, handlers, turn: Turn::new(name), pace: None }
    }

    /// The same, taking not more jobs than this allows.
    #[must_use]
    pub fn at(self, pace: Arc<dyn Pace>) -> Self {
        Self { pace: Some(pace), ..self }
    }

    /// How many of `free` jobs may begin now; and otherwise, after which wait one may.
    async fn room(&self, free: usize) -> Result<(usize, Option<Duration>), DbError> {
        match &self.pace {
            Some(pace) if free > 0 => pace.room(free).await,
            _ => Ok((free, None)),
        }
    }

    /// One round to its end: tends the queue, claims what may run at once, runs it. For tests, and whoever wants
    /// to know when it is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_once(&mut self) -> Result<Round, DbError> {
        let rescued = self.queue.tend(&self.spec).await?;
        let mut running = Running::default();
        let (room, _) = self.room(self.spec.concurrency).await?;
        for job in self.queue.claim(&self.spec, &mut self.turn, room).await? {
            running.start(&self.handlers, job);
        }
        let mut round = Round { rescued: u64::try_from(rescued).unwrap_or(0), ..Round::default() };
        while !running.jobs.is_empty() {
            let ended = running.next().await;
            self.settle(ended, &mut round).await?;
        }
        Ok(round)
    }

    /// Runs until `closing`, then lets what runs come to its end (10 s at most) and gives the rest back.
    pub async fn run(mut self, closing: impl Future<Output = ()>) {
        let mut closing = std::pin::pin!(closing);
        let mut running = Running::default();
        let beat = Duration::from_millis(u64::try_from(self.spec.lease_ms / 3).unwrap_or(10_000));
        let mut heartbeat = tokio::time::interval(beat);
        let bell = self.queue.bell(self.spec.name);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A job that ends only makes room; what else there is to see to, a ring or a look tells.
        let mut is_due = true;
        loop {
            // Before looking, so that no ring falls in between.
            let mut rung = std::pin::pin!(bell.notified());
            rung.as_mut().enable();
            let wait = self.fill(&mut running, is_due).await;
            is_due = tokio::select! {
                // In this order: who is told to close takes nothing new, and however many jobs end, leases are
                // extended and looks are taken.
                biased;
                () = &mut closing => break,
                _ = heartbeat.tick() => {
                    self.beat(&mut running).await;
                    false
                }
                _ = look.tick() => true,
                ended = running.next(), if !running.jobs.is_empty() => {
                    self.settle_or_say(ended).await;
                    false
                }
                () = rung => true,
                () = tokio::time::sleep(wait.unwrap_or(LOOK)), if wait.is_some() => true,
            };
        }
        self.drain(running, beat).await;
    }

    /// Claims as many as there is room for; before, if it is due, sees to what waits for its time or was left behind.
    /// Says after which wait to look again, if that is before the next look.
    async fn fill(&mut self, running: &mut Running, is_due: bool) -> Option<Duration> {
        let free = self.spec.concurrency.saturating_sub(running.jobs.len());
        if free == 0 {
            return None;
        }
        match self.take(free, is_due).await {
            Ok((jobs, wait)) => {
                jobs.into_iter().for_each(|job| running.start(&self.handlers, job));
                wait
            }
            // The next look comes soon.
            Err(error) => {
                tracing::warn!(queue = self.spec.name, cause = error.to_string(), "no jobs could be claimed");
                None
            }
        }
    }

    async fn take(&mut self, free: usize, is_due: bool) -> Result<(Vec<Claimed>, Option<Duration>), DbError> {
        if is_due {
            self.queue.tend(&self.spec).await?;
        }
        let (room, wait) = self.room(free).await?;
        Ok((self.queue.claim(&self.spec, &mut self.turn, room).await?, wait))
    }

    async fn beat(&self, running: &mut Running) {
        let held = running.held();
        if held.is_empty() {
            return;
        }
        match self.queue.extend(&self.spec, &held).await {
            Ok(lost) => {
                for over in lost {
                    tracing::warn!(queue = self.spec.name, id = %over.job_id, "a job was taken from this worker");
                    running.stop(&over);
                }
            }
            Err(error) => {
                tracing::warn!(queue = self.spec.name, cause = error.to_string(), "leases were not extended");
            }
        }
    }

    async fn drain(&self, mut running: Running, beat: Duration) {
        let mut heartbeat = tokio::time::interval(beat);
        let end = tokio::time::sleep(DRAIN);
        tokio::pin!(end);
        while !running.jobs.is_empty() {
            tokio::select! {
                ended = running.next() => self.settle_or_say(ended).await,
                _ = heartbeat.tick() => self.beat(&mut running).await,
                () = &mut end => break,
            }
        }
        let held = running.held();
        running.tasks.shutdown().await;
        if !held.is_empty()
            && let Err(error) = self.queue.give_back(&held).await
        {
            tracing::warn!(cause = error.to_string(), "jobs were not given back; their leases will end");
        }
    }

    async fn settle_or_say(&self, ended: Vec<(Claimed, Result<(), Failure>)>) {
        if let Err(error) = self.settle(ended, &mut Round::default()).await {
            // Their leases end, and they are tried again: handlers know that this happens.
            tracing::warn!(queue = self.spec.name, cause = error.to_string(), "jobs were not settled");
        }
    }

    async fn settle(
        &self,
        ended: Vec<(Claimed, Result<(), Failure>)>,
        round: &mut Round,
    ) -> Result<(), DbError> {
        let mut done = Vec::new();
        for (job, result) in ended {
            match result {
                Ok(()) => done.push(job),
                Err(failure) => {
                    round.failed += u64::from(!matches!(failure.verdict, Verdict::NotBefore(_)));
                    self.fail(&job, failure).await?;
                }
            }
        }
        if !done.is_empty() {
            round.done += self.queue.complete(&done).await?;
        }
        Ok(())
    }

    async fn fail(&self, job: &Claimed, failure: Failure) -> Result<(), DbError> {
        let (code, detail) = (failure.code, failure.detail.clone());
        let fate = self.queue.fail(&self.spec, job, failure).await?;
        let (queue, id, attempt) = (self.spec.name, job.job_id, job.attempt);
        match fate {
            Fate::Again(at) => tracing::info!(queue, %id, attempt, code, detail, at, "a job is tried again"),
            Fate::Deferred(at) => tracing::debug!(queue, %id, code, detail, at, "a job waits"),
            Fate::Dead => tracing::error!(queue, %id, attempt, code, detail, "a job is dead"),
            Fate::NotOurs => tracing::warn!(queue, %id, attempt, code, "a job was taken from this worker"),
        }
        Ok(())
    }
}
