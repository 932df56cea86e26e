//! What people type, in mails: it stays what they typed, wherever it goes.

use liventix_stand_ins::resend::{Fault, Resend};
use serde_json::{Value, json};

use crate::support::mails::{MailWorld, by_resend, by_smtp, failure, parse};
use crate::support::shop::key;
use crate::support::{ADMIN, MailServer, NOW, text, until};

const IDA: &str = "ida@example.org";

/// Lines that could mean something where they do not belong.
const ODD: [&str; 16] = [
    "Ida <eve@example.org>",
    "Ida\" <eve@example.org>, \"Berg",
    "eve@example.org, Ida",
    "Ida; bcc: eve@example.org",
    "=?utf-8?q?Ida=0D=0ABcc:_eve@example.org?=",
    "=?utf-8?b?SWRhDQpCY2M6IGV2ZUBleGFtcGxlLm9yZw==?= Berg",
    "Ida\u{2028}Bcc: eve@example.org\u{2029}.",
    ".",
    "..",
    "(Ida) \\ \\\" \\",
    "עדה ברג",
    "王小明",
    "Zoë 🎫 Müller 👩‍👩‍👧",
    "\u{202e}greB adI",
    "<b>Ida</b> & {{ name }} %00 %0d%0aBcc:",
    "a b, group: eve@example.org;",
];

/// What holds for every mail, whoever typed whatever.
fn check(raw: &[u8], name: &str, subject: &str) {
    let message = parse(raw);
    let to = message.to().unwrap().as_list().unwrap();
    assert_eq!(to.len(), 1, "{name}: {to:?}");
    assert_eq!((to[0].name(), to[0].address()), (Some(name), Some(IDA)));
    assert_eq!(message.subject(), Some(subject));
    assert!(message.bcc().is_none() && message.cc().is_none());
    let (text, html) = (message.body_text(0).unwrap(), message.body_html(0).unwrap());
    assert!(text.contains(name) && !html.contains("<b>"), "{name}: {text}");
    let whole = String::from_utf8(raw.to_vec()).unwrap();
    assert!(whole.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])), "{name}");
    assert!(whole.is_ascii(), "{name}: nothing that a server might not take");
}

#[tokio::test]
async fn what_buyers_call_themselves_stays_their_name() {
    let mut mail = MailServer::start().await;
    let w = MailWorld::start(by_smtp(&mail.url)).await;
    let longest = "ש".repeat(120);
    for name in ODD.into_iter().chain([longest.as_str()]) {
        w.paid_by(name, IDA).await;
        check(&mail.raw().await, name, "Your ticket for Harbour Lights");
        assert!(mail.lines().iter().filter(|line| line.starts_with("RCPT")).all(|line| line.contains(IDA)));
    }
    assert!(mail.is_quiet());
}

#[tokio::test]
async fn what_events_are_called_stays_their_name() {
    let mut mail = MailServer::start().await;
    let w = MailWorld::start(by_smtp(&mail.url)).await;
    let longest = format!("{}🎫", "Ein sehr langer Abend, ".repeat(6));
    for name in ODD.into_iter().chain([longest.as_str()]) {
        let change = json!({ "name": name });
        w.server.call("PATCH", &w.shop.event.path, &w.shop.organiser.key, &change).await.expect(200);
        w.paid_by("Ida Berg", IDA).await;
        check(&mail.raw().await, "Ida Berg", &format!("Your ticket for {name}"));
    }
}

/// Resend makes headers of what it gets, from JSON.
#[tokio::test]
async fn resend_gets_names_that_it_reads_as_they_were_typed() {
    let resend = Resend::start().await;
    let w = MailWorld::start(by_resend(&resend)).await;
    for (place, name) in ODD.into_iter().enumerate() {
        let to = format!("ida.{place}@example.org");
        w.paid_by(name, &to).await;
        w.sent(&to).await;
        let mails = resend.mails();
        let whole = format!("To: {}\r\n\r\n", text(&mails.last().unwrap()["to"][0]));
        let message = parse(whole.as_bytes());
        let all = message.to().unwrap().as_list().unwrap();
        assert_eq!((all.len(), all[0].address()), (1, Some(to.as_str())), "{whole}");
        // Whoever decodes quoted text decodes it, and sees a name and nothing else.
        assert!(all[0].name() == Some(name) || name.contains("=?"), "{whole}");
    }
}

#[tokio::test]
async fn what_no_line_has_is_refused_at_the_checkout() {
    let mail = MailServer::start().await;
    let w = MailWorld::start(by_smtp(&mail.url)).await;
    let long = "x".repeat(121);
    let refused = async |field: &str, value: &str| {
        let mut wish = w.shop.wish(1);
        wish[field] = json!(value);
        let reply = w.shop.try_order(&w.server, &key(), "", &wish).await;
        reply.expect_problem(422, "invalid_field");
        assert!(text(&reply.json["detail"]).contains(field), "{}", reply.json);
    };
    for name in [
        "",
        "  ",
        "Ida\r\nBcc: eve@example.org",
        "Ida\nBerg",
        "Ida\rBerg",
        "Ida\0",
        "\u{85}Ida\u{85}b",
        &long,
    ] {
        refused("name", name).await;
    }
    for address in [
        "",
        "ida",
        "ida@",
        "@example.org",
        "ida@@example.org",
        "ida@example.org, eve@example.org",
        "ida@example.org\r\nRCPT TO:<eve@example.org>",
        "ida@example.org> SIZE=1",
        "<ida@example.org>",
        "Ida <ida@example.org>",
        "ida\u{2028}@example.org",
        "ida\u{202e}@example.org",
        "ida@exam\u{2028}ple.org",
        "ida@xn--a.example.org.",
        &format!("{}@example.org", "a".repeat(300)),
    ] {
        refused("email", address).await;
        let test = w.server.post("/v1/admin/emails/test", ADMIN, &json!({ "to": address })).await;
        test.expect_problem(422, "invalid_field");
    }
    assert_eq!(mail.connections(), 0);
}

