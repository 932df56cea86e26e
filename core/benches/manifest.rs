//! A manifest of 100,000 tickets into a new ledger, page by page as it comes from the server, beside
//! a bare load of the same columns: sorted, one prepared insert, one transaction.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails panics")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use criterion::{BatchSize, Criterion, Throughput, criterion_group};
use liventix_core::clock::ManualClock;
use liventix_core::entropy::FixedEntropy;
use liventix_core::ledger::Ledger;
use liventix_core::sync::wire::{ManifestPage, TicketEntry};
use rusqlite::{Connection, params};

mod manifest_data;
mod support;

use manifest_data::{TICKETS, Venue};

const NOW: i64 = 1_790_000_000_000;

static FILES: AtomicU32 = AtomicU32::new(0);

fn new_ledger(folder: &Path) -> Ledger {
    let path = folder.join(format!("ledger-{}.db", FILES.fetch_add(1, Ordering::Relaxed)));
    Ledger::open(&path, Arc::new(ManualClock::new(NOW)), Arc::new(FixedEntropy::new(1))).unwrap().0
}

fn apply(ledger: &mut Ledger, pages: &[ManifestPage]) {
    for page in pages {
        ledger.apply_page(page).unwrap();
    }
}

fn new_bare(folder: &Path) -> Connection {
    let path = folder.join(format!("bare-{}.db", FILES.fetch_add(1, Ordering::Relaxed)));
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE tickets (event INTEGER, ticket_id BLOB, ticket_type_id BLOB, status TEXT,
                 code_issued_at INTEGER, live_activated INTEGER, valid_from INTEGER, valid_until INTEGER,
                 admits INTEGER, attendee_name TEXT, manual_tag INTEGER, legacy_tag INTEGER,
                 PRIMARY KEY (event, ticket_id)) WITHOUT ROWID;",
        )
        .unwrap();
    connection
}

fn load(connection: &mut Connection, tickets: &[TicketEntry]) {
    let transaction = connection.transaction().unwrap();
    let mut insert = transaction
        .prepare("INSERT INTO tickets VALUES (1, ?1, ?2, NULL, ?3, 0, NULL, NULL, NULL, ?4, ?5, NULL)")
        .unwrap();
    for ticket in tickets {
        let tag = i64::from_be_bytes(ticket.manual_tag.0);
        insert
            .execute(params![
                ticket.ticket_id.as_bytes(),
                ticket.ticket_type_id.as_bytes(),
                ticket.code_issued_at,
                ticket.attendee_name,
                tag,
            ])
            .unwrap();
    }
    drop(insert);
    transaction.commit().unwrap();
}

fn bench(criterion: &mut Criterion) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let venue = Venue::new(TICKETS);
    let pages = venue.pages(NOW);
    let mut group = criterion.benchmark_group("manifest");
    group.sample_size(10).throughput(Throughput::Elements(TICKETS as u64));
    group.bench_function("bare", |bencher| {
        bencher.iter_batched(
            || new_bare(folder.path()),
            |mut connection| {
                load(&mut connection, &venue.tickets);
                connection
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("apply_pages", |bencher| {
        bencher.iter_batched(
            || new_ledger(folder.path()),
            |mut ledger| {
                apply(&mut ledger, &pages);
                ledger
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, bench);

fn main() {
    support::run(
        benches,
        &[support::Target {
            work: "manifest of 100,000 tickets into the ledger",
            ours: "manifest/apply_pages",
            baseline: "manifest/bare",
            at_most: 2.0,
        }],
    );
}
