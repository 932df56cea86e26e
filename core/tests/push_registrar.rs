//! A phone's push token: told to every server that it has tickets of, whatever fails in between, and to nobody else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;
mod wallet_support;

use harness::{NOW, Venue};
use liventix_core::push::wire::{
    CategoryPreference, PushCategory, PushPayload, PushPreferences, QuietHours, ReceiptKind,
};
use liventix_core::push::{
    Ask, Permission, PushRegistrar, PushService, PushSettings, RefusalReason, RegistrationState,
};
use liventix_core::wallet::ClaimLink;
use wallet_support::push::message;
use wallet_support::{Connector, Fault, NoSleep, OTHER_URL, Phone, Plan, URL, World};

const DAY: i64 = 86_400_000;

type Registrar = PushRegistrar<Connector, NoSleep>;

fn token(number: u8) -> String {
    format!("{number:02x}").repeat(32)
}

/// A phone with a ticket, and its registrar.
async fn phone() -> (World, Phone, Registrar) {
    let world = World::new(Venue::new());
    let phone = world.phone(1);
    phone.wallet.claim(&world.link(), "Ada's phone").await.unwrap();
    let registrar = phone.registrar(PushSettings::default());
    world.network.plan(None);
    (world, phone, registrar)
}

fn state(registrar: &Registrar) -> RegistrationState {
    registrar.status().unwrap().state
}

#[tokio::test]
async fn a_token_is_told_once_and_outlives_restarts() {
    let (world, phone, registrar) = phone().await;
    assert_eq!(state(&registrar), RegistrationState::Unregistered);
    registrar.set_token(PushService::Apns, &token(1)).unwrap();
    assert_eq!(state(&registrar), RegistrationState::Pending);
    assert_eq!(registrar.status().unwrap().due_at, Some(phone.clock_ms()));
    let registrar = phone.registrar(PushSettings::default());
    assert_eq!(registrar.run().await.unwrap().state, RegistrationState::Registered);
    assert_eq!(world.server().push.token(), Some(token(1)));
    // As at every start.
    registrar.set_token(PushService::Apns, &token(1).to_uppercase()).unwrap();
    registrar.run().await.unwrap();
    assert_eq!(world.network.sent().len(), 1);
    world.advance(7 * DAY);
    assert_eq!(state(&registrar), RegistrationState::RefreshNeeded);
    registrar.run().await.unwrap();
    assert_eq!((state(&registrar), world.network.sent().len()), (RegistrationState::Registered, 2));
}

#[tokio::test]
async fn another_token_another_language_another_zone_are_told() {
    let (world, phone, registrar) = phone().await;
    registrar.set_token(PushService::Apns, &token(1)).unwrap();
    registrar.run().await.unwrap();
    registrar.set_token(PushService::Apns, &token(2)).unwrap();
    assert_eq!(state(&registrar), RegistrationState::RefreshNeeded);
    registrar.run().await.unwrap();
    assert_eq!(world.server().push.token(), Some(token(2)));
    let abroad = PushSettings { locale: Some("de-CH".into()), time_zone: Some("Europe/Zurich".into()) };
    let registrar = phone.registrar(abroad);
    assert_eq!(registrar.run().await.unwrap().state, RegistrationState::Registered);
    let server = world.server();
    let told = &server.push.phones.values().next().unwrap().told;
    assert_eq!((told.locale.as_deref(), told.time_zone.as_deref()), (Some("de-CH"), Some("Europe/Zurich")));
}

#[tokio::test]
async fn whoever_signs_out_or_takes_the_permission_back_is_forgotten() {
    let (world, _phone, registrar) = phone().await;
    registrar.set_token(PushService::Apns, &token(1)).unwrap();
    registrar.set_permission(Permission::Allowed).unwrap();
    registrar.run().await.unwrap();
    // Taken back in the settings, without a network.
    assert!(!registrar.set_permission(Permission::Refused).unwrap().is_on);
    assert_eq!(state(&registrar), RegistrationState::Unregistered);
    world.network.plan(Some(Plan { from: 0, until: 99, fault: Fault::CutBeforeSend }));
    let status = registrar.run().await.unwrap();
    assert_eq!(world.network.sent().len(), 3, "three attempts");
    assert!(status.due_at.unwrap() > world.server_now(), "{status:?}");
    assert!(world.server().push.token().is_some());
    world.network.plan(None);
    registrar.network_is_back().unwrap();
    registrar.run().await.unwrap();
    assert_eq!(world.server().push.token(), None);
    // And given again: the same token.
    registrar.set_permission(Permission::Allowed).unwrap();
    assert_eq!(registrar.run().await.unwrap().state, RegistrationState::Registered);
    assert_eq!(world.server().push.token(), Some(token(1)));
    registrar.sign_out().unwrap();
    assert_eq!(registrar.run().await.unwrap().due_at, None);
    assert_eq!(world.server().push.token(), None);
}

