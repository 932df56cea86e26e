//! Mails: written with what causes them, sent once, in their time; and what they say.

use liventix_server::platform::config::{Config, EmailConfig};
use liventix_server::platform::rate_limit::Limit;
use liventix_stand_ins::resend::{Fault, Resend};
use mail_parser::{MessageParser, MimeHeaders as _};
use serde_json::{Value, json};

pub(crate) use crate::support::mails::{by_resend as with_resend, from};
use crate::support::mails::{by_smtp, pass_time};
use crate::support::shop::{Order, Shop};
use crate::support::{ADMIN, Browser, MailServer, Person, Server, text, until};

const MINUTE: i64 = 60_000;

pub(crate) fn with_smtp(mail: &MailServer) -> EmailConfig {
    by_smtp(&mail.url)
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) shop: Shop,
}

impl World {
    pub(crate) async fn start(email: EmailConfig, change: impl FnOnce(&mut Config)) -> Self {
        let server = Server::start_set(|config| {
            config.payments.test_provider = true;
            config.email = email;
            change(config);
        })
        .await;
        let shop = Shop::open(&server, Some(50)).await;
        Self { server, shop }
    }

    pub(crate) async fn paid(&self, quantity: u32) -> Order {
        let order = self.shop.order(&self.server, quantity).await;
        order.try_out(&self.server, "pay").await;
        order
    }

    pub(crate) async fn test(&self, to: &str) {
        self.server.post("/v1/admin/emails/test", ADMIN, &json!({ "to": to })).await.expect(202);
    }

