//! What the sync engine does besides surviving: enrolment, revocation, quarantine, watching.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

mod sync_support;

use std::sync::{Arc, Mutex};

use liventix_core::rules::{Outcome, Reason};
use liventix_core::sync::{EnrolmentCode, Progress, SecretStore, SyncError, WatchNews, secrets};
use secrecy::ExposeSecret;
use sync_support::{Door, Fault, Plan, START_MS, ticket_id};

fn code() -> EnrolmentCode {
    EnrolmentCode::parse("LIVENTIX-ENROL:https://server.example#one-time", false).unwrap()
}

#[tokio::test]
async fn enrolment_keeps_the_token_out_of_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    assert_eq!(door.secrets.get(secrets::DEVICE_TOKEN).unwrap().unwrap().expose_secret(), "token");
    let device = door.ledger.lock().unwrap().device().unwrap().unwrap();
    assert_eq!(device.device_name, "Test door");
    assert_eq!(device.server_url, "https://server.example");
    assert!(!device.revoked);
}

#[tokio::test]
async fn a_code_works_once() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    let error = door.engine.enrol(&code(), "Again").await.unwrap_err();
    assert!(matches!(&error, SyncError::Refused { status: 409, code, .. } if code == "enrolment_code_used"));
    assert_eq!(door.ledger.lock().unwrap().device().unwrap().unwrap().device_name, "Test door");
}

#[tokio::test]
async fn an_enrolment_is_sent_once_only() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::new(folder.path());
    door.network.plan(Some(Plan { from: 0, until: usize::MAX, fault: Fault::CutBeforeSend }));
    let error = door.engine.enrol(&code(), "Test door").await.unwrap_err();
    assert_eq!(error.code(), "offline");
    assert_eq!(door.network.sent().len(), 1);
    door.network.plan(None);
    door.engine.enrol(&code(), "Test door").await.unwrap();
}

#[tokio::test]
async fn nothing_works_before_enrolment() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::new(folder.path());
    assert!(matches!(door.engine.sync(|_| {}).await, Err(SyncError::NotEnrolled)));
    assert!(door.network.sent().is_empty());
}

#[tokio::test]
async fn unsent_scans_hold_back_a_new_enrolment() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    door.engine.sync(|_| {}).await.unwrap();
    door.admit(1);
    let error = door.engine.enrol(&code(), "Other").await.unwrap_err();
    assert!(matches!(error, SyncError::UnsentScans { count: 1 }));
}

#[tokio::test]
async fn a_revoked_device_hands_in_its_scans_and_forgets_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    door.engine.sync(|_| {}).await.unwrap();
    door.admit(1);
    door.network.server().revoked = true;
    let error = door.engine.sync(|_| {}).await.unwrap_err();
    assert!(matches!(error, SyncError::Revoked { unsent: 0 }), "{error:?}");
    assert_eq!(error.code(), "device_revoked");
    assert_eq!(door.network.server().scans.len(), 1);
    assert_eq!(door.secrets.names(), [secrets::DEVICE_TOKEN]);
    let event_id = door.network.server().event.event_id;
    {
        let ledger = door.ledger.lock().unwrap();
        assert!(ledger.device().unwrap().unwrap().revoked);
        assert_eq!(ledger.cursor(event_id).unwrap(), 0);
        assert_eq!(ledger.scans(0, 10).unwrap().len(), 1, "scans are kept");
    }
    // Later syncs only hand in what is left, and keep saying so.
    door.network.plan(None);
    assert!(matches!(door.engine.sync(|_| {}).await, Err(SyncError::Revoked { .. })));
    assert!(door.network.sent().iter().all(|path| path.contains("/scans")), "{:?}", door.network.sent());
}

#[tokio::test]
async fn an_event_taken_away_is_forgotten_with_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    door.engine.sync(|_| {}).await.unwrap();
    door.network.server().assigned = false;
    door.engine.sync(|_| {}).await.unwrap();
    assert_eq!(door.secrets.names(), [secrets::DEVICE_TOKEN]);
    let event_id = door.network.server().event.event_id;
    assert_eq!(door.ledger.lock().unwrap().cursor(event_id).unwrap(), 0);
}

