//! Organisers' own texts of mails: tried before they are saved, used, taken back, and never in the way of a ticket.

use liventix_server::params;
use liventix_server::platform::db::DbError;
use liventix_stand_ins::resend::Resend;
use serde_json::{Value, json};

use crate::email::{World, with_resend};
use crate::support::{Browser, Organiser, Person, Reply, text, until};

const PAID: &str = "/v1/mail-texts/order_paid/en";
const TEXT: &str = "Yay, {{ event }}!\n\nHi {{ name }}.\n{% for ticket in tickets %}{{ ticket.link }} {{ ticket.manual_code }}\n{% endfor %}";
const HTML: &str = "{% extends \"frame.html\" %}{% block content %}<h1>Hi {{ name }}</h1>{% for ticket in tickets %}\
    {% if ticket.cid %}<img src=\"cid:{{ ticket.cid }}\">{% endif %}<a href=\"{{ ticket.link }}\">Open</a> {{ ticket.manual_code }}\
    {% endfor %}{% endblock %}";

async fn with_mails() -> (World, Resend) {
    let resend = Resend::start().await;
    (World::start(with_resend(&resend), |_| {}).await, resend)
}

impl World {
    async fn put_text(&self, path: &str, text: &str, html: &str) -> Reply {
        let body = json!({ "text": text, "html": html });
        self.server.call("PUT", path, &self.shop.organiser.key, &body).await
    }

    async fn text_of(&self, path: &str) -> Value {
        self.server.get(path, &self.shop.organiser.key).await.expect(200)
    }

    /// The mail that a buyer gets now.
    async fn mail(&self, resend: &Resend) -> Value {
        let before = resend.mails().len();
        // Those of one millisecond come in any order: this one is newer.
        self.server.clock.advance(1);
        self.paid(2).await;
        let mut looks = 0;
        until(async || {
            looks += 1;
            self.server.app().queue().wake("email");
            let mail = self.mails().await[0].clone();
            let stats = self.server.app().queue().stats().await.unwrap();
            // While one is on its way no time passes: its worker would lose it.
            if looks % 20 == 0 && stats.iter().all(|it| it.running == 0) {
                self.server.clock.advance(700);
            }
            (resend.mails().len() > before && mail["status"] == "sent").then_some(())
        })
        .await;
        resend.mails().last().unwrap().clone()
    }
}

#[tokio::test]
async fn a_text_of_ones_own_is_used_until_it_is_taken_back() {
    let (w, resend) = with_mails().await;
    let ours = w.text_of(PAID).await;
    assert!(ours.get("version").is_none() && text(&ours["text"]).contains("thank you for your order"));
    let saved = w.put_text(PAID, TEXT, HTML).await.expect(200);
    assert_eq!((&saved["version"], &saved["text"]), (&json!(1), &json!(TEXT)));
    let mail = w.mail(&resend).await;
    assert_eq!(mail["subject"], "Yay, Harbour Lights!");
    assert!(text(&mail["text"]).starts_with("Hi Ida Berg.\n"), "{mail}");
    let html = text(&mail["html"]);
    assert!(
        html.contains("<h1>Hi Ida Berg</h1>") && html.contains("cid:ticket-2") && html.contains("<html lang")
    );
    assert_eq!(mail["attachments"][0]["content_id"], "ticket-1");
    assert_eq!(w.mails().await[0]["template"], "version 1");
    // The same again is no new version.
    w.put_text(PAID, TEXT, HTML).await.expect(200);
    let second = TEXT.replace("Yay", "Hooray");
    assert_eq!(w.put_text(PAID, &second, HTML).await.expect(200)["version"], 2);
    w.server.call("DELETE", PAID, &w.shop.organiser.key, &json!(null)).await.expect(204);
    let mail = w.mail(&resend).await;
    assert_eq!(mail["subject"], "Your tickets for Harbour Lights");
    assert!(w.mails().await[0].get("template").is_none());
    let now = w.text_of(PAID).await;
    let versions: Vec<_> =
        now["versions"].as_array().unwrap().iter().map(|it| it["is_built_in"] == true).collect();
    assert_eq!(versions, [true, false, false]);
    assert_eq!(w.text_of(&format!("{PAID}?version=1")).await["text"], TEXT);
    w.server.get(&format!("{PAID}?version=9"), &w.shop.organiser.key).await.expect_problem(404, "not_found");
    // Of one organiser, one mail, one language.
    assert!(w.text_of("/v1/mail-texts/order_paid/de").await["versions"].as_array().unwrap().is_empty());
    let other = Organiser::create(&w.server, "Other").await;
    let theirs = w.server.get(PAID, &other.key).await.expect(200);
    assert_eq!(theirs["versions"], json!([]));
    let list = w.text_of("/v1/mail-texts").await;
    assert_eq!(list.as_array().unwrap().len(), 10);
}

