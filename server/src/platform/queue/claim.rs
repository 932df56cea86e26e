//! Taking jobs: whose turn it is, who may run now, and who was left behind by a worker.

use liventix_core::ids::OrganiserId;

use super::enqueue::SERVER;
use super::settle::{self, Try};
use super::types::{Claimed, QueueSpec};
use crate::params;
use crate::platform::db::{DbError, Row, Tx};
use crate::platform::ids::{JobId, LeaseId};

/// Jobs whose time has come that are made ready at once.
const PROMOTED: i64 = 500;
/// Jobs of lost workers that are taken back at once.
const RESCUED: i64 = 100;
/// Organisers that are asked in one round.
const ASKED: usize = 64;

/// Who claims, and until when it has to be heard of again.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    pub(super) id: LeaseId,
    pub(super) worker: String,
    pub(super) now: i64,
}

/// Makes ready what was waiting for its time.
pub(super) async fn promote(tx: &mut Tx, queue: &str, now: i64) -> Result<u64, DbError> {
    let sql = format!(
        "UPDATE jobs SET state = 'ready' WHERE job_id IN (SELECT job_id FROM jobs WHERE queue = $1 \
         AND state = 'delayed' AND run_at <= $2 ORDER BY run_at LIMIT $3{})",
        tx.engine().skip_locked()
    );
    tx.execute(&sql, params![queue, now, PROMOTED]).await
}

/// Takes up to `count` ready jobs, in turn from organiser to organiser, beginning after `last`. The second
/// part of the answer is whose turn was the last.
pub(super) async fn claim(
    tx: &mut Tx,
    spec: &QueueSpec,
    lease: &Lease,
    (count, last): (usize, OrganiserId),
) -> Result<(Vec<Claimed>, OrganiserId), DbError> {
    let paused = "SELECT 1 FROM queue_pauses WHERE queue = $1";
    if count == 0 || tx.first(paused, params![spec.name]).await?.is_some() {
        return Ok((Vec::new(), last));
    }
    let tenants = tenants(tx, spec.name, last, count.min(ASKED)).await?;
    let (mut jobs, mut turn) = (Vec::new(), last);
    // Each gets its share of what is left; what one leaves over goes to whoever comes after it.
    for (place, tenant) in tenants.iter().enumerate() {
        let share = (count - jobs.len()).div_ceil(tenants.len() - place);
        jobs.extend(take(tx, spec, lease, (*tenant, share)).await?);
        turn = *tenant;
    }
    // And then round.
    for tenant in tenants {
        if jobs.len() == count {
            break;
        }
        jobs.extend(take(tx, spec, lease, (tenant, count - jobs.len())).await?);
    }
    Ok((jobs, turn))
}

/// Organisers with ready jobs, in a circle from the one after `last`.
async fn tenants(
    tx: &mut Tx,
    queue: &str,
    last: OrganiserId,
    count: usize,
) -> Result<Vec<OrganiserId>, DbError> {
    let mut found = tenants_after(tx, queue, last.as_bytes(), count).await?;
    if found.len() < count {
        // Around. Every id is more than no bytes at all.
        let first = tenants_after(tx, queue, &[], count - found.len()).await?;
        found.extend(first.into_iter().filter(|tenant| *tenant <= last));
    }
    Ok(found)
}

/// The next organisers with ready jobs: one step in the index for each, however many jobs there are.
async fn tenants_after(
    tx: &mut Tx,
    queue: &str,
    after: &[u8],
    count: usize,
) -> Result<Vec<OrganiserId>, DbError> {
    let sql = "WITH RECURSIVE next (tenant, place) AS ( \
               SELECT (SELECT tenant FROM jobs WHERE queue = $1 AND state = 'ready' AND tenant > $2 \
               ORDER BY tenant LIMIT 1), CAST(1 AS BIGINT) \
               UNION ALL \
               SELECT (SELECT tenant FROM jobs WHERE queue = $1 AND state = 'ready' AND tenant > next.tenant \
               ORDER BY tenant LIMIT 1), place + 1 FROM next WHERE next.tenant IS NOT NULL AND place < $3) \
               SELECT tenant FROM next WHERE tenant IS NOT NULL ORDER BY place";
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.query(sql, params![queue, after, count]).await?.iter().map(|row| row.get(0)).collect()
}

