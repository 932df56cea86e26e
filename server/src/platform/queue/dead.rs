//! Dead letters: listed, looked at, tried again, thrown away; and how queues are doing.

use liventix_core::ids::OrganiserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::enqueue::{SERVER, lock_key};
use super::types::QueueStats;
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx, Value};
use crate::platform::ids::JobId;
use crate::platform::page::Key;

/// A job that is not tried any more until somebody says so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeadLetter {
    /// The job.
    pub job_id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its handler.
    pub kind: String,
    /// Whose it is; none: the server's own.
    pub organiser_id: Option<OrganiserId>,
    /// The code of its last failure.
    pub code: String,
    /// How often it was tried, and how often its worker was lost.
    pub attempts: i64,
    /// How many workers were lost with it.
    pub crashes: i64,
    /// How often it was brought back to life before.
    pub replays: i64,
    /// When it was put in (UTC milliseconds).
    pub created_at: i64,
    /// When it died (UTC milliseconds).
    pub died_at: i64,
    /// The request that put it in.
    pub request_id: Option<String>,
}

/// A dead letter with everything that is known of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeadLetterView {
    /// The letter.
    #[serde(flatten)]
    pub letter: DeadLetter,
    /// What its handler gets.
    pub payload: serde_json::Value,
    /// Every try that failed, in all its lives.
    pub history: Vec<AttemptView>,
}

/// A try that did not end well.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttemptView {
    /// Grows from try to try.
    pub fence: i64,
    /// Which worker.
    pub worker: String,
    /// When it began and ended (UTC milliseconds).
    pub started_at: i64,
    /// When it ended (UTC milliseconds).
    pub ended_at: i64,
    /// `failed`, or `crashed` where nothing was heard of the worker any more.
    pub outcome: String,
    /// A stable code.
    pub code: String,
    /// What happened.
    pub detail: String,
}

/// Which dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Of this queue.
    pub queue: Option<String>,
    /// Of this handler.
    pub kind: Option<String>,
    /// With this code.
    pub code: Option<String>,
}

impl Filter {
    /// The condition with placeholders from `first`, and their values.
    fn condition(&self, first: usize) -> (String, Vec<Value>) {
        let mut text = String::from("state = 'dead'");
        let mut values = Vec::new();
        for (column, value) in [("queue", &self.queue), ("kind", &self.kind), ("dead_code", &self.code)] {
            if let Some(value) = value {
                text.push_str(&format!(" AND {column} = ${}", first + values.len()));
                values.push(Value::from(value));
            }
        }
        (text, values)
    }
}

const COLUMNS: &str = "job_id, queue, kind, tenant, dead_code, attempts, crashes, replays, created_at, ended_at, \
                       request_id";

fn letter(row: &Row) -> Result<DeadLetter, DbError> {
    let tenant: OrganiserId = row.get(3)?;
    Ok(DeadLetter {
        job_id: row.get(0)?,
        queue: row.get(1)?,
        kind: row.get(2)?,
        organiser_id: (tenant != SERVER).then_some(tenant),
        code: row.get::<Option<String>>(4)?.unwrap_or_default(),
        attempts: row.get(5)?,
        crashes: row.get(6)?,
        replays: row.get(7)?,
        created_at: row.get(8)?,
        died_at: row.get::<Option<i64>>(9)?.unwrap_or_default(),
        request_id: row.get(10)?,
    })
}

/// Dead letters, those that died first first.
pub(super) async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Key,
    limit: u32,
) -> Result<Vec<DeadLetter>, DbError> {
    let (condition, values) = filter.condition(4);
    let sql = format!(
        "SELECT {COLUMNS} FROM jobs WHERE {condition} AND (ended_at > $1 OR (ended_at = $1 AND job_id > $2)) \
         ORDER BY ended_at, job_id LIMIT $3"
    );
    let mut all = params![after.at, after.id, limit].to_vec();
    all.extend(values);
    conn.query(&sql, &all).await?.iter().map(letter).collect()
}

