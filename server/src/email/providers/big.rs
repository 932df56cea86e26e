//! Mails of ten million bytes, and larger than anybody takes.

use lettre::message::Mailbox;
use liventix_core::entropy::OsEntropy;
use liventix_stand_ins::resend::{Fault, Resend};
use mail_parser::MessageParser;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Provider, Taken};
use crate::email::content::{Content, Outgoing, Part};
use crate::platform::call::{CallFailure, Outcome};
use crate::platform::config::EmailConfig;
use crate::platform::ids::EmailId;

fn content(bytes: usize) -> Content {
    let part = Part {
        name: "ticket-1.png".to_owned(),
        kind: "image/png".to_owned(),
        bytes: (0..250).collect::<Vec<u8>>().repeat(bytes / 250 + 1),
        cid: Some("ticket-1".to_owned()),
    };
    Content {
        subject: "Big".to_owned(),
        text: format!("{}\n.\n", "x".repeat(5_000)),
        html: None,
        parts: vec![part],
        unsubscribe: None,
        template: None,
    }
}

async fn send(config: EmailConfig, content: &Content) -> Result<Taken, CallFailure> {
    let from: Mailbox = "Liventix <tickets@example.org>".parse().unwrap();
    let to: Mailbox = "Ida <ida@example.org>".parse().unwrap();
    let mail = Outgoing { id: EmailId::generate(0, &OsEntropy), from: &from, to, content, at: 0 };
    Provider::all(&config).unwrap()[0].send(&mail).await
}

fn at(resend: &Resend) -> EmailConfig {
    EmailConfig {
        resend_api_key: Some("re_liventix".into()),
        resend_url: resend.url().to_owned(),
        ..EmailConfig::default()
    }
}

/// A mail server that takes one mail, and says so.
async fn mail_server(extension: &'static str) -> (EmailConfig, oneshot::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let (give, taken) = oneshot::channel();
    tokio::spawn(async move {
        let mut stream = BufReader::new(listener.accept().await.unwrap().0);
        stream.write_all(b"220 mail.test\r\n").await.unwrap();
        let mut line = String::new();
        while !line.starts_with("DATA") {
            let reply = if line.starts_with("EHLO") {
                format!("250-mail.test\r\n250 {extension}\r\n")
            } else {
                "250 yes\r\n".to_owned()
            };
            if !line.is_empty() {
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
            line.clear();
            if stream.read_line(&mut line).await.unwrap() == 0 {
                return;
            }
        }
        stream.write_all(b"354 go on\r\n").await.unwrap();
        let mut mail = Vec::new();
        loop {
            let begin = mail.len();
            stream.read_until(b'\n', &mut mail).await.unwrap();
            match &mail[begin..] {
                b".\r\n" => break mail.truncate(begin),
                [b'.', ..] => drop(mail.remove(begin)),
                _ => {}
            }
        }
        stream.write_all(b"250 taken\r\n").await.unwrap();
        give.send(mail).unwrap();
    });
    (EmailConfig { smtp_url: Some(url.into()), ..EmailConfig::default() }, taken)
}

#[tokio::test]
async fn ten_million_bytes_arrive_whole() {
    let big = content(10_000_000);
    let resend = Resend::start().await;
    send(at(&resend), &big).await.unwrap();
    let [taken] = <[Value; 1]>::try_from(resend.mails()).unwrap();
    let bytes = data_encoding::BASE64.decode(taken["attachments"][0]["content"].as_str().unwrap().as_bytes());
    assert!(bytes.unwrap() == big.parts[0].bytes && taken["text"] == big.text.as_str());

    let (config, taken) = mail_server("SIZE 20000000").await;
    send(config, &big).await.unwrap();
    let mail = taken.await.unwrap();
    let longest = mail.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
    assert!(longest < Some(998), "{longest:?}");
    let message = MessageParser::default().parse(&mail).unwrap();
    assert!(message.attachment(0).unwrap().contents() == big.parts[0].bytes);
    assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), big.text.trim_end());
}

/// Resend is not asked to take what it does not take; a mail server says so itself.
#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_sent() {
    let resend = Resend::start().await;
    let refused = send(at(&resend), &content(32_000_000)).await.unwrap_err();
    assert_eq!((refused.outcome, resend.calls()), (Outcome::Refused, 0));
    assert!(refused.detail.contains("Resend takes 41943040 at most"), "{refused:?}");
}

#[tokio::test]
async fn an_answer_of_ten_million_bytes_is_not_read_to_its_end() {
    let resend = Resend::start().await;
    resend.fail(Fault::Flood);
    let broken = send(at(&resend), &content(1)).await.unwrap_err();
    assert_eq!((broken.outcome, broken.detail.as_str()), (Outcome::Broken, "The answer has no end."));
    assert_eq!(resend.mails().len(), 1, "it may be done, so it is asked again");
}
