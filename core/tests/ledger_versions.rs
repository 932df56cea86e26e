//! A ledger of the first version: brought up to date where it is whole, rescued where it is damaged, and
//! its scans valid as they were.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use harness::{Door, MINUTE, NOW, Venue};
use liventix_core::ids::{DeviceId, EventId, GateId, LedgerId, ScanId, TicketId};
use liventix_core::ledger::record::{Fingerprint, Hash, Medium, ScanRecord};
use liventix_core::ledger::{Ledger, OpenReport, Rescue};
use liventix_core::rules::{Confidence, Direction, Evidence, Flag, Outcome, Reason};
use liventix_core::sync::wire::TicketEntry;
use rusqlite::Connection;

/// Takes the newer columns off again: what is left is a file of the first version, row by row.
fn make_first_version(path: &Path) {
    let file = Connection::open(path).unwrap();
    file.execute_batch(
        "ALTER TABLE scans DROP COLUMN overruled; ALTER TABLE scans DROP COLUMN undoes;
         ALTER TABLE scans DROP COLUMN note; ALTER TABLE passages DROP COLUMN undoes;
         ALTER TABLE passages DROP COLUMN forced; PRAGMA user_version = 1;
         PRAGMA wal_checkpoint(TRUNCATE);",
    )
    .unwrap();
    let columns: i64 =
        file.query_row("SELECT count(*) FROM pragma_table_info('scans')", [], |row| row.get(0)).unwrap();
    assert_eq!(columns, 21);
}

/// What is left of a door while its ledger is closed.
struct Closed {
    door: Box<dyn FnOnce() -> (Door, OpenReport)>,
    path: PathBuf,
}

fn close(door: Door) -> Closed {
    let Door { ledger, keys, context, clock, entropy, path } = door;
    drop(ledger);
    let at = path.clone();
    let open = move || {
        let (ledger, report) = Ledger::open(&path, clock.clone(), entropy.clone()).unwrap();
        (Door { ledger, keys, context, clock, entropy, path }, report)
    };
    Closed { door: Box::new(open), path: at }
}

