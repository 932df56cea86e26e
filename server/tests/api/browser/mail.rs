//! How mails do, as an operator sees it.

use liventix_core::clock::Clock as _;
use liventix_server::platform::config::EmailConfig;
use liventix_stand_ins::resend::{Fault, Resend, Told, WEBHOOK_SECRET};

use super::Chromium;
use crate::support::mails::{by_resend, hand_in, hard};
use crate::support::shop::{Shop, trying_out};
use crate::support::{Person, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sends_a_mail_and_sees_those_that_went() {
    let resend = Resend::start().await;
    let mut server = trying_out().await;
    let shop = Shop::open(&server, Some(20)).await;
    // Invited before mails are sent: hers is none of those counted here.
    let olga = Person::member(&server, &shop.organiser, "olga", "owner").await;
    olga.name_operator(&server);
    server.shutdown().await;
    server
        .start_again_set(|config| {
            config.payments.test_provider = true;
            config.email =
                EmailConfig { resend_webhook_secrets: Some(WEBHOOK_SECRET.into()), ..by_resend(&resend) };
        })
        .await;
    shop.order(&server, 2).await.try_out(&server, "pay").await;
    until(async || {
        server.app().queue().wake("email");
        (resend.mails().len() == 1).then_some(())
    })
    .await;
    resend.fail(Fault::Fail(422));
    let browser = Chromium::start(&server).await;
    browser.sign_in(&olga).await;
    browser.open("/console/operator/mail").await;
    browser.has("//h1[.='Mail']").await;
    browser.fill("to", "olga@example.org").await;
    browser.press("Send a mail").await;
    browser.has("//p[@role='status'][contains(., 'A mail is on its way')]").await;
    until(async || {
        server.app().queue().wake("email");
        (resend.calls() == 2).then_some(())
    })
    .await;
    browser.open("/console/operator/mail?show=sent").await;
    browser.has("//strong[.='Your tickets for Harbour Lights']").await;
    browser.open("/console/operator/mail").await;
    browser.has("//strong[.='Mails work']").await;
    browser.picture("operator-mail").await;
    browser.follow("1not sent").await;
    browser.press("Try again").await;
    browser.has("//p[@role='status'][.='It is tried again.']").await;
    until(async || {
        server.app().queue().wake("email");
        (resend.mails().len() == 2).then_some(())
    })
    .await;
    let told = Told::of(&resend.mails()[1], "msg_1", ("email.bounced", hard()), server.clock.wall_ms());
    hand_in(&server, &told, &told.signature(WEBHOOK_SECRET)).await.expect(200);
    browser.open("/console/operator/mail").await;
    browser.has("//li[contains(., '50.00 %')][contains(., 'came back')]").await;
    browser.follow("Addresses without mail").await;
    browser.has("//*[contains(., 'olga@example.org')]").await;
    browser.picture("addresses").await;
    browser.press("Send mail there again").await;
    browser.has("//p[@role='status']").await;
    browser.close().await;
}
