//! What becomes of mails after a provider took them, and addresses that take none.

use liventix_core::clock::Clock as _;
use liventix_server::platform::config::EmailConfig;
use liventix_stand_ins::resend::{Fault, Resend, Told, WEBHOOK_SECRET};
use serde_json::{Value, json};

use crate::email::{World, with_resend};
use crate::support::mails::{hand_in, hard, pass_time};
use crate::support::{ADMIN, Browser, Person, text, until};

const DAY: i64 = 86_400_000;

fn with_hooks(resend: &Resend) -> EmailConfig {
    let secrets = format!("whsec_bmV4dA==, {WEBHOOK_SECRET}");
    EmailConfig { resend_webhook_secrets: Some(secrets.into()), ..with_resend(resend) }
}

/// What is told of a mail, now.
fn told(w: &World, mail: &Value, id: &str, what: (&str, Value)) -> Told {
    Told::of(mail, id, what, w.server.clock.wall_ms())
}

async fn tell(w: &World, mail: &Value, id: &str, what: (&str, Value)) {
    let told = told(w, mail, id, what);
    hand_in(&w.server, &told, &told.signature(WEBHOOK_SECRET)).await.expect(200);
}

async fn suppressions(w: &World) -> Vec<Value> {
    let page = w.server.get("/v1/admin/email-suppressions", ADMIN).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

async fn sent(w: &World, resend: &Resend, to: &str) -> Value {
    let before = resend.mails().len();
    w.test(to).await;
    until(async || {
        w.server.app().queue().wake("email");
        (resend.mails().len() > before).then_some(())
    })
    .await;
    // Its row knows it as well.
    until(async || (w.mails().await[0]["status"] == "sent").then_some(())).await;
    resend.mails().last().unwrap().clone()
}

/// Whatever comes late, twice or in another order changes nothing that is known.
#[tokio::test]
async fn what_is_told_of_a_mail_moves_it_forward_only() {
    let resend = Resend::start().await;
    let w = World::start(with_hooks(&resend), |_| {}).await;
    let mail = sent(&w, &resend, "ida@example.org").await;
    assert!(w.mails().await[0].get("delivery").is_none());
    for (id, kind, stands) in [
        ("msg_1", "email.delivery_delayed", "delayed"),
        ("msg_2", "email.sent", "delayed"),
        ("msg_3", "email.delivered", "delivered"),
        ("msg_4", "email.delivery_delayed", "delivered"),
        ("msg_5", "email.opened", "delivered"),
        ("msg_6", "email.bounced", "bounced"),
        ("msg_7", "email.delivered", "bounced"),
        ("msg_8", "email.complained", "complained"),
        ("msg_9", "email.bounced", "complained"),
    ] {
        tell(&w, &mail, id, (kind, json!({}))).await;
        assert_eq!(w.mails().await[0]["delivery"], stands, "{kind}");
    }
    let mail = &w.mails().await[0];
    assert_eq!((&mail["status"], &mail["tries"]), (&json!("sent"), &json!(1)));
}

#[tokio::test]
async fn only_what_resend_signed_of_late_is_taken() {
    let resend = Resend::start().await;
    let w = World::start(with_hooks(&resend), |_| {}).await;
    let mail = sent(&w, &resend, "ida@example.org").await;
    let hook = told(&w, &mail, "msg_1", ("email.delivered", json!({})));
    let good = hook.signature(WEBHOOK_SECRET);
    for (hook, signature) in [
        (hook.clone(), "v1,AAAA"),
        (hook.clone(), ""),
        (hook.clone(), hook.signature("whsec_b3RoZXI=").as_str()),
        (Told { id: "msg_2".into(), ..hook.clone() }, &good),
        (Told { body: hook.body.replace("delivered", "bounced"), ..hook.clone() }, &good),
    ] {
        hand_in(&w.server, &hook, signature).await.expect_problem(400, "signature_invalid");
    }
    w.server.clock.advance(300_001);
    hand_in(&w.server, &hook, &good).await.expect_problem(400, "signature_invalid");
    let strange = Told { body: "{}".into(), ..told(&w, &mail, "msg_3", ("x", json!({}))) };
    hand_in(&w.server, &strange, &strange.signature(WEBHOOK_SECRET))
        .await
        .expect_problem(400, "invalid_json");
    assert!(w.mails().await[0].get("delivery").is_none());
    // About nothing of ours: it is taken, so that it is not told again.
    let other = json!({"id": "00000000-0000-4000-8000-000000000999", "to": ["x@example.org"]});
    tell(&w, &other, "msg_4", ("email.bounced", hard())).await;
    assert_eq!(suppressions(&w).await, Vec::<Value>::new());
    let w = World::start(with_resend(&resend), |_| {}).await;
    hand_in(&w.server, &hook, &good).await.expect_problem(503, "mails_off");
}

/// The answer to whoever asked got lost, and what is told comes first: the mail was sent.
#[tokio::test]
async fn a_mail_that_is_told_of_was_taken() {
    let resend = Resend::start().await;
    let w = World::start(with_hooks(&resend), |_| {}).await;
    resend.fail(Fault::BreakAfter);
    w.test("ida@example.org").await;
    until(async || {
        w.server.app().queue().wake("email");
        let mail = &w.mails().await[0];
        (mail["status"] == "queued" && mail["tries"] == 1).then_some(())
    })
    .await;
    tell(&w, &resend.mails()[0], "msg_1", ("email.delivered", json!({}))).await;
    let mail = &w.mails().await[0];
    assert_eq!((&mail["status"], &mail["delivery"]), (&json!("sent"), &json!("delivered")));
    assert_eq!(mail["provider_id"], resend.mails()[0]["id"]);
    until(async || {
        pass_time(&w.server).await;
        let stats = w.server.app().queue().stats().await.unwrap();
        stats.iter().all(|it| it.queue != "email" || it.ready + it.running + it.delayed == 0).then_some(())
    })
    .await;
    assert_eq!(resend.calls(), 1, "nobody asks again");
}

/// A hard bounce: no more mail goes there, until it is over or somebody lifts it; then what was withheld goes.
#[tokio::test]
async fn an_address_that_sends_mails_back_gets_none_until_that_is_lifted() {
    let resend = Resend::start().await;
    let w = World::start(with_hooks(&resend), |_| {}).await;
    let mail = sent(&w, &resend, "Ida@example.org").await;
    tell(&w, &mail, "msg_1", ("email.bounced", json!({"bounce": {"type": "Transient"}}))).await;
    assert_eq!(suppressions(&w).await, Vec::<Value>::new(), "a full mailbox is no reason");
    let other = sent(&w, &resend, "Ida@example.org").await;
    tell(&w, &other, "msg_2", ("email.bounced", hard())).await;
    let [suppressed] = <[Value; 1]>::try_from(suppressions(&w).await).unwrap();
    assert_eq!(suppressed["address"], "ida@example.org");
    assert_eq!((&suppressed["reason"], &suppressed["is_active"]), (&json!("bounced"), &json!(true)));
    assert_eq!(suppressed["until"].as_i64().unwrap() - suppressed["since"].as_i64().unwrap(), 90 * DAY);
    resend.suppress("ida@example.org");
    w.server.clock.advance(1_000);
    w.test("iDa@example.org").await;
    let withheld = until(async || {
        w.server.app().queue().wake("email");
        let mail = w.mails().await[0].clone();
        (mail["status"] == "withheld").then_some(mail)
    })
    .await;
    assert_eq!((&withheld["tries"], resend.mails().len()), (&json!(0), 2));
    assert!(text(&withheld["failure"]).contains("came back"));
    // The same is told again, and of what happened before: nothing changes.
    let lift = format!("/v1/admin/email-suppressions/{}/lift", text(&suppressed["suppression_id"]));
    w.server.post(&lift, ADMIN, &json!({})).await.expect(204);
    w.server.post(&lift, ADMIN, &json!({})).await.expect_problem(404, "suppression_not_found");
    until(async || {
        w.server.app().queue().wake("email");
        (resend.mails().len() == 3).then_some(())
    })
    .await;
    assert_eq!(resend.suppressed(), Vec::<String>::new(), "Resend was asked as well");
    let lifted = &suppressions(&w).await[0];
    assert_eq!((&lifted["is_active"], &lifted["provider"]), (&json!(false), &json!("done")));
    assert_eq!(lifted["lifted_by"], "admin token");
    let late = Told::of(&mail, "msg_3", ("email.bounced", hard()), w.server.clock.wall_ms() - 1_000);
    let late = Told { time: (w.server.clock.wall_ms() / 1_000).to_string(), ..late };
    hand_in(&w.server, &late, &late.signature(WEBHOOK_SECRET)).await.expect(200);
    assert_eq!(suppressions(&w).await[0]["is_active"], false, "what happened before says nothing");
    w.server.clock.advance(1_000);
    tell(&w, &mail, "msg_4", ("email.complained", json!({}))).await;
    let again = &suppressions(&w).await[0];
    assert_eq!((&again["is_active"], &again["reason"]), (&json!(true), &json!("complained")));
}

/// Whoever sends on while mails come back is soon believed by no mail server: somebody is told.
#[tokio::test]
async fn an_operator_is_told_when_mails_come_back_or_are_called_spam() {
    let resend = Resend::start().await;
    let w = World::start(with_hooks(&resend), |_| {}).await;
    let alerts = async || {
        w.server.look().await;
        let open = w.server.get("/v1/admin/alerts", ADMIN).await.expect(200);
        let rules: Vec<_> = open["items"].as_array().unwrap().iter().map(|it| text(&it["rule"])).collect();
        rules.into_iter().filter(|rule| rule.starts_with("mails_")).collect::<std::collections::BTreeSet<_>>()
    };
    let mut came_back = Vec::new();
    for number in 0..13 {
        w.server.clock.advance(1_000);
        came_back.push(sent(&w, &resend, &format!("guest.{number}@example.org")).await);
    }
    for (number, mail) in came_back.iter().enumerate() {
        let what = match number {
            0..3 => ("email.complained", json!({})),
            _ => ("email.bounced", hard()),
        };
        tell(&w, mail, &format!("msg_{number}"), what).await;
        if number == 1 || number == 11 {
            let rule = if number == 1 { "mails_unwanted" } else { "mails_bouncing" };
            assert!(!alerts().await.contains(rule), "these may be chance");
        }
    }
    assert_eq!(alerts().await.into_iter().collect::<Vec<_>>(), ["mails_bouncing", "mails_unwanted"]);
    let open = w.server.get("/v1/admin/alerts", ADMIN).await.expect(200).to_string();
    assert!(open.contains("10 of the 13 mails of the last seven days came back."), "{open}");
    // A week later nobody remembers.
    w.server.clock.advance(7 * DAY + 60_000);
    alerts().await;
    w.server.clock.advance(6 * 60_000);
    assert_eq!(alerts().await.len(), 0);
}

#[tokio::test]
async fn a_suppression_ends_by_itself() {
    let resend = Resend::start().await;
    let w = World::start(with_hooks(&resend), |_| {}).await;
    let mail = sent(&w, &resend, "ida@example.org").await;
    tell(&w, &mail, "msg_1", ("email.bounced", hard())).await;
    w.server.clock.advance(90 * DAY + 1);
    assert_eq!(suppressions(&w).await[0]["is_active"], false);
    sent(&w, &resend, "ida@example.org").await;
}

/// A key that may only send: what was withheld goes all the same, and it is said that Resend still refuses.
#[tokio::test]
async fn a_key_that_may_only_send_is_no_hindrance_to_lifting() {
    let resend = Resend::start().await;
    let w = World::start(with_hooks(&resend), |_| {}).await;
    let mail = sent(&w, &resend, "ida@example.org").await;
    tell(&w, &mail, "msg_1", ("email.suppressed", json!({"suppressed": {"message": "It is on the list."}})))
        .await;
    assert_eq!(w.mails().await[0]["delivery"], "failed");
    assert_eq!(w.mails().await[0]["delivery_detail"], "It is on the list.");
    resend.suppress("ida@example.org");
    for (fault, result) in [(503, "failed"), (401, "refused")] {
        resend.fail(Fault::Fail(fault));
        if result == "failed" {
            let id = text(&suppressions(&w).await[0]["suppression_id"]);
            let lift = format!("/v1/admin/email-suppressions/{id}/lift");
            w.server.post(&lift, ADMIN, &json!({})).await.expect(204);
        }
        until(async || {
            if result != "failed" {
                pass_time(&w.server).await;
            }
            (suppressions(&w).await[0]["provider"] == result).then_some(())
        })
        .await;
    }
}

/// The operator's page of addresses, and the way back.
#[tokio::test]
async fn an_operator_lifts_a_suppression_on_the_console() {
    let resend = Resend::start().await;
    let w = World::start(with_hooks(&resend), |_| {}).await;
    let olga = Person::member(&w.server, &w.shop.organiser, "olga", "support").await;
    olga.name_operator(&w.server);
    // Her invitation.
    until(async || (resend.mails().len() == 1).then_some(())).await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&olga).await;
    let here = "/console/operator/mail/addresses";
    browser.open(here).await.has("Mail goes to every address.");
    let mail = sent(&w, &resend, "ida@example.org").await;
    tell(&w, &mail, "msg_1", ("email.bounced", hard())).await;
    let page = browser.open("/console/operator/mail").await;
    page.has("Came back");
    page.has("550 5.1.1 no such user");
    let page = browser.open(here).await;
    page.has("ida@example.org");
    let id = text(&suppressions(&w).await[0]["suppression_id"]);
    let done = browser.submit(&page, &format!("{here}/{id}/lift"), &[]).await;
    browser.open(done.location()).await.has("Mail goes there again.");
    assert_eq!(suppressions(&w).await[0]["lifted_by"], "olga");
}
