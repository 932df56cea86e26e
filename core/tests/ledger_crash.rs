//! A door that is killed again and again loses nothing it has shown.
//!
//! A child process scans in a loop, takes some passages back, and prints each after it was returned. It is killed with
//! SIGKILL at random points, between verdicts and inside scans, while opening and while loading the
//! manifest. `LIVENTIX_CRASH_SEED` repeats a run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use harness::Venue;
use liventix_core::clock::{Clock, RoundTrip, SystemClock};
use liventix_core::entropy::{Entropy, FixedEntropy, OsEntropy};
use liventix_core::ids::DeviceId;
use liventix_core::ledger::record::WireCode;
use liventix_core::ledger::{Ledger, OpenReport};
use liventix_core::rules::{Direction, Outcome, Passage, standing_passages};
use liventix_core::scan::{DoorContext, scan, undo};
use liventix_core::sync::wire::TicketEntry;

const KILLS: u64 = 220;
const TICKETS: usize = 400;
/// At most so many verdicts are awaited before a kill.
const MOST_VERDICTS: u64 = 8;
/// At most so many turns of a loop are waited after that.
const MOST_TURNS: u64 = 2_000_000;
const PATH: &str = "LIVENTIX_CRASH_PATH";
const SEED: &str = "LIVENTIX_CRASH_SEED";

fn random(entropy: &FixedEntropy, below: u64) -> u64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    u64::from_le_bytes(bytes) % below
}

/// The same event, tickets and device in every process.
fn setting() -> (Venue, Vec<TicketEntry>, DeviceId) {
    let venue = Venue::new();
    let tickets = (0..TICKETS).map(|_| venue.ticket(venue.single)).collect();
    let device_id = DeviceId::generate(harness::NOW, &*venue.entropy);
    (venue, tickets, device_id)
}

fn open(path: &Path) -> (Ledger, OpenReport) {
    Ledger::open(path, Arc::new(SystemClock::new()), Arc::new(OsEntropy)).unwrap()
}

/// What the child does until it is killed.
#[test]
#[ignore = "run by the test below, which kills it"]
fn scan_until_killed() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let (venue, tickets, device_id) = setting();
    let (mut ledger, report) = open(Path::new(&path));
    assert!(matches!(report, OpenReport::Created | OpenReport::Opened), "{report:?}");
    if ledger.cursor(venue.event.event_id).unwrap() == 0 {
        let sample = SystemClock::new().sample();
        ledger
            .observe_time(&RoundTrip { sent: sample, received: sample, server_ms: sample.wall_ms })
            .unwrap();
        ledger.set_device(&venue.device(device_id)).unwrap();
        ledger.apply_page(&venue.page(&tickets)).unwrap();
    }
    let door = DoorContext {
        event_id: venue.event.event_id,
        gate_id: venue.north,
        device_id,
        direction: Direction::Entry,
        people: 1,
    };
    let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let entropy = FixedEntropy::new(seed);
    let mut out = std::io::stdout();
    loop {
        let ticket = random(&entropy, TICKETS as u64) as usize;
        let verdict = scan(&mut ledger, &venue.keys, &door, &venue.code(&tickets[ticket])).unwrap();
        let outcome = verdict.decision.outcome.wire_code();
        writeln!(out, "\nverdict {} {} {outcome} {ticket}", verdict.seq, verdict.scan_id).unwrap();
        out.flush().unwrap();
        if verdict.decision.outcome == Outcome::Admit && random(&entropy, 3) == 0 {
            let undone = undo(&mut ledger, verdict.scan_id, "wrong guest").unwrap();
            writeln!(out, "\nverdict {} {} admit {ticket}", undone.seq, undone.scan_id).unwrap();
            out.flush().unwrap();
        }
    }
}

fn spawn(path: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "scan_until_killed", "--ignored", "--nocapture"])
        .env(PATH, path)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// Lets the child show some verdicts, kills it, and returns every verdict it has shown.
fn run_and_kill(path: &Path, entropy: &FixedEntropy, kill: u64) -> Vec<String> {
    let mut child = spawn(path, random(entropy, u64::MAX));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut shown = Vec::new();
    // Every eighth time it does not get as far as its first verdict.
    let wanted = if kill.is_multiple_of(8) { 0 } else { 1 + random(entropy, MOST_VERDICTS) };
    while (shown.len() as u64) < wanted {
        let line = lines.next().expect("the child ended by itself: see its error above").unwrap();
        shown.extend(line.strip_prefix("verdict ").map(str::to_owned));
    }
    for turn in 0..random(entropy, MOST_TURNS) {
        std::hint::black_box(turn);
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "killed, not ended");
    // The pipe still holds what was printed in the meantime; a line cut off was not shown.
    let rest = lines.map_while(Result::ok);
    shown.extend(rest.filter_map(|line| line.strip_prefix("verdict ").map(str::to_owned)));
    shown
}

#[test]
fn killed_over_and_over_no_shown_verdict_is_lost() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(now);
    eprintln!("{SEED}={seed}");
    let entropy = FixedEntropy::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let shown: Vec<String> = (0..KILLS).flat_map(|kill| run_and_kill(&path, &entropy, kill)).collect();

    let (ledger, report) = open(&path);
    assert_eq!(report, OpenReport::Opened);
    let chain = ledger.verify_chain().unwrap();
    assert!(chain.is_whole(), "{:?}", chain.first_break());
    let scans = ledger.scans(0, usize::MAX).unwrap();
    let by_seq: HashMap<i64, _> = scans.iter().map(|scan| (scan.seq, scan)).collect();
    let (_, tickets, _) = setting();
    assert!(shown.len() as u64 > KILLS, "only {} verdicts were shown", shown.len());
    for line in &shown {
        let fields: Vec<&str> = line.split(' ').collect();
        // The last line of a killed child may be cut off in the middle.
        let [seq, scan_id, outcome, ticket] = fields[..] else { continue };
        let (Ok(seq), Ok(ticket)) = (seq.parse(), ticket.parse::<usize>()) else { continue };
        let scan = by_seq.get(&seq).unwrap_or_else(|| panic!("verdict {line} is lost"));
        assert_eq!(scan.scan_id.to_string(), scan_id, "{line}");
        assert_eq!(scan.outcome.wire_code(), outcome, "{line}");
        assert!(scan.ticket_id.is_some_and(|id| tickets.iter().any(|known| known.ticket_id == id)));
        assert!(ticket < TICKETS);
    }
    let mut by_ticket: HashMap<_, Vec<Passage>> = HashMap::new();
    for scan in &scans {
        by_ticket.entry(scan.ticket_id).or_default().extend(scan.passage());
    }
    let twice = by_ticket.values().find(|passages| standing_passages(passages).len() > 1);
    assert_eq!(twice, None, "a ticket was admitted twice");
    let undone = scans.iter().filter(|scan| scan.undoes.is_some()).count();
    assert!(undone > 0, "nothing was taken back");
    eprintln!("{KILLS} kills, {} verdicts shown, {} recorded, {undone} undone", shown.len(), scans.len());
}