    /// Every mail on record, newest first.
    pub(crate) async fn mails(&self) -> Vec<Value> {
        let page = self.server.get("/v1/admin/emails", ADMIN).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// Waits until the only mail stands so.
    pub(crate) async fn becomes(&self, status: &str) -> Value {
        until(async || {
            self.server.app().queue().wake("email");
            let [mail] = <[Value; 1]>::try_from(self.mails().await).unwrap();
            (mail["status"] == status).then_some(mail)
        })
        .await
    }

    /// The same, while time passes: what failed is tried again.
    pub(crate) async fn becomes_in_time(&self, status: &str) -> Value {
        until(async || {
            pass_time(&self.server).await;
            let [mail] = <[Value; 1]>::try_from(self.mails().await).unwrap();
            (mail["status"] == status).then_some(mail)
        })
        .await
    }
}

/// What a picture of a code says.
pub(crate) fn read_code(png: &[u8]) -> String {
    let picture = image::load_from_memory(png).unwrap().to_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(picture);
    let grids = prepared.detect_grids();
    grids[0].decode().unwrap().1
}

#[tokio::test]
async fn a_buyer_gets_tickets_that_open_the_door() {
    let mut mail = MailServer::start().await;
    let w = World::start(with_smtp(&mail), |_| {}).await;
    let order = w.paid(2).await;
    let raw = mail.raw().await;
    let message = MessageParser::default().parse(&raw).unwrap();
    let reference = text(&order.view["reference"]);
    assert_eq!(message.subject(), Some("Your tickets for Harbour Lights"));
    let to = message.to().unwrap().first().unwrap();
    assert_eq!((to.name(), to.address()), (Some("Ida Berg"), order.view["email"].as_str()));
    let (plain, html) = (message.body_text(0).unwrap(), message.body_html(0).unwrap());
    for part in [&plain, &html] {
        assert!(part.contains(&reference) && part.contains("83.00 EUR"), "{part}");
        assert!(part.contains("Friday 31 July 2026"), "{part}");
        for item in order.view(&w.server).await["items"].as_array().unwrap() {
            let link = text(&item["ticket_url"]);
            assert!(part.contains(&link) || part.contains(&link.replace('/', "&#x2f;")), "{link}");
        }
    }
    let pictures: Vec<_> = message.attachments().filter(|part| part.content_id().is_some()).collect();
    assert_eq!(pictures.len(), 2);
    for (number, picture) in pictures.iter().enumerate() {
        let cid = picture.content_id().unwrap();
        assert!(html.contains(&format!("cid:{cid}")));
        assert_eq!(picture.attachment_name(), Some(format!("ticket-{}.png", number + 1).as_str()));
        let code = read_code(picture.contents());
        let reply = w.shop.event.redeem(&w.server, &w.shop.organiser.key, &code).await;
        assert_eq!(reply["outcome"], "admit", "{reply}");
    }
    let sent = w.becomes("sent").await;
    assert_eq!((&sent["tries"], &sent["provider"]), (&json!(1), &json!("smtp")));
    assert_eq!(sent["may_have_come_twice"], false);
    assert!(mail.is_quiet());
}

/// Whatever goes wrong with the call: it is tried again, and the mail comes once.
#[tokio::test]
async fn a_mail_that_nobody_answers_for_comes_once() {
    for fault in [
        Fault::HangBefore,
        Fault::HangAfter,
        Fault::BreakAfter,
        Fault::Garble,
        Fault::TooMany(1),
        Fault::InProgress,
        Fault::Fail(503),
    ] {
        let resend = Resend::start().await;
        let mut config = with_resend(&resend);
        let hangs = matches!(fault, Fault::HangBefore | Fault::HangAfter);
        if hangs {
            // It is waited for, so not for long.
            config.resend_timeout = std::time::Duration::from_millis(300);
        }
        let w = World::start(config, |_| {}).await;
        resend.fail(fault.clone());
        w.paid(1).await;
        let sent = w.becomes_in_time("sent").await;
        // A busy machine may be late as well, where it is not waited for.
        let tries = sent["tries"].as_i64().unwrap();
        assert!(tries == 2 || hangs && tries > 2, "{fault:?} {tries}");
        assert_eq!(sent["may_have_come_twice"], false, "{fault:?}");
        assert_eq!(resend.mails().len(), 1, "{fault:?}");
        assert_eq!(sent["provider_id"], resend.mails()[0]["id"]);
        let taken = &resend.mails()[0];
        assert_eq!(taken["subject"], "Your ticket for Harbour Lights");
        assert_eq!(taken["attachments"][0]["content_id"], "ticket-1");
    }
}

/// Never on other 4xx: the operator finds it among the dead letters, and tries it again.
#[tokio::test]
async fn what_is_refused_is_not_tried_again_by_itself() {
    let resend = Resend::start().await;
    let w = World::start(with_resend(&resend), |_| {}).await;
    resend.fail(Fault::Fail(422));
    w.test("ida@example.org").await;
    let failed = w.becomes("failed").await;
    assert_eq!((&failed["tries"], resend.calls()), (&json!(1), 1));
    let letter = until(async || {
        let letters = w.server.get("/v1/admin/dead-letters?queue=email", ADMIN).await.expect(200);
        letters["items"][0]["job_id"].as_str().map(str::to_owned)
    })
    .await;
    w.server.post(&format!("/v1/admin/dead-letters/{letter}/retry"), ADMIN, &json!({})).await.expect(204);
    w.becomes("sent").await;
    assert_eq!(resend.mails()[0]["subject"], "Mails work");
}

#[tokio::test]
async fn a_mail_that_nobody_takes_is_tried_six_times() {
    let resend = Resend::start().await;
    let w = World::start(with_resend(&resend), |_| {}).await;
    for _ in 0..20 {
        resend.fail(Fault::TooMany(1));
    }
    w.test("ida@example.org").await;
    let failed = w.becomes_in_time("failed").await;
    assert_eq!((&failed["tries"], resend.calls()), (&json!(6), 6));
}

/// Where the first provider cannot be reached, the second is asked; never where the first may have it.
#[tokio::test]
async fn the_second_provider_is_asked_where_the_first_surely_has_it_not() {
    let mut mail = MailServer::start().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let config =
        EmailConfig { resend_api_key: Some("re_liventix".into()), resend_url: gone, ..with_smtp(&mail) };
    let w = World::start(config, |_| {}).await;
    w.test("ida@example.org").await;
    let sent = w.becomes_in_time("sent").await;
    assert_eq!((&sent["provider"], &sent["tries"]), (&json!("smtp"), &json!(2)));
    let raw = mail.raw().await;
    assert_eq!(MessageParser::default().parse(&raw).unwrap().subject(), Some("Mails work"));
}

#[tokio::test]
async fn a_mail_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
    let mail = MailServer::start().await;
    let w = World::start(with_smtp(&mail), |_| {}).await;
    mail.refuse("451 busy");
    w.test("ida@example.org").await;
    assert_eq!(w.becomes_in_time("sent").await["tries"], 2);
    let w = World::start(with_smtp(&mail), |_| {}).await;
    mail.refuse("550 no such mailbox");
    w.test("nobody@example.org").await;
    let failed = w.becomes("failed").await;
    assert!(text(&failed["failure"]).contains("550"), "{failed}");
    let letters = until(async || {
        let letters = w.server.get("/v1/admin/dead-letters?queue=email", ADMIN).await.expect(200);
        (letters["items"][0]["job_id"].is_string()).then_some(letters)
    })
    .await;
    let letter = format!("/v1/admin/dead-letters/{}", text(&letters["items"][0]["job_id"]));
    let letter = w.server.get(&letter, ADMIN).await.expect(200).to_string();
    assert!(
        letter.contains("550") && !letter.contains("mailbox"),
        "what the server said is the mail's: {letter}"
    );
}

