//! The registrar's life, seen from a host. What it does with servers is tested in the core, and end to end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, UNIX_EPOCH};

use liventix_core::push::wire::{CategoryPreference, PushPreferences, QuietHours};
use liventix_core::push::{PushService, RefusalReason, RegistrationState};
use liventix_ffi::host::clock::HostClock;
use liventix_ffi::host::secrets::SecretStore;
use liventix_ffi::push::{PermissionAsk, PushConfig, PushMessage, PushPermission};
use liventix_ffi::{Cancellation, PushError, PushRegistrar};
use support::{Keystore, SteppedClock};

const SERVER: &str = "http://127.0.0.1:1";
const MESSAGE: &str = "01930f2e-7c1a-7b3c-9d4e-5f60718293a4";
/// 2026-11-27 12:00 UTC.
const NOW: i64 = 1_795_780_800_000;
const DAY: i64 = 86_400_000;

fn open(secrets: &Arc<Keystore>, clock: Option<&Arc<SteppedClock>>) -> Arc<PushRegistrar> {
    let secrets: Arc<dyn SecretStore> = Arc::<Keystore>::clone(secrets);
    let clock = clock.map(|clock| -> Arc<dyn HostClock> { Arc::<SteppedClock>::clone(clock) });
    let config = PushConfig { locale: Some("de-CH".to_owned()), time_zone: Some("Europe/Zurich".to_owned()) };
    PushRegistrar::open(config, secrets, clock).unwrap()
}

fn token(number: u8) -> String {
    format!("{number:02x}").repeat(32)
}

#[test]
fn what_is_no_token_is_refused_by_its_name() {
    let registrar = open(&Arc::default(), None);
    for (service, text, expected) in [
        (PushService::Apns, " ".to_owned(), "push_token_empty"),
        (PushService::Apns, "32 bytes".to_owned(), "push_token_not_hex"),
        (PushService::Apns, "ab".repeat(31), "push_token_length"),
        (PushService::Fcm, "null".to_owned(), "push_token_shape"),
        (PushService::Fcm, token(1), "push_token_other_service"),
    ] {
        let refused = registrar.set_token(service, text);
        let Err(PushError::Token { code, detail }) = refused else { panic!("{refused:?}") };
        assert_eq!(code, expected);
        assert!(detail.len() > 20, "{detail}");
    }
}

