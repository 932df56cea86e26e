//! Mails by SMTP: through a server that others use, and what happens when one misbehaves.

use std::collections::BTreeSet;
use std::time::Duration;

use liventix_server::platform::config::EmailConfig;
use serde_json::json;

use crate::support::exim::{Exim, ca_file, other_ca_file};
use crate::support::mails::{MailWorld, by_smtp, failure, parse};
use crate::support::{ADMIN, At, How, MailServer, text, until};

const IDA: &str = "ida@example.org";

fn by_exim(exim: &Exim) -> EmailConfig {
    EmailConfig { smtp_ca_file: Some(ca_file()), ..by_smtp(&exim.url()) }
}

/// Waits for so many mails.
async fn delivered(exim: &Exim, count: usize) -> Vec<Vec<u8>> {
    until(async || Some(exim.mails()).filter(|mails| mails.len() >= count)).await
}

/// What the server wrote above the mail: how it came.
fn received(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail).into_owned();
    text.lines().find(|line| line.starts_with("Received:")).unwrap().to_owned()
}

#[tokio::test]
async fn a_buyer_gets_tickets_through_a_real_server_and_they_open_the_door() {
    for is_encrypted in [false, true] {
        let exim = Exim::start(is_encrypted).await;
        let w = MailWorld::start(by_exim(&exim)).await;
        w.paid_by("Zoë Bücher, M.A.", IDA).await;
        let sent = w.sent(IDA).await;
        assert_eq!((&sent["tries"], &sent["may_have_come_twice"]), (&json!(1), &json!(false)), "{sent}");
        assert!(text(&sent["provider_id"]).contains("OK id="), "{sent}");
        let mails = delivered(&exim, 1).await;
        assert_eq!(mails.len(), 1);
        let how = received(&mails[0]);
        assert!(how.contains("esmtpsa") && how.contains("user ida"), "encrypted, and signed in: {how}");
        let message = parse(&mails[0]);
        assert_eq!(message.subject(), Some("Your ticket for Harbour Lights"));
        let to = message.to().unwrap().first().unwrap();
        assert_eq!((to.name(), to.address()), (Some("Zoë Bücher, M.A."), Some(IDA)));
        assert_eq!(message.header("Envelope-to").and_then(|it| it.as_text()), Some(IDA));
        assert_eq!(message.return_path().as_text(), Some("tickets@example.org"));
        w.goes_in_by(&message).await;
    }
}

/// One connection, mail after mail; where the server was started anew in between, another one, and no mail is lost or
/// comes twice.
#[tokio::test]
async fn connections_are_kept_as_long_as_somebody_is_there() {
    let exim = Exim::start(false).await;
    let w = MailWorld::start(by_exim(&exim)).await;
    let one_after_the_other = async |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let to = format!("ida.{number}@example.org");
            w.test(&to).await;
            let sent = w.sent(&to).await;
            assert_eq!((&sent["tries"], &sent["may_have_come_twice"]), (&json!(1), &json!(false)), "{sent}");
        }
    };
    one_after_the_other(0..5).await;
    assert_eq!(exim.connections(), 1);
    exim.restart();
    one_after_the_other(5..8).await;
    assert_eq!(exim.connections(), 2);
    let mails = delivered(&exim, 8).await;
    let ids: BTreeSet<_> = mails.iter().map(|mail| parse(mail).message_id().unwrap().to_owned()).collect();
    assert_eq!((mails.len(), ids.len()), (8, 8), "each once");
    let ways: BTreeSet<_> = mails.iter().map(|mail| received(mail)).collect();
    assert_eq!(ways.len(), 2, "by the ports of two connections: {ways:?}");
}

#[tokio::test]
async fn a_mailbox_that_is_not_there_is_a_dead_letter_at_once() {
    let exim = Exim::start(false).await;
    let w = MailWorld::start(by_exim(&exim)).await;
    w.test("nobody@example.org").await;
    let failed = w.failed("nobody@example.org").await;
    assert_eq!(failed["tries"], 1);
    assert!(failure(&failed).contains("550 5.1.1 No such mailbox"), "{failed}");
    // Nobody knocks there again, until an operator says that it works.
    let page = w.server.get("/v1/admin/email-suppressions", ADMIN).await.expect(200);
    let there = &page["items"][0];
    assert_eq!((&there["address"], &there["reason"]), (&json!("nobody@example.org"), &json!("bounced")));
    assert!(text(&there["detail"]).contains("No such mailbox"), "{there}");
    w.test("Nobody@example.org").await;
    let withheld = w.becomes("Nobody@example.org", |mail| mail["status"] == "withheld").await;
    assert_eq!(withheld["tries"], 0);
    let lift = format!("/v1/admin/email-suppressions/{}/lift", text(&there["suppression_id"]));
    w.server.post(&lift, ADMIN, &json!({})).await.expect(204);
    assert_eq!(w.failed("Nobody@example.org").await["tries"], 1, "it was asked once more");
    // And the connection is good for the next one.
    w.test(IDA).await;
    w.sent(IDA).await;
    assert_eq!((exim.connections(), delivered(&exim, 1).await.len()), (1, 1));
}

#[tokio::test]
async fn a_wrong_password_sends_nothing_and_is_told_without_it() {
    let exim = Exim::start(true).await;
    let config =
        EmailConfig { smtp_url: Some(exim.url_of("localhost", "ida:hunter2").into()), ..by_exim(&exim) };
    let w = MailWorld::start(config).await;
    w.test(IDA).await;
    let failed = w.failed(IDA).await;
    let why = failure(&failed);
    assert!(why.contains("535") && !why.contains("hunter2"), "{why}");
    let letters = w.server.get("/v1/admin/dead-letters?queue=email", ADMIN).await.expect(200).to_string();
    assert!(!letters.contains("hunter2"), "{letters}");
    assert!(exim.mails().is_empty());
}

