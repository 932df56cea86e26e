//! The order in which scans come, and how they are split, does not matter: what is open in the end is the same.

use liventix_core::entropy::OsEntropy;
use liventix_core::ids::{LedgerId, ScanId};
use liventix_core::ledger::record::{Hash, ScanRecord, genesis};
use liventix_core::rules::{Direction, Outcome, Reason};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::Value;

use crate::support::{Door, Event, NOW, Organiser, Server, text};

const DOORS: usize = 3;
const TICKETS: usize = 3;
/// Earlier than any scan is made.
const START: i64 = NOW - 3_600_000;

/// One scan of a door, in words that mean the same at every event.
#[derive(Debug, Clone)]
struct Step {
    door: usize,
    ticket: usize,
    south: bool,
    exit: bool,
    /// Refused, because the door knew that it was used.
    refused: bool,
    /// After the scan before, at this door (milliseconds).
    later: i64,
    error_ms: Option<i64>,
    /// By how much the wall clock is set before it.
    clock: i64,
    /// Written once more at the same place of the ledger: a fork.
    forked: bool,
    /// Not uploaded: a gap.
    lost: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let odd = |one_in: u32| (0..one_in).prop_map(|drawn| drawn == 0);
    let error = prop_oneof![4 => Just(Some(20)), 1 => Just(Some(6_000)), 1 => Just(None)];
    let clock = prop_oneof![6 => Just(0), 1 => Just(-3_600_000), 1 => Just(60_000)];
    ((0..DOORS, 0..TICKETS, any::<bool>(), odd(4), odd(4)), (0_i64..40_000, error, clock), (odd(10), odd(10)))
        .prop_map(|((door, ticket, south, exit, refused), (later, error_ms, clock), (forked, lost))| Step {
            door,
            ticket,
            south,
            exit,
            refused,
            later,
            error_ms,
            clock,
            forked,
            lost,
        })
}

/// In which order: a number for each scan to sort by, and how many go up at once.
#[derive(Debug, Clone)]
struct Order {
    keys: Vec<u32>,
    together: usize,
}

fn order() -> impl Strategy<Value = Order> {
    (prop::collection::vec(any::<u32>(), 60), 1_usize..6)
        .prop_map(|(keys, together)| Order { keys, together })
}

struct Written {
    door: usize,
    record: ScanRecord,
}

/// The doors of one event, and what they write.
struct World<'a> {
    server: &'a Server,
    organiser: &'a Organiser,
    event: Event,
    doors: Vec<Door>,
    tickets: Vec<String>,
}

impl<'a> World<'a> {
    async fn new(server: &'a Server, organiser: &'a Organiser) -> Self {
        let event = organiser.event(server).await;
        let (mut doors, mut tickets) = (Vec::new(), Vec::new());
        for _ in 0..DOORS {
            doors.push(organiser.door(server, &event).await);
        }
        for _ in 0..TICKETS {
            tickets.push(text(&organiser.ticket(server, &event).await["ticket_id"]));
        }
        // One order of tickets, doors and scans in every run: ids of one millisecond sort at random.
        tickets.sort();
        Self { server, organiser, event, doors, tickets }
    }

    fn write(&mut self, steps: &[Step]) -> Vec<Written> {
        let mut written: Vec<Written> = Vec::new();
        let mut state: Vec<(i64, i64, Hash, i64)> =
            self.doors.iter().map(|door| (START, 0, genesis(door.ledger_id), 0)).collect();
        for (place, step) in steps.iter().enumerate() {
            let (at, moved, last, seq) = &mut state[step.door];
            *at += step.later;
            *moved += step.clock;
            let ledger = self.doors[step.door].ledger_id;
            let before = (*last, *seq + 1);
            for copy in 0..=u32::from(step.forked) {
                let record = self.record(step, (place, copy), ledger, (*at, *moved), before);
                // The first of a fork is followed.
                if copy == 0 {
                    (*last, *seq) = (record.hash, record.seq);
                }
                if !(step.lost && copy == 0) {
                    written.push(Written { door: step.door, record });
                }
            }
        }
        written
    }

