//! What a job is, how its queue treats it, and what can come of it.

use std::borrow::Cow;
use std::time::Duration;

use liventix_core::ids::OrganiserId;
use liventix_core::resilience::RetryPolicy;
use serde::Serialize;
use utoipa::ToSchema;

use crate::platform::db::DbError;
use crate::platform::ids::{JobId, LeaseId};
use crate::platform::problem::ApiError;

/// A queue: its name and how jobs in it are tried.
#[derive(Debug, Clone)]
pub struct QueueSpec {
    /// Its name: letters, digits and `_`.
    pub name: &'static str,
    /// How often a job is tried, and after what waits.
    pub retry: RetryPolicy,
    /// How many workers a job may take down before it is dead.
    pub max_crashes: u32,
    /// How long a worker may say nothing of a job before others take it, in milliseconds.
    pub lease_ms: i64,
    /// How many jobs one process runs at once.
    pub concurrency: usize,
}

impl QueueSpec {
    /// A queue that tries `1 + max_retries` times, with these waits between (milliseconds). A worker that says
    /// nothing for 30 s has lost its jobs; one that took down three workers is dead.
    #[must_use]
    pub const fn new(name: &'static str, max_retries: u32, waits_ms: &'static [u64]) -> Self {
        let retry = RetryPolicy {
            operation: name,
            max_retries,
            backoff_ms: Cow::Borrowed(waits_ms),
            jitter_percent: 20,
            // A queue can wait.
            max_retry_after_ms: 86_400_000,
        };
        Self { name, retry, max_crashes: 3, lease_ms: 30_000, concurrency: 8 }
    }

    /// The same with so many jobs at once in one process.
    #[must_use]
    pub const fn with_concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }
}

/// A job to be put into a queue.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The queue.
    pub queue: &'static str,
    /// Which handler takes it; a new name where the payload changes its form.
    pub kind: &'static str,
    /// What the handler gets, as JSON. No secrets: it is kept in the open.
    pub payload: serde_json::Value,
    /// Whose turn it uses; none: the server's own.
    pub organiser: Option<OrganiserId>,
    /// Lower goes first among one organiser's jobs (usually 0).
    pub priority: i64,
    /// Not before this (UTC milliseconds); 0: at once.
    pub run_at: i64,
    /// Jobs with one key run one after the other, in the order in which they were put in.
    pub ordering_key: Option<String>,
    /// At most one job with this key is alive.
    pub unique_key: Option<String>,
}

impl NewJob {
    /// A job of the server's own, at once.
    #[must_use]
    pub const fn new(queue: &'static str, kind: &'static str, payload: serde_json::Value) -> Self {
        Self {
            queue,
            kind,
            payload,
            organiser: None,
            priority: 0,
            run_at: 0,
            ordering_key: None,
            unique_key: None,
        }
    }
}

/// What came of putting a job in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enqueued {
    /// The job's id; the one that is alive already, for a unique key.
    pub job_id: JobId,
    /// Whether it is new.
    pub is_new: bool,
}

/// A job in the hands of a worker.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The claim it belongs to.
    pub lease: LeaseId,
    /// Its id.
    pub job_id: JobId,
    /// The handler's name.
    pub kind: String,
    /// What the handler gets.
    pub payload: serde_json::Value,
    /// Whose it is; none: the server's own.
    pub organiser: Option<OrganiserId>,
    /// Which try this is, from 1; crashes are not counted.
    pub attempt: u32,
    /// Grows with every claim of this job. Whatever it writes to elsewhere can refuse a lower one.
    pub fence: i64,
    /// The request that put it in.
    pub request_id: Option<String>,
    /// Jobs with this key come one after the other.
    pub ordering_key: Option<String>,
    /// When this try began (UTC milliseconds).
    pub claimed_at: i64,
}

/// Why a try failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A stable code, for filtering.
    pub code: &'static str,
    /// What happened, for people; without secrets and personal data.
    pub detail: String,
    /// What to do.
    pub verdict: Verdict,
}

/// Of a handler whose database failed for the moment.
impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::retry("database", error.to_string())
    }
}

/// Of a handler that met what a caller would be told.
impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::retry("server", error.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

/// What a failure calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again by the schedule.
    Retry,
    /// Try again, but not before this long: a `Retry-After`.
    RetryAfter(Duration),
    /// Trying again cannot help.
    Permanent,
    /// It was not tried: something has to wait. Tried from this time on (UTC milliseconds), and not counted.
    NotBefore(i64),
}

impl Failure {
    /// One that may pass.
    #[must_use]
    pub fn retry(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), verdict: Verdict::Retry }
    }

    /// One that may pass after a while that somebody else named.
    #[must_use]
    pub fn retry_after(code: &'static str, detail: impl Into<String>, wait: Duration) -> Self {
        Self { code, detail: detail.into(), verdict: Verdict::RetryAfter(wait) }
    }

    /// Not a failure: its time has not come, for a reason that only its handler knows.
    #[must_use]
    pub fn not_before(code: &'static str, detail: impl Into<String>, at: i64) -> Self {
        Self { code, detail: detail.into(), verdict: Verdict::NotBefore(at) }
    }

    /// One that stays.
    #[must_use]
    pub fn permanent(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), verdict: Verdict::Permanent }
    }
}

/// How a queue is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueStats {
    /// The queue.
    pub queue: String,
    /// Jobs that could run now.
    pub ready: i64,
    /// Jobs that wait for their time.
    pub delayed: i64,
    /// Jobs that wait for another one of their ordering key.
    pub behind: i64,
    /// Jobs in the hands of workers.
    pub running: i64,
    /// Dead letters.
    pub dead: i64,
    /// Since when the oldest job that could run waits (UTC milliseconds).
    pub oldest_ready_at: Option<i64>,
    /// Since when it is paused (UTC milliseconds).
    pub paused_at: Option<i64>,
}
