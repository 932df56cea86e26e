//! Full disk, read-only files, the outbox, the manifest: what the storage does and what it survives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;

use std::path::Path;
use std::process::Command;

use harness::{MINUTE, Venue, open};
use liventix_core::ledger::LedgerError;
use liventix_core::rules::{Outcome, Reason, TicketStatus};
use liventix_core::sync::wire::{Receipt, ReceiptStatus};
use rusqlite::Connection;

#[test]
fn a_full_database_refuses_the_scan_and_keeps_what_it_has() {
    let venue = Venue::new();
    let tickets: Vec<_> = (0..200).map(|_| venue.ticket(venue.single)).collect();
    let mut door = venue.door(&tickets);
    door.ledger.limit_growth(4).unwrap();
    let mut shown = Vec::new();
    let error = tickets
        .iter()
        .find_map(|ticket| match door.try_scan(&venue.code(ticket)) {
            Ok(verdict) => {
                shown.push(verdict.scan_id);
                None
            }
            Err(error) => Some(error),
        })
        .expect("200 scans do not fit into four pages");
    assert_eq!(error.code(), "disk_full");
    assert!(error.to_string().contains("free some space"));
    // Everything shown is recorded, and nothing else.
    assert!(shown.len() > 3);
    assert!(door.records().iter().map(|scan| scan.scan_id).eq(shown.iter().copied()));
    assert!(door.ledger.verify_chain().unwrap().is_whole());
    // A page of the manifest is written whole or not at all.
    let more: Vec<_> = (0..500).map(|_| venue.ticket(venue.single)).collect();
    let mut page = venue.page(&more);
    page.next_cursor = 9;
    assert!(matches!(door.ledger.apply_page(&page), Err(LedgerError::DiskFull(_))));
    assert_eq!(door.ledger.cursor(venue.event.event_id).unwrap(), 1);
    assert!(door.ledger.ticket(venue.event.event_id, more[0].ticket_id).unwrap().is_none());
    // Space again: it goes on where it stopped.
    let (mut door, _) = door.restart();
    let next = &tickets[shown.len()];
    assert_eq!(door.scan(&venue.code(next)).decision.outcome, Outcome::Admit);
    assert!(door.ledger.verify_chain().unwrap().is_whole());
}

const READ_ONLY: &str = "LIVENTIX_READ_ONLY_PATH";

/// Runs as `nobody` where the tests run as root, whom file modes do not bind.
#[test]
#[ignore = "run by the test below"]
fn open_what_is_read_only() {
    let Some(path) = std::env::var_os(READ_ONLY) else { return };
    let error = open(Path::new(&path)).unwrap_err();
    assert_eq!(error.code(), "ledger_read_only", "{error:?}");
    assert!(error.to_string().contains("allow this program to write"));
}

