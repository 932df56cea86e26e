//! Ending tries. Everything here is guarded by the lease: a worker that was given up on changes nothing.

use std::collections::BTreeSet;

use liventix_core::entropy::Entropy;
use liventix_core::resilience::Retry;

use super::enqueue::lock_key;
use super::types::{Claimed, Failure, QueueSpec, Verdict};
use crate::params;
use crate::platform::db::{DbError, Tx, Value, in_list, padded};
use crate::platform::ids::{JobId, LeaseId};

/// What is kept of what a handler says went wrong.
const MAX_DETAIL: usize = 2_000;

/// A try that did not end well.
pub(super) struct Try<'a> {
    pub(super) job_id: JobId,
    pub(super) fence: i64,
    pub(super) worker: String,
    pub(super) started_at: i64,
    pub(super) outcome: &'static str,
    pub(super) code: &'a str,
    pub(super) detail: &'a str,
}

/// Puts a try on record.
pub(super) async fn note(tx: &mut Tx, attempt: &Try<'_>, now: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO job_attempts (job_id, fence, worker, started_at, ended_at, outcome, code, detail) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let detail: String = attempt.detail.chars().take(MAX_DETAIL).collect();
    let values = params![
        attempt.job_id,
        attempt.fence,
        attempt.worker.as_str(),
        attempt.started_at,
        now,
        attempt.outcome,
        attempt.code,
        detail
    ];
    tx.execute(sql, values).await.map(drop)
}

/// Removes jobs that are done and lets those behind them go. Returns how many of them were still held by
/// `lease`: the others belong to somebody else now, and stay. `is_ordered`: some have an ordering key.
pub(super) async fn complete(
    tx: &mut Tx,
    lease: LeaseId,
    (jobs, is_ordered): (&[JobId], bool),
    now: i64,
) -> Result<u64, DbError> {
    let ids = padded(jobs.iter().map(|id| Value::from(*id)).collect());
    let list = in_list(2, ids.len());
    let mut values = params![lease].to_vec();
    values.extend(ids);
    // The locks of ordering keys come before those of rows, as everywhere.
    let keys = if is_ordered { lock_keys(tx, &list, &values).await? } else { BTreeSet::new() };
    // What has a lease is running. Not asked for by state: PostgreSQL would go through the index of all that
    // ever ran, and not to these rows.
    let sql = format!("DELETE FROM jobs WHERE lease = $1 AND job_id IN ({list})");
    let done = tx.execute(&sql, &values).await?;
    for (queue, key) in keys {
        release(tx, &queue, &key, now).await?;
    }
    Ok(done)
}

async fn lock_keys(tx: &mut Tx, list: &str, values: &[Value]) -> Result<BTreeSet<(String, String)>, DbError> {
    let sql = format!(
        "SELECT queue, ordering_key FROM jobs WHERE lease = $1 AND ordering_key IS NOT NULL AND job_id IN ({list})"
    );
    let rows = tx.query(&sql, values).await?;
    let keys: Result<BTreeSet<(String, String)>, DbError> =
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect();
    let keys = keys?;
    for (queue, key) in &keys {
        lock_key(tx, queue, key).await?;
    }
    Ok(keys)
}

/// Lets the next job of an ordering key go, if none before it is alive. Its lock is held.
async fn release(tx: &mut Tx, queue: &str, key: &str, now: i64) -> Result<(), DbError> {
    let sql = "SELECT job_id, state FROM jobs WHERE queue = $1 AND ordering_key = $2 AND state <> 'dead' \
               ORDER BY place LIMIT 1";
    let Some(next) = tx.first(sql, params![queue, key]).await? else { return Ok(()) };
    if next.get::<String>(1)? == "behind" {
        let sql = "UPDATE jobs SET state = CASE WHEN run_at <= $2 THEN 'ready' ELSE 'delayed' END WHERE job_id = $1";
        tx.execute(sql, params![next.get::<JobId>(0)?, now]).await?;
    }
    Ok(())
}

/// What became of a try that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is tried again, not before this (UTC milliseconds).
    Again(i64),
    /// It was not tried, and is not before this (UTC milliseconds).
    Deferred(i64),
    /// It is a dead letter.
    Dead,
    /// It belongs to somebody else by now; nothing was changed.
    NotOurs,
}