/// Whoever cannot show who they are gets neither the mail nor the password.
#[tokio::test]
async fn a_server_whose_certificate_is_not_trusted_gets_nothing() {
    let exim = Exim::start(true).await;
    let starts = Exim::start(false).await;
    for config in [
        by_smtp(&exim.url()),
        by_smtp(&starts.url()),
        EmailConfig { smtp_ca_file: Some(other_ca_file()), ..by_exim(&exim) },
        // It is vouched for under another name.
        EmailConfig { smtp_url: Some(exim.url_of("127.0.0.1", "ida:pass%25word").into()), ..by_exim(&exim) },
    ] {
        let w = MailWorld::start(config).await;
        w.test(IDA).await;
        let tried = w.becomes(IDA, |mail| mail["failure"].is_string()).await;
        let why = failure(&tried);
        assert!(why.contains("invalid peer certificate") && !why.contains("pass"), "{why}");
        assert_eq!((&tried["status"], &tried["may_have_come_twice"]), (&json!("queued"), &json!(false)));
    }
    assert!(exim.mails().is_empty() && starts.mails().is_empty());
}

/// Nothing goes in the open where it must not: not the mail, and not the password.
#[tokio::test]
async fn where_encryption_is_required_and_not_offered_nothing_is_said() {
    let secret = |mail: &MailServer| {
        by_smtp(&format!("{}?tls=required", mail.url.replace("smtp://", "smtp://ida:hunter2@")))
    };
    let mail = MailServer::with(&["AUTH PLAIN"]).await;
    let w = MailWorld::start(secret(&mail)).await;
    w.test(IDA).await;
    let tried = w.becomes(IDA, |mail| mail["failure"].is_string()).await;
    assert!(failure(&tried).contains("no STARTTLS"), "{tried}");
    assert_eq!(mail.lines(), ["EHLO [127.0.0.1]"]);
}

/// Who signs in the old way is heard as well.
#[tokio::test]
async fn a_server_that_only_knows_login_is_told_user_and_password() {
    let mail = MailServer::with(&["AUTH LOGIN"]).await;
    let w = MailWorld::start(by_smtp(&mail.url.replace("smtp://", "smtp://ida:hunter2@"))).await;
    for answer in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 yes"] {
        mail.misbehave(At::Auth, How::Say(answer));
    }
    w.test(IDA).await;
    w.sent(IDA).await;
    assert_eq!(mail.lines()[1..4], ["AUTH LOGIN", "aWRh", "aHVudGVyMg=="]);
}

/// What goes wrong before the server has the whole mail is tried again, and the mail has not come; what goes wrong
/// afterwards is tried again too, and it may have.
#[tokio::test]
async fn a_mail_may_have_come_twice_only_where_its_end_was_sent() {
    let silence = [How::Hang, How::Close, How::Chatter, How::Say("hello"), How::Say("250-a\n251 b")];
    let mut mail = MailServer::start().await;
    // What hangs is waited for, so not for long.
    let config = EmailConfig { smtp_timeout: Duration::from_secs(1), ..by_smtp(&mail.url) };
    let w = MailWorld::start(config).await;
    let mut number = 0;
    for at in [At::Greeting, At::Ehlo, At::Recipient, At::Data, At::Dot] {
        for how in silence.into_iter().chain([How::Say("421 later"), How::Say("451-busy\n451 really")]) {
            number += 1;
            let to = format!("ida.{number}@example.org");
            if mail.connections() > 0 {
                // The one that is kept is gone when it is looked at.
                mail.misbehave(At::Other, How::Close);
            }
            mail.misbehave(at, how);
            w.test(&to).await;
            let sent = w.sent(&to).await;
            let may_have = at == At::Dot && silence.contains(&how);
            assert_eq!(
                (&sent["tries"], &sent["may_have_come_twice"]),
                (&json!(2), &json!(may_have)),
                "{at:?} {how:?} {sent}"
            );
            let first = mail.raw().await;
            if at == At::Dot {
                let again = mail.raw().await;
                assert_eq!(parse(&first).message_id(), parse(&again).message_id());
            }
            assert!(mail.is_quiet(), "{at:?} {how:?}");
        }
    }
}

/// For good, wherever it is said.
#[tokio::test]
async fn what_a_server_refuses_is_not_tried_again() {
    for at in [At::Greeting, At::Ehlo, At::Recipient, At::Data, At::Dot] {
        let mail = MailServer::start().await;
        let w = MailWorld::start(by_smtp(&mail.url)).await;
        mail.misbehave(at, How::Say("554-5.7.1 We know you\n554 5.7.1 and do not want you"));
        w.test(IDA).await;
        let failed = w.failed(IDA).await;
        assert_eq!((&failed["tries"], mail.connections()), (&json!(1), 1), "{at:?}");
        let why = "554 5.7.1 We know you";
        assert!(failure(&failed).contains(why), "{at:?} {failed}");
    }
}

/// A server that is gone is asked as often as it has to be, and then the operator.
#[tokio::test]
async fn a_server_that_is_not_there_is_tried_six_times() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("smtp://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let w = MailWorld::start(by_smtp(&gone)).await;
    w.test(IDA).await;
    let failed = w.becomes_in_time(IDA, |mail| mail["status"] == "failed").await;
    assert_eq!((&failed["tries"], &failed["may_have_come_twice"]), (&json!(6), &json!(false)), "{failed}");
    assert!(failure(&failed).contains("took nothing"), "{failed}");
}
