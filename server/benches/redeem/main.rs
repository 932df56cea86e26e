//! Online redeem over HTTP on both engines at 1, 8 and 32 clients, beside a bare axum handler that runs the
//! same SQL (read the ticket, read its passages, insert the scan; one transaction) and does nothing else: no
//! credential, no signature, no rules, no limits, no change feed.
//!
//! `tests/toolchains/postgres cargo bench -p liventix-server --bench redeem`; without a PostgreSQL, SQLite only.
//! Clients and server share the machine, in both cases alike.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails panics")]

mod bare;
mod case;

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use tokio::runtime::Runtime;

use case::{Case, Place};

const CLIENTS: [usize; 3] = [1, 8, 32];
/// What the design asks for: at least this part of the bare server's rate.
const TARGET: f64 = 0.7;

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Runtime::new().unwrap();
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut table = Vec::new();
    for place in Place::all() {
        let name = place.name();
        let case = Arc::new(runtime.block_on(Case::start(place)));
        let mut group = criterion.benchmark_group(format!("redeem/{name}"));
        group.throughput(Throughput::Elements(1));
        for clients in CLIENTS {
            let mut rates = Vec::new();
            for (server, url) in [("liventix", &case.ours), ("bare", &case.bare)] {
                let (mut count, mut took) = (0_u64, Duration::ZERO);
                group.bench_function(BenchmarkId::new(server, clients), |bencher| {
                    bencher.iter_custom(|iterations| {
                        let time = runtime.block_on(run(&case, url, clients, iterations));
                        count += iterations;
                        took += time;
                        time
                    });
                });
                rates.push(count as f64 / took.as_secs_f64());
            }
            table.push((name, clients, rates));
        }
        group.finish();
    }
    criterion.final_summary();
    println!(
        "\n| engine | clients | redeems/s | bare/s | ratio (target ≥ {TARGET}) |\n|---|---|---|---|---|"
    );
    for (name, clients, rates) in table {
        let [ours, bare] = rates[..] else { continue };
        if ours.is_nan() || bare.is_nan() {
            continue;
        }
        println!("| {name} | {clients} | {ours:.0} | {bare:.0} | {:.2} |", ours / bare);
    }
}

/// `count` redeems of different tickets by `clients` at once; only they are timed.
async fn run(case: &Arc<Case>, url: &str, clients: usize, count: u64) -> Duration {
    let bodies = case.bodies(url, usize::try_from(count).unwrap()).await;
    let mut shares: Vec<Vec<String>> = (0..clients).map(|_| Vec::new()).collect();
    for (place, body) in bodies.into_iter().enumerate() {
        shares[place % clients].push(body);
    }
    let started = Instant::now();
    let tasks: Vec<_> = shares
        .into_iter()
        .map(|bodies| {
            let (case, url) = (Arc::clone(case), url.to_owned());
            tokio::spawn(async move {
                for body in bodies {
                    case.redeem(&url, body).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    started.elapsed()
}