/// A door with `count` admissions and a passage of another door.
fn busy_door(venue: &Venue, count: usize) -> (Door, Vec<TicketEntry>) {
    let tickets: Vec<_> = (0..count).map(|_| venue.ticket(venue.single)).collect();
    let mut other = venue.door(&tickets);
    other.scan(&venue.code(&tickets[0]));
    let mut door = venue.door(&tickets);
    door.ledger.apply_page(&venue.passages(2, other.passages())).unwrap();
    for ticket in &tickets[1..] {
        door.clock.advance(1_000);
        door.scan(&venue.code(ticket));
    }
    (door, tickets)
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn a_file_of_the_first_version_goes_on_as_it_is() {
    let venue = Venue::new();
    let (door, tickets) = busy_door(&venue, 20);
    let (before, counts) = (door.records(), door.ledger.counts(venue.event.event_id).unwrap());
    let closed = close(door);
    make_first_version(&closed.path);
    let (mut door, report) = (closed.door)();
    assert_eq!(report, OpenReport::Opened);
    assert_eq!(door.records(), before);
    assert_eq!(door.ledger.counts(venue.event.event_id).unwrap(), counts);
    assert!(door.ledger.verify_chain().unwrap().is_whole());
    // The chain goes on with scans of either kind.
    door.undo(before[18].scan_id).unwrap();
    door.clock.advance(MINUTE);
    assert_eq!(door.force(&venue.code(&tickets[0])).decision.overruled, Some(Reason::AlreadyUsed));
    assert_eq!(door.scan(&venue.code(&tickets[19])).decision.reason, Reason::Entered);
    let (door, report) = door.restart();
    assert_eq!(report, OpenReport::Opened);
    assert_eq!(door.records().len(), 22);
    assert!(door.ledger.verify_chain().unwrap().is_whole());
}

type Damage = fn(&Path);

/// The three ways a file can be damaged that rescue treats differently.
fn damages() -> Vec<(&'static str, Damage)> {
    let destroy_root: Damage = |path| {
        let file = Connection::open(path).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'scans'";
        let root: i64 = file.query_row(sql, [], |row| row.get(0)).unwrap();
        drop(file);
        overwrite(path, (root as u64 - 1) * 4_096, &[0; 4_096]);
    };
    vec![
        ("first page", |path| overwrite(path, 0, &[0xFF; 4_096])),
        ("inner page", destroy_root),
        ("freelist", |path| overwrite(path, 36, &u32::MAX.to_be_bytes())),
    ]
}

#[test]
fn a_damaged_file_of_either_version_gives_up_its_scans() {
    for first_version in [true, false] {
        for (what, damage) in damages() {
            let venue = Venue::new();
            let (mut door, tickets) = busy_door(&venue, 200);
            if !first_version {
                let last = door.records().pop().unwrap();
                door.undo(last.scan_id).unwrap();
                door.clock.advance(MINUTE);
                door.force(&venue.code(&tickets[0]));
            }
            let mut before = door.records();
            let closed = close(door);
            if first_version {
                make_first_version(&closed.path);
            }
            damage(&closed.path);
            let (mut door, report) = (closed.door)();
            let OpenReport::Rescued(rescue) = report else { panic!("{what}: not rescued") };
            check_rescued(&rescue, before.len(), what);
            let saved = door.ledger.unsent(1_000).unwrap().unwrap().scans;
            assert_eq!(saved, before, "{what}");
            // What was taken back stays so, and the other door's passage is there too.
            let last = venue.code(&tickets[199]);
            door.clock.advance(MINUTE);
            let expected = if first_version { Reason::AlreadyUsed } else { Reason::Entered };
            assert_eq!(door.scan(&last).decision.reason, expected, "{what}");
            assert_eq!(door.scan(&venue.code(&tickets[0])).decision.reason, Reason::AlreadyUsed, "{what}");
            // A scan of the rescued ledger is this device's own still.
            let own = before.pop().unwrap();
            assert_eq!(door.undo(own.scan_id).unwrap().undoes, own.scan_id, "{what}");
        }
    }
}

fn check_rescued(rescue: &Rescue, scans: usize, what: &str) {
    assert_eq!((rescue.scans, rescue.missing), (scans as u64, 0), "{what}");
    assert!(rescue.manifest, "{what}");
}

/// Made up, so that every field has a value of its own.
fn record() -> ScanRecord {
    let id = |number: u8| [number; 16];
    ScanRecord {
        scan_id: ScanId::from_bytes(id(1)),
        device_id: DeviceId::from_bytes(id(2)),
        ledger_id: LedgerId::from_bytes(id(3)),
        seq: 7,
        event_id: EventId::from_bytes(id(4)),
        gate_id: GateId::from_bytes(id(5)),
        ticket_id: Some(TicketId::from_bytes(id(6))),
        direction: Direction::Entry,
        people: 2,
        medium: Medium::Printed,
        fingerprint: Fingerprint(id(7)),
        outcome: Outcome::Refuse,
        reason: Reason::AlreadyUsed,
        confidence: Confidence::Red,
        flags: vec![Flag::ListStale],
        first_admission: Some(Evidence {
            scan_id: ScanId::from_bytes(id(8)),
            at: NOW - 5,
            gate_id: GateId::from_bytes(id(9)),
            device_id: DeviceId::from_bytes(id(10)),
        }),
        wall_ms: NOW,
        mono_ms: 60_000,
        offset_ms: -3,
        error_ms: Some(20),
        overruled: None,
        undoes: None,
        note: None,
        prev_hash: Hash([11; 32]),
        hash: Hash([0; 32]),
    }
}

#[test]
fn hashes_are_what_they_always_were_and_cover_what_is_new() {
    let plain = record();
    assert_eq!(
        plain.compute_hash().to_string(),
        "JsE2Ur9Fh9DO2GEXMrsBpkK5gigaxRm05oxd-1N1eUk",
        "as the first version wrote it"
    );
    let text = serde_json::to_string(&plain).unwrap();
    assert!(!["overruled", "undoes", "note"].iter().any(|name| text.contains(name)), "{text}");
    assert_eq!(serde_json::from_str::<ScanRecord>(&text).unwrap(), plain);

    let note = || Some("paid at the desk".to_owned());
    let undoes = Some(ScanId::from_bytes([12; 16]));
    let overruled = Some(Reason::AlreadyUsed);
    let variants = [
        ScanRecord { overruled, note: note(), ..record() },
        ScanRecord { overruled: Some(Reason::Unpaid), note: note(), ..record() },
        ScanRecord { overruled, note: Some("paid at the desk?".to_owned()), ..record() },
        ScanRecord { undoes, note: note(), ..record() },
        ScanRecord { undoes: Some(ScanId::from_bytes([13; 16])), note: note(), ..record() },
        ScanRecord { overruled, undoes, note: note(), ..record() },
        ScanRecord { note: note(), ..record() },
        ScanRecord { overruled, ..record() },
        ScanRecord { undoes, ..record() },
        plain,
    ];
    assert_eq!(variants[0].compute_hash().to_string(), "NHibkw7ZzxAqDF4nYgk-o94tqowXY3IWm4c7krWFvFA");
    let mut hashes: Vec<String> = variants.iter().map(|scan| scan.compute_hash().to_string()).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), variants.len());
    for mut scan in variants {
        scan.hash = scan.compute_hash();
        let text = serde_json::to_string(&scan).unwrap();
        assert_eq!(serde_json::from_str::<ScanRecord>(&text).unwrap(), scan);
        assert!(scan.is_intact());
    }
}
