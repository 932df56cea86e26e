//! A forgotten password: from the sign-in page over the mail to a new one.

use liventix_server::platform::config::EmailConfig;
use liventix_stand_ins::resend::Resend;

use super::Chromium;
use crate::support::{Organiser, Person, Server, text, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_by_mail_and_chooses_a_new_password() {
    let resend = Resend::start().await;
    let server = Server::start_set(|config| {
        config.email = EmailConfig {
            from: Some("Liventix <tickets@example.org>".to_owned()),
            resend_api_key: Some("re_liventix".into()),
            resend_url: resend.url().to_owned(),
            ..EmailConfig::default()
        };
    })
    .await;
    let organiser = Organiser::create(&server, "Harbour Events").await;
    let ada = Person::member(&server, &organiser, "Ada", "owner").await;
    let browser = Chromium::start(&server).await;
    browser.open("/console/sign-in").await;
    browser.has("//h1[.='Sign in']").await;
    browser.picture("sign-in").await;
    browser.follow("Send me a sign-in link").await;
    browser.has("//h1[.='Sign in by mail']").await;
    browser.fill("email", &ada.email).await;
    browser.press("Send me a link").await;
    browser.has("//p[@role='status'][contains(., 'a link is on its way')]").await;
    browser.picture("sign-in-link").await;
    let mail = until(async || {
        server.app().queue().wake("email");
        resend.mails().into_iter().find(|mail| mail["subject"] == "Your link to sign in")
    })
    .await;
    let mail = text(&mail["text"]);
    let link = mail.split_whitespace().find(|word| word.contains("/lxl_")).unwrap();
    browser.open(link.strip_prefix(&server.url("")).unwrap()).await;
    browser.has("//h1[.='Sign in as Ada']").await;
    browser.picture("sign-in-by-link").await;
    browser.press("Sign in").await;
    browser.has("//p[@role='status'][contains(., 'You are signed in')]").await;
    browser.has("//h2[.='Choose a new password']").await;
    browser.picture("new-password").await;
    browser.fill("new_password", "another harbour at dawn").await;
    browser.press("Set the password").await;
    browser.has("//p[@role='status'][contains(., 'Your password is changed')]").await;
    browser.fill("email", &ada.email).await;
    browser.fill("password", "another harbour at dawn").await;
    browser.press("Sign in").await;
    browser.has("//h1[.='Events']").await;
    browser.close().await;
}