#[tokio::test]
async fn without_a_ticket_nobody_is_told_and_nothing_is_due() {
    let registrar = open(&Arc::default(), None);
    let set = registrar.set_token(PushService::Apns, token(1)).unwrap();
    assert_eq!(registrar.run(None).await, Ok(set.clone()));
    assert_eq!(registrar.network_is_back(), Ok(set.clone()));
    assert_eq!(registrar.sign_out(), Ok(set.clone()));
    assert_eq!((set.state, set.servers, set.due_at), (RegistrationState::Unregistered, vec![], None));
    assert_eq!(set.receipts_waiting, 0);
    let refused = registrar.send_test(SERVER.to_owned(), None).await;
    let Err(PushError::Refused { code, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(code, "identity_lost");
}

#[test]
fn nobody_is_asked_twice_within_a_month() {
    let (secrets, clock) = (Arc::new(Keystore::default()), SteppedClock::at(NOW));
    let registrar = open(&secrets, Some(&clock));
    let first = registrar.set_permission(PushPermission::NotAsked).unwrap();
    assert_eq!((first.is_on, first.on_tap), (false, Some(PermissionAsk::System)));
    assert_eq!((first.prompt, first.prompt_at), (Some(PermissionAsk::System), None));
    registrar.prompted().unwrap();
    clock.advance(1_000);
    registrar.refused(RefusalReason::TooMany).unwrap();

    let registrar = open(&secrets, Some(&clock));
    let refused_at = UNIX_EPOCH + Duration::from_millis(NOW.unsigned_abs() + 1_000);
    let history = registrar.prompts().unwrap();
    assert_eq!(history.prompted_at, Some(refused_at - Duration::from_secs(1)));
    let [refusal] = history.refusals[..] else { panic!("{history:?}") };
    assert_eq!((refusal.at, refusal.reason), (refused_at, RefusalReason::TooMany));
    let paused = registrar.advise(PushPermission::Refused).unwrap();
    assert_eq!((paused.prompt, paused.on_tap), (None, Some(PermissionAsk::Settings)));
    assert_eq!(paused.prompt_at, Some(refused_at + Duration::from_secs(30 * 86_400)));
    clock.advance(30 * DAY);
    let again = registrar.advise(PushPermission::Refused).unwrap();
    assert_eq!((again.prompt, again.prompt_at), (Some(PermissionAsk::Settings), None));
    let on = registrar.set_permission(PushPermission::Allowed).unwrap();
    assert_eq!((on.is_on, on.on_tap, on.prompt), (true, None, None));
}

#[test]
fn a_payload_is_read_and_another_text_is_not_a_message() {
    let registrar = open(&Arc::default(), None);
    let payload = format!(
        r#"{{"message_id":"{MESSAGE}","server_url":"{SERVER}","kind":"test","event_id":"{MESSAGE}","later":1}}"#
    );
    let message = PushMessage {
        message_id: MESSAGE.to_owned(),
        server_url: SERVER.to_owned(),
        kind: "test".to_owned(),
        category: None,
        event_id: Some(MESSAGE.to_owned()),
        ticket_id: None,
    };
    assert_eq!(registrar.delivered(payload.clone()).unwrap(), message);
    assert_eq!(registrar.opened(payload).unwrap(), message);
    // Of a server that this phone has nothing to do with.
    assert_eq!(registrar.status().unwrap().receipts_waiting, 0);
    for other in ["", r#"{"aps":{"alert":"Hello"}}"#] {
        let refused = registrar.opened(other.to_owned());
        let Err(PushError::InvalidInput { code, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(code, "push_not_a_message");
    }
}

#[tokio::test]
async fn quiet_hours_that_cannot_be_reach_no_server() {
    let registrar = open(&Arc::default(), None);
    let on = CategoryPreference { is_on: true, quiet_hours: None };
    let never = QuietHours { from_minute: 60, until_minute: 60 };
    let news = CategoryPreference { is_on: true, quiet_hours: Some(never) };
    let preferences = PushPreferences { tickets: on, changes: on, gates: on, news };
    let refused = registrar.set_preferences(SERVER.to_owned(), preferences, None).await;
    let Err(PushError::InvalidInput { code, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(code, "push_quiet_hours");
}

#[tokio::test]
async fn every_call_after_the_shutdown_says_so() {
    let registrar = open(&Arc::default(), None);
    registrar.shutdown();
    assert!(matches!(registrar.set_token(PushService::Apns, token(1)), Err(PushError::Closed { .. })));
    assert!(matches!(registrar.status(), Err(PushError::Closed { .. })));
    assert!(matches!(registrar.run(None).await, Err(PushError::Closed { .. })));
    assert!(matches!(registrar.preferences(SERVER.to_owned(), None).await, Err(PushError::Closed { .. })));
}

#[tokio::test]
async fn a_cancelled_run_says_so() {
    let registrar = open(&Arc::default(), None);
    let cancellation = Cancellation::new();
    cancellation.cancel();
    assert!(matches!(registrar.run(Some(cancellation)).await, Err(PushError::Cancelled { .. })));
    assert!(registrar.run(None).await.is_ok());
}

#[tokio::test]
async fn a_locked_keystore_is_an_error_of_its_own() {
    let secrets = Arc::new(Keystore::default());
    let registrar = open(&secrets, None);
    secrets.locked.store(true, Ordering::SeqCst);
    let set = registrar.set_token(PushService::Apns, token(1));
    let Err(PushError::Secrets { detail, .. }) = set else { panic!("{set:?}") };
    assert!(detail.contains("the keystore is locked"), "{detail}");
    assert!(matches!(registrar.run(None).await, Err(PushError::Secrets { .. })));
    secrets.locked.store(false, Ordering::SeqCst);
    assert!(registrar.set_token(PushService::Apns, token(1)).is_ok());
}