    fn record(
        &mut self,
        step: &Step,
        (place, copy): (usize, u32),
        ledger: LedgerId,
        (at, moved): (i64, i64),
        (prev, seq): (Hash, i64),
    ) -> ScanRecord {
        let gate = if step.south { &self.event.other_gate } else { &self.event.gate };
        let gate = gate.parse().unwrap();
        let at = at + i64::from(copy);
        // Ids in the order of writing, so that ties are broken alike in every run.
        let scan_id =
            ScanId::generate(START + i64::try_from(place * 2).unwrap() + i64::from(copy), &OsEntropy);
        self.doors[step.door].scan(&self.tickets[step.ticket], at, |scan| {
            scan.scan_id = scan_id;
            scan.ledger_id = ledger;
            scan.gate_id = gate;
            scan.seq = seq;
            scan.prev_hash = prev;
            scan.direction = if step.exit { Direction::Exit } else { Direction::Entry };
            scan.wall_ms = at + moved;
            scan.offset_ms = if step.error_ms.is_some() { -moved } else { 0 };
            scan.mono_ms = at - START + 60_000;
            scan.error_ms = step.error_ms;
            if step.refused {
                scan.outcome = Outcome::Refuse;
                scan.reason = Reason::AlreadyUsed;
                scan.people = 0;
            }
        })
    }

    async fn upload(&self, written: &[Written], order: &Order) {
        let mut sorted: Vec<(u32, &Written)> = order.keys.iter().copied().cycle().zip(written).collect();
        sorted.sort_by_key(|(key, _)| *key);
        for batch in sorted.chunks(order.together) {
            for (place, door) in self.doors.iter().enumerate() {
                let of_door = batch.iter().filter(|(_, written)| written.door == place);
                let scans: Vec<ScanRecord> = of_door.map(|(_, written)| written.record.clone()).collect();
                if !scans.is_empty() {
                    door.upload(self.server, &scans).await.expect(200);
                }
            }
        }
    }

    /// What is open, with ids replaced by what they name.
    async fn open(&self, written: &[Written]) -> Vec<String> {
        let path = format!("{}/anomalies", self.event.path);
        let query = format!("{path}?state=open&limit=200");
        let page = self.server.get(&query, &self.organiser.key).await.expect(200);
        let mut open = Vec::new();
        for anomaly in page["items"].as_array().unwrap() {
            let detail = format!("{path}/{}", text(&anomaly["anomaly_id"]));
            let mut detail = self.server.get(&detail, &self.organiser.key).await.expect(200);
            for name in ["anomaly_id", "opened_at", "names"] {
                detail.as_object_mut().unwrap().remove(name);
            }
            open.push(self.named(written, &detail));
        }
        open.sort();
        open
    }

    fn named(&self, written: &[Written], detail: &Value) -> String {
        let mut text = serde_json::to_string_pretty(detail).unwrap();
        for (place, scan) in written.iter().enumerate() {
            text = text.replace(&scan.record.scan_id.to_string(), &format!("scan {place}"));
        }
        for (place, door) in self.doors.iter().enumerate() {
            text = text.replace(&door.device_id.to_string(), &format!("door {place}"));
            text = text.replace(&door.ledger_id.to_string(), &format!("ledger {place}"));
        }
        for (place, ticket) in self.tickets.iter().enumerate() {
            text = text.replace(ticket, &format!("ticket {place}"));
        }
        text.replace(&self.event.gate, "north")
            .replace(&self.event.other_gate, "south")
            .replace(&self.event.id, "event")
            .lines()
            // Fingerprints are of ids, and so of this run.
            .filter(|line| !line.contains("fingerprint"))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

async fn run(server: &Server, organiser: &Organiser, steps: &[Step], orders: &[&Order]) -> Vec<String> {
    let mut world = World::new(server, organiser).await;
    let written = world.write(steps);
    for order in orders {
        world.upload(&written, order).await;
    }
    world.open(&written).await
}

#[test]
fn any_order_and_split_of_uploads_leaves_the_same_anomalies() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (server, organiser) = runtime.block_on(async {
        let server = Server::start().await;
        let organiser = Organiser::create(&server, "A").await;
        (server, organiser)
    });
    let steps = prop::collection::vec(step(), 2..24);
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let found = std::cell::Cell::new(0);
    let outcome = runner.run(&(steps, order(), order()), |(steps, one, other)| {
        runtime.block_on(async {
            let first = run(&server, &organiser, &steps, &[&one]).await;
            // The second run uploads everything twice, the second time in the first run's order.
            let second = run(&server, &organiser, &steps, &[&other, &one]).await;
            found.set(found.get() + first.len());
            if first != second {
                let (one, other) = (first.join("\n"), second.join("\n"));
                let differ = one.lines().zip(other.lines()).find(|(one, other)| one != other);
                return Err(TestCaseError::fail(format!("{differ:?}\n{one}\n\n{other}")));
            }
            Ok(())
        })
    });
    outcome.unwrap();
    assert!(found.get() > 24, "too little was found for the test to mean anything: {}", found.get());
}