/// What is ours is a text that may be saved: in each language, of each mail.
#[tokio::test]
async fn our_own_texts_pass() {
    let (w, _resend) = with_mails().await;
    for it in w.text_of("/v1/mail-texts").await.as_array().unwrap() {
        let path = format!("/v1/mail-texts/{}/{}", text(&it["kind"]), text(&it["locale"]));
        let ours = w.text_of(&path).await;
        let body = json!({ "text": ours["text"], "html": ours["html"] });
        let preview = format!("{path}/preview");
        let seen = w.server.post(&preview, &w.shop.organiser.key, &body).await.expect(200);
        assert!(text(&seen["html"]).contains("</html>") && !text(&seen["subject"]).is_empty(), "{path}");
        assert!(!ours["variables"].as_array().unwrap().is_empty());
    }
    w.server
        .get("/v1/mail-texts/sign_in_link/en", &w.shop.organiser.key)
        .await
        .expect_problem(404, "not_found");
    w.server.get("/v1/mail-texts/other/en", &w.shop.organiser.key).await.expect_problem(400, "invalid_path");
}

#[tokio::test]
async fn what_would_make_a_mail_with_holes_is_refused_by_name() {
    let (w, _resend) = with_mails().await;
    for (said, page, why) in [
        (TEXT.replace("{{ name }}", "{{ nmae }}"), HTML.to_owned(), "`nmae`"),
        // In a branch that is not taken.
        (TEXT.to_owned(), HTML.replace("<h1>", "{% if false %}{{ nmae }}{% endif %}<h1>"), "`nmae`"),
        (TEXT.to_owned(), HTML.replace("{{ ticket.link }}", "{{ ticket.lnk }}"), "The HTML, line 1"),
        (TEXT.replace("{{ ticket.link }}", ""), HTML.to_owned(), "The text has to tell ticket.link"),
        (
            TEXT.to_owned(),
            HTML.replace("{{ ticket.manual_code }}", ""),
            "The HTML has to tell ticket.manual_code",
        ),
        (TEXT.to_owned(), HTML.replace("cid:", "x:"), "ticket.cid"),
        // There is no picture, if it cannot be drawn.
        (TEXT.to_owned(), HTML.replace("<h1>", "{{ ticket.cid }}<h1>"), "`ticket`"),
        (format!("\n{TEXT}"), HTML.to_owned(), "first line"),
        (TEXT.replace("{% endfor %}", ""), HTML.to_owned(), "The text"),
        (TEXT.to_owned(), format!("{HTML}{{{{ name|safe }}}}"), "filter"),
        (TEXT.to_owned(), "{% include \"order_paid.html\" %}".to_owned(), "frame.html"),
        (
            TEXT.replace(
                "Hi",
                "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
            ),
            HTML.to_owned(),
            "end",
        ),
        ("x".repeat(70_000), HTML.to_owned(), "bytes"),
        (TEXT.to_owned(), String::new(), "bytes"),
    ] {
        for path in [PAID, &format!("{PAID}/preview")] {
            let body = json!({ "text": said, "html": page });
            let method = if path == PAID { "PUT" } else { "POST" };
            let refused = w.server.call(method, path, &w.shop.organiser.key, &body).await;
            let detail = text(&refused.json["detail"]);
            refused.expect_problem(422, "mail_text_invalid");
            assert!(detail.contains(why), "{why}: {detail}");
        }
    }
    let support = Person::member(&w.server, &w.shop.organiser, "sue", "support").await;
    w.server.get(PAID, &support.token).await.expect_problem(403, "role_missing");
}

