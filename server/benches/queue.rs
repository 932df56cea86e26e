//! Jobs from ready to done on both engines with 1 and 4 workers that take 100 at once, beside a bare loop over a
//! table of two columns that deletes 100 rows in one statement (`FOR UPDATE SKIP LOCKED` on PostgreSQL) through
//! the same driver. The bare loop keeps no lease, so that a job is lost with its worker; ours takes jobs in turn
//! from organiser to organiser in one transaction, and ends them in another.
//!
//! `tests/toolchains/postgres cargo bench -p liventix-server --bench queue`; without a PostgreSQL, SQLite only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails panics")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use liventix_core::clock::{Clock as _, SystemClock};
use liventix_core::entropy::OsEntropy;
use liventix_core::ids::OrganiserId;
use liventix_server::params;
use liventix_server::platform::db::{Db, DbError, Engine, PostgresOptions, SqliteOptions, Storage};
use liventix_server::platform::queue::{NewJob, Queue, QueueSpec, Turn};
use tokio::runtime::Runtime;

const WORKERS: [usize; 2] = [1, 4];
const AT_ONCE: usize = 100;
const ORGANISERS: u64 = 8;
const SPEC: QueueSpec = QueueSpec::new("bench", 3, &[1_000]);
/// What the design asks for: at least this part of the bare loop's rate.
const TARGET: f64 = 0.5;

/// A database with a queue and with the bare table.
#[derive(Clone)]
struct Case {
    db: Db,
    queue: Queue,
}

async fn storages(dir: &std::path::Path) -> Vec<Storage> {
    let mut all = vec![Storage::Sqlite(SqliteOptions { path: dir.join("liventix.db"), readers: 2 })];
    if let Ok(server) = std::env::var("LIVENTIX_TEST_POSTGRES") {
        let url = format!("{server}/postgres");
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let name = format!("bench_{}", SystemClock::new().wall_ms());
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = format!("{server}/{name}").into();
        all.push(Storage::Postgres(PostgresOptions { url, connections: 8 }));
    }
    all
}

impl Case {
    async fn open(storage: &Storage) -> Self {
        let db = Db::open(storage).await.unwrap();
        let queue = Queue::new(db.clone(), Arc::new(SystemClock::new()), Arc::new(OsEntropy));
        let sql = "CREATE TABLE bare_jobs (id BIGINT PRIMARY KEY, payload TEXT NOT NULL)";
        let made = db.write(move |tx| Box::pin(async move { tx.execute(sql, params![]).await }));
        made.await.unwrap();
        Self { db, queue }
    }

    /// `count` jobs that are ready.
    async fn put(&self, count: u64) {
        let queue = self.queue.clone();
        let put = self.db.write(move |tx| {
            Box::pin(async move {
                for number in 0..count {
                    let mut organiser = [0; 16];
                    organiser[15] = u8::try_from(number % ORGANISERS + 1).unwrap();
                    let job = NewJob {
                        organiser: Some(OrganiserId::from_bytes(organiser)),
                        ..NewJob::new("bench", "send.1", serde_json::json!({ "number": number }))
                    };
                    queue.enqueue(tx, &job).await?;
                }
                Ok::<_, DbError>(())
            })
        });
        put.await.unwrap();
    }

    async fn put_bare(&self, count: u64) {
        let put = self.db.write(move |tx| {
            Box::pin(async move {
                for number in 0..i64::try_from(count).unwrap() {
                    let payload = format!("{{\"number\":{number}}}");
                    let sql = "INSERT INTO bare_jobs (id, payload) VALUES ($1, $2)";
                    tx.execute(sql, params![number, payload]).await?;
                }
                Ok::<_, DbError>(())
            })
        });
        put.await.unwrap();
    }

    /// Takes and ends jobs until there are none.
    async fn work(self) -> u64 {
        let (mut turn, mut done) = (Turn::new("bench"), 0);
        loop {
            let jobs = self.queue.claim(&SPEC, &mut turn, AT_ONCE).await.unwrap();
            if jobs.is_empty() {
                return done;
            }
            done += self.queue.complete(&jobs).await.unwrap();
        }
    }

    async fn work_bare(self) -> u64 {
        let lock = if self.db.engine() == Engine::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
        let mut done = 0;
        loop {
            let sql = format!(
                "DELETE FROM bare_jobs WHERE id IN (SELECT id FROM bare_jobs ORDER BY id LIMIT {AT_ONCE}{lock}) \
                 RETURNING id, payload"
            );
            let taken = self.db.write(move |tx| Box::pin(async move { tx.query(&sql, params![]).await }));
            match taken.await.unwrap().len() {
                0 => return done,
                taken => done += u64::try_from(taken).unwrap(),
            }
        }
    }
}

/// `count` jobs by `workers` at once; putting them in is not timed.
async fn run(case: &Case, bare: bool, workers: usize, count: u64) -> Duration {
    if bare {
        case.put_bare(count).await
    } else {
        case.put(count).await
    }
    let started = Instant::now();
    let tasks: Vec<_> = (0..workers)
        .map(|_| {
            let case = case.clone();
            tokio::spawn(async move { if bare { case.work_bare().await } else { case.work().await } })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    assert_eq!(done, count, "each once");
    started.elapsed()
}

fn main() {
    let runtime = Runtime::new().unwrap();
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args();
    let dir = tempfile::tempdir().unwrap();
    let mut table = Vec::new();
    for storage in runtime.block_on(storages(dir.path())) {
        let case = runtime.block_on(Case::open(&storage));
        let name = format!("{:?}", case.db.engine()).to_lowercase();
        let mut group = criterion.benchmark_group(format!("queue/{name}"));
        group.throughput(Throughput::Elements(1));
        for workers in WORKERS {
            let mut rates = Vec::new();
            for (label, bare) in [("liventix", false), ("bare", true)] {
                let (mut count, mut took) = (0_u64, Duration::ZERO);
                group.bench_function(BenchmarkId::new(label, workers), |bencher| {
                    bencher.iter_custom(|jobs| {
                        let time = runtime.block_on(run(&case, bare, workers, jobs));
                        count += jobs;
                        took += time;
                        time
                    });
                });
                rates.push(count as f64 / took.as_secs_f64());
            }
            table.push((name.clone(), workers, rates));
        }
        group.finish();
    }
    criterion.final_summary();
    println!("\n| engine | workers | jobs/s | bare/s | ratio (target ≥ {TARGET}) |\n|---|---|---|---|---|");
    for (name, workers, rates) in table {
        let [ours, bare] = rates[..] else { continue };
        if !ours.is_nan() && !bare.is_nan() {
            println!("| {name} | {workers} | {ours:.0} | {bare:.0} | {:.2} |", ours / bare);
        }
    }
}
