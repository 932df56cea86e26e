//! Where push messages reach people: told, checked, moved, taken back.

use liventix_stand_ins::push::Verdict;
use serde_json::{Value, json};

use crate::support::push::{PushWorld, apns_token, fcm_token};
use crate::support::{Phone, Server};

const PUSH: &str = "/v1/wallet/push";

async fn device(server: &Server, phone: &Phone) -> Value {
    server.get(PUSH, &phone.token).await.json
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_of_either_kind_gets_a_test() {
    let w = PushWorld::start().await;
    for (number, service, token) in [
        (1, "apns", apns_token(1)),
        (2, "apns_sandbox", apns_token(2)),
        (3, "fcm", fcm_token(3)),
        (4, "fcm_installation", "eH0fLhuiRj2Np7UQ-opXAm".to_owned()),
    ] {
        let phone = w.phone().await;
        let told = w.register(&phone, service, &token).await;
        assert_eq!((&told["service"], &told["is_active"]), (&json!(service), &json!(true)), "{number}");
        assert!(told.get("token").is_none(), "nobody needs to see it");
        assert_eq!(device(&w.server, &phone).await, told);
        let id = w.test(&phone).await;
        let [shown] = &w.shows(&token, 1).await[..] else { panic!("{number}") };
        assert_eq!((&*shown.title, &shown.collapse_id), ("It works", &id));
        let payload: Value = serde_json::from_str(&shown.payload).unwrap();
        assert_eq!(payload["message_id"], id);
        assert_eq!(payload["server_url"], w.server.url(""));
        assert_eq!(payload["kind"], "test");
        assert!(shown.is_urgent);
    }
    assert_eq!((w.services.provider_tokens(), w.services.sign_ins()), (1, 1), "shared by all messages");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_is_refused_by_name() {
    let w = PushWorld::start().await;
    let phone = w.phone().await;
    for (service, token, says) in [
        ("apns", "", "Ask the system for one"),
        ("apns", "{length = 32, bytes = 0x740f4707 bebcf74f ... 61bb78ad }", "hex digits"),
        ("fcm", &*apns_token(1), "another service"),
        ("apns", &*fcm_token(1), "another service"),
    ] {
        let body = json!({ "service": service, "token": token });
        let refused = w.server.call("PUT", PUSH, &phone.token, &body).await;
        refused.expect_problem(422, "push_token_invalid");
        assert!(refused.json["detail"].as_str().unwrap().contains(says), "{}", refused.json);
    }
    let body = json!({ "service": "pigeon", "token": "x" });
    w.server.call("PUT", PUSH, &phone.token, &body).await.expect_problem(422, "invalid_body");
    w.server.get(PUSH, &phone.token).await.expect_problem(404, "push_device_not_found");
    w.server
        .post(&format!("{PUSH}/test"), &phone.token, &json!({}))
        .await
        .expect_problem(404, "push_device_not_found");
    // A phone without a ticket, and nobody.
    let stranger = Phone::new("Stranger");
    let body = json!({ "service": "apns", "token": apns_token(1) });
    w.server.call("PUT", PUSH, &stranger.token, &body).await.expect_problem(401, "unauthenticated");
    w.server.call("PUT", PUSH, "", &body).await.expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sends_none_says_so() {
    let w = PushWorld::start_set(|config| config.push = Default::default()).await;
    let phone = w.phone().await;
    for (service, token, setting) in
        [("apns", apns_token(1), "apns_key_file"), ("fcm", fcm_token(1), "fcm_service_account_file")]
    {
        let body = json!({ "service": service, "token": token });
        let refused = w.server.call("PUT", PUSH, &phone.token, &body).await;
        refused.expect_problem(503, "push_off");
        assert!(refused.json["detail"].as_str().unwrap().contains(setting));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_belongs_to_whoever_told_it_last_and_a_wallet_has_one() {
    let w = PushWorld::start().await;
    let (before, after) = (w.phone().await, w.phone().await);
    let first = w.register(&before, "apns", &apns_token(1)).await;
    // The phone's token changes: it is the same phone.
    assert_eq!(w.register(&before, "apns", &apns_token(2)).await["device_id"], first["device_id"]);
    w.test(&before).await;
    w.shows(&apns_token(2), 1).await;
    assert!(!w.services.shown().contains_key(&apns_token(1)));
    // The app was installed anew, and is another wallet now. What the first was still to be told goes to nobody.
    w.server.pause("push").await;
    w.test(&before).await;
    w.register(&after, "apns", &apns_token(2)).await;
    w.server.get(PUSH, &before.token).await.expect_problem(404, "push_device_not_found");
    w.server.resume("push").await;
    let second = w.test(&after).await;
    let shown = w.shows(&apns_token(2), 2).await;
    assert!(shown.len() == 2 && shown.iter().any(|it| it.collapse_id == second));
    // It goes back to the first, should that be where it is.
    w.register(&before, "apns", &apns_token(2)).await;
    w.server.get(PUSH, &after.token).await.expect_problem(404, "push_device_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_wallets_that_tell_one_token_at_once_one_has_it() {
    let w = PushWorld::start().await;
    let phones = [w.phone().await, w.phone().await];
    let body = json!({ "service": "apns", "token": apns_token(1) });
    for _ in 0..5 {
        let told = phones.iter().map(|phone| w.server.call("PUT", PUSH, &phone.token, &body));
        let told = futures_util::future::join_all(told).await;
        assert!(told.iter().all(|reply| matches!(reply.status, 200 | 404)), "{told:?}");
        let mut have = 0;
        for phone in &phones {
            have += usize::from(w.server.get(PUSH, &phone.token).await.status == 200);
        }
        assert_eq!(have, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_out_gets_nothing_and_keeps_their_wishes() {
    let w = PushWorld::start().await;
    let phone = w.phone().await;
    w.register(&phone, "apns", &apns_token(1)).await;
    let mut wanted = device(&w.server, &phone).await["preferences"].clone();
    assert_eq!(
        wanted["news"],
        json!({"is_on": true, "quiet_hours": {"from_minute": 1320, "until_minute": 480}})
    );
    assert_eq!(wanted["tickets"], json!({"is_on": true}));
    wanted["news"] = json!({"is_on": false});
    let path = format!("{PUSH}/preferences");
    assert_eq!(w.server.call("PUT", &path, &phone.token, &wanted).await.expect(200)["preferences"], wanted);
    let mut wrong = wanted.clone();
    wrong["gates"]["quiet_hours"] = json!({"from_minute": 60, "until_minute": 60});
    let refused = w.server.call("PUT", &path, &phone.token, &wrong).await;
    refused.expect_problem(422, "invalid_field");
    assert!(refused.json["detail"].as_str().unwrap().contains("gates.quiet_hours"), "{}", refused.json);
    for _ in 0..2 {
        w.server.call("DELETE", PUSH, &phone.token, &json!(null)).await.expect(204);
    }
    w.server.call("PUT", &path, &phone.token, &wanted).await.expect_problem(404, "push_device_not_found");
    assert_eq!(w.register(&phone, "apns", &apns_token(1)).await["preferences"], wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_no_longer_good_is_sent_nothing_until_it_is_told_again() {
    let w = PushWorld::start().await;
    let long_ago = w.server.app().now() - 1;
    for (number, service, verdict) in [
        (1, "apns", Verdict::Unregistered(w.server.app().now() + 1)),
        (2, "apns", Verdict::Bad),
        (3, "apns", Verdict::OtherApp),
        (4, "fcm", Verdict::Unregistered(0)),
        (5, "fcm", Verdict::Bad),
        (6, "fcm", Verdict::OtherApp),
    ] {
        let token = if service == "apns" { apns_token(number) } else { fcm_token(number) };
        let phone = w.phone().await;
        w.register(&phone, service, &token).await;
        w.services.judge(&token, Some(verdict));
        w.test(&phone).await;
        w.comes(async || (device(&w.server, &phone).await["is_active"] == false).then_some(())).await;
        let calls = w.services.calls();
        w.test(&phone).await;
        // A message to another phone comes after it: it was passed over.
        w.services.judge(&token, None);
        w.register(&phone, service, &token).await;
        w.test(&phone).await;
        w.shows(&token, 1).await;
        assert!(w.services.calls() - calls <= 2, "{number}");
    }
    // A verdict about the time before the phone told it says nothing.
    let phone = w.phone().await;
    w.register(&phone, "apns", &apns_token(7)).await;
    w.services.judge(&apns_token(7), Some(Verdict::Unregistered(long_ago)));
    let calls = w.services.calls();
    w.test(&phone).await;
    w.comes(async || (w.services.calls() > calls).then_some(())).await;
    w.services.judge(&apns_token(7), None);
    w.test(&phone).await;
    w.shows(&apns_token(7), 1).await;
    assert_eq!(device(&w.server, &phone).await["is_active"], true);
}
