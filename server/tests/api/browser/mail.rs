//! How mails do, as an operator sees it.

use liventix_server::platform::config::EmailConfig;
use liventix_stand_ins::resend::{Fault, Resend};

use super::Chromium;
use crate::support::shop::Shop;
use crate::support::{Person, Server, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sends_a_mail_and_sees_those_that_went() {
    let resend = Resend::start().await;
    let server = Server::start_set(|config| {
        config.payments.test_provider = true;
        config.email = EmailConfig {
            from: Some("Liventix <tickets@example.org>".to_owned()),
            resend_api_key: Some("re_liventix".into()),
            resend_url: resend.url().to_owned(),
            ..EmailConfig::default()
        };
    })
    .await;
    let shop = Shop::open(&server, Some(20)).await;
    let olga = Person::member(&server, &shop.organiser, "olga", "owner").await;
    olga.name_operator(&server);
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
    browser.close().await;
}
