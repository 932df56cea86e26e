//! Every request of a sync fails once, in every way, and the next clean sync puts everything right.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

mod sync_support;

use liventix_core::rules::TicketStatus;
use liventix_core::sync::SyncError;
use sync_support::{Door, Fault, Plan, ticket_id};

/// A device that has scanned offline while the world went on without it.
async fn door_with_work(folder: &std::path::Path) -> Door {
    let door = Door::enrolled(folder).await;
    door.engine.sync(|_| {}).await.unwrap();
    for number in 1..=5 {
        door.admit(number);
    }
    let mut server = door.network.server();
    server.put_ticket(6, TicketStatus::Revoked);
    server.put_ticket(8, TicketStatus::Valid);
    server.foreign_entry(1);
    server.rotate_keys();
    server.foreign_entry(7);
    drop(server);
    door
}

/// Server and device agree on everything, and nothing was counted twice.
async fn assert_converged(door: &Door, what: &str) {
    door.network.plan(None);
    door.engine.sync(|_| {}).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let again = door.engine.sync(|_| {}).await.unwrap();
    assert_eq!(
        (again.pushed, again.duplicates, again.tickets, again.passages, again.key_rings),
        (0, 0, 0, 0, 0),
        "{what}"
    );

    let keys = door.engine.load_keys().unwrap();
    let server = door.network.server();
    let mut ledger = door.ledger.lock().unwrap();
    assert_eq!(server.scans.len(), 5, "{what}: scans at the server");
    assert_eq!(server.accepted, 5, "{what}: scans accepted");
    assert!(server.scans.values().all(|scan| scan.is_intact()), "{what}");
    assert_eq!(ledger.unsent_summary().unwrap().count, 0, "{what}: unsent");
    assert!(ledger.unsent(10).unwrap().is_none(), "{what}: outbox");

    let event_id = server.event.event_id;
    assert_eq!(ledger.cursor(event_id).unwrap(), server.log.len() as i64, "{what}: cursor");
    assert_eq!(ledger.event(event_id).unwrap().as_ref(), Some(&server.event), "{what}: event");
    for (ticket_id, entry) in server.tickets() {
        assert_eq!(ledger.ticket(event_id, ticket_id).unwrap(), Some(entry), "{what}");
    }
    assert_eq!(keys.version(event_id), Some(server.event.key_version), "{what}: keys");
    // Ticket 1 entered here and elsewhere: one conflict, however often its passages came.
    let conflicts = ledger.conflicts(event_id).unwrap();
    assert_eq!(conflicts.len(), 1, "{what}: {conflicts:?}");
    assert_eq!(conflicts[0].ticket_id, ticket_id(1), "{what}");
    assert!(ledger.verify_chain().unwrap().is_whole(), "{what}");
}

async fn requests_of_a_sync() -> usize {
    let folder = tempfile::tempdir().unwrap();
    let door = door_with_work(folder.path()).await;
    door.network.plan(None);
    door.engine.sync(|_| {}).await.unwrap();
    let sent = door.network.sent();
    // The steps, so that nobody shortens this test by accident.
    for step in ["/v1/time", "/v1/door/scans", "/v1/door/assignments", "/keys", "/manifest"] {
        assert!(sent.iter().any(|path| path.contains(step)), "{step} in {sent:#?}");
    }
    assert!(sent.iter().filter(|path| path.contains("/scans")).count() >= 3, "several batches: {sent:#?}");
    assert!(sent.iter().filter(|path| path.contains("/manifest")).count() >= 2, "several pages: {sent:#?}");
    sent.len()
}

#[tokio::test]
async fn any_request_may_fail_once_in_any_way() {
    let requests = requests_of_a_sync().await;
    for fault in Fault::ALL {
        for number in 0..requests {
            let folder = tempfile::tempdir().unwrap();
            let door = door_with_work(folder.path()).await;
            door.network.plan(Some(Plan { from: number, until: number + 1, fault }));
            // Some faults are cured by a retry, some end the sync; both are fine.
            let _ = door.engine.sync(|_| {}).await;
            assert_converged(&door, &format!("{fault:?} at request {number}")).await;
        }
    }
}

#[tokio::test]
async fn the_network_may_stay_broken_from_any_request_on() {
    let requests = requests_of_a_sync().await;
    for fault in
        [Fault::CutBeforeSend, Fault::CutAfterSend, Fault::HalfABody, Fault::Status500, Fault::SignInPage]
    {
        for number in 0..requests {
            let folder = tempfile::tempdir().unwrap();
            let door = door_with_work(folder.path()).await;
            door.network.plan(Some(Plan { from: number, until: usize::MAX, fault }));
            let what = format!("{fault:?} from request {number} on");
            let error = door.engine.sync(|_| {}).await.expect_err(&what);
            assert!(error.is_passing(), "{what}: {error}");
            assert_converged(&door, &what).await;
        }
    }
}

#[tokio::test]
async fn a_first_download_resumes_wherever_it_broke_off() {
    for number in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let door = Door::enrolled(folder.path()).await;
        door.network.plan(Some(Plan { from: number, until: usize::MAX, fault: Fault::CutAfterSend }));
        let _ = door.engine.sync(|_| {}).await;
        let event_id = door.network.server().event.event_id;
        let before = door.ledger.lock().unwrap().cursor(event_id).unwrap();
        door.network.plan(None);
        let report = door.engine.sync(|_| {}).await.unwrap();
        let rows = door.network.server().log.len() as i64;
        let after = door.ledger.lock().unwrap().cursor(event_id).unwrap();
        assert_eq!(after, rows, "request {number}");
        // The event itself is a row of the log, but not a ticket.
        let expected = (rows - before).min(7) as u64;
        assert_eq!(report.tickets, expected, "request {number}: only what was missing came again");
    }
}

#[tokio::test]
async fn a_server_that_asks_for_time_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let door = door_with_work(folder.path()).await;
    door.network.plan(Some(Plan { from: 0, until: 1, fault: Fault::Status503WithRetryAfter }));
    door.engine.sync(|_| {}).await.unwrap();
    let slept = door.slept.0.lock().unwrap().clone();
    assert_eq!(slept.len(), 1);
    assert!((2_000..=2_400).contains(&slept[0]), "{slept:?}");
}

#[tokio::test]
async fn what_a_retry_cannot_cure_is_not_retried() {
    let folder = tempfile::tempdir().unwrap();
    let door = door_with_work(folder.path()).await;
    for fault in [Fault::GarbageJson, Fault::WrongShape, Fault::SignInPage, Fault::HalfABody] {
        door.network.plan(Some(Plan { from: 0, until: usize::MAX, fault }));
        let error = door.engine.sync(|_| {}).await.unwrap_err();
        assert!(matches!(error, SyncError::Protocol { .. } | SyncError::Intercepted), "{fault:?}: {error:?}");
        assert_eq!(door.network.sent().len(), 1, "{fault:?}");
    }
}
