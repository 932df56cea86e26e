//! What phones are told by themselves: about tickets and events, in their language, once.

use liventix_stand_ins::push::Taken;
use serde_json::{Value, json};

use crate::support::push::{PushWorld, apns_token, fcm_token};
use crate::support::shop::Shop;
use crate::support::{NOW, Phone, text};

const HOUR: i64 = 3_600_000;

/// A phone that speaks a language, with a token.
async fn register(w: &PushWorld, phone: &Phone, (service, token): (&str, &str), locale: &str) {
    let body = json!({ "service": service, "token": token, "time_zone": "Europe/Paris", "locale": locale });
    w.server.call("PUT", "/v1/wallet/push", &phone.token, &body).await.expect(200);
}

/// What a phone shows, once it shows so many: the newest first by what they say.
async fn shows(w: &PushWorld, token: &str, count: usize) -> Vec<Taken> {
    w.comes(async || {
        w.server.app().queue().wake("notices");
        let shown = w.services.shown().remove(token).unwrap_or_default();
        (shown.len() >= count).then(|| shown.into_values().collect())
    })
    .await
}

fn payload(taken: &Taken) -> Value {
    serde_json::from_str(&taken.payload).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_changes_or_is_called_off_is_told_to_its_attendees_and_to_nobody_else() {
    let w = PushWorld::start().await;
    let (ada, bea, other) = (w.phone().await, w.phone().await, w.organiser.event(&w.server).await);
    let carl = w.phone_of(&other).await;
    register(&w, &ada, ("apns", &apns_token(1)), "en-GB").await;
    register(&w, &bea, ("fcm", &fcm_token(2)), "de-CH").await;
    register(&w, &carl, ("apns", &apns_token(3)), "en").await;
    let change = json!({"starts_at": NOW + HOUR, "venue": "Old port", "tell_buyers": true});
    w.server.call("PATCH", &w.event.path, &w.organiser.key, &change).await.expect(200);
    let [shown] = &shows(&w, &apns_token(1), 1).await[..] else { panic!() };
    assert_eq!(shown.title, "Harbour Lights");
    assert_eq!(shown.body, "Starts: Friday 31 July 2026, 21:00\nWhere: Old port");
    assert_eq!(payload(shown)["kind"], "event_changed");
    assert_eq!(
        (&payload(shown)["category"], &payload(shown)["event_id"]),
        (&json!("changes"), &json!(w.event.id))
    );
    let [shown] = &shows(&w, &fcm_token(2), 1).await[..] else { panic!() };
    assert_eq!(shown.body, "Beginn: Freitag, 31. Juli 2026, 21:00 Uhr\nOrt: Old port");
    // Not where nobody is to be told, nor where nothing changed.
    for change in [json!({"venue": "New port"}), json!({"venue": "New port", "tell_buyers": true})] {
        w.server.call("PATCH", &w.event.path, &w.organiser.key, &change).await.expect(200);
    }
    let reason = json!({"reason": "Storm warning."});
    for _ in 0..2 {
        w.server.post(&format!("{}/cancel", w.event.path), &w.organiser.key, &reason).await.expect(200);
    }
    let shown = shows(&w, &fcm_token(2), 2).await;
    assert!(shown.iter().any(|it| it.body == "Die Veranstaltung fällt aus. Storm warning."), "{shown:?}");
    w.settled().await;
    assert_eq!(w.services.taken().len(), 4);
    assert!(!w.services.shown().contains_key(&apns_token(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_taken_back_before_anybody_heard_of_it_is_told_to_nobody() {
    let w = PushWorld::start().await;
    let phone = w.phone().await;
    register(&w, &phone, ("apns", &apns_token(1)), "en").await;
    w.server.pause("notices").await;
    for (venue, tell) in [("Old port", true), ("", false)] {
        let change = json!({"venue": venue, "tell_buyers": tell});
        w.server.call("PATCH", &w.event.path, &w.organiser.key, &change).await.expect(200);
    }
    w.server.resume("notices").await;
    w.settled().await;
    assert_eq!(w.services.taken(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_doors_are_told_once_in_time_and_not_when_it_is_no_news() {
    let w = PushWorld::start().await;
    let times = |open_at: i64| json!({"starts_at": NOW + 2 * HOUR, "ends_at": NOW + 9 * HOUR, "gates_open_at": open_at});
    let soon = w.organiser.event_with(&w.server, times(NOW + HOUR)).await;
    let phone = w.phone_of(&soon).await;
    register(&w, &phone, ("apns", &apns_token(1)), "en").await;
    // One that has begun an hour ago, and one that says nothing of its doors.
    let late = w.phone_of(&w.event).await;
    register(&w, &late, ("apns", &apns_token(2)), "en").await;
    let plain = w.organiser.event_with(&w.server, json!({"starts_at": NOW + 2 * HOUR})).await;
    let guest = w.phone_of(&plain).await;
    register(&w, &guest, ("apns", &apns_token(3)), "de").await;
    look(&w).await;
    w.settled().await;
    assert_eq!(w.services.taken(), []);
    w.advance(HOUR).await;
    look(&w).await;
    look(&w).await;
    let [shown] = &shows(&w, &apns_token(1), 1).await[..] else { panic!() };
    assert_eq!(shown.body, "The doors are open. Have your ticket ready.");
    w.advance(HOUR).await;
    look(&w).await;
    let [shown] = &shows(&w, &apns_token(3), 1).await[..] else { panic!() };
    assert_eq!(shown.body, "Die Türen sind offen. Halte dein Ticket bereit.");
    w.settled().await;
    assert_eq!(w.services.taken().len(), 2);
    // Put off until tomorrow, they open once more.
    let later =
        json!({"starts_at": NOW + 30 * HOUR, "ends_at": NOW + 40 * HOUR, "gates_open_at": NOW + 29 * HOUR});
    w.server.call("PATCH", &soon.path, &w.organiser.key, &later).await.expect(200);
    look(&w).await;
    w.advance(27 * HOUR).await;
    look(&w).await;
    shows(&w, &apns_token(1), 2).await;
    // What is said of the doors can be changed, and makes sense.
    let refused = w
        .server
        .call("PATCH", &soon.path, &w.organiser.key, &json!({"gates_open_at": NOW + 50 * HOUR}))
        .await;
    refused.expect_problem(422, "invalid_field");
    let changed =
        w.server.call("PATCH", &soon.path, &w.organiser.key, &json!({"gates_open_at": 0})).await.expect(200);
    assert!(changed.get("gates_open_at").is_none());
}

/// What comes each minute by itself; the server looks by a clock of its own.
async fn look(w: &PushWorld) {
    use liventix_server::platform::queue::NewJob;
    let app = w.server.app();
    let (queue, job) = (app.queue().clone(), NewJob::new("notices", "gates.1", Value::Null));
    let put: Result<_, liventix_server::platform::db::DbError> =
        app.db().write(move |tx| Box::pin(async move { queue.enqueue(tx, &job).await })).await;
    put.unwrap();
    w.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_is_paid_or_handed_on_is_told_to_who_has_or_had_it() {
    let w = PushWorld::start().await;
    let unpaid = w.organiser.ticket_with(&w.server, &w.event, json!({"status": "unpaid"})).await;
    let (giver, taker) = (Phone::new("Giver"), Phone::new("Taker"));
    giver.claim(&w.server, &w.organiser.link(&w.server, &w.event, &unpaid).await).await.expect(200);
    register(&w, &giver, ("apns", &apns_token(1)), "en").await;
    let path = format!("{}/tickets/{}/mark-paid", w.event.path, text(&unpaid["ticket_id"]));
    for _ in 0..2 {
        w.server.post(&path, &w.organiser.key, &json!({})).await.expect(200);
    }
    let [shown] = &shows(&w, &apns_token(1), 1).await[..] else { panic!() };
    assert_eq!(shown.body, "Your ticket “Day” is ready.");
    assert_eq!(payload(shown)["ticket_id"], unpaid["ticket_id"]);
    let link = giver.offer(&w.server, &unpaid).await;
    for _ in 0..2 {
        taker.claim(&w.server, &link).await.expect(200);
    }
    let shown = shows(&w, &apns_token(1), 2).await;
    let told = shown.iter().find(|it| payload(it)["kind"] == "ticket_transferred").unwrap();
    assert_eq!(
        told.body,
        "Somebody else has your ticket “Day” now. On this phone it lets nobody in any more."
    );
    w.settled().await;
    assert_eq!(w.services.taken().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_goes_back_is_told_to_who_holds_the_ticket() {
    let w = PushWorld::start_set(|config| config.payments.test_provider = true).await;
    let shop = Shop::open(&w.server, Some(5)).await;
    let order = shop.order(&w.server, 1).await;
    order.try_out(&w.server, "pay").await;
    let paid = order.view(&w.server).await;
    let phone = Phone::new("Buyer's phone");
    phone.claim(&w.server, &text(&paid["items"][0]["ticket_url"])).await.expect(200);
    register(&w, &phone, ("fcm", &fcm_token(1)), "de").await;
    let path = format!("/v1/orders/{}/refunds", order.id);
    let request = w.server.request(reqwest::Method::POST, &path, &shop.organiser.key);
    let request = request.json(&json!({"positions": [1], "reason": "rain"}));
    let key = format!("refund:{}:{}", &order.id[24..], crate::support::new_id());
    w.server.send(request.header("idempotency-key", key)).await.expect(201);
    let [shown] = &shows(&w, &fcm_token(1), 1).await[..] else { panic!() };
    assert!(shown.body.starts_with("Das Geld für dein Ticket"), "{}", shown.body);
    let holds = phone.tickets(&w.server).await;
    assert_eq!(payload(shown)["ticket_id"], holds[0]["ticket_id"]);
}