/// Takes up to `share` of one organiser's ready jobs.
async fn take(
    tx: &mut Tx,
    spec: &QueueSpec,
    lease: &Lease,
    (tenant, share): (OrganiserId, usize),
) -> Result<Vec<Claimed>, DbError> {
    // Materialized: the limit holds for the whole, however the engine joins.
    let sql = format!(
        "WITH due AS MATERIALIZED (SELECT job_id FROM jobs WHERE queue = $1 AND state = 'ready' AND tenant = $2 \
         ORDER BY priority, run_at, job_id LIMIT $3{}) \
         UPDATE jobs SET state = 'running', lease = $4, fence = fence + 1, worker = $5, claimed_at = $6, \
         lease_until = $7 WHERE job_id IN (SELECT job_id FROM due) \
         RETURNING job_id, kind, payload, tenant, attempts, fence, request_id, priority, run_at, ordering_key",
        tx.engine().skip_locked()
    );
    let share = i64::try_from(share).unwrap_or(i64::MAX);
    let until = lease.now + spec.lease_ms;
    let values = params![spec.name, tenant, share, lease.id, lease.worker.as_str(), lease.now, until];
    let mut rows = tx.query(&sql, values).await?;
    // Neither engine says in which order it returns them.
    let key = |row: &Row| Ok::<_, DbError>((row.get::<i64>(7)?, row.get::<i64>(8)?, row.get::<JobId>(0)?));
    rows.sort_by_key(|row| key(row).ok());
    rows.iter().map(|row| claimed(row, lease)).collect()
}

fn claimed(row: &Row, lease: &Lease) -> Result<Claimed, DbError> {
    let tenant: OrganiserId = row.get(3)?;
    Ok(Claimed {
        lease: lease.id,
        job_id: row.get(0)?,
        kind: row.get(1)?,
        payload: row.json(2)?,
        organiser: (tenant != SERVER).then_some(tenant),
        attempt: row.get::<u32>(4)?.saturating_add(1),
        fence: row.get(5)?,
        request_id: row.get(6)?,
        ordering_key: row.get(9)?,
        claimed_at: lease.now,
    })
}

/// Takes back the jobs of workers that were not heard of in time. One that has taken down too many is dead.
pub(super) async fn rescue(tx: &mut Tx, spec: &QueueSpec, now: i64) -> Result<usize, DbError> {
    let sql = "SELECT job_id, fence, worker, claimed_at, crashes, queue, ordering_key FROM jobs \
               WHERE state = 'running' AND lease_until < $2 AND queue = $1 ORDER BY lease_until LIMIT $3";
    let mut rescued = 0;
    for row in tx.query(sql, params![spec.name, now, RESCUED]).await? {
        let key = settle::lock_key_of(tx, row.get(5)?, row.get(6)?).await?;
        let (job_id, fence): (JobId, i64) = (row.get(0)?, row.get(1)?);
        let crashes = row.get::<u32>(4)?.saturating_add(1);
        // Another process may rescue as well, and the worker may have been heard of since.
        let sql = "UPDATE jobs SET state = 'ready', crashes = $3, lease = NULL, lease_until = NULL \
                   WHERE job_id = $1 AND fence = $2 AND state = 'running' AND lease_until < $4";
        if tx.execute(sql, params![job_id, fence, crashes, now]).await? == 0 {
            continue;
        }
        let lost = Try {
            job_id,
            fence,
            worker: row.get(2)?,
            started_at: row.get(3)?,
            outcome: "crashed",
            code: "worker_lost",
            detail: "The worker was not heard of in time: killed, cut off, or stuck.",
        };
        settle::note(tx, &lost, now).await?;
        if crashes >= spec.max_crashes {
            settle::bury(tx, job_id, ("crashed_too_often", now), key).await?;
        }
        rescued += 1;
    }
    Ok(rescued)
}
