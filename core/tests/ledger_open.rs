//! Opening what is not a healthy ledger: each case a typed error or a rescue, and nothing lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use harness::{Door, Venue, open};
use liventix_core::ledger::record::ScanRecord;
use liventix_core::ledger::{LedgerError, OpenReport, Rescue};
use liventix_core::rules::{Outcome, Reason};
use liventix_core::sync::wire::{Receipt, ReceiptStatus, TicketEntry};

fn receipts(scans: &[ScanRecord]) -> Vec<Receipt> {
    let receipt =
        |scan: &ScanRecord| Receipt { scan_id: scan.scan_id, status: ReceiptStatus::Accepted, code: None };
    scans.iter().map(receipt).collect()
}

/// A door with `count` admissions, of which the first half is confirmed by the server.
fn busy_door(venue: &Venue, count: usize) -> (Door, Vec<TicketEntry>) {
    let tickets: Vec<_> = (0..count).map(|_| venue.ticket(venue.single)).collect();
    let mut door = venue.door(&tickets);
    for ticket in &tickets {
        door.clock.advance(1_000);
        assert_eq!(door.scan(&venue.code(ticket)).decision.outcome, Outcome::Admit);
    }
    let ledger_id = door.ledger.ledger_id();
    door.ledger.acknowledge(ledger_id, &receipts(&door.records()[..count / 2])).unwrap();
    (door, tickets)
}

/// Closes the ledger so that everything is in the main file, damages it, and opens it again.
fn reopen_damaged(door: Door, damage: impl FnOnce(&Path)) -> (Door, Rescue) {
    let Door { ledger, keys, context, clock, entropy, path } = door;
    drop(ledger);
    damage(&path);
    let (ledger, report) =
        liventix_core::ledger::Ledger::open(&path, clock.clone(), entropy.clone()).unwrap();
    let OpenReport::Rescued(rescue) = report else { panic!("not rescued: {report:?}") };
    (Door { ledger, keys, context, clock, entropy, path }, rescue)
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

/// The numbers of the pages whose bytes contain `needle`.
fn pages_with(path: &Path, needle: &[u8]) -> Vec<u64> {
    let bytes = fs::read(path).unwrap();
    let pages = bytes.chunks(4_096).enumerate();
    pages.filter(|(_, page)| page.windows(needle.len()).any(|w| w == needle)).map(|(n, _)| n as u64).collect()
}

/// Destroys the page of `scans` that holds this scan.
fn destroy_page_of(path: &Path, scan: &ScanRecord) {
    for page in pages_with(path, &scan.hash.0) {
        overwrite(path, page * 4_096, &[0xAA; 4_096]);
    }
}

#[test]
fn a_new_path_becomes_a_ledger_and_stays_the_same_one() {
    let venue = Venue::new();
    let path = venue.path("new.db");
    let (first, report) = open(&path).unwrap();
    assert_eq!(report, OpenReport::Created);
    let id = first.ledger_id();
    drop(first);
    let (second, report) = open(&path).unwrap();
    assert_eq!(report, OpenReport::Opened);
    assert_eq!(second.ledger_id(), id);
    let header = fs::read(&path).unwrap();
    assert_eq!(&header[68..72], b"LXLG", "application id");
}

#[test]
fn other_files_are_refused_and_untouched() {
    let venue = Venue::new();
    let text = venue.path("notes.txt");
    fs::write(&text, "not a database, but somebody's notes, long enough to be one ".repeat(9)).unwrap();
    let short = venue.path("short");
    fs::write(&short, "x").unwrap();
    let sqlite = venue.path("other.sqlite");
    let other = rusqlite::Connection::open(&sqlite).unwrap();
    other.execute_batch("CREATE TABLE photos (name TEXT); INSERT INTO photos VALUES ('a')").unwrap();
    drop(other);
    let folder = venue.path("folder");
    fs::create_dir(&folder).unwrap();
    for path in [&text, &short, &sqlite] {
        let before = fs::read(path).unwrap();
        let error = open(path).unwrap_err();
        assert_eq!(error.code(), "not_a_ledger", "{}", path.display());
        assert!(error.to_string().contains("choose another path"));
        assert_eq!(fs::read(path).unwrap(), before);
    }
    assert_eq!(open(&folder).unwrap_err().code(), "not_a_ledger");
    let names: HashSet<_> =
        fs::read_dir(venue.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 4, "nothing was put beside them: {names:?}");
}

#[test]
fn a_newer_format_is_refused_and_untouched() {
    let venue = Venue::new();
    let (door, _) = busy_door(&venue, 4);
    let path = door.path.clone();
    drop(door);
    overwrite(&path, 60, &99_u32.to_be_bytes());
    let before = fs::read(&path).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, LedgerError::Newer { found: 99, supported: 2 }), "{error:?}");
    assert!(error.to_string().contains("update this program"));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn an_interrupted_creation_starts_over() {
    let venue = Venue::new();
    let path = venue.path("half.db");
    fs::write(venue.path("half.db.new"), b"SQLite format 3\0 and then the power went").unwrap();
    fs::write(venue.path("half.db.new-wal"), b"half").unwrap();
    assert_eq!(open(&path).unwrap().1, OpenReport::Created);
    assert!(!venue.path("half.db.new").exists());
}

