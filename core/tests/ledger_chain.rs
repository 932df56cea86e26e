//! Append-only, gapless, one chain: whoever writes, and whoever tampers.

mod harness;

use std::collections::HashSet;
use std::sync::Arc;

use harness::{MINUTE, Venue};
use liventix_core::clock::SystemClock;
use liventix_core::entropy::OsEntropy;
use liventix_core::ledger::{BreakKind, Ledger, OpenReport};
use liventix_core::rules::{Outcome, Reason};
use liventix_core::scan::scan;
use rusqlite::Connection;

/// A door after `count` scans, and a second connection for what no door does.
fn tampered(count: usize, sql: &str) -> liventix_core::ledger::ChainReport {
    let venue = Venue::new();
    let mut door = venue.door(&[]);
    for number in 0..count {
        door.scan(&format!("nothing {number}"));
    }
    assert!(door.ledger.verify_chain().unwrap().is_whole());
    let intruder = Connection::open(&door.path).unwrap();
    intruder.execute_batch("DROP TRIGGER scans_never_change; DROP TRIGGER scans_never_go;").unwrap();
    intruder.execute_batch(sql).unwrap();
    door.ledger.verify_chain().unwrap()
}

/// `id` of the scan with this `seq` in the first ledger.
const fn key(seq: i64) -> i64 {
    (1 << 40) | seq
}

#[test]
fn sql_cannot_change_or_delete_a_scan() {
    let venue = Venue::new();
    let mut door = venue.door(&[]);
    door.scan("nothing");
    let intruder = Connection::open(&door.path).unwrap();
    for sql in ["UPDATE scans SET people = 9", "DELETE FROM scans", "REPLACE INTO scans SELECT * FROM scans"]
    {
        let result = intruder.execute(sql, []);
        assert!(result.unwrap_err().to_string().contains("append-only"), "{sql}");
    }
    assert!(door.ledger.verify_chain().unwrap().is_whole());
}

#[test]
fn tampering_shows_where_it_happened() {
    let altered = tampered(9, &format!("UPDATE scans SET reason = 'entered' WHERE id = {}", key(4)));
    let first = altered.first_break().unwrap();
    assert_eq!((first.seq, first.kind, altered.breaks.len()), (4, BreakKind::Altered, 1));

    let removed = tampered(9, &format!("DELETE FROM scans WHERE id IN ({}, {})", key(4), key(5)));
    assert_eq!(removed.first_break().unwrap().seq, 6);
    assert_eq!(removed.first_break().unwrap().kind, BreakKind::Gap { missing: 2 });

    let swapped = format!(
        "UPDATE scans SET id = 7 WHERE id = {0}; UPDATE scans SET id = {0} WHERE id = {1};
         UPDATE scans SET id = {1} WHERE id = 7;",
        key(2),
        key(3)
    );
    let swapped = tampered(9, &swapped);
    assert_eq!(swapped.first_break().unwrap().seq, 2);
    assert!(swapped.breaks.iter().any(|found| found.kind == BreakKind::Unlinked));
    assert_eq!(swapped.scans, 9);
}

#[test]
fn two_ledgers_on_one_file_write_one_chain() {
    const EACH: usize = 60;
    let venue = Venue::new();
    let tickets: Vec<_> = (0..EACH).map(|_| venue.ticket(venue.single)).collect();
    let codes: Vec<_> = tickets.iter().map(|ticket| venue.code(ticket)).collect();
    let door = venue.door(&tickets);
    // Both scan every ticket, in opposite order.
    let admitted: usize = std::thread::scope(|scope| {
        let work = [false, true].map(|backwards| {
            let (path, keys, context, codes) = (&door.path, &venue.keys, door.context, &codes);
            scope.spawn(move || {
                let (mut ledger, report) =
                    Ledger::open(path, Arc::new(SystemClock::new()), Arc::new(OsEntropy)).unwrap();
                assert_eq!(report, OpenReport::Opened);
                let order: Vec<_> =
                    if backwards { codes.iter().rev().collect() } else { codes.iter().collect() };
                let outcomes = order
                    .into_iter()
                    .map(|code| scan(&mut ledger, keys, &context, code).unwrap().decision.outcome);
                outcomes.filter(|outcome| *outcome == Outcome::Admit).count()
            })
        });
        work.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, EACH, "each ticket once, however many scan it");
    let records = door.records();
    assert!(records.iter().map(|scan| scan.seq).eq(1..=2 * EACH as i64), "no gap, no fork");
    assert!(door.ledger.verify_chain().unwrap().is_whole());
    let ids: HashSet<_> = records.iter().map(|scan| scan.scan_id).collect();
    assert_eq!(ids.len(), 2 * EACH);
    // The door that watched sees it all.
    assert_eq!(door.ledger.counts(venue.event.event_id).unwrap().admitted_people, EACH as u64);
}

#[test]
fn a_writer_that_does_not_let_go_is_reported_and_nothing_is_recorded() {
    let venue = Venue::new();
    let ticket = venue.ticket(venue.single);
    let code = venue.code(&ticket);
    let mut door = venue.door(&[ticket]);
    let other = Connection::open(&door.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = door.try_scan(&code).unwrap_err();
    assert_eq!(error.code(), "ledger_locked");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(door.scan(&code).decision.reason, Reason::Entered);
    assert_eq!(door.records().len(), 1);
}

#[test]
fn counts_follow_every_scan() {
    let venue = Venue::new();
    let tickets: Vec<_> = (0..5).map(|_| venue.ticket(venue.single)).collect();
    let mut door = venue.door(&tickets);
    let event_id = venue.event.event_id;
    assert_eq!(door.ledger.counts(event_id).unwrap().tickets, 5);
    for ticket in &tickets {
        door.scan(&venue.code(ticket));
        door.clock.advance(MINUTE);
    }
    door.scan(&venue.code(&tickets[0]));
    door.pass(&venue.code(&tickets[1]), liventix_core::rules::Direction::Exit, 1);
    let counts = door.ledger.counts(event_id).unwrap();
    assert_eq!((counts.admitted_people, counts.inside, counts.scans_here, counts.refused_here), (5, 4, 7, 1));
    let (door, _) = door.restart();
    assert_eq!(door.ledger.counts(event_id).unwrap(), counts);
}
