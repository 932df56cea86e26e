//! What goes with the mail that has a buyer's tickets: tickets to be printed, and the event for a calendar.

use std::process::Command;

use icalendar::{Calendar, Component as _, EventStatus};
use liventix_server::platform::config::EmailConfig;
use mail_parser::{Message, MessageParser, MimeHeaders as _};
use serde_json::json;

use crate::support::shop::{Order, Shop, key};
use crate::support::{MailServer, Server, text};

struct World {
    mail: MailServer,
    server: Server,
    shop: Shop,
}

impl World {
    async fn start() -> Self {
        let mail = MailServer::start().await;
        let url = mail.url.clone();
        let server = Server::start_set(|config| {
            config.payments.test_provider = true;
            config.email = EmailConfig {
                from: Some("Liventix <tickets@example.org>".to_owned()),
                smtp_url: Some(url.into()),
                ..EmailConfig::default()
            };
        })
        .await;
        let shop = Shop::open(&server, Some(50)).await;
        Self { mail, server, shop }
    }
}

fn attached<'a>(message: &'a Message<'_>, name: &str) -> (String, &'a [u8]) {
    let part = message.attachments().find(|part| part.attachment_name() == Some(name)).unwrap();
    assert!(part.content_id().is_none() && part.content_disposition().unwrap().is_attachment());
    let kind = part.content_type().unwrap();
    (format!("{}/{}", kind.ctype(), kind.subtype().unwrap()), part.contents())
}

/// What a tool of poppler makes of a PDF.
fn poppler(tool: &str, arguments: &[&str], pdf: &[u8]) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pdf).unwrap();
    let output = Command::new(tool).args(arguments).arg(file.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

/// What the code on a page says.
fn read_code(pdf: &[u8], page: usize) -> String {
    let page = page.to_string();
    let png = poppler("pdftoppm", &["-r", "100", "-gray", "-png", "-f", &page, "-l", &page], pdf);
    let mut prepared = rqrr::PreparedImage::prepare(image::load_from_memory(&png).unwrap().to_luma8());
    let [grid] = <[_; 1]>::try_from(prepared.detect_grids()).ok().unwrap();
    grid.decode().unwrap().1
}

#[tokio::test]
async fn printed_tickets_open_the_door() {
    let mut w = World::start().await;
    let mut wish = w.shop.wish(2);
    wish["name"] = json!("Зоя Ångström");
    let order = Order::of(w.shop.try_order(&w.server, &key(), "", &wish).await.expect(201));
    order.try_out(&w.server, "pay").await;
    let raw = w.mail.raw().await;
    let message = MessageParser::default().parse(&raw).unwrap();
    let (kind, pdf) = attached(&message, "tickets.pdf");
    assert_eq!(kind, "application/pdf");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pdf).unwrap();
    let words = Command::new("pdftotext").args(["-raw"]).arg(file.path()).arg("-").output().unwrap().stdout;
    let words = String::from_utf8(words).unwrap();
    let reference = text(&order.view["reference"]);
    for part in ["Harbour Lights", "Friday 31 July 2026", "Ticket 1 of 2", "Ticket 2 of 2", &reference] {
        assert!(words.contains(part), "{part} is not in {words}");
    }
    for page in [1, 2] {
        let code = read_code(pdf, page);
        let reply = w.shop.event.redeem(&w.server, &w.shop.organiser.key, &code).await;
        assert_eq!(reply["outcome"], "admit", "{reply}");
    }
}

#[tokio::test]
async fn the_event_can_be_put_into_a_calendar() {
    let mut w = World::start().await;
    let order = w.shop.order(&w.server, 1).await;
    order.try_out(&w.server, "pay").await;
    let raw = w.mail.raw().await;
    let message = MessageParser::default().parse(&raw).unwrap();
    let (kind, file) = attached(&message, "event.ics");
    assert_eq!(kind, "text/calendar");
    let calendar: Calendar = std::str::from_utf8(file).unwrap().parse().unwrap();
    assert_eq!(calendar.property_value("METHOD"), Some("PUBLISH"));
    let event = calendar.events().next().unwrap();
    assert_eq!(event.get_summary(), Some("Harbour Lights"));
    assert!(event.get_uid().unwrap().starts_with(&order.id));
    assert_eq!(event.get_status(), Some(EventStatus::Confirmed));
    let sequence = event.get_sequence().unwrap();
    assert!(event.get_description().unwrap().contains(&text(&order.view["reference"])));
    let view = w.server.get(&w.shop.event.path, &w.shop.organiser.key).await.expect(200);
    for (name, at) in [("DTSTART", "starts_at"), ("DTEND", "ends_at")] {
        let ms = view[at].as_i64().unwrap();
        let at = chrono::DateTime::from_timestamp_millis(ms).unwrap().format("%Y%m%dT%H%M%SZ").to_string();
        assert_eq!(event.property_value(name), Some(at.as_str()));
    }
    // Called off: the same entry, newer, which calendars strike out.
    let off = json!({"reason": "Storm"});
    w.server.post(&format!("{}/cancel", w.shop.event.path), &w.shop.organiser.key, &off).await.expect(200);
    w.server.clock.advance(2_000);
    w.server.app().queue().wake("email_bulk");
    let raw = w.mail.raw().await;
    let message = MessageParser::default().parse(&raw).unwrap();
    let (_, file) = attached(&message, "event.ics");
    let calendar: Calendar = std::str::from_utf8(file).unwrap().parse().unwrap();
    let again = calendar.events().next().unwrap();
    assert_eq!(again.get_uid(), event.get_uid());
    assert_eq!(again.get_status(), Some(EventStatus::Cancelled));
    assert!(again.get_sequence().unwrap() > sequence);
}
