//! A server that sends mails, and what becomes of them.

use liventix_server::platform::config::EmailConfig;
use liventix_server::platform::queue::QueueStats;
use liventix_stand_ins::resend::{Resend, Told};
use mail_parser::{Message, MessageParser, MimeHeaders as _};
use serde_json::{Value, json};

use super::shop::{Order, key};
use super::{ADMIN, Reply, Server, Shop, text, until};

/// Who mails come from.
pub(crate) fn from() -> Option<String> {
    Some("Liventix <tickets@example.org>".to_owned())
}

pub(crate) fn by_resend(resend: &Resend) -> EmailConfig {
    EmailConfig {
        from: from(),
        resend_api_key: Some("re_liventix".into()),
        resend_url: resend.url().to_owned(),
        ..EmailConfig::default()
    }
}

pub(crate) fn by_smtp(url: &str) -> EmailConfig {
    EmailConfig { from: from(), smtp_url: Some(url.into()), ..EmailConfig::default() }
}

/// What is told of a mail that came back for good.
pub(crate) fn hard() -> Value {
    json!({"bounce": {"message": "550 5.1.1 no such user", "type": "Permanent", "subType": "General"}})
}

/// Hands in a web hook, as Resend does.
pub(crate) async fn hand_in(server: &Server, told: &Told, signature: &str) -> Reply {
    let request = server.request(reqwest::Method::POST, "/v1/webhooks/resend", "").body(told.body.clone());
    let request = request.header("svix-id", &told.id).header("svix-timestamp", &told.time);
    server.send(request.header("svix-signature", signature)).await
}

/// A shop whose buyers get mails.
pub(crate) struct MailWorld {
    pub(crate) server: Server,
    pub(crate) shop: Shop,
}

/// Mails go; where they only wait for their time, it comes. (It is not as long as a lease, should somebody begin to work at
/// this moment.)
pub(crate) async fn pass_time(server: &Server) {
    server.app().queue().wake("email");
    let stats = server.app().queue().stats().await.unwrap();
    let waits = |it: &QueueStats| it.queue == "email" && (it.ready, it.running) == (0, 0) && it.delayed > 0;
    if stats.iter().any(waits) {
        server.clock.advance(20_000);
    }
}

impl MailWorld {
    pub(crate) async fn start(email: EmailConfig) -> Self {
        let server = Server::start_set(|config| {
            config.payments.test_provider = true;
            config.email = email;
        })
        .await;
        let shop = Shop::open(&server, Some(500)).await;
        Self { server, shop }
    }

    /// An order of a buyer with this name and address, paid.
    pub(crate) async fn paid_by(&self, name: &str, email: &str) -> Order {
        let mut wish = self.shop.wish(1);
        (wish["name"], wish["email"]) = (json!(name), json!(email));
        let order = Order::of(self.shop.try_order(&self.server, &key(), "", &wish).await.expect(201));
        order.try_out(&self.server, "pay").await;
        order
    }

    /// A mail that says that mails work.
    pub(crate) async fn test(&self, to: &str) {
        self.server.post("/v1/admin/emails/test", ADMIN, &json!({ "to": to })).await.expect(202);
    }

    /// The newest mail to this address.
    pub(crate) async fn mail(&self, to: &str) -> Value {
        let page = self.server.get("/v1/admin/emails?limit=200", ADMIN).await.expect(200);
        let mails = page["items"].as_array().unwrap();
        mails.iter().find(|mail| mail["to_address"] == to).cloned().unwrap_or_default()
    }

    /// Waits until the newest mail to this address is as it should be.
    pub(crate) async fn becomes(&self, to: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        until(async || {
            self.server.app().queue().wake("email");
            Some(self.mail(to).await).filter(&is_so)
        })
        .await
    }

    /// The same, while time passes: what failed is tried again.
    pub(crate) async fn becomes_in_time(&self, to: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        until(async || {
            pass_time(&self.server).await;
            Some(self.mail(to).await).filter(&is_so)
        })
        .await
    }

    pub(crate) async fn sent(&self, to: &str) -> Value {
        self.becomes_in_time(to, |mail| mail["status"] == "sent").await
    }

    pub(crate) async fn failed(&self, to: &str) -> Value {
        self.becomes(to, |mail| mail["status"] == "failed").await
    }

    /// Every code in the mail opens the door.
    pub(crate) async fn goes_in_by(&self, message: &Message<'_>) {
        assert!(message.attachment_count() > 0);
        for picture in message.attachments().filter(|part| part.content_id().is_some()) {
            let reply = self
                .shop
                .event
                .redeem(&self.server, &self.shop.organiser.key, &code(picture.contents()))
                .await;
            assert_eq!(reply["outcome"], "admit", "{reply}");
        }
    }
}

/// What a picture of a code says.
fn code(png: &[u8]) -> String {
    let picture = image::load_from_memory(png).unwrap().to_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(picture);
    prepared.detect_grids()[0].decode().unwrap().1
}

/// A mail as it came, read.
pub(crate) fn parse(raw: &[u8]) -> Message<'_> {
    MessageParser::default().parse(raw).unwrap()
}

/// What it says of why it was not sent.
pub(crate) fn failure(mail: &Value) -> String {
    text(&mail["failure"])
}