/// A domain in any letters is written as servers look it up, and needs nothing of them.
#[tokio::test]
async fn domains_in_other_letters_are_sent_to_any_server() {
    let mut mail = MailServer::start().await;
    let w = MailWorld::start(by_smtp(&mail.url)).await;
    for (typed, sent) in [
        ("ida@bücher.example", "ida@xn--bcher-kva.example"),
        ("ida@例え.テスト", "ida@xn--r8jz45g.xn--zckzah"),
    ] {
        w.paid_by("Ida Berg", typed).await;
        w.sent(typed).await;
        let raw = mail.raw().await;
        assert!(raw.is_ascii());
        assert_eq!(parse(&raw).to().unwrap().first().unwrap().address(), Some(sent));
        assert!(mail.lines().contains(&format!("RCPT TO:<{sent}>")), "{:?}", mail.lines());
    }
    let resend = Resend::start().await;
    let w = MailWorld::start(by_resend(&resend)).await;
    w.test("ida@bücher.example").await;
    w.sent("ida@bücher.example").await;
    assert_eq!(resend.mails()[0]["to"], json!(["ida@xn--bcher-kva.example"]));
}

/// What stands before the @ only its own server understands: sent where servers can (RFC 6531), and otherwise told.
#[tokio::test]
async fn mailboxes_in_other_letters_are_sent_to_servers_that_can() {
    let to = "用户@bücher.example";
    let mut mail = MailServer::with(&["8BITMIME", "SMTPUTF8"]).await;
    let w = MailWorld::start(by_smtp(&mail.url)).await;
    w.paid_by("Ida Berg", to).await;
    w.sent(to).await;
    let raw = mail.raw().await;
    let message = parse(&raw);
    assert_eq!(message.to().unwrap().first().unwrap().address(), Some("用户@xn--bcher-kva.example"));
    w.goes_in_by(&message).await;
    let from = "MAIL FROM:<tickets@example.org> SMTPUTF8 BODY=8BITMIME".to_owned();
    assert!(mail.lines().contains(&from), "{:?}", mail.lines());

    let mail = MailServer::with(&["8BITMIME"]).await;
    let w = MailWorld::start(by_smtp(&mail.url)).await;
    w.paid_by("Ida Berg", to).await;
    let failed = w.failed(to).await;
    assert!(failure(&failed).contains("no SMTPUTF8"), "{failed}");
    assert_eq!((&failed["tries"], mail.is_quiet()), (&json!(1), true));
}

/// However it says so, it is left alone for a while, and gets the mail in the end.
#[tokio::test]
async fn a_provider_that_has_too_much_to_do_may_say_how_long_in_any_way() {
    // The stand-in's clock is the real one, and says so in its answers.
    let real = std::time::SystemTime::now() + std::time::Duration::from_secs(600);
    let date = httpdate::fmt_http_date(real);
    for (said, at_least, at_most) in [
        ("90", 90, 120),
        (date.as_str(), 500, 800),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 1, 2),
        ("", 1, 2),
        ("-5", 1, 2),
        ("soon", 1, 2),
        ("1000000000000", 3_600, 4_500),
        ("99999999999999999999999", 3_600, 4_500),
    ] {
        let resend = Resend::start().await;
        let w = MailWorld::start(by_resend(&resend)).await;
        resend.fail(Fault::TooManyUntil(said.to_owned()));
        w.test(IDA).await;
        w.becomes(IDA, |mail| {
            mail["status"] == "queued" && mail["tries"] == 1 && mail["failure"].is_string()
        })
        .await;
        // The mail is written back before its job is.
        until(async || {
            let stats = w.server.app().queue().stats().await.unwrap();
            stats.iter().any(|it| it.queue == "email" && it.delayed == 1).then_some(())
        })
        .await;
        let due = next_at(&w).await;
        assert!(((at_least * 1_000)..=(at_most * 1_000)).contains(&(due - NOW)), "{said}: {}", due - NOW);
        w.server.clock.advance(due - NOW);
        w.sent(IDA).await;
        assert_eq!(resend.mails().len(), 1, "{said}");
    }
}

/// When the only job of the queue is due.
async fn next_at(w: &MailWorld) -> i64 {
    let db = w.server.place.open().await;
    let due = crate::support::database::count(&db, "SELECT run_at FROM jobs WHERE queue = 'email'").await;
    db.close().await;
    due
}

/// An answer that has no end is read no further than it must be, and asked for again.
#[tokio::test]
async fn a_provider_that_answers_without_end_is_asked_again() {
    let resend = Resend::start().await;
    let w = MailWorld::start(by_resend(&resend)).await;
    resend.fail(Fault::Flood);
    w.test(IDA).await;
    let sent: Value = w.sent(IDA).await;
    assert_eq!((&sent["tries"], resend.mails().len()), (&json!(2), 1));
}