#[tokio::test]
async fn a_phone_without_a_ticket_tells_nobody_and_one_that_gave_it_back_is_forgotten() {
    let (world, phone, registrar) = phone().await;
    phone.wallet.release(world.ticket_id()).await.unwrap();
    world.network.plan(None);
    registrar.set_token(PushService::Apns, &token(1)).unwrap();
    assert_eq!(registrar.run().await.unwrap().servers, []);
    assert_eq!(world.network.sent(), Vec::<String>::new());
    phone.wallet.claim(&world.link(), "Ada's phone").await.unwrap();
    registrar.run().await.unwrap();
    assert!(world.server().push.token().is_some());
    phone.wallet.release(world.ticket_id()).await.unwrap();
    registrar.run().await.unwrap();
    assert_eq!(world.server().push.token(), None);
    assert_eq!(registrar.status().unwrap().servers, []);
}

#[tokio::test]
async fn a_server_that_does_not_answer_holds_up_no_other() {
    let (world, phone, registrar) = phone().await;
    // A ticket of another event, as another server has them.
    world.other_server().ticket.ticket_id = liventix_core::ids::TicketId::from_bytes([9; 16]);
    world.other_server().reissue();
    let link = ClaimLink::parse(&world.other_server().link(), false).unwrap();
    phone.wallet.claim(&link, "Ada's phone").await.unwrap();
    registrar.set_token(PushService::Fcm, &format!("fT3-x_9AbCd:APA91b{}", "Zz0_-".repeat(27))).unwrap();
    world.network.plan(Some(Plan { from: 0, until: 99, fault: Fault::Status500 }));
    let status = registrar.run().await.unwrap();
    assert_eq!(status.state, RegistrationState::Failed);
    let [other, failed] = &status.servers[..] else { panic!("{status:?}") };
    assert_eq!((&*other.server_url, other.state), (OTHER_URL, RegistrationState::Registered));
    assert_eq!((&*failed.server_url, failed.state), (URL, RegistrationState::Failed));
    let trouble = failed.trouble.as_ref().unwrap();
    assert_eq!(trouble.code, "server_error");
    assert!(trouble.detail.contains("try again later"), "{}", trouble.detail);
    // Each server knows its own wallet.
    let [one, two] = [&world.network, &world.other].map(|it| it.server.lock().unwrap().known.clone());
    assert!(one.is_disjoint(&two));
}

#[tokio::test]
async fn what_goes_wrong_once_costs_nothing() {
    for fault in Fault::ALL {
        let (world, phone, registrar) = phone().await;
        registrar.set_token(PushService::Apns, &token(1)).unwrap();
        world.network.plan(Some(Plan { from: 0, until: 1, fault }));
        registrar.run().await.unwrap();
        world.network.plan(None);
        let registrar = phone.registrar(PushSettings::default());
        registrar.network_is_back().unwrap();
        let status = registrar.run().await.unwrap();
        let waits_as_asked = status.due_at.is_some_and(|at| at <= world.server_now() + DAY);
        assert!(status.state == RegistrationState::Registered || waits_as_asked, "{fault:?} {status:?}");
        registrar.sign_out().unwrap();
        world.network.plan(Some(Plan { from: 0, until: 1, fault }));
        registrar.run().await.unwrap();
        world.network.plan(None);
        world.advance(2 * DAY);
        registrar.run().await.unwrap();
        assert_eq!(world.server().push.token(), None, "{fault:?}");
        assert_eq!(registrar.status().unwrap().due_at, None, "{fault:?}");
    }
}

