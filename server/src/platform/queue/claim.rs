//! Taking jobs: whose turn it is, who may run now, and who was left behind by a worker.

use liventix_core::ids::OrganiserId;

use super::enqueue::SERVER;
use super::settle::{self, Try};
use super::types::{Claimed, QueueSpec};
use crate::params;
use crate::platform::db::{DbError, Row, Tx, Value, in_list, padded};
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
    let mut ids: Vec<Value> = Vec::new();
    let mut turn = last;
    // Each gets its share of what is left; what one leaves over goes to whoever comes after it, and then round.
    let mut taken = Vec::with_capacity(tenants.len());
    for (place, tenant) in tenants.iter().enumerate() {
        let share = (count - ids.len()).div_ceil(tenants.len() - place);
        let jobs = ready(tx, spec.name, *tenant, share).await?;
        taken.push(jobs.len());
        ids.extend(jobs);
        turn = *tenant;
    }
    for (tenant, taken) in tenants.iter().zip(taken) {
        let room = count - ids.len();
        if room == 0 {
            break;
        }
        let more = ready(tx, spec.name, *tenant, taken + room).await?;
        ids.extend(more.into_iter().skip(taken));
    }
    if ids.is_empty() {
        return Ok((Vec::new(), turn));
    }
    take(tx, spec, lease, ids).await.map(|jobs| (jobs, turn))
}

/// Organisers with ready jobs, in a circle from the one after `last`: one step in the index for each,
/// however many jobs there are.
async fn tenants(
    tx: &mut Tx,
    queue: &str,
    last: OrganiserId,
    count: usize,
) -> Result<Vec<OrganiserId>, DbError> {
    let after = "SELECT tenant FROM jobs WHERE queue = $1 AND state = 'ready' AND tenant > $2 \
                 ORDER BY tenant LIMIT 1";
    let mut found: Vec<OrganiserId> = Vec::new();
    let (mut from, mut wrapped) = (last, false);
    while found.len() < count {
        match tx.first(after, params![queue, from]).await? {
            Some(row) => {
                from = row.get(0)?;
                if wrapped && from > last {
                    break;
                }
                found.push(from);
            }
            // Around: the server's own have the lowest id of all, below which nothing is "after".
            None if !wrapped => {
                wrapped = true;
                let own = "SELECT 1 FROM jobs WHERE queue = $1 AND state = 'ready' AND tenant = $2 LIMIT 1";
                from = SERVER;
                if tx.first(own, params![queue, SERVER]).await?.is_some() {
                    found.push(SERVER);
                }
                if last == SERVER {
                    break;
                }
            }
            None => break,
        }
    }
    Ok(found)
}

async fn ready(tx: &mut Tx, queue: &str, tenant: OrganiserId, share: usize) -> Result<Vec<Value>, DbError> {
    let sql = format!(
        "SELECT job_id FROM jobs WHERE queue = $1 AND state = 'ready' AND tenant = $2 \
         ORDER BY priority, run_at, job_id LIMIT $3{}",
        tx.engine().skip_locked()
    );
    let share = i64::try_from(share).unwrap_or(i64::MAX);
    let rows = tx.query(&sql, params![queue, tenant, share]).await?;
    rows.iter().map(|row| row.get::<JobId>(0).map(Value::from)).collect()
}

async fn take(
    tx: &mut Tx,
    spec: &QueueSpec,
    lease: &Lease,
    ids: Vec<Value>,
) -> Result<Vec<Claimed>, DbError> {
    let ids = padded(ids);
    let sql = format!(
        "UPDATE jobs SET state = 'running', lease = $1, fence = fence + 1, worker = $2, claimed_at = $3, \
         lease_until = $4 WHERE job_id IN ({}) \
         RETURNING job_id, kind, payload, tenant, attempts, fence, request_id, priority, run_at, ordering_key",
        in_list(5, ids.len())
    );
    let mut values = params![lease.id, lease.worker.as_str(), lease.now, lease.now + spec.lease_ms].to_vec();
    values.extend(ids);
    let mut rows = tx.query(&sql, &values).await?;
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