#[tokio::test]
async fn a_quarantined_scan_does_not_hold_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    door.engine.sync(|_| {}).await.unwrap();
    for number in 1..=3 {
        door.admit(number);
    }
    door.network.server().quarantine_next = true;
    let report = door.engine.sync(|_| {}).await.unwrap();
    assert_eq!((report.pushed, report.quarantined), (2, 1));
    let ledger = door.ledger.lock().unwrap();
    assert_eq!(ledger.quarantined().unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_restored_from_a_backup_gets_and_gives_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    door.engine.sync(|_| {}).await.unwrap();
    door.admit(1);
    door.engine.sync(|_| {}).await.unwrap();
    {
        let mut server = door.network.server();
        server.unknown_cursors = true;
        server.scans.clear();
    }
    let report = door.engine.sync(|_| {}).await.unwrap();
    assert_eq!(report.tickets, 7);
    assert_eq!(report.pushed, 1, "what the server lost was not sent again");
}

/// Runs one sync and returns the tickets whose passages at other doors it told of.
async fn merged(door: &Door) -> Vec<liventix_core::ids::TicketId> {
    let told = Mutex::new(Vec::new());
    let listen = |progress| {
        if let Progress::Merged { passages, .. } = progress {
            told.lock().unwrap().extend(passages.into_iter().map(|foreign| foreign.ticket_id));
        }
    };
    door.engine.sync(listen).await.unwrap();
    told.into_inner().unwrap()
}

#[tokio::test]
async fn a_sync_tells_each_passage_of_other_doors_once() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    door.network.server().foreign_entry(3);
    assert_eq!(merged(&door).await, [ticket_id(3)]);
    assert!(merged(&door).await.is_empty());
    door.network.server().foreign_entry(5);
    door.network.server().unknown_cursors = true;
    assert_eq!(merged(&door).await, [ticket_id(5)], "the list came again whole; only the news counts");
}

#[tokio::test]
async fn the_clock_is_corrected_by_the_best_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    let report = door.engine.sync(|_| {}).await.unwrap();
    // Each round trip takes 7 ms of the one clock that both share.
    assert!(report.error_ms.is_some_and(|error| (4..=5).contains(&error)), "{report:?}");
    assert!(report.offset_ms.abs() <= 4, "{report:?}");
    assert!(report.bytes > 1_000 && report.duration_ms > 0, "{report:?}");
}

#[tokio::test]
async fn damaged_keys_are_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    door.engine.sync(|_| {}).await.unwrap();
    let event_id = door.network.server().event.event_id;
    let name = secrets::event_keys_name(event_id);
    door.secrets.put(&name, &"{".into()).unwrap();
    let verdict = door.scan(1);
    assert_eq!(verdict.decision.reason, Reason::UnknownKey);
    let report = door.engine.sync(|_| {}).await.unwrap();
    assert_eq!(report.key_rings, 1);
    assert_eq!(door.scan(1).decision.outcome, Outcome::Admit);
}

/// Lets the watch loop run until `done`, or for a good while.
async fn run_until(done: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if done() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never happened");
}

#[tokio::test]
async fn watching_uploads_scans_and_survives_an_outage() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    let event_id = door.network.server().event.event_id;
    let offline = Arc::new(Mutex::new(0));
    let (engine, outages) = (door.engine.clone(), offline.clone());
    let watch = tokio::spawn(async move {
        let news = move |news| {
            if matches!(news, WatchNews::Offline { .. }) {
                *outages.lock().unwrap() += 1;
            }
        };
        engine.watch(event_id, |_| {}, news).await
    });
    let at_server = || door.network.server().scans.len();
    run_until(|| door.engine.load_keys().is_ok_and(|keys| keys.contains(event_id))).await;
    run_until(|| door.ledger.lock().unwrap().cursor(event_id).unwrap() == 8).await;
    door.admit(1);
    door.engine.scanned();
    run_until(|| at_server() == 1).await;

    door.network.plan(Some(Plan { from: 0, until: usize::MAX, fault: Fault::CutBeforeSend }));
    run_until(|| *offline.lock().unwrap() >= 2).await;
    door.admit(2);
    assert_eq!(at_server(), 1);
    door.network.plan(None);
    run_until(|| at_server() == 2).await;

    door.network.server().revoked = true;
    let error = watch.await.unwrap();
    assert_eq!(error.code(), "device_revoked");
    assert!(door.clock_passed());
}

impl Door {
    fn clock_passed(&self) -> bool {
        use liventix_core::clock::Clock;
        self.clock.wall_ms() > START_MS
    }
}