/// One dead letter with its history.
pub(super) async fn get(conn: &mut Conn, job: JobId) -> Result<Option<DeadLetterView>, DbError> {
    let sql = format!("SELECT {COLUMNS}, payload FROM jobs WHERE job_id = $1 AND state = 'dead'");
    let Some(row) = conn.first(&sql, params![job]).await? else { return Ok(None) };
    let sql = "SELECT fence, worker, started_at, ended_at, outcome, code, detail FROM job_attempts \
               WHERE job_id = $1 ORDER BY fence LIMIT 1000";
    let attempt = |row: &Row| {
        Ok(AttemptView {
            fence: row.get(0)?,
            worker: row.get(1)?,
            started_at: row.get(2)?,
            ended_at: row.get(3)?,
            outcome: row.get(4)?,
            code: row.get(5)?,
            detail: row.get(6)?,
        })
    };
    let history: Result<Vec<AttemptView>, DbError> =
        conn.query(sql, params![job]).await?.iter().map(attempt).collect();
    Ok(Some(DeadLetterView { letter: letter(&row)?, payload: row.json(11)?, history: history? }))
}

/// Dead letters that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeadGroup {
    /// Their queue.
    pub queue: String,
    /// Their handler.
    pub kind: String,
    /// The code of their last failure.
    pub code: String,
    /// How many they are.
    pub jobs: i64,
    /// When the first of them died (UTC milliseconds).
    pub first_died_at: i64,
}

/// Dead letters by queue, handler and code, the largest groups first.
pub(super) async fn groups(conn: &mut Conn) -> Result<Vec<DeadGroup>, DbError> {
    let sql = "SELECT queue, kind, COALESCE(dead_code, '') AS code, COUNT(*) AS jobs, MIN(ended_at) FROM jobs \
               WHERE state = 'dead' GROUP BY queue, kind, COALESCE(dead_code, '') \
               ORDER BY jobs DESC, queue, kind, code LIMIT 200";
    let group = |row: &Row| {
        Ok(DeadGroup {
            queue: row.get(0)?,
            kind: row.get(1)?,
            code: row.get(2)?,
            jobs: row.get(3)?,
            first_died_at: row.get::<Option<i64>>(4)?.unwrap_or_default(),
        })
    };
    conn.query(sql, params![]).await?.iter().map(group).collect()
}

/// The ids of up to `limit` dead letters that a filter names.
pub(super) async fn ids(conn: &mut Conn, filter: &Filter, limit: u32) -> Result<Vec<JobId>, DbError> {
    let (condition, values) = filter.condition(2);
    let sql = format!("SELECT job_id FROM jobs WHERE {condition} ORDER BY ended_at, job_id LIMIT $1");
    let mut all = params![limit].to_vec();
    all.extend(values);
    conn.query(&sql, &all).await?.iter().map(|row| row.get(0)).collect()
}

/// What became of a wish to try a dead letter again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Replay {
    /// It is alive again: at the end of its ordering key's line, its tries counted anew, its history kept.
    Alive,
    /// There is no such dead letter.
    NotDead,
    /// Another job with its unique key is alive.
    Superseded,
}