#[cfg(unix)]
#[test]
fn a_read_only_file_or_folder_is_refused_and_untouched() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let venue = Venue::new();
    let mut door = venue.door(&[]);
    door.scan("nothing");
    let path = door.path.clone();
    drop(door);
    let before = std::fs::read(&path).unwrap();
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    // Everybody may run a copy of this program; where it was built may be closed to others.
    let tools = tempfile::tempdir().unwrap();
    let program = tools.path().join("reader");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    [tools.path(), &program].into_iter().for_each(|path| set_mode(path, 0o755));
    let lock = venue.path("door-1.db.lock");
    let is_root = rustix_is_root(tools.path());
    for (folder, file, lock_mode) in [(0o777, 0o444, 0o666), (0o555, 0o666, 0o666), (0o555, 0o444, 0o444)] {
        set_mode(&path, file);
        set_mode(&lock, lock_mode);
        set_mode(venue.folder.path(), folder);
        let mut command = Command::new(&program);
        command.args(["--exact", "open_what_is_read_only", "--ignored"]).env(READ_ONLY, &path);
        command.env("RUST_BACKTRACE", "0").current_dir("/");
        if is_root {
            command.uid(65_534).gid(65_534);
        }
        let output = command.output().unwrap();
        set_mode(venue.folder.path(), 0o755);
        assert!(output.status.success(), "{folder:o} {file:o}: {}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

/// Whether files that this process makes belong to root.
#[cfg(unix)]
fn rustix_is_root(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(folder).unwrap().uid() == 0
}

#[cfg(unix)]
#[test]
fn a_ledger_deleted_or_moved_under_an_open_door_is_noticed() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let mut door = venue.door(std::slice::from_ref(&ticket));
    let aside = venue.path("aside.db");
    std::fs::rename(&door.path, &aside).unwrap();
    let error = door.try_scan(&venue.code(&ticket)).unwrap_err();
    assert_eq!(error.code(), "ledger_moved");
    std::fs::rename(&aside, &door.path).unwrap();
    assert_eq!(door.scan(&venue.code(&ticket)).decision.outcome, Outcome::Admit);
}

#[test]
fn receipts_move_the_outbox_forward_once() {
    let venue = Venue::new();
    let mut door = venue.door(&[]);
    for number in 0..10 {
        door.scan(&format!("nothing {number}"));
        door.clock.advance(1_000);
    }
    let ledger_id = door.ledger.ledger_id();
    let summary = door.ledger.unsent_summary().unwrap();
    assert_eq!((summary.count, summary.oldest_age_ms), (10, Some(10_000)));
    let batch = door.ledger.unsent(4).unwrap().unwrap();
    assert_eq!((batch.ledger_id, batch.scans.len()), (ledger_id, 4));
    let mut receipts: Vec<_> = batch
        .scans
        .iter()
        .map(|scan| Receipt { scan_id: scan.scan_id, status: ReceiptStatus::Accepted, code: None })
        .collect();
    receipts[1].status = ReceiptStatus::Quarantined;
    receipts[1].code = Some("clock_impossible".to_owned());
    // A gap stops it: the third receipt is missing.
    let partial = [receipts[0].clone(), receipts[1].clone(), receipts[3].clone()];
    door.ledger.acknowledge(ledger_id, &partial).unwrap();
    assert_eq!(door.ledger.unsent(100).unwrap().unwrap().scans[0].seq, 3);
    for _ in 0..2 {
        door.ledger.acknowledge(ledger_id, &receipts).unwrap();
        assert_eq!(door.ledger.unsent(100).unwrap().unwrap().scans[0].seq, 5);
    }
    let aside = door.ledger.quarantined().unwrap();
    assert_eq!(aside.len(), 1);
    assert_eq!((aside[0].0.seq, aside[0].1.as_str()), (2, "clock_impossible"));
    let (door, _) = door.restart();
    let mut lines = Vec::new();
    assert_eq!(door.ledger.export_unsent(&mut lines).unwrap(), 6);
    assert_eq!(String::from_utf8(lines).unwrap().lines().count(), 6);
}

#[test]
fn pages_are_idempotent_and_never_go_back() {
    let venue = Venue::new();
    let event_id = venue.event.event_id;
    let mut ticket = venue.ticket(venue.single);
    let mut door = venue.door(&[ticket.clone()]);
    ticket.status = TicketStatus::Revoked;
    let mut newer = venue.page(&[ticket.clone()]);
    newer.next_cursor = 7;
    for _ in 0..2 {
        let applied = door.ledger.apply_page(&newer).unwrap();
        assert!(!applied.outdated);
    }
    // The first page again, delayed on the way.
    ticket.status = TicketStatus::Valid;
    assert!(door.ledger.apply_page(&venue.page(&[ticket.clone()])).unwrap().outdated);
    assert_eq!(door.ledger.cursor(event_id).unwrap(), 7);
    let stored = door.ledger.ticket(event_id, ticket.ticket_id).unwrap().unwrap();
    assert_eq!(stored.status, TicketStatus::Revoked);
    assert_eq!(door.scan(&venue.code(&ticket)).decision.reason, Reason::Revoked);
}

#[test]
fn a_page_that_makes_no_sense_changes_nothing() {
    let venue = Venue::new();
    let mut door = venue.bare_door("new.db", 1);
    let mut page = venue.page(&[venue.ticket(venue.single)]);
    page.event = None;
    assert_eq!(door.ledger.apply_page(&page).unwrap_err().code(), "manifest_page_invalid");
    let mut page = venue.page(&[]);
    page.event_id = liventix_core::ids::EventId::from_bytes([9; 16]);
    assert_eq!(door.ledger.apply_page(&page).unwrap_err().code(), "manifest_page_invalid");
    assert!(door.ledger.events().unwrap().is_empty());
}

#[test]
fn names_are_forgotten() {
    let venue = Venue::new();
    let event_id = venue.event.event_id;
    let mut tickets: Vec<_> = (0..3).map(|_| venue.ticket(venue.single)).collect();
    for (ticket, name) in tickets.iter_mut().zip(["Zoë Quist", "Åsa Öberg", "Ada Lovelace"]) {
        ticket.attendee_name = Some(name.to_owned());
    }
    let mut door = venue.door(&tickets);
    assert_eq!(door.ledger.search(event_id, "lovelace", 2).unwrap().len(), 1);
    door.scan(&venue.code(&tickets[0]));
    door.ledger.forget_manifest(event_id).unwrap();
    assert!(door.ledger.search(event_id, "lovelace", 2).unwrap().is_empty());
    assert_eq!(door.records().len(), 1, "scans stay");
    assert_eq!(door.ledger.list_age_ms(event_id).unwrap(), None);
    let bytes = std::fs::read(&door.path).unwrap();
    assert!(!bytes.windows(8).any(|window| window == b"Lovelace"), "the name is gone from the file");
}

#[test]
fn a_list_grows_old() {
    let venue = Venue::new();
    let mut door = venue.door(&[]);
    door.clock.advance(90 * MINUTE);
    assert_eq!(door.ledger.list_age_ms(venue.event.event_id).unwrap(), Some(90 * MINUTE));
    let settings = Connection::open(&door.path).unwrap();
    let mode: String = settings.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}