#[test]
fn a_damaged_page_loses_only_what_was_on_it() {
    let venue = Venue::new();
    let (door, tickets) = busy_door(&venue, 200);
    let old_id = door.ledger.ledger_id();
    let before = door.records();
    let (mut door, rescue) = reopen_damaged(door, |path| destroy_page_of(path, &before[150]));

    assert_ne!(door.ledger.ledger_id(), old_id, "a new file is a new ledger");
    assert_eq!(rescue.ledger_id, Some(old_id));
    assert!(rescue.missing > 0 && rescue.missing < 30, "{rescue:?}");
    assert_eq!(rescue.scans + rescue.missing, 200);
    assert!(rescue.set_aside.exists());

    // What is saved goes out under its old ledger, from the first unconfirmed on, byte for byte.
    let upload = door.ledger.unsent(1_000).unwrap().unwrap();
    assert_eq!(upload.ledger_id, old_id);
    assert_eq!(upload.scans[0].seq, 101);
    for scan in &upload.scans {
        assert_eq!(scan, &before[scan.seq as usize - 1]);
        assert!(scan.is_intact());
    }
    // Admitted stays admitted, and the manifest is still there.
    door.clock.advance(3_600_000);
    assert_eq!(door.scan(&venue.code(&tickets[0])).decision.reason, Reason::AlreadyUsed);
    assert_eq!(door.ledger.device().unwrap().unwrap().device_name, "North 1");
    let own = door.records();
    assert_eq!((own.len(), own[0].seq, own[0].ledger_id), (1, 1, door.ledger.ledger_id()));
    // Old scans first, then those of the new ledger.
    door.ledger.acknowledge(old_id, &receipts(&upload.scans)).unwrap();
    assert_eq!(door.ledger.unsent(1_000).unwrap().unwrap().ledger_id, door.ledger.ledger_id());
    let chain = door.ledger.verify_chain().unwrap();
    assert!(chain.breaks.iter().all(|found| found.ledger_id == old_id), "{chain:?}");

    let (_, report) = door.restart();
    assert_eq!(report, OpenReport::Opened);
}

#[test]
fn a_destroyed_header_is_no_loss() {
    let venue = Venue::new();
    let (door, _) = busy_door(&venue, 120);
    let before = door.records();
    let old_id = door.ledger.ledger_id();
    for junk in [0_u8, 0xFF] {
        let (door, _) = busy_door(&venue, 40);
        let before = door.records();
        let (door, rescue) = reopen_damaged(door, |path| overwrite(path, 0, &[junk; 4_096]));
        assert_eq!((rescue.scans, rescue.missing), (40, 0));
        assert_eq!(door.ledger.unsent(100).unwrap().unwrap().scans, before[20..]);
    }
    let (door, rescue) = reopen_damaged(door, |path| overwrite(path, 0, b"not SQLite"));
    assert_eq!((rescue.scans, rescue.ledger_id), (120, Some(old_id)));
    assert_eq!(door.ledger.unsent(100).unwrap().unwrap().scans, before[60..]);
}

#[test]
fn a_destroyed_inner_page_hides_nothing() {
    let venue = Venue::new();
    let (door, _) = busy_door(&venue, 300);
    let before = door.records();
    let (door, rescue) = reopen_damaged(door, |path| {
        let root = rusqlite::Connection::open(path)
            .unwrap()
            .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'scans'", [], |row| {
                row.get::<_, i64>(0)
            })
            .unwrap();
        overwrite(path, (root as u64 - 1) * 4_096, &[0; 4_096]);
    });
    assert_eq!((rescue.scans, rescue.missing), (300, 0));
    assert_eq!(door.ledger.unsent(1_000).unwrap().unwrap().scans, before[150..]);
}

#[test]
fn a_truncated_file_keeps_its_front() {
    let venue = Venue::new();
    let (door, _) = busy_door(&venue, 300);
    let before = door.records();
    let (door, rescue) = reopen_damaged(door, |path| {
        let length = fs::metadata(path).unwrap().len();
        fs::OpenOptions::new()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(length * 2 / 3 / 4_096 * 4_096)
            .unwrap();
    });
    assert!(rescue.scans > 50, "{rescue:?}");
    for scan in door.ledger.unsent(1_000).unwrap().into_iter().flat_map(|upload| upload.scans) {
        assert_eq!(scan, before[scan.seq as usize - 1]);
    }
}

#[test]
fn an_emptied_file_is_set_aside_and_reported() {
    let venue = Venue::new();
    let (door, _) = busy_door(&venue, 10);
    let (_, rescue) = reopen_damaged(door, |path| fs::write(path, b"").unwrap());
    assert_eq!(rescue.scans, 0);
    assert!(rescue.set_aside.exists());
}

