//! Alerts: found, told once on every channel, told again when they are over.

use hmac::{Hmac, KeyInit as _, Mac as _};
use liventix_server::alerts;
use liventix_server::platform::config::AlertConfig;
use liventix_server::platform::objectives::Sli;
use liventix_server::platform::queue::NewJob;
use serde_json::{Value, json};

use crate::support::database::count;
use crate::support::{ADMIN, Hook, MailServer, NOW, Server, text, until};

/// 32 bytes.
const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const MINUTE: i64 = 60_000;

struct World {
    server: Server,
    hook: Hook,
    mail: MailServer,
}

async fn world() -> World {
    let (hook, mail) = (Hook::start().await, MailServer::start().await);
    let server = Server::start_set(|config| {
        config.email.from = Some("Liventix <liventix@example.org>".into());
        config.email.smtp_url = Some(mail.url.clone().into());
        config.alerts = AlertConfig {
            email_to: Some("ops@example.org, Night <night@example.org>".into()),
            webhook_url: Some(hook.url.clone().into()),
            webhook_secret: Some(SECRET.into()),
            ..AlertConfig::default()
        };
    })
    .await;
    let db = server.place.open().await;
    until(async || {
        // The look with which a server starts is over, and the next one is far away.
        let began = count(&db, "SELECT COUNT(*) FROM schedules WHERE name = 'alerts'").await;
        let goes_on = count(&db, "SELECT COUNT(*) FROM jobs WHERE queue = 'alerts'").await;
        ((began, goes_on) == (1, 0)).then_some(())
    })
    .await;
    World { server, hook, mail }
}

impl World {
    async fn look(&self) {
        self.server.look().await;
    }

    async fn kill(&self, count: usize) {
        for _ in 0..count {
            let job = NewJob::new("letters", "send.1", Value::Null);
            self.server.dead_letter(job, "refused", "no").await;
        }
    }