/// Brings a dead letter back to life.
pub(super) async fn replay(tx: &mut Tx, job: JobId, now: i64) -> Result<Replay, DbError> {
    let sql = "SELECT queue, ordering_key, unique_key FROM jobs WHERE job_id = $1 AND state = 'dead'";
    let Some(row) = tx.first(sql, params![job]).await? else { return Ok(Replay::NotDead) };
    let (queue, key, unique): (String, Option<String>, Option<String>) =
        (row.get(0)?, row.get(1)?, row.get(2)?);
    let (mut state, mut place) = ("ready", 0);
    if let Some(key) = &key {
        lock_key(tx, &queue, key).await?;
        let sql = "SELECT place FROM jobs WHERE queue = $1 AND ordering_key = $2 AND state <> 'dead' \
                   ORDER BY place DESC LIMIT 1";
        if let Some(last) = tx.first(sql, params![&queue, key]).await? {
            (state, place) = ("behind", last.get::<i64>(0)? + 1);
        }
    }
    if let Some(unique) = &unique {
        let sql = "SELECT 1 FROM jobs WHERE queue = $1 AND alive_key = $2";
        if tx.first(sql, params![&queue, unique]).await?.is_some() {
            return Ok(Replay::Superseded);
        }
    }
    // A job with the key that is put in meanwhile breaks the constraint.
    let sql = "UPDATE jobs SET state = $2, place = $3, run_at = $4, attempts = 0, crashes = 0, dead_code = NULL, \
               ended_at = NULL, alive_key = unique_key, replays = replays + 1 WHERE job_id = $1 AND state = 'dead'";
    let changed = tx.execute(sql, params![job, state, place, now]).await?;
    Ok(if changed == 1 { Replay::Alive } else { Replay::NotDead })
}

/// Throws a dead letter away, its history too.
pub(super) async fn discard(tx: &mut Tx, job: JobId) -> Result<bool, DbError> {
    let sql = "DELETE FROM jobs WHERE job_id = $1 AND state = 'dead'";
    Ok(tx.execute(sql, params![job]).await? == 1)
}

/// Throws away up to `limit` dead letters that died before `before`.
pub(super) async fn purge(tx: &mut Tx, queue: Option<&str>, before: i64, limit: i64) -> Result<u64, DbError> {
    let mut values = params![before, limit].to_vec();
    let mut of = "";
    if let Some(queue) = queue {
        of = "AND queue = $3 ";
        values.push(queue.into());
    }
    let sql = format!(
        "DELETE FROM jobs WHERE job_id IN (SELECT job_id FROM jobs WHERE state = 'dead' AND ended_at < $1 {of}\
         ORDER BY ended_at LIMIT $2)"
    );
    tx.execute(&sql, &values).await
}

/// Every queue with jobs in it, or paused.
pub(super) async fn stats(conn: &mut Conn) -> Result<Vec<QueueStats>, DbError> {
    let sql = "SELECT queue, state, COUNT(*), MIN(run_at) FROM jobs GROUP BY queue, state ORDER BY queue";
    let mut all: Vec<QueueStats> = Vec::new();
    for row in conn.query(sql, params![]).await? {
        let (state, count): (String, i64) = (row.get(1)?, row.get(2)?);
        let stats = entry(&mut all, row.get(0)?);
        match state.as_str() {
            "ready" => (stats.ready, stats.oldest_ready_at) = (count, row.get(3)?),
            "delayed" => stats.delayed = count,
            "behind" => stats.behind = count,
            "running" => stats.running = count,
            _ => stats.dead = count,
        }
    }
    for row in conn.query("SELECT queue, paused_at FROM queue_pauses ORDER BY queue", params![]).await? {
        entry(&mut all, row.get(0)?).paused_at = row.get(1)?;
    }
    all.sort_by(|one, other| one.queue.cmp(&other.queue));
    Ok(all)
}

fn entry(all: &mut Vec<QueueStats>, queue: String) -> &mut QueueStats {
    let place = all.iter().position(|stats| stats.queue == queue).unwrap_or_else(|| {
        all.push(QueueStats {
            queue,
            ready: 0,
            delayed: 0,
            behind: 0,
            running: 0,
            dead: 0,
            oldest_ready_at: None,
            paused_at: None,
        });
        all.len() - 1
    });
    &mut all[place]
}

/// Stops claims from a queue; what runs goes on. Doing it twice changes nothing.
pub(super) async fn pause(tx: &mut Tx, queue: &str, now: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO queue_pauses (queue, paused_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    tx.execute(sql, params![queue, now]).await.map(drop)
}

/// Lets a queue go on.
pub(super) async fn resume(tx: &mut Tx, queue: &str) -> Result<(), DbError> {
    tx.execute("DELETE FROM queue_pauses WHERE queue = $1", params![queue]).await.map(drop)
}