#[tokio::test]
async fn a_secret_store_that_breaks_anywhere_costs_one_more_call() {
    for call in 0..40 {
        let (world, phone, registrar) = phone().await;
        phone.secrets.break_from(Some(call));
        let told = registrar.set_token(PushService::Apns, &token(1)).is_ok() && registrar.run().await.is_ok();
        let calls = phone.secrets.calls();
        phone.secrets.break_from(None);
        registrar.set_token(PushService::Apns, &token(1)).unwrap();
        assert_eq!(registrar.run().await.unwrap().state, RegistrationState::Registered, "{call}");
        registrar.sign_out().unwrap();
        phone.secrets.break_from(Some(call));
        let _ = registrar.run().await;
        phone.secrets.break_from(None);
        registrar.run().await.unwrap();
        assert_eq!(world.server().push.token(), None, "{call}");
        if told {
            assert!(call >= 10, "the store was used {calls} times");
            return;
        }
    }
    panic!("it never went through");
}

#[tokio::test]
async fn damage_is_put_right_by_telling_again() {
    let (world, phone, registrar) = phone().await;
    registrar.set_token(PushService::Apns, &token(1)).unwrap();
    registrar.run().await.unwrap();
    phone.secrets.damage("push.servers", Some("{"));
    registrar.run().await.unwrap();
    assert_eq!(world.network.sent().len(), 2);
    // Damaged after signing out: any server may still have the token.
    registrar.sign_out().unwrap();
    phone.secrets.damage("push.servers", Some("{"));
    registrar.run().await.unwrap();
    assert_eq!(world.server().push.token(), None);
    phone.secrets.damage("push.phone", Some("[]"));
    registrar.set_token(PushService::Apns, &token(2)).unwrap();
    registrar.run().await.unwrap();
    assert_eq!(world.server().push.token(), Some(token(2)));
    // A ticket that cannot be read may be from any server: nobody is told to forget.
    phone.secrets.damage("wallet.ticket", Some("?"));
    registrar.run().await.unwrap();
    assert_eq!(world.server().push.token(), Some(token(2)));
}

#[tokio::test]
async fn a_token_that_is_refused_is_not_told_again() {
    let (world, _phone, registrar) = phone().await;
    let error = registrar.set_token(PushService::Fcm, &token(1)).unwrap_err();
    assert_eq!(error.code(), "push_token_other_service");
    world.server().push.refuses = true;
    registrar.set_token(PushService::Apns, &token(1)).unwrap();
    let status = registrar.run().await.unwrap();
    assert!(status.servers[0].is_given_up && status.due_at.is_none(), "{status:?}");
    assert_eq!(status.servers[0].trouble.as_ref().unwrap().code, "push_token_refused");
    world.advance(60 * DAY);
    registrar.network_is_back().unwrap();
    registrar.run().await.unwrap();
    assert_eq!(world.network.sent().len(), 1);
    world.server().push.refuses = false;
    registrar.set_token(PushService::Apns, &token(2)).unwrap();
    assert_eq!(registrar.run().await.unwrap().state, RegistrationState::Registered);
}

#[tokio::test]
async fn a_server_that_forgot_the_wallet_is_asked_again_in_time() {
    let (world, _phone, registrar) = phone().await;
    registrar.set_token(PushService::Apns, &token(1)).unwrap();
    world.server().known.clear();
    let status = registrar.run().await.unwrap();
    assert_eq!(status.servers[0].trouble.as_ref().unwrap().code, "unauthorized");
    assert!(!status.servers[0].is_given_up);
    // Nothing is left to take back there.
    registrar.sign_out().unwrap();
    assert_eq!(registrar.run().await.unwrap().due_at, None);
}

#[tokio::test]
async fn preferences_and_a_test_need_a_registration() {
    let (world, _phone, registrar) = phone().await;
    assert_eq!(registrar.send_test(URL).await.unwrap_err().code(), "push_not_registered");
    registrar.set_token(PushService::Apns, &token(1)).unwrap();
    registrar.run().await.unwrap();
    assert_eq!(registrar.send_test(URL).await.unwrap(), message(9));
    let mut wanted = registrar.preferences(URL).await.unwrap();
    assert_eq!(wanted.of(PushCategory::News).quiet_hours, Some(QuietHours::NIGHT));
    wanted.gates = CategoryPreference { is_on: false, quiet_hours: None };
    assert_eq!(registrar.set_preferences(URL, wanted).await.unwrap(), wanted);
    assert_eq!(registrar.preferences(URL).await.unwrap(), wanted);
    let never = QuietHours { from_minute: 60, until_minute: 60 };
    let never = CategoryPreference { is_on: true, quiet_hours: Some(never) };
    let error = registrar.set_preferences(URL, PushPreferences { news: never, ..wanted }).await.unwrap_err();
    assert_eq!(error.code(), "push_quiet_hours");
    assert_eq!(registrar.preferences("https://nowhere.example").await.unwrap_err().code(), "identity_lost");
    // A server that gave the phone up, and one that was restored from a backup, are told again.
    world.server().push.phones.values_mut().for_each(|known| known.is_active = false);
    registrar.preferences(URL).await.unwrap();
    assert_eq!(registrar.run().await.unwrap().state, RegistrationState::Registered);
    assert!(world.server().push.phones.values().all(|known| known.is_active));
    world.server().push.phones.clear();
    assert_eq!(registrar.preferences(URL).await.unwrap_err().code(), "push_not_registered");
    registrar.run().await.unwrap();
    assert_eq!(world.server().push.token(), Some(token(1)));
}

