//! The mails of an event, and an organiser's own texts, as people use them.

use liventix_server::platform::config::EmailConfig;
use liventix_stand_ins::resend::Resend;

use super::Chromium;
use crate::support::shop::{Shop, trying_out};
use crate::support::{Person, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_organiser_writes_to_buyers_and_in_their_own_words() {
    let resend = Resend::start().await;
    let mut server = trying_out().await;
    let shop = Shop::open(&server, Some(20)).await;
    let olga = Person::member(&server, &shop.organiser, "olga", "owner").await;
    server.shutdown().await;
    server
        .start_again_set(|config| {
            config.payments.test_provider = true;
            config.email = EmailConfig {
                from: Some("Liventix <tickets@example.org>".to_owned()),
                resend_api_key: Some("re_liventix".into()),
                resend_url: resend.url().to_owned(),
                ..EmailConfig::default()
            };
        })
        .await;
    shop.order(&server, 2).await.try_out(&server, "pay").await;
    until(async || {
        server.app().queue().wake("email");
        (resend.mails().len() == 1).then_some(())
    })
    .await;
    let browser = Chromium::start(&server).await;
    browser.sign_in(&olga).await;
    let home = format!("/console/organisers/{}", shop.organiser.id);
    let mails = format!("{home}/events/{}/mails", shop.event.id);
    browser.open(&mails).await;
    browser.has("//strong[.='Your tickets for Harbour Lights']").await;
    browser.fill("subject", "See you tomorrow").await;
    browser.fill("body", "Gates open at six. Bring a coat.").await;
    browser.press("Send to all buyers").await;
    browser.has("//p[@role='status'][contains(., 'on its way to everybody')]").await;
    browser.picture("mails").await;
    browser.open(&format!("{home}/mail-texts")).await;
    browser.has("//strong[.='Tickets, once they are paid']").await;
    browser.open(&format!("{home}/mail-texts/event_cancelled/en")).await;
    browser.fill("text", "Sorry\n\n{{ event }} is off: {{ reason }}").await;
    browser.frame_has("preview", "Called off: Harbour Lights").await;
    browser.press("Preview").await;
    browser.frame_has("preview", "Harbour Lights is off: A storm closes the pier.").await;
    browser.press("Save").await;
    browser.has("//p[@role='status'][contains(., 'The text is saved')]").await;
    browser.frame_has("preview", "Harbour Lights is off: A storm closes the pier.").await;
    browser.picture("mail-text").await;
    browser.close().await;
}
