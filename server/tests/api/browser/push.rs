//! Push messages, as an organiser and an operator see them.

use liventix_server::platform::rate_limit::Limit;
use liventix_stand_ins::push::Verdict;
use serde_json::json;

use super::Chromium;
use crate::support::Person;
use crate::support::push::{PushWorld, apns_token, fcm_token};

#[tokio::test(flavor = "multi_thread")]
async fn an_organiser_tells_phones_stops_and_sees_how_far_it_is() {
    let w = PushWorld::start_set(|config| config.limits.push_campaign = Limit::per_hour(2)).await;
    let grace = Person::member(&w.server, &w.organiser, "Grace", "owner").await;
    for number in 0..4 {
        let phone = w.phone().await;
        w.register(&phone, "apns", &apns_token(number)).await;
    }
    let browser = Chromium::start(&w.server).await;
    browser.sign_in(&grace).await;
    let page = format!("/console/organisers/{}/events/{}/push", w.organiser.id, w.event.id);
    browser.open(&page).await;
    browser.has("//h1[.='Push messages']").await;
    browser.fill("title", "Harbour Lights").await;
    browser.fill("body", "The last boat goes at two. <b>Be there.</b>").await;
    browser.press("Tell them").await;
    browser.has("//p[@role='status'][contains(., 'on its way')]").await;
    w.comes(async || {
        w.server.app().queue().wake("notices");
        (w.services.shown().len() == 2).then_some(())
    })
    .await;
    // What it has come to is written down by now, and it waits for its hour.
    w.comes(async || {
        w.server.app().queue().wake("notices");
        let list = w.server.get(&format!("{}/campaigns", w.event.path), &w.organiser.key).await.expect(200);
        let it = &list["items"][0];
        (it["progress"]["sent"] == 2 && it["waits_until"].is_i64()).then_some(())
    })
    .await;
    browser.open(&page).await;
    browser.has("//li[contains(., '2 of 4 phones')]//meter").await;
    browser.has("//*[contains(., '2 went in an hour')]").await;
    browser.has("//p[contains(., '<b>Be there.</b>')]").await;
    browser.picture("campaigns").await;
    browser.press("Pause").await;
    browser.has("//span[.='Paused']").await;
    browser.press("Go on").await;
    browser.has("//span[.='Under way']").await;
    browser.press("Call off").await;
    browser.has("//span[.='Called off']").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_how_messages_do_and_why_some_did_not_go() {
    let w = PushWorld::start().await;
    let olga = Person::member(&w.server, &w.organiser, "olga", "owner").await;
    olga.name_operator(&w.server);
    let phones = [w.phone().await, w.phone().await];
    w.register(&phones[0], "apns", &apns_token(1)).await;
    w.register(&phones[1], "fcm", &fcm_token(2)).await;
    w.services.judge(&fcm_token(2), Some(Verdict::Unregistered(0)));
    let id = w.test(&phones[0]).await;
    w.test(&phones[1]).await;
    w.comes(async || {
        let health = w.server.get("/v1/admin/push", crate::support::ADMIN).await.expect(200);
        (health["month"] == 1 && health["inactive"][0]["count"] == 1).then_some(())
    })
    .await;
    let receipt = json!({"receipts": [{"message_id": id, "kind": "opened", "age_ms": 0}]});
    w.server.post("/v1/wallet/push/receipts", &phones[0].token, &receipt).await.expect(204);
    let browser = Chromium::start(&w.server).await;
    browser.sign_in(&olga).await;
    browser.open("/console/operator/push").await;
    browser.has("//h1[.='Push messages']").await;
    browser.has("//li[contains(., '100 %')][contains(., 'opened')]").await;
    browser.has("//li[contains(., 'the app is gone from the phone')]").await;
    browser.has("//strong[.='It works']").await;
    browser.picture("operator-push").await;
    browser.open("/console/operator/push?show=failed").await;
    browser.has("//span[.='Not sent']").await;
    let source = browser.run("return document.documentElement.outerHTML").await;
    assert!(!source.to_string().contains(&fcm_token(2)), "no token is shown");
    browser.close().await;
}
