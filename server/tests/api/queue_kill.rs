//! Workers that are killed in the middle: real processes, SIGKILL, and a ledger of what they did.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use liventix_core::clock::SystemClock;
use liventix_core::entropy::OsEntropy;
use liventix_server::params;
use liventix_server::platform::db::{Db, DbError, Engine, PostgresOptions, SqliteOptions, Storage};
use liventix_server::platform::queue::{Claimed, Failure, Handlers, NewJob, Queue, QueueSpec, Worker};
use serde_json::json;

use crate::support::Place;
use crate::support::database::count;

const JOBS: usize = 300;
/// Where a child finds its database.
const VARIABLE: &str = "LIVENTIX_TEST_QUEUE";

/// A lease that ends soon, since the clock of these processes is the real one.
fn spec() -> QueueSpec {
    QueueSpec { lease_ms: 2_000, max_crashes: 1_000, ..QueueSpec::new("kill", 3, &[10]) }
}

/// Not a test: what the children run. This program, told to run this.
#[test]
#[ignore = "a worker process of the test below"]
fn a_worker_process() {
    let Ok(url) = std::env::var(VARIABLE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let storage = match url.strip_prefix("sqlite:") {
            Some(path) => Storage::Sqlite(SqliteOptions { path: path.into(), readers: 1 }),
            None => Storage::Postgres(PostgresOptions { url: url.into(), connections: 8 }),
        };
        let db = Db::open(&storage).await.unwrap();
        let queue = Queue::new(db.clone(), Arc::new(SystemClock::new()), Arc::new(OsEntropy));
        let handlers = Handlers::new().on("effect.1", move |job| effect(db.clone(), job));
        Worker::new(queue, spec(), handlers, std::process::id().to_string())
            .run(std::future::pending())
            .await;
    });
}

/// Leaves a mark per try, and takes a moment, so that kills fall in between.
async fn effect(db: Db, job: Claimed) -> Result<(), Failure> {
    tokio::time::sleep(Duration::from_millis(3)).await;
    let written: Result<u64, DbError> = db
        .write(move |tx| {
            Box::pin(async move {
                // The key is the promise: no two tries of a job have one fence.
                let sql = "INSERT INTO effects (job_id, fence) VALUES ($1, $2)";
                tx.execute(sql, params![job.job_id, job.fence]).await
            })
        })
        .await;
    written.map(drop).map_err(|error| Failure::permanent("effect", error.to_string()))
}

struct Killed(Child);

impl Killed {
    fn start(place: &Place) -> Self {
        let url = place.url.as_ref().map_or_else(
            || format!("sqlite:{}", place.dir.path().join("liventix.db").display()),
            |url| secrecy::ExposeSecret::expose_secret(url).to_owned(),
        );
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "queue_kill::a_worker_process"])
            .env(VARIABLE, url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Returns once at least this many jobs have left a mark.
async fn marks(db: &Db, at_least: i64) {
    while count(db, "SELECT COUNT(DISTINCT job_id) FROM effects").await < at_least {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_are_killed_again_and_again_and_every_job_is_done() {
    let place = Place::make().await;
    let db = place.open().await;
    let queue = Queue::new(db.clone(), Arc::new(SystemClock::new()), Arc::new(OsEntropy));
    let filled: Result<(), DbError> = db
        .write(move |tx| {
            Box::pin(async move {
                let sql = "CREATE TABLE effects (job_id BYTEA NOT NULL, fence BIGINT NOT NULL, PRIMARY KEY (job_id, fence))";
                tx.execute(sql, params![]).await?;
                for number in 0..JOBS {
                    let job = NewJob::new("kill", "effect.1", json!(number));
                    queue.enqueue(tx, &job).await?;
                }
                Ok(())
            })
        })
        .await;
    filled.unwrap();
    // SQLite is one process's; PostgreSQL anybody's.
    let together = if crate::ENGINE == Engine::Sqlite { 1 } else { 3 };
    let mut kills = 0;
    for round in 1..=3 {
        let mut workers: Vec<Killed> = (0..together).map(|_| Killed::start(&place)).collect();
        marks(&db, round * 60).await;
        // The last one dies when the next ones are made.
        kills += workers.len();
        workers.clear();
    }
    let _workers: Vec<Killed> = (0..together).map(|_| Killed::start(&place)).collect();
    marks(&db, i64::try_from(JOBS).unwrap()).await;
    while count(&db, "SELECT COUNT(*) FROM jobs").await > 0 {
        assert_eq!(count(&db, "SELECT COUNT(*) FROM jobs WHERE state = 'dead'").await, 0);
        tokio::task::yield_now().await;
    }
    let marks = count(&db, "SELECT COUNT(*) FROM effects").await;
    let most = JOBS + kills * spec().concurrency;
    assert!(
        (JOBS..=most).contains(&usize::try_from(marks).unwrap()),
        "{marks} marks of {JOBS} jobs, {kills} kills"
    );
}