#[tokio::test]
async fn an_order_has_one_mail_however_often_it_is_heard_that_it_is_paid() {
    let resend = Resend::start().await;
    let w = World::start(with_resend(&resend), |_| {}).await;
    let order = w.paid(1).await;
    w.becomes("sent").await;
    order.act(&w.server, "refresh", &json!({})).await.expect(200);
    w.server.clock.advance(MINUTE);
    w.server.app().queue().wake("email");
    assert_eq!((w.mails().await.len(), resend.mails().len()), (1, 1));
}

/// Ten a minute to one address; the eleventh waits until there is room, and comes.
#[tokio::test]
async fn nobody_gets_more_than_ten_a_minute_and_nothing_is_dropped() {
    let resend = Resend::start().await;
    let limit = |config: &mut Config| config.limits.email_recipient = Limit::per_minute(10);
    let w = World::start(with_resend(&resend), limit).await;
    for number in 0..12 {
        let address = if number % 2 == 0 { "ida@example.org" } else { "Ida@Example.org" };
        w.test(address).await;
    }
    w.test("nora@example.org").await;
    let sent = async |count: usize| {
        until(async || {
            w.server.app().queue().wake("email");
            (resend.mails().len() == count).then_some(())
        })
        .await;
    };
    sent(11).await;
    w.server.clock.advance(MINUTE - 1);
    w.server.app().queue().wake("email");
    assert_eq!(resend.mails().len(), 11);
    w.server.clock.advance(1);
    sent(13).await;
    assert!(w.mails().await.iter().all(|mail| mail["tries"] == 1), "what waits was not tried");
}

/// A hundred a minute altogether, by two processes on one database, and evenly.
#[tokio::test]
async fn all_together_go_evenly_and_never_too_many() {
    let resend = Resend::start().await;
    let limit = |config: &mut Config| config.limits.email = Limit::per_minute(100);
    let w = World::start(with_resend(&resend), limit).await;
    for number in 0..6 {
        w.test(&format!("ida.{number}@example.org")).await;
    }
    for count in 2..=6 {
        until(async || {
            w.server.app().queue().wake("email");
            (resend.mails().len() == count).then_some(())
        })
        .await;
        w.server.clock.advance(609);
        w.server.app().queue().wake("email");
        assert_eq!(resend.mails().len(), count);
        w.server.clock.advance(1);
    }
}