#[test]
fn a_destroyed_ledger_row_is_remembered_by_the_lock_file() {
    let venue = Venue::new();
    let (door, _) = busy_door(&venue, 60);
    let old_id = door.ledger.ledger_id();
    let before = door.records();
    let (door, rescue) = reopen_damaged(door, |path| {
        for page in pages_with(path, old_id.as_bytes()) {
            overwrite(path, page * 4_096, &[0x55; 4_096]);
        }
    });
    assert_eq!((rescue.ledger_id, rescue.scans), (Some(old_id), 60));
    // What was confirmed is not known any more: everything goes out again, which is harmless.
    assert_eq!(door.ledger.unsent(100).unwrap().unwrap().scans, before);
}

#[test]
fn an_altered_scan_is_not_taken_over() {
    let venue = Venue::new();
    let (door, _) = busy_door(&venue, 30);
    let before = door.records();
    let (door, rescue) = reopen_damaged(door, |path| {
        // A forger raises the number in a row, and something else breaks the file.
        let mut bytes = fs::read(path).unwrap();
        let place = bytes.windows(16).position(|w| w == before[25].fingerprint.0).unwrap();
        bytes[place] ^= 1;
        fs::write(path, bytes).unwrap();
        for page in pages_with(path, before[25].ticket_id.unwrap().as_bytes()) {
            let mut kind = [0];
            let mut file = fs::File::open(path).unwrap();
            file.seek(SeekFrom::Start(page * 4_096)).unwrap();
            file.read_exact(&mut kind).unwrap();
            // 10: a leaf of an index, here of scans by ticket or of tickets.
            if kind == [10] {
                overwrite(path, page * 4_096, &[0; 4_096]);
            }
        }
    });
    assert_eq!((rescue.scans, rescue.missing), (29, 1));
    assert!(door.ledger.unsent(100).unwrap().unwrap().scans.iter().all(ScanRecord::is_intact));
}

#[test]
fn an_interrupted_rescue_is_completed() {
    let venue = Venue::new();
    let (door, _) = busy_door(&venue, 40);
    let path = door.path.clone();
    let before = door.records();
    let (door, rescue) = reopen_damaged(door, |path| destroy_page_of(path, &before[5]));
    let new_id = door.ledger.ledger_id();
    drop(door);
    // As if the power had gone before the renames: the new file complete, the old one in its place.
    fs::rename(&path, venue.path("door-1.db.new")).unwrap();
    fs::rename(&rescue.set_aside, &path).unwrap();
    let (ledger, report) = open(&path).unwrap();
    assert_eq!(report, OpenReport::Rescued(rescue.clone()));
    assert_eq!(ledger.ledger_id(), new_id);
    drop(ledger);
    // Or between them.
    fs::rename(&path, venue.path("door-1.db.new")).unwrap();
    let (ledger, report) = open(&path).unwrap();
    assert_eq!(report, OpenReport::Rescued(rescue));
    assert_eq!(ledger.unsent(100).unwrap().unwrap().scans[0].seq, 21);
}

#[test]
fn a_second_rescue_keeps_the_first_one_s_scans() {
    let venue = Venue::new();
    let (door, tickets) = busy_door(&venue, 50);
    let first_id = door.ledger.ledger_id();
    let (mut door, _) = reopen_damaged(door, |path| overwrite(path, 0, &[0; 4_096]));
    let second_id = door.ledger.ledger_id();
    door.clock.advance(3_600_000);
    for ticket in &tickets {
        assert_eq!(door.scan(&venue.code(ticket)).decision.reason, Reason::AlreadyUsed);
    }
    let (door, rescue) = reopen_damaged(door, |path| overwrite(path, 0, &[0; 4_096]));
    assert_eq!((rescue.scans, rescue.missing), (100, 0));
    assert_ne!(door.ledger.ledger_id(), second_id);
    let mut lines = Vec::new();
    assert_eq!(door.ledger.export_unsent(&mut lines).unwrap(), 75);
    let ids: Vec<_> = String::from_utf8(lines)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<ScanRecord>(line).unwrap().ledger_id)
        .collect();
    assert!(ids[..25].iter().all(|id| *id == first_id) && ids[25..].iter().all(|id| *id == second_id));
}

#[test]
fn a_ledger_in_use_is_never_replaced() {
    let venue = Venue::new();
    let (door, _) = busy_door(&venue, 50);
    let before = door.records();
    let path = door.path.clone();
    // Into the file itself, past the log that this connection still reads from.
    let keeper = rusqlite::Connection::open(&path).unwrap();
    keeper.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    destroy_page_of(&path, &before[10]);
    let error = open(&path).unwrap_err();
    assert_eq!(error.code(), "ledger_locked");
    assert!(error.to_string().contains("close it there"));
    drop((keeper, door));
    assert!(matches!(open(&path).unwrap().1, OpenReport::Rescued(_)));
}
