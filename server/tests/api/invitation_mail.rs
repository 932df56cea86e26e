//! Invitations that come by mail.

use liventix_server::params;
use liventix_server::platform::config::EmailConfig;
use liventix_server::platform::db::DbError;
use liventix_stand_ins::resend::Resend;
use serde_json::{Value, json};

use crate::support::{ADMIN, Browser, Organiser, PASSWORD, Person, Server, text, until};

const LINK: &str = "/console/invitation/lxi_";

struct World {
    server: Server,
    resend: Resend,
    organiser: Organiser,
    grace: Person,
}

impl World {
    /// With an owner, who was invited before mails were sent.
    async fn start() -> Self {
        let resend = Resend::start().await;
        let mut server = Server::start().await;
        let organiser = Organiser::create(&server, "Harbour & <Lights>").await;
        let grace = Person::member(&server, &organiser, "Grace", "owner").await;
        server.shutdown().await;
        server
            .start_again_set(|config| {
                config.email = EmailConfig {
                    from: Some("Liventix <tickets@example.org>".to_owned()),
                    resend_api_key: Some("re_liventix".into()),
                    resend_url: resend.url().to_owned(),
                    ..EmailConfig::default()
                };
            })
            .await;
        Self { server, resend, organiser, grace }
    }

    fn page(&self, rest: &str) -> String {
        format!("/console/organisers/{}{rest}", self.organiser.id)
    }

    async fn invite(&self, body: &Value) -> Value {
        let path = self.organiser.path("invitations");
        self.server.post(&path, &self.grace.token, body).await.expect(201)
    }

    /// Waits until so many mails have come.
    async fn mails(&self, count: usize) -> Vec<Value> {
        until(async || {
            self.server.app().queue().wake("email");
            Some(self.resend.mails()).filter(|mails| mails.len() == count)
        })
        .await
    }

    /// Where each mail stands, sorted: those of one moment are listed in no particular order.
    async fn statuses(&self) -> Vec<String> {
        self.server.app().queue().wake("email");
        let mails = self.server.get("/v1/admin/emails", ADMIN).await.expect(200);
        let mut all: Vec<_> =
            mails["items"].as_array().unwrap().iter().map(|mail| text(&mail["status"])).collect();
        all.sort();
        all
    }

    async fn pause(&self, verb: &str) {
        let path = format!("/v1/admin/queues/email/{verb}");
        self.server.call("POST", &path, ADMIN, &json!(null)).await.expect(204);
    }

    async fn payloads(&self) -> Vec<String> {
        let db = self.server.place.open().await;
        let rows: Result<Vec<String>, DbError> = db
            .read(|conn| {
                Box::pin(async move {
                    let rows = conn.query("SELECT payload FROM emails", params![]).await?;
                    rows.iter().map(|row| row.get(0)).collect()
                })
            })
            .await;
        rows.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_invited_gets_the_link_that_the_inviter_sees() {
    let w = World::start().await;
    let event = w.organiser.event(&w.server).await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&w.grace).await;
    let page = browser.open(&w.page("/members")).await;
    page.has("They get a mail with a link, which you see as well.");
    let fields = [("email", "ida@example.org"), ("role", "event_manager"), ("events", event.id.as_str())];
    let invited = browser.submit(&page, &w.page("/members/invite"), &fields).await;
    invited.has("A mail is on its way to ida@example.org");
    let (_, rest) = invited.html.split_once(LINK).unwrap();
    let link = format!("{LINK}{}", rest.split('<').next().unwrap());
    let mail = &w.mails(1).await[0];
    assert_eq!(mail["subject"], "Grace invites you to Harbour & <Lights>");
    assert!(text(&mail["to"][0]).contains("ida@example.org"), "{mail}");
    let html = text(&mail["html"]).replace("&#x2f;", "/");
    assert!(html.contains("Harbour &amp; &lt;Lights&gt;") && !html.contains("<Lights>"), "{html}");
    for part in [&text(&mail["text"]), &html] {
        assert!(part.contains(&w.server.url(&link)), "{part}");
        assert!(part.contains("as an event manager, for some events."), "{part}");
        assert!(part.contains("7 August 2026, 18:00 UTC"), "{part}");
        assert!(part.contains("You choose a name and a password there."), "{part}");
    }
    let token = link.rsplit('/').next().unwrap();
    for payload in w.payloads().await {
        assert!(!payload.contains(token) && !payload.contains("lxi_"), "{payload}");
    }
    let ida = Browser::new(&w.server);
    let page = ida.open(&link).await;
    assert_eq!(page.headers["referrer-policy"], "strict-origin");
    let joined = ida.submit(&page, &link, &[("name", "Ida"), ("password", PASSWORD)]).await;
    assert_eq!(joined.location(), w.page("?done=joined"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_an_account_is_told_to_sign_in_and_the_operator_invites_by_mail_as_well() {
    let w = World::start().await;
    let other = Organiser::create(&w.server, "Pier").await;
    let body = json!({"email": w.grace.email, "role": "finance"});
    let made = w.server.post(&other.path("invitations"), ADMIN, &body).await.expect(201);
    assert_eq!(made["mailed"], true);
    let mail = text(&w.mails(1).await[0]["text"]);
    assert!(mail.contains("The operator of this server invites"), "{mail}");
    assert!(mail.contains("to Pier, as a member for finance."), "{mail}");
    assert!(mail.contains("You have an account with this address already"), "{mail}");
}

/// Withdrawn, replaced, or too late: whoever would open it would only be turned away.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_is_over_is_not_mailed() {
    let w = World::start().await;
    w.pause("pause").await;
    let body = json!({"email": "ida@example.org", "role": "support"});
    w.invite(&body).await;
    let last = w.invite(&body).await;
    let withdrawn = w.invite(&json!({"email": "eve@example.org", "role": "owner"})).await;
    let path = w.organiser.path(&format!("invitations/{}", text(&withdrawn["invitation_id"])));
    w.server.call("DELETE", &path, &w.grace.token, &json!(null)).await.expect(204);
    w.pause("resume").await;
    let mails = w.mails(1).await;
    assert!(text(&mails[0]["text"]).contains(&text(&last["url"])));
    until(async || (w.statuses().await == ["sent", "withheld", "withheld"]).then_some(())).await;
    w.pause("pause").await;
    w.invite(&json!({"email": "late@example.org", "role": "support"})).await;
    w.server.clock.advance(7 * 24 * 3_600_000);
    w.pause("resume").await;
    until(async || (w.statuses().await == ["sent", "withheld", "withheld", "withheld"]).then_some(())).await;
    assert_eq!(w.resend.mails().len(), 1);
}