/// Ends a try that failed.
pub(super) async fn fail(
    tx: &mut Tx,
    spec: &QueueSpec,
    (job, failure): (&Claimed, &Failure),
    (now, entropy): (i64, &dyn Entropy),
) -> Result<Fate, DbError> {
    if let Verdict::NotBefore(at) = failure.verdict {
        return defer(tx, job, at).await;
    }
    let key = lock_key_of(tx, spec.name.to_owned(), job.ordering_key.clone()).await?;
    let sql = "UPDATE jobs SET attempts = attempts + 1 WHERE job_id = $1 AND lease = $2 AND state = 'running' \
               RETURNING attempts, worker";
    let Some(row) = tx.first(sql, params![job.job_id, job.lease]).await? else { return Ok(Fate::NotOurs) };
    let attempts: u32 = row.get(0)?;
    let attempt = Try {
        job_id: job.job_id,
        fence: job.fence,
        worker: row.get(1)?,
        started_at: job.claimed_at,
        outcome: "failed",
        code: failure.code,
        detail: &failure.detail,
    };
    note(tx, &attempt, now).await?;
    let retry = match failure.verdict {
        Verdict::Retry => Retry::Backoff,
        Verdict::RetryAfter(wait) => wait.into(),
        Verdict::Permanent | Verdict::NotBefore(_) => Retry::No,
    };
    match spec.retry.after(attempts, retry, entropy) {
        Ok(wait_ms) => {
            let run_at = now.saturating_add(i64::try_from(wait_ms).unwrap_or(i64::MAX));
            let sql = "UPDATE jobs SET state = 'delayed', run_at = $2, lease = NULL, lease_until = NULL \
                       WHERE job_id = $1";
            tx.execute(sql, params![job.job_id, run_at]).await?;
            Ok(Fate::Again(run_at))
        }
        Err(_) => {
            bury(tx, job.job_id, (failure.code, now), key).await?;
            Ok(Fate::Dead)
        }
    }
}

/// Puts a job back that was not tried.
async fn defer(tx: &mut Tx, job: &Claimed, run_at: i64) -> Result<Fate, DbError> {
    let sql = "UPDATE jobs SET state = 'delayed', run_at = $3, lease = NULL, lease_until = NULL \
               WHERE job_id = $1 AND lease = $2 AND state = 'running'";
    let deferred = tx.execute(sql, params![job.job_id, job.lease, run_at]).await? == 1;
    Ok(if deferred { Fate::Deferred(run_at) } else { Fate::NotOurs })
}

/// An ordering key whose lock is held.
pub(super) struct HeldKey {
    queue: String,
    key: String,
}

/// Waits for the lock of a job's ordering key, if it has one: before its row is touched, as everywhere.
pub(super) async fn lock_key_of(
    tx: &mut Tx,
    queue: String,
    key: Option<String>,
) -> Result<Option<HeldKey>, DbError> {
    let Some(key) = key else { return Ok(None) };
    lock_key(tx, &queue, &key).await?;
    Ok(Some(HeldKey { queue, key }))
}

/// Makes a dead letter of a job. It blocks neither those behind it nor its unique key.
pub(super) async fn bury(
    tx: &mut Tx,
    job: JobId,
    (code, now): (&str, i64),
    key: Option<HeldKey>,
) -> Result<(), DbError> {
    let sql = "UPDATE jobs SET state = 'dead', dead_code = $2, ended_at = $3, alive_key = NULL, lease = NULL, \
               lease_until = NULL WHERE job_id = $1";
    tx.execute(sql, params![job, code, now]).await?;
    match key {
        Some(HeldKey { queue, key }) => release(tx, &queue, &key, now).await,
        None => Ok(()),
    }
}

/// Says that the worker is alive: its jobs stay its own until `until`. Returns those that are not any more.
pub(super) async fn extend(
    tx: &mut Tx,
    lease: LeaseId,
    jobs: &[JobId],
    until: i64,
) -> Result<Vec<JobId>, DbError> {
    let ids = padded(jobs.iter().map(|id| Value::from(*id)).collect());
    let sql = format!(
        "UPDATE jobs SET lease_until = $2 WHERE lease = $1 AND job_id IN ({}) RETURNING job_id",
        in_list(3, ids.len())
    );
    let mut values = params![lease, until].to_vec();
    values.extend(ids);
    let held: Result<BTreeSet<JobId>, DbError> =
        tx.query(&sql, &values).await?.iter().map(|row| row.get(0)).collect();
    let held = held?;
    Ok(jobs.iter().copied().filter(|job| !held.contains(job)).collect())
}

/// Gives jobs back untried, at a shutdown: neither a try nor a crash.
pub(super) async fn give_back(tx: &mut Tx, lease: LeaseId, jobs: &[JobId]) -> Result<u64, DbError> {
    let ids = padded(jobs.iter().map(|id| Value::from(*id)).collect());
    let sql = format!(
        "UPDATE jobs SET state = 'ready', lease = NULL, lease_until = NULL \
         WHERE lease = $1 AND job_id IN ({})",
        in_list(2, ids.len())
    );
    let mut values = params![lease].to_vec();
    values.extend(ids);
    tx.execute(&sql, &values).await
}