/// What passed the samples and fails with what is true: ours is sent, and it is said.
#[tokio::test]
async fn a_text_that_fails_when_a_mail_is_composed_is_no_mail_that_does_not_come() {
    let (w, resend) = with_mails().await;
    let picky =
        TEXT.replace("Hi", "{% if tickets[0].type != \"Day ticket\" %}{{ tickets[7].link }}{% endif %}Hi");
    w.put_text(PAID, &picky, HTML).await.expect(200);
    let mail = w.mail(&resend).await;
    assert_eq!(mail["subject"], "Your tickets for Harbour Lights");
    assert_eq!(w.mails().await[0]["template"], "built-in, since version 1 fails");
    // And so one that somebody put there past the check.
    let db = w.server.place.open().await;
    let broken: Result<u64, DbError> = db
        .write(|tx| {
            Box::pin(async move {
                let sql = "UPDATE mail_texts SET body_html = $1";
                tx.execute(sql, params!["{% for %}"]).await
            })
        })
        .await;
    assert_eq!(broken.unwrap(), 1);
    assert_eq!(w.mail(&resend).await["subject"], "Your tickets for Harbour Lights");
}

/// What buyers type stays what they typed, in an organiser's own text as well.
#[tokio::test]
async fn what_is_told_is_escaped() {
    let (w, resend) = with_mails().await;
    w.put_text(PAID, TEXT, HTML).await.expect(200);
    let mut wish = w.shop.wish(1);
    wish["name"] = json!("<script>alert(1)</script>");
    let key = crate::support::shop::key();
    let made = w.shop.try_order(&w.server, &key, "", &wish).await.expect(201);
    crate::support::shop::Order::of(made).try_out(&w.server, "pay").await;
    until(async || {
        w.server.app().queue().wake("email");
        (resend.mails().len() == 1).then_some(())
    })
    .await;
    let html = text(&resend.mails()[0]["html"]);
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"), "{html}");
}

#[tokio::test]
async fn an_organiser_writes_their_own_text_on_the_console() {
    let (w, _resend) = with_mails().await;
    let olga = Person::member(&w.server, &w.shop.organiser, "olga", "owner").await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&olga).await;
    let all = format!("/console/organisers/{}/mail-texts", w.shop.organiser.id);
    browser.open(&all).await.has("Tickets, once they are paid");
    let here = format!("{all}/order_paid/en");
    let page = browser.open(&here).await;
    page.has("ticket.manual_code");
    let bad = [("text", "Hello\n\n{{ nmae }}"), ("html", HTML)];
    let refused = browser.submit(&page, &here, &bad).await;
    assert_eq!(refused.status, 422);
    refused.has("There is no `nmae`");
    let shown = browser.submit(&page, &format!("{here}/preview"), &bad).await;
    shown.has("There is no `nmae`");
    let good = [("text", TEXT), ("html", HTML)];
    let shown = browser.submit(&page, &format!("{here}/preview"), &good).await;
    shown.has("data:image/png;base64,");
    shown.has("Yay, Harbour Lights!");
    let policy = shown.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("sandbox;") && policy.contains("default-src 'none'"), "{policy}");
    let done = browser.submit(&page, &here, &good).await;
    browser.open(done.location()).await.has("The text is saved.");
    let done = browser.submit(&page, &format!("{here}/reset"), &[]).await;
    browser.open(done.location()).await.has("From now on your buyers get our text again.");
    browser.open(&format!("{here}?version=1")).await.has("Yay, {{ event }}!");
}
