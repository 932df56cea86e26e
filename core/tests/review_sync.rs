//! A sync among lost tokens, lying servers and prying logs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod sync_support;

use std::sync::{Arc, Mutex};

use liventix_core::sync::{
    EnrolmentCode, MemorySecrets, Method, Request, Response, SecretError, SecretStore, SyncEngine, SyncError,
    SyncParts, WatchNews, secrets,
};
use secrecy::SecretString;
use sync_support::{Door, Fault, NoSleep, Plan};

fn code(text: &str) -> EnrolmentCode {
    EnrolmentCode::parse(text, false).unwrap()
}

const AGAIN: &str = "LIVENTIX-ENROL:https://server.example#one-time";

#[tokio::test]
async fn a_device_that_lost_its_token_can_enrol_again_with_its_scans() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    door.engine.sync(|_| {}).await.unwrap();
    door.admit(1);
    door.secrets.delete(secrets::DEVICE_TOKEN).unwrap();
    assert!(matches!(door.engine.sync(|_| {}).await, Err(SyncError::NotEnrolled)));
    door.network.server().code_used = false;
    let elsewhere = code("LIVENTIX-ENROL:https://other.example#one-time");
    let error = door.engine.enrol(&elsewhere, "Again").await.unwrap_err();
    assert!(matches!(error, SyncError::UnsentScans { count: 1 }), "another server has no use for them");
    door.engine.enrol(&code(AGAIN), "Again").await.unwrap();
    assert_eq!(door.engine.sync(|_| {}).await.unwrap().pushed, 1);
}

/// Secrets on a phone that dies while it writes one.
#[derive(Default)]
struct Dying(MemorySecrets);

impl SecretStore for Dying {
    fn put(&self, name: &str, value: &SecretString) -> Result<(), SecretError> {
        self.0.put(name, value)?;
        Err(SecretError { action: format!("write {name}"), detail: "the battery is empty".to_owned() })
    }

    fn get(&self, name: &str) -> Result<Option<SecretString>, SecretError> {
        self.0.get(name)
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.0.delete(name)
    }
}

#[tokio::test]
async fn an_enrolment_cut_short_never_scans_as_the_old_device_with_the_new_token() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    let entropy = Arc::new(liventix_core::entropy::FixedEntropy::new(3));
    let parts = SyncParts {
        ledger: door.ledger.clone(),
        secrets: Arc::new(Dying::default()),
        clock: door.clock.clone(),
        entropy,
    };
    let engine = SyncEngine::with_sleeper(door.network.clone(), parts, NoSleep::default());
    let new_device = {
        let mut server = door.network.server();
        server.code_used = false;
        server.device_id = liventix_core::ids::DeviceId::from_bytes([8; 16]);
        server.device_id
    };
    engine.enrol(&code(AGAIN), "Again").await.unwrap_err();
    let device = door.ledger.lock().unwrap().device().unwrap().unwrap();
    assert_eq!((device.device_id, device.revoked), (new_device, true), "out of service until enrolled whole");
    door.network.server().code_used = false;
    door.engine.enrol(&code(AGAIN), "Again").await.unwrap();
    assert!(!door.ledger.lock().unwrap().device().unwrap().unwrap().revoked);
}

#[tokio::test]
async fn a_server_cannot_send_a_door_to_sleep_for_the_night() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    let event_id = door.network.server().event.event_id;
    door.network.plan(Some(Plan { from: 0, until: usize::MAX, fault: Fault::Status503ForAYear }));
    let waits = Arc::new(Mutex::new(Vec::new()));
    let (engine, noted) = (door.engine.clone(), waits.clone());
    let watch = tokio::spawn(async move {
        let news = move |news| {
            if let WatchNews::Offline { retry_in, .. } = news {
                noted.lock().unwrap().push(retry_in.as_secs());
            }
        };
        engine.watch(event_id, |_| {}, news).await
    });
    while waits.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    watch.abort();
    assert_eq!(waits.lock().unwrap()[0], 300);
}

#[test]
fn no_secret_shows_in_a_log() {
    let request = Request {
        method: Method::Post,
        path: "/v1/door/enrol".to_owned(),
        bearer: Some("token".into()),
        body: Some(b"one-time".to_vec()),
        timeout: std::time::Duration::from_secs(1),
    };
    let response = Response { status: 200, body: b"one-time".to_vec(), ..Response::default() };
    let enrol = liventix_core::sync::wire::EnrolRequest {
        code: "one-time".to_owned(),
        device_name: "North".to_owned(),
    };
    let bytes = format!("{:?}", b"one-time");
    for text in [format!("{request:?}"), format!("{response:?}"), format!("{enrol:?}")] {
        assert!(!text.contains("one-time") && !text.contains("token"), "{text}");
        assert!(!text.contains(bytes.trim_matches(['[', ']'])), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_answers_at_once_is_not_asked_all_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    let event_id = door.network.server().event.event_id;
    let engine = door.engine.clone();
    let watch = tokio::spawn(async move { engine.watch(event_id, |_| {}, |_| {}).await });
    let waits = || door.network.sent().iter().filter(|path| path.contains("&wait=30")).count();
    while waits() < 5 {
        tokio::task::yield_now().await;
    }
    watch.abort();
    assert!(door.slept.0.lock().unwrap().iter().filter(|ms| **ms == 1_000).count() >= 4);
}

#[tokio::test]
async fn a_server_restored_while_a_door_waits_does_not_end_the_watch() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::enrolled(folder.path()).await;
    door.network.server().foreign_entry(3);
    door.engine.sync(|_| {}).await.unwrap();
    let event_id = door.network.server().event.event_id;
    // The backup is older than the door's cursor.
    door.network.server().log.truncate(8);
    let report = door.engine.wait_for_changes(event_id, 30, |_| {}).await.unwrap();
    assert_eq!(report.tickets, 7);
}
