//! Putting jobs in, inside the transaction of whoever wants them done.

use liventix_core::ids::OrganiserId;

use super::types::{Enqueued, NewJob};
use crate::params;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::JobId;

/// The tenant of the server's own jobs.
pub(super) const SERVER: OrganiserId = OrganiserId::from_bytes([0; 16]);

/// Waits for the lock of an ordering key: whoever holds it is the only one to add to it or take from it.
pub(super) async fn lock_key(tx: &mut Tx, queue: &str, key: &str) -> Result<(), DbError> {
    tx.lock("ordering_key", format!("{queue}\n{key}").as_bytes()).await
}

/// Puts `job` in with the id `job_id`. It is seen, and run, once the transaction is committed.
///
/// A transaction that puts in several jobs with ordering keys does so in the order of their keys.
pub(super) async fn insert(
    tx: &mut Tx,
    job: &NewJob,
    job_id: JobId,
    (now, request_id): (i64, Option<String>),
) -> Result<Enqueued, DbError> {
    let mut place = 0;
    let mut state = if job.run_at > now { "delayed" } else { "ready" };
    if let Some(key) = &job.ordering_key {
        lock_key(tx, job.queue, key).await?;
        let sql = "SELECT place FROM jobs WHERE queue = $1 AND ordering_key = $2 AND state <> 'dead' \
                   ORDER BY place DESC LIMIT 1";
        if let Some(last) = tx.first(sql, params![job.queue, key]).await? {
            place = last.get::<i64>(0)? + 1;
            state = "behind";
        }
    }
    let sql = "INSERT INTO jobs (job_id, queue, kind, payload, tenant, state, priority, run_at, ordering_key, \
               place, unique_key, alive_key, attempts, crashes, fence, replays, request_id, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, 0, 0, 0, 0, $12, $13) \
               ON CONFLICT DO NOTHING";
    let values = params![
        job_id,
        job.queue,
        job.kind,
        job.payload.to_string(),
        job.organiser.unwrap_or(SERVER),
        state,
        job.priority,
        job.run_at.max(now),
        job.ordering_key.as_ref(),
        place,
        job.unique_key.as_ref(),
        request_id,
        now,
    ];
    // The one that is alive may end between two looks: then there is room after all.
    for _ in 0..3 {
        if tx.execute(sql, values).await? == 1 {
            return Ok(Enqueued { job_id, is_new: true });
        }
        let sql = "SELECT job_id FROM jobs WHERE queue = $1 AND alive_key = $2";
        if let Some(row) = tx.first(sql, params![job.queue, job.unique_key.as_ref()]).await? {
            return Ok(Enqueued { job_id: row.get(0)?, is_new: false });
        }
    }
    Err(DbError::Busy("a unique job came and went".to_owned()))
}