    async fn open(&self) -> Vec<Value> {
        let page = self.server.get("/v1/admin/alerts", ADMIN).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    async fn over(&self) -> Vec<Value> {
        let page = self.server.get("/v1/admin/alerts?state=resolved", ADMIN).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// Waits until no message of the one alert is on its way, and says what became of each: channel, what, state.
    async fn settled(&self, is_open: bool) -> Vec<(String, String, String)> {
        until(async || {
            let alerts = if is_open { self.open().await } else { self.over().await };
            let notices = alerts.first()?["notices"].as_array()?.clone();
            let of =
                |notice: &Value| (text(&notice["channel"]), text(&notice["turn"]), text(&notice["state"]));
            let is_settled = notices.iter().all(|notice| notice["state"] != "pending");
            is_settled.then(|| notices.iter().map(of).collect())
        })
        .await
    }

    /// How the channels do, once this is so of them.
    async fn channels(&self, is_so: impl Fn(&Value) -> bool) -> Value {
        until(async || {
            let channels = self.server.get("/v1/admin/alert-channels", ADMIN).await.expect(200);
            is_so(&channels).then_some(channels)
        })
        .await
    }
}

fn each(turn: &str) -> Vec<(String, String, String)> {
    ["email", "log", "webhook"].map(|channel| (channel.into(), turn.into(), "sent".into())).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_dead_letters_are_told_once_and_their_end_as_well() {
    let mut w = world().await;
    w.kill(10).await;
    w.look().await;
    assert_eq!(w.open().await.len(), 0, "ten are not more than ten");
    w.kill(1).await;
    w.look().await;
    let call = w.hook.next().await.json();
    assert_eq!((&call["type"], &call["data"]["rule"]), (&json!("alert.opened"), &json!("dead_letters")));
    let sentence = "11 jobs are dead letters: 11 of send.1 in letters (refused).";
    assert_eq!(call["data"]["sentence"], sentence);
    assert_eq!(call["data"]["severity"], "critical");
    let mut mails = [w.mail.next().await, w.mail.next().await];
    mails.sort_by_key(|mail| mail.contains("To: ops@example.org"));
    for (mail, to) in mails.iter().zip(["To: Night <night@example.org>", "To: ops@example.org"]) {
        assert!(mail.contains("Subject: [Liventix] Critical: 11 jobs are dead letters"), "{mail}");
        assert!(mail.contains(to), "{mail}");
        assert!(mail.contains("/console/operator/dead-letters"), "{mail}");
    }
    assert_eq!(w.settled(true).await, each("opened"));
    // The same again says nothing new.
    w.kill(1).await;
    w.server.clock.advance(MINUTE);
    w.look().await;
    let open = w.open().await;
    assert_eq!((open.len(), &open[0]["sentence"]), (1, &json!(sentence.replace("11", "12"))));
    let purge = json!({"queue": "letters", "before": NOW + 2 * MINUTE});
    w.server.post("/v1/admin/dead-letters/purge", ADMIN, &purge).await.expect(200);
    w.server.clock.advance(MINUTE);
    w.look().await;
    assert_eq!(w.open().await.len(), 1, "it may come back in a moment");
    w.server.clock.advance(5 * MINUTE);
    w.look().await;
    assert_eq!(w.hook.next().await.json()["type"], "alert.resolved");
    for _ in 0..2 {
        assert!(w.mail.next().await.contains("Subject: [Liventix] Over: 12 jobs"));
    }
    assert_eq!(w.open().await.len(), 0);
    let told = w.settled(false).await;
    assert_eq!(told, [each("opened"), each("resolved")].concat());
    assert!(w.hook.is_quiet() && w.mail.is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_is_down_is_tried_again_with_the_same_id() {
    let mut w = world().await;
    w.hook.answer(503, Some("7"));
    w.hook.answer(500, None);
    w.server.post("/v1/admin/alert-channels/test", ADMIN, &json!({})).await.expect(202);
    let first = w.hook.next().await;
    // Not before the time it asked for, and then by the schedule: ten seconds, with a fifth of jitter at most.
    for wait in [7_000 * 12 / 10 + 10_000, 72_000] {
        until(async || {
            // The job goes back to its queue after the answer.
            let stats = w.server.get("/v1/admin/queues", ADMIN).await.expect(200);
            let alerts = stats.as_array()?.iter().find(|queue| queue["queue"] == "alerts")?.clone();
            (alerts["delayed"] == 1).then_some(())
        })
        .await;
        w.server.clock.advance(wait);
        w.server.app().queue().wake("alerts");
        let again = w.hook.next().await;
        assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
        assert_eq!(again.json()["type"], "test");
    }
    let channels = w.channels(|channels| channels[2]["last"]["state"] == "sent").await;
    assert_eq!((&channels[2]["channel"], &channels[2]["last"]["tries"]), (&json!("webhook"), &json!(3)));
    assert_eq!(channels[2]["last"]["detail"], "It answered 500 Internal Server Error.");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_signed() {
    let mut w = world().await;
    w.server.post("/v1/admin/alert-channels/test", ADMIN, &json!({})).await.expect(202);
    let call = w.hook.next().await;
    assert_eq!(call.header("webhook-timestamp"), (NOW / 1_000).to_string());
    // As its receiver does it.
    let (id, seconds) = (call.header("webhook-id"), call.header("webhook-timestamp"));
    let signed = [id.as_bytes(), b".", seconds.as_bytes(), b".", &call.bytes].concat();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&[7; 32]).unwrap();
    mac.update(&signed);
    let signature = data_encoding::BASE64.encode(&mac.finalize().into_bytes());
    assert_eq!(call.header("webhook-signature"), format!("v1,{signature}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_is_given_up_and_becomes_an_alert() {
    let mut w = world().await;
    w.hook.answer(410, None);
    w.mail.refuse("550 5.1.1 no such mailbox");
    w.server.post("/v1/admin/alert-channels/test", ADMIN, &json!({})).await.expect(202);
    w.hook.next().await;
    w.mail.next().await;
    let both_failed =
        |channels: &Value| [1, 2].iter().all(|place| channels[*place]["last"]["state"] == "failed");
    let channels = w.channels(both_failed).await;
    assert_eq!(channels[2]["last"]["detail"], "It answered 410 Gone.");
    assert!(text(&channels[1]["last"]["detail"]).contains("no such mailbox"), "{channels}");
    w.look().await;
    let open = w.open().await;
    let rules: Vec<&str> = open.iter().map(|alert| alert["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["channel_failing", "channel_failing"]);
    // Both work now, so whoever looks after it hears of it.
    assert_eq!(w.hook.next().await.json()["data"]["rule"], "channel_failing");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_at_once_are_one_mail() {
    let mut w = world().await;
    w.kill(11).await;
    for sli in [Sli::Scan, Sli::Checkout] {
        for _ in 0..10 {
            w.server.app().objectives().failed(sli);
        }
    }
    w.look().await;
    let mail = w.mail.next().await;
    assert!(mail.contains("3 messages, 0 of them that something is over"), "{mail}");
    assert!(mail.contains("Scans at the doors: 10 failed in the last hour."), "{mail}");
    let calls = [w.hook.next().await, w.hook.next().await, w.hook.next().await];
    let mut rules: Vec<String> = calls.iter().map(|call| text(&call.json()["data"]["rule"])).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["budget_burning", "budget_burning", "dead_letters"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_after_an_alert_is_on_record_and_not_reminded() {
    let mut w = world().await;
    w.kill(11).await;
    w.look().await;
    w.hook.next().await;
    w.settled(true).await;
    let id = text(&w.open().await[0]["alert_id"]);
    let path = format!("/v1/admin/alerts/{id}/acknowledge");
    w.server.post(&path, ADMIN, &json!({"note": ""})).await.expect_problem(422, "invalid_field");
    let said = w.server.post(&path, ADMIN, &json!({"note": "The provider is down."})).await.expect(200);
    assert_eq!(said["acknowledged"]["note"], "The provider is down.");
    w.server.clock.advance(25 * 60 * MINUTE);
    w.look().await;
    assert!(w.hook.is_quiet());
    let db = w.server.place.open().await;
    assert_eq!(count(&db, "SELECT COUNT(*) FROM audit WHERE action = 'alert.acknowledged'").await, 1);
    let unknown = format!("/v1/admin/alerts/{}/acknowledge", crate::support::new_id());
    w.server.post(&unknown, ADMIN, &json!({"note": "x"})).await.expect_problem(404, "alert_not_found");
    w.server.post(&path, "", &json!({"note": "x"})).await.expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_nobody_looks_after_is_told_again_each_day() {
    let mut w = world().await;
    w.kill(11).await;
    w.look().await;
    w.hook.next().await;
    w.settled(true).await;
    for _ in 0..3 {
        w.server.clock.advance(8 * 60 * MINUTE);
        w.look().await;
    }
    assert_eq!(w.hook.next().await.json()["type"], "alert.open");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_look_at_once_open_one_alert() {
    let mut w = world().await;
    w.kill(11).await;
    let app = w.server.app();
    let (one, two) = tokio::join!(alerts::look(app), alerts::look(app));
    assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
    w.hook.next().await;
    assert_eq!(w.open().await.len(), 1);
    assert_eq!(w.settled(true).await, each("opened"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_for_a_channel_that_is_gone_is_given_up_after_a_day() {
    let mut w = world().await;
    w.hook.answer(503, None);
    w.server.post("/v1/admin/alert-channels/test", ADMIN, &json!({})).await.expect(202);
    w.hook.next().await;
    // With the settings of the tests, which name no channel but the log.
    w.server.restart().await;
    let db = w.server.place.open().await;
    w.server.look().await;
    let pending = "SELECT COUNT(*) FROM notices WHERE channel = 'webhook' AND state = 'pending'";
    assert_eq!(count(&db, pending).await, 1, "it may come back");
    w.server.clock.advance(25 * 60 * MINUTE);
    w.server.look().await;
    let failed = "SELECT COUNT(*) FROM notices WHERE channel = 'webhook' AND state = 'failed'";
    until(async || {
        w.server.app().queue().wake("alerts");
        let jobs = "SELECT COUNT(*) FROM jobs WHERE payload LIKE '%webhook%'";
        ((count(&db, failed).await, count(&db, jobs).await) == (1, 0)).then_some(())
    })
    .await;
}
