//! What organisers tell the phones of an event's attendees: whom they mean, as fast as may be, stopped at any moment.

use liventix_server::platform::rate_limit::Limit;
use serde_json::{Value, json};

use crate::support::push::{PushWorld, apns_token};
use crate::support::{NOW, Organiser, Phone, text};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

async fn start(w: &PushWorld, wish: &Value) -> Value {
    w.server.post(&format!("{}/campaigns", w.event.path), &w.organiser.key, wish).await.expect(201)
}

fn wish(body: &str) -> Value {
    json!({ "title": "Harbour Lights", "body": body })
}

fn path(w: &PushWorld, campaign: &Value) -> String {
    format!("{}/campaigns/{}", w.event.path, text(&campaign["campaign_id"]))
}

async fn view(w: &PushWorld, campaign: &Value) -> Value {
    w.server.get(&path(w, campaign), &w.organiser.key).await.expect(200)
}

async fn act(w: &PushWorld, campaign: &Value, what: &str) -> Value {
    let path = format!("{}/{what}", path(w, campaign));
    w.server.post(&path, &w.organiser.key, &json!({})).await.expect(200)
}

/// Work goes on until the campaign is as it should be.
async fn becomes(w: &PushWorld, campaign: &Value, is_so: impl Fn(&Value) -> bool) -> Value {
    w.comes(async || {
        w.server.app().queue().wake("notices");
        Some(view(w, campaign).await).filter(&is_so)
    })
    .await
}

async fn phones(w: &PushWorld, count: u64) -> Vec<Phone> {
    let mut phones = Vec::new();
    for number in 0..count {
        let phone = w.phone().await;
        w.register(&phone, "apns", &apns_token(number)).await;
        phones.push(phone);
    }
    phones
}

/// They want news at any hour.
async fn awake(w: &PushWorld, phones: &[Phone]) {
    for phone in phones {
        let mut all = w.server.get("/v1/wallet/push", &phone.token).await.expect(200)["preferences"].clone();
        all["news"] = json!({"is_on": true});
        w.server.call("PUT", "/v1/wallet/push/preferences", &phone.token, &all).await.expect(200);
    }
}