#[tokio::test]
async fn for_trying_out_mails_are_files() {
    let folder = tempfile::tempdir().unwrap();
    let config =
        EmailConfig { from: from(), folder: Some(folder.path().join("mail")), ..EmailConfig::default() };
    let w = World::start(config, |_| {}).await;
    w.paid(1).await;
    let sent = w.becomes("sent").await;
    let file = folder.path().join("mail").join(text(&sent["provider_id"]));
    let raw = std::fs::read(file).unwrap();
    let message = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(message.subject(), Some("Your ticket for Harbour Lights"));
    assert_eq!(message.attachment_count(), 3);
}

#[tokio::test]
async fn where_nobody_takes_mails_none_is_written() {
    let w = World::start(EmailConfig::default(), |_| {}).await;
    w.paid(1).await;
    assert_eq!(w.mails().await, Vec::<Value>::new());
    let test = w.server.post("/v1/admin/emails/test", ADMIN, &json!({"to": "ida@example.org"})).await;
    test.expect_problem(503, "mails_off");
    let wrong = w.server.post("/v1/admin/emails/test", ADMIN, &json!({"to": "ida@@example"})).await;
    wrong.expect_problem(422, "invalid_field");
}

/// The operator's page: what waits, what went, what nobody took, and a mail that says that mails work.
#[tokio::test]
async fn an_operator_sees_how_mails_do() {
    let resend = Resend::start().await;
    let mut w = World::start(EmailConfig::default(), |_| {}).await;
    // Invited before mails are sent: hers is none of those counted here.
    let olga = Person::member(&w.server, &w.shop.organiser, "olga", "support").await;
    w.server.shutdown().await;
    w.server
        .start_again_set(|config| {
            config.payments.test_provider = true;
            config.email = with_resend(&resend);
        })
        .await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&olga).await;
    let here = "/console/operator/mail";
    assert_eq!(browser.open(here).await.status, 404);
    olga.name_operator(&w.server);
    let page = browser.open(here).await;
    page.has("There is no mail like that.");
    resend.fail(Fault::Fail(422));
    assert_eq!(browser.submit(&page, here, &[("to", "ida@@example")]).await.status, 422);
    let tested = browser.submit(&page, here, &[("to", "ida@example.org")]).await;
    browser.open(tested.location()).await.has("A mail is on its way.");
    w.becomes("failed").await;
    browser.open(here).await.has("not sent: look, and try again");
    w.paid(1).await;
    until(async || {
        w.server.app().queue().wake("email");
        (resend.mails().len() == 1).then_some(())
    })
    .await;
    until(async || {
        let page = browser.open(&format!("{here}?show=sent")).await;
        page.html.contains("Your ticket for Harbour Lights").then_some(())
    })
    .await;
    browser.open(&format!("{here}?show=failed")).await.has("This is on command.");
}

/// A name cannot become a header, and what is typed cannot become a part of the page.
#[tokio::test]
async fn what_buyers_type_stays_what_they_typed() {
    let mut mail = MailServer::start().await;
    let w = World::start(with_smtp(&mail), |_| {}).await;
    let mut wish = w.shop.wish(1);
    wish["name"] = json!("Ida \"x\" <b>Berg</b>, bcc: eve@example.org \u{202e}Zoë");
    let key = crate::support::shop::key();
    let order = Order::of(w.shop.try_order(&w.server, &key, "", &wish).await.expect(201));
    order.try_out(&w.server, "pay").await;
    let raw = mail.raw().await;
    let message = MessageParser::default().parse(&raw).unwrap();
    let to = message.to().unwrap();
    assert_eq!(to.as_list().unwrap().len(), 1, "{to:?}");
    assert_eq!(to.first().unwrap().address(), order.view["email"].as_str());
    assert!(message.bcc().is_none());
    let html = message.body_html(0).unwrap();
    assert!(!html.contains("<b>Berg</b>") && html.contains("&lt;b&gt;Berg"), "{html}");
}
