//! When facts are counted: every five minutes, and when somebody asks; by one process at a time.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::rounds::{self, RoundKind};
use super::state::{Freshness, State};
use super::{fold, rebuild};
use crate::app::AppState;
use crate::params;
use crate::platform::authorize::{self, Who};
use crate::platform::db::DbError;
use crate::platform::ids::RoundId;
use crate::platform::maintenance::worker_name;
use crate::platform::problem::ApiResult;
use crate::platform::queue::{self, Claimed, Failure, Handlers, NewJob, QueueSpec, Worker};
use crate::platform::rate_limit::Key;

/// The queue of counting. What fails comes again with the next round as well.
pub(super) const QUEUE: QueueSpec = QueueSpec::new("analytics", 3, &[5_000, 30_000, 60_000]);
const REFRESH: &str = "refresh.1";
const REBUILD: &str = "rebuild.1";
/// Between two rounds.
const EVERY_MS: i64 = 5 * 60_000;
/// How often a process asks whether it is time.
const ASK: Duration = Duration::from_secs(20);
/// How long somebody who wants figures counted waits at most, and how often it is looked whether they are.
const WAIT: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(100);
/// In one round at most: what is left is counted by the next.
const STEPS: usize = 500;

/// Works until the server begins to shut down.
pub(crate) async fn run(app: AppState) {
    let worker = Worker::new(app.queue().clone(), QUEUE, handlers(&app), worker_name());
    let schedule = queue::keep(ASK, || put_in(&app), "counting was not scheduled", app.closing());
    tokio::join!(worker.run(app.closing()), schedule);
}

/// Puts the next round in, if it is time. Says whether it did.
///
/// # Errors
/// When the database fails.
pub async fn put_in(app: &AppState) -> Result<bool, DbError> {
    app.queue().on_schedule("analytics", EVERY_MS, job(REFRESH)).await
}

/// Has what happened since counted now, once for all who ask meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn refresh_soon(app: &AppState) -> Result<(), DbError> {
    soon(app, REFRESH).await
}

/// Has what happened since counted for somebody who waits for it: for a moment. Returns how fresh figures are then, and
/// whether all that had happened is in them.
///
/// # Errors
/// `rate_limited`; when the database fails.
pub(crate) async fn refresh_now(app: &AppState, who: Who) -> ApiResult<(Freshness, bool)> {
    let db = app.db_of(who.organiser_id);
    let read = db.read(move |conn| {
        Box::pin(async move { authorize::organiser(conn, &who).await.map(|granted| granted.organiser_id) })
    });
    let organiser = read.await?;
    let key = Key::new("analytics_refresh", organiser.as_bytes());
    app.limiter().require(key, app.config().limits.analytics_refresh).await?;
    let (asked, started) = (app.now(), Instant::now());
    loop {
        // Again and again: a round that was under way may have ended just before what is waited for.
        refresh_soon(app).await?;
        let (state, is_left) = left(app, asked).await?;
        let is_done = !is_left && state.complete_at >= asked;
        if is_done || started.elapsed() > WAIT {
            return Ok((state.freshness(), is_done));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// How far counting is, and whether anything waits for it that was there at `asked` (UTC milliseconds).
async fn left(app: &AppState, asked: i64) -> Result<(State, bool), DbError> {
    let read = app.db().read(move |conn| {
        Box::pin(async move {
            let sql = "SELECT 1 FROM fact_inbox WHERE appended_at <= $1 LIMIT 1";
            let is_left = conn.first(sql, params![asked]).await?.is_some();
            Ok::<_, DbError>((State::load(conn).await?, is_left))
        })
    });
    read.await
}

/// Has everything counted anew. What is shown stays until that is done.
///
/// # Errors
/// When the database fails.
pub async fn rebuild_soon(app: &AppState) -> Result<(), DbError> {
    soon(app, REBUILD).await
}

async fn soon(app: &AppState, kind: &'static str) -> Result<(), DbError> {
    let (queue, job) = (app.queue().clone(), job(kind));
    let put = app.db().write(move |tx| Box::pin(async move { queue.enqueue(tx, &job).await.map(drop) }));
    let put: Result<(), DbError> = put.await;
    put?;
    app.queue().wake(QUEUE.name);
    Ok(())
}

fn job(kind: &'static str) -> NewJob {
    NewJob { unique_key: Some(kind.to_owned()), ..NewJob::new(QUEUE.name, kind, Value::Null) }
}

/// What counts.
#[must_use]
pub fn handlers(app: &AppState) -> Handlers {
    let (refreshing, rebuilding) = (app.clone(), app.clone());
    Handlers::new()
        .on(REFRESH, move |_: Claimed| {
            let app = refreshing.clone();
            async move { round(&app, RoundKind::Refresh).await }
        })
        .on(REBUILD, move |_: Claimed| {
            let app = rebuilding.clone();
            async move { round(&app, RoundKind::Rebuild).await }
        })
}

/// One round, on record.
async fn round(app: &AppState, kind: RoundKind) -> Result<(), Failure> {
    let started = app.now();
    let id = RoundId::generate(started, app.entropy().as_ref());
    let begun = app.db().write(move |tx| Box::pin(async move { rounds::begin(tx, id, kind, started).await }));
    let begun: Result<(), DbError> = begun.await;
    begun?;
    let counted = match kind {
        RoundKind::Refresh => refresh(app, started).await,
        RoundKind::Rebuild => rebuild(app).await,
    };
    let now = app.now();
    let (error, ended) = match counted {
        Ok(counted) => {
            let done = app.db().write(move |tx| {
                Box::pin(async move { rounds::done(tx, id, counted, now).await.map(|()| 0) })
            });
            (None, done.await)
        }
        Err(error) => {
            let why = error.to_string();
            let failed =
                app.db().write(move |tx| Box::pin(async move { rounds::failed(tx, id, &why, now).await }));
            (Some(error), failed.await)
        }
    };
    let failures: i64 = ended.map_err(|error: DbError| Failure::from(error))?;
    let Some(error) = error else { return Ok(()) };
    tracing::error!(failures, cause = error.to_string(), "facts were not counted");
    Err(Failure::retry("counting", error.to_string()))
}

/// Counts what has happened. Returns how much, and when all that was committed before is counted.
async fn refresh(app: &AppState, started: i64) -> Result<(i64, Option<i64>), DbError> {
    let mut facts = 0;
    for _ in 0..STEPS {
        let step = app.db().write(|tx| Box::pin(async move { fold::some(tx).await })).await?;
        facts += step.facts;
        if step.is_all {
            return Ok((facts, Some(started)));
        }
    }
    Ok((facts, None))
}

async fn rebuild(app: &AppState) -> Result<(i64, Option<i64>), DbError> {
    let facts = rebuild::rebuild(app).await?;
    while rebuild::forget(app).await? {}
    Ok((facts, None))
}
