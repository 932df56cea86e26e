//! One offline scan with its durable commit, at 100,000 tickets, beside the least that SQLite could do
//! for the same work: one IMMEDIATE transaction with `synchronous=FULL` that reads the ticket, marks
//! it and writes a scan row.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails panics")]

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use liventix_core::clock::{Clock, RoundTrip, SystemClock};
use liventix_core::entropy::OsEntropy;
use liventix_core::ids::{DeviceId, TicketId};
use liventix_core::ledger::Ledger;
use liventix_core::rules::{Direction, Outcome};
use liventix_core::scan::{DoorContext, scan};
use rusqlite::{Connection, TransactionBehavior, params};

mod manifest_data;
mod support;

use manifest_data::{TICKETS, Venue};

/// A ledger with the manifest, and the code of every ticket.
struct Case {
    ledger: Ledger,
    keys: liventix_core::ticket::KeyRing,
    door: DoorContext,
    codes: Vec<String>,
    next: Cell<usize>,
}

impl Case {
    fn new(folder: &Path) -> Self {
        let venue = Venue::new(TICKETS);
        let clock = SystemClock::new();
        let sample = clock.sample();
        let (mut ledger, _) =
            Ledger::open(&folder.join("ledger.db"), Arc::new(clock), Arc::new(OsEntropy)).unwrap();
        ledger
            .observe_time(&RoundTrip { sent: sample, received: sample, server_ms: sample.wall_ms })
            .unwrap();
        let device_id = DeviceId::generate(sample.wall_ms, &OsEntropy);
        ledger.set_device(&venue.device(device_id)).unwrap();
        for page in venue.pages(sample.wall_ms) {
            ledger.apply_page(&page).unwrap();
        }
        let door = DoorContext {
            event_id: venue.event.event_id,
            gate_id: venue.event.gates[0].gate_id,
            device_id,
            direction: Direction::Entry,
            people: 1,
        };
        let codes = venue.tickets.iter().map(|ticket| venue.code(ticket)).collect();
        Self { ledger, keys: venue.keys(), door, codes, next: Cell::new(0) }
    }

    /// Guests do not come in the order in which they bought.
    fn next_code(&self) -> usize {
        let next = self.next.get();
        self.next.set(next + 1);
        next * 61_803 % self.codes.len()
    }

    fn scan(&mut self, code: usize) {
        let verdict = scan(&mut self.ledger, &self.keys, &self.door, &self.codes[code]).unwrap();
        assert!(verdict.decision.outcome == Outcome::Admit || self.next.get() > self.codes.len());
    }
}

/// The same work with nothing around it.
struct Bare {
    connection: Connection,
    tickets: Vec<TicketId>,
    next: Cell<usize>,
}

impl Bare {
    fn new(folder: &Path) -> Self {
        let mut connection = Connection::open(folder.join("bare.db")).unwrap();
        connection
            .execute_batch(
                // The ledger's cache size: SQLite shares the sum among all connections of a process.
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;
                 CREATE TABLE tickets (ticket_id BLOB PRIMARY KEY, status TEXT, name TEXT, used_at INTEGER)
                     WITHOUT ROWID;
                 CREATE TABLE scans (id INTEGER PRIMARY KEY, scan_id BLOB, ticket_id BLOB, at INTEGER,
                     outcome TEXT, reason TEXT);",
            )
            .unwrap();
        let venue = Venue::new(TICKETS);
        let transaction = connection.transaction().unwrap();
        for ticket in &venue.tickets {
            transaction
                .prepare_cached("INSERT INTO tickets VALUES (?1, 'valid', ?2, NULL)")
                .unwrap()
                .execute(params![ticket.ticket_id.as_bytes(), ticket.attendee_name])
                .unwrap();
        }
        transaction.commit().unwrap();
        let tickets = venue.tickets.iter().map(|ticket| ticket.ticket_id).collect();
        Self { connection, tickets, next: Cell::new(0) }
    }

    fn next_ticket(&self) -> TicketId {
        let next = self.next.get();
        self.next.set(next + 1);
        self.tickets[next * 61_803 % self.tickets.len()]
    }

    fn scan(&mut self, ticket_id: TicketId) {
        let id = ticket_id.as_bytes();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        let status: String = transaction
            .prepare_cached("SELECT status FROM tickets WHERE ticket_id = ?1")
            .unwrap()
            .query_row([id], |row| row.get(0))
            .unwrap();
        assert_eq!(status, "valid");
        let at = 1_790_000_000_000_i64;
        transaction
            .prepare_cached("UPDATE tickets SET used_at = ?2 WHERE ticket_id = ?1")
            .unwrap()
            .execute((id, at))
            .unwrap();
        transaction
            .prepare_cached("INSERT INTO scans (scan_id, ticket_id, at, outcome, reason) VALUES (?1, ?2, ?3, 'admit', 'entered')")
            .unwrap()
            .execute((id, id, at))
            .unwrap();
        transaction.commit().unwrap();
    }
}

/// How often both are measured.
const ROUNDS: usize = 3_000;

/// Runs both in turn and notes how long each took. One after the other would compare two states of
/// the disk: a cloud disk that has used up its burst answers a flush thirty times slower.
fn measure(folder: &Path) -> (Vec<Duration>, Vec<Duration>) {
    let mut case = Case::new(folder);
    let mut bare = Bare::new(folder);
    let mut times = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        let ticket = bare.next_ticket();
        times.0.push(time(|| bare.scan(ticket)));
        let code = case.next_code();
        times.1.push(time(|| case.scan(code)));
    }
    assert!(case.ledger.verify_chain().unwrap().is_whole());
    times
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn bench(criterion: &mut Criterion) {
    // Beside the build, not in a temporary folder, which may be memory and make every commit free.
    // Another disk is measured by naming a folder on it.
    let disk = std::env::var_os("LIVENTIX_BENCH_FOLDER").unwrap_or(env!("CARGO_TARGET_TMPDIR").into());
    let folder = tempfile::tempdir_in(disk).unwrap();
    let (bare, offline) = measure(folder.path());
    let mut group = criterion.benchmark_group("scan");
    for (name, times) in [("bare", bare), ("offline", offline)] {
        let mut recorded = times.iter().cycle();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| recorded.by_ref().take(rounds as usize).sum());
        });
        println!("{name}: median of {ROUNDS} single runs {:?}", median(times));
    }
    group.finish();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

criterion_group!(benches, bench);

fn main() {
    support::run(
        benches,
        &[support::Target {
            work: "offline scan with durable commit at 100,000 tickets",
            ours: "scan/offline",
            baseline: "scan/bare",
            at_most: 1.3,
        }],
    );
}