fn shown(w: &PushWorld) -> usize {
    w.services.shown().values().map(std::collections::BTreeMap::len).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_to_everybody_who_is_meant_and_says_how_far_it_is() {
    let w = PushWorld::start().await;
    let phones = phones(&w, 3).await;
    // One of another event, one of another kind of ticket, one without a token, one that gave it back.
    let other = w.organiser.event(&w.server).await;
    w.register(&w.phone_of(&other).await, "apns", &apns_token(10)).await;
    let family = json!({"ticket_type_id": w.event.family});
    let ticket = w.organiser.ticket_with(&w.server, &w.event, family).await;
    let relative = Phone::new("Family");
    relative.claim(&w.server, &w.organiser.link(&w.server, &w.event, &ticket).await).await.expect(200);
    w.register(&relative, "apns", &apns_token(11)).await;
    w.phone().await;
    let all = start(&w, &wish("To all")).await;
    assert_eq!((&all["status"], &all["recipients"]), (&json!("running"), &json!(4)));
    let done = becomes(&w, &all, |it| it["progress"]["sent"] == 4).await;
    assert_eq!((&done["status"], &done["progress"]["waiting"]), (&json!("done"), &json!(0)));
    assert!(w.services.shown().keys().all(|token| *token != apns_token(10)));

    let of_family =
        json!({"title": "T", "body": "Families", "segment": {"ticket_type_ids": [w.event.family]}});
    let of_family = start(&w, &of_family).await;
    assert_eq!(of_family["recipients"], 1);
    becomes(&w, &of_family, |it| it["progress"]["sent"] == 1).await;
    assert_eq!(w.services.shown()[&apns_token(11)].len(), 2);

    // Two of three go in.
    let mut codes = Vec::new();
    for phone in &phones[..2] {
        codes.push(text(&phone.tickets(&w.server).await[0]["code"]));
    }
    for code in &codes {
        let reply = w.event.redeem(&w.server, &w.organiser.key, code).await;
        assert_eq!(reply["outcome"], "admit", "{reply}");
    }
    for (presence, recipients) in [("entered", 2), ("not_entered", 2), ("everybody", 4)] {
        let wish = json!({"title": "T", "body": presence, "segment": {"presence": presence}});
        assert_eq!(start(&w, &wish).await["recipients"], recipients, "{presence}");
    }
    let list =
        w.server.get(&format!("{}/campaigns?limit=2", w.event.path), &w.organiser.key).await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let messages = format!("{}/push-messages?campaign_id={}", w.event.path, text(&all["campaign_id"]));
    let messages = w.server.get(&messages, &w.organiser.key).await.expect(200);
    assert_eq!(messages["items"].as_array().unwrap().len(), 4);
    assert!(!messages.to_string().contains(&apns_token(0)), "no token is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_go_in_an_hour_and_the_rest_by_themselves() {
    let w = PushWorld::start_set(|config| config.limits.push_campaign = Limit::per_hour(3)).await;
    awake(&w, &phones(&w, 8).await).await;
    let campaign = start(&w, &wish("To all")).await;
    assert_eq!(campaign["per_hour"], 3);
    for (hour, sent) in [(0, 3), (1, 6), (2, 8)] {
        let at = becomes(&w, &campaign, |it| it["progress"]["sent"] == sent).await;
        if sent < 8 {
            let waits = becomes(&w, &campaign, |it| it["waits_until"].is_i64()).await;
            assert_eq!(waits["waits_until"], NOW + (hour + 1) * HOUR, "{at}");
            w.advance(HOUR - 1).await;
            w.server.app().queue().wake("notices");
            assert_eq!(view(&w, &campaign).await["progress"]["sent"], sent);
            w.advance(1).await;
        }
    }
    becomes(&w, &campaign, |it| it["status"] == "done").await;
    assert_eq!(shown(&w), 8);
}

/// Those that waited for the morning count in the hour in which they go.
#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_the_morning_keeps_to_the_limit() {
    let w = PushWorld::start_set(|config| config.limits.push_campaign = Limit::per_hour(2)).await;
    phones(&w, 4).await;
    // From 23:00 in Paris, two an hour are put in, and all wait until eight.
    w.advance(3 * HOUR).await;
    let wish = json!({"title": "T", "body": "B", "expires_at": NOW + 48 * HOUR});
    let campaign = start(&w, &wish).await;
    becomes(&w, &campaign, |it| it["progress"]["waiting"] == 2).await;
    w.advance(HOUR).await;
    becomes(&w, &campaign, |it| it["progress"]["waiting"] == 4).await;
    w.advance(8 * HOUR).await;
    becomes(&w, &campaign, |it| it["progress"]["sent"] == 2).await;
    w.comes(async || {
        let page =
            w.server.get(&format!("{}/push-messages", w.event.path), &w.organiser.key).await.expect(200);
        (page.to_string().matches("campaign_limited").count() == 2).then_some(())
    })
    .await;
    w.advance(HOUR).await;
    becomes(&w, &campaign, |it| it["progress"]["sent"] == 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_paused_goes_on_and_is_called_off() {
    let w = PushWorld::start_set(|config| config.limits.push_campaign = Limit::per_hour(2)).await;
    awake(&w, &phones(&w, 6).await).await;
    let campaign = start(&w, &wish("To all")).await;
    becomes(&w, &campaign, |it| it["progress"]["sent"] == 2 && it["waits_until"].is_i64()).await;
    for _ in 0..2 {
        assert_eq!(act(&w, &campaign, "pause").await["status"], "paused");
    }
    w.advance(2 * HOUR).await;
    w.server.app().queue().wake("notices");
    assert_eq!(view(&w, &campaign).await["progress"]["sent"], 2);
    for _ in 0..2 {
        assert_eq!(act(&w, &campaign, "resume").await["status"], "running");
    }
    becomes(&w, &campaign, |it| it["progress"]["sent"] == 4 && it["waits_until"].is_i64()).await;
    // Paused when two were put in and not sent.
    w.server.pause("push").await;
    w.advance(HOUR).await;
    becomes(&w, &campaign, |it| it["progress"]["waiting"] == 2).await;
    act(&w, &campaign, "pause").await;
    w.server.resume("push").await;
    w.comes(async || {
        let page = w.server.get(&format!("{}/push-messages", w.event.path), &w.organiser.key).await;
        (page.expect(200).to_string().matches("\"paused\"").count() == 2).then_some(())
    })
    .await;
    assert_eq!(shown(&w), 4);
    for _ in 0..2 {
        let off = act(&w, &campaign, "cancel").await;
        assert_eq!((&off["status"], &off["progress"]["withheld"]), (&json!("cancelled"), &json!(2)));
    }
    for what in ["pause", "resume"] {
        let path = format!("{}/{what}", path(&w, &campaign));
        w.server.post(&path, &w.organiser.key, &json!({})).await.expect_problem(409, "campaign_ended");
    }
    w.advance(5 * HOUR).await;
    w.server.app().queue().wake("notices");
    w.server.app().queue().wake("push");
    assert_eq!((shown(&w), &view(&w, &campaign).await["status"]), (4, &json!("cancelled")));
    // Every step is on record.
    let path = format!("/v1/organisers/{}/audit?limit=50", w.organiser.id);
    let audit = w.server.get(&path, &w.organiser.key).await.expect(200).to_string();
    for deed in [
        "event.campaign_started",
        "event.campaign_paused",
        "event.campaign_resumed",
        "event.campaign_cancelled",
    ] {
        assert!(audit.contains(deed), "{deed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paused_goes_on_where_it_was() {
    let w = PushWorld::start().await;
    phones(&w, 3).await;
    w.server.pause("push").await;
    let campaign = start(&w, &wish("To all")).await;
    becomes(&w, &campaign, |it| it["progress"]["waiting"] == 3).await;
    // It has come to everybody, and nothing has gone: it can still be called off, and not paused.
    becomes(&w, &campaign, |it| it["status"] == "done").await;
    let pause = format!("{}/pause", path(&w, &campaign));
    w.server.post(&pause, &w.organiser.key, &json!({})).await.expect_problem(409, "campaign_ended");
    assert_eq!(act(&w, &campaign, "cancel").await["progress"]["withheld"], 3);
    w.server.resume("push").await;
    let next = start(&w, &wish("Again")).await;
    becomes(&w, &next, |it| it["progress"]["sent"] == 3).await;
    assert_eq!(shown(&w), 3);
    let cancel = format!("{}/cancel", path(&w, &next));
    w.server.post(&cancel, &w.organiser.key, &json!({})).await.expect_problem(409, "campaign_ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_and_what_is_anothers_is_not_there() {
    let w = PushWorld::start().await;
    let path_of = format!("{}/campaigns", w.event.path);
    for (field, value) in [
        ("title", json!("")),
        ("title", json!("x".repeat(101))),
        ("title", json!("two\nlines")),
        ("body", json!("x".repeat(501))),
        ("expires_at", json!(NOW)),
        ("expires_at", json!(NOW + 29 * 24 * HOUR)),
    ] {
        let mut wish = wish("Something");
        wish[field] = value;
        let refused = w.server.post(&path_of, &w.organiser.key, &wish).await;
        refused.expect_problem(422, "invalid_field");
        assert!(refused.json["detail"].as_str().unwrap().contains(field), "{}", refused.json);
    }
    let campaign = start(&w, &wish("Something")).await;
    assert_eq!(campaign["expires_at"], NOW + 24 * HOUR);
    let other = Organiser::create(&w.server, "B").await;
    w.server.get(&path(&w, &campaign), &other.key).await.expect_problem(404, "event_not_found");
    let another = w.organiser.event(&w.server).await;
    let wrong = format!("{}/campaigns/{}", another.path, text(&campaign["campaign_id"]));
    w.server.get(&wrong, &w.organiser.key).await.expect_problem(404, "campaign_not_found");
    let off = PushWorld::start_set(|config| config.push = Default::default()).await;
    let path_of = format!("{}/campaigns", off.event.path);
    off.server.post(&path_of, &off.organiser.key, &wish("S")).await.expect_problem(503, "push_off");
}

/// The longest text in the longest script fits into what the services take.
#[tokio::test(flavor = "multi_thread")]
async fn the_longest_message_arrives() {
    let w = PushWorld::start().await;
    phones(&w, 1).await;
    let wish = json!({ "title": "🎪".repeat(100), "body": "🎪".repeat(500) });
    let campaign = start(&w, &wish).await;
    becomes(&w, &campaign, |it| it["progress"]["sent"] == 1).await;
    assert_eq!(w.services.taken()[0].body, "🎪".repeat(500));
}