fn payload(number: u64, server_url: &str) -> String {
    let payload = PushPayload {
        message_id: message(number),
        server_url: server_url.to_owned(),
        kind: "event_changed".to_owned(),
        category: Some(PushCategory::Changes),
        event_id: None,
        ticket_id: None,
    };
    serde_json::to_string(&payload).unwrap()
}

#[tokio::test]
async fn receipts_wait_for_a_network_and_are_told_once() {
    let (world, phone, registrar) = phone().await;
    assert_eq!(registrar.delivered(&payload(1, URL)).unwrap().message_id, message(1));
    registrar.delivered(&payload(1, URL)).unwrap();
    world.advance(5_000);
    registrar.opened(&payload(1, URL)).unwrap();
    registrar.delivered(&payload(2, "https://nowhere.example")).unwrap();
    assert_eq!(registrar.opened("{\"aps\":{}}").unwrap_err().code(), "push_not_a_message");
    world.network.plan(Some(Plan { from: 0, until: 99, fault: Fault::CutAfterSend }));
    assert_eq!(registrar.run().await.unwrap().receipts_waiting, 2, "of servers that the wallet knows");
    world.network.plan(None);
    let registrar = phone.registrar(PushSettings::default());
    assert_eq!(registrar.run().await.unwrap().receipts_waiting, 0);
    let kinds: Vec<_> = world.server().push.receipts.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(kinds, [ReceiptKind::Delivered, ReceiptKind::Opened]);
    assert!(world.server().push.ages.iter().any(|age| *age >= 5_000));
    world.network.plan(None);
    registrar.run().await.unwrap();
    assert_eq!(world.network.sent(), Vec::<String>::new());
    // More than one call takes, and more than are kept.
    for number in 10..520 {
        registrar.delivered(&payload(number, URL)).unwrap();
    }
    assert_eq!(registrar.status().unwrap().receipts_waiting, 500);
    registrar.run().await.unwrap();
    assert_eq!((world.network.sent().len(), registrar.status().unwrap().receipts_waiting), (5, 0));
}

#[tokio::test]
async fn whoever_said_no_is_asked_a_month_later() {
    let (world, phone, registrar) = phone().await;
    let advice = registrar.set_permission(Permission::NotAsked).unwrap();
    assert_eq!((advice.is_on, advice.prompt), (false, Some(Ask::System)));
    registrar.prompted().unwrap();
    registrar.refused(RefusalReason::TooMany).unwrap();
    let registrar = phone.registrar(PushSettings::default());
    let advice = registrar.set_permission(Permission::Refused).unwrap();
    assert_eq!((advice.prompt, advice.on_tap), (None, Some(Ask::Settings)));
    world.advance(30 * DAY);
    assert_eq!(registrar.advise(Permission::Refused).unwrap().prompt, Some(Ask::Settings));
    let [refusal] = &registrar.prompts().unwrap().refusals[..] else { panic!() };
    assert!(refusal.at >= NOW && refusal.reason == RefusalReason::TooMany);
}

#[tokio::test]
async fn a_token_is_in_no_value_but_its_own() {
    let (_world, phone, registrar) = phone().await;
    registrar.set_token(PushService::Apns, &token(1)).unwrap();
    registrar.run().await.unwrap();
    assert!(phone.secrets.text("push.phone").unwrap().contains(&token(1)));
    assert!(!phone.secrets.text("push.servers").unwrap().contains(&token(1)));
    assert!(!format!("{registrar:?} {:?}", registrar.status()).contains(&token(1)));
}
