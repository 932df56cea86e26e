//! Sign-in links: from the wish for one to the session, and to a new password.

use liventix_server::params;
use liventix_server::platform::config::{Config, EmailConfig};
use liventix_server::platform::db::DbError;
use liventix_server::platform::rate_limit::Limit;
use liventix_stand_ins::resend::{Fault, Resend};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    ADMIN, Browser, Organiser, PASSWORD, Person, Place, Process, Reply, Server, Shown, sign_in, text,
    try_sign_in, until,
};

const MINUTE_MS: i64 = 60_000;
const LIFE_MS: i64 = 15 * MINUTE_MS;
const PAGE: &str = "/console/sign-in/link";
const NEW: &str = "another harbour at dawn";

struct World {
    server: Server,
    resend: Resend,
    organiser: Organiser,
    ada: Person,
}

impl World {
    async fn start() -> Self {
        Self::start_set(|_| {}).await
    }

    /// With Ada, whose invitation was no mail: links are the only ones.
    async fn start_set(change: impl FnOnce(&mut Config)) -> Self {
        let resend = Resend::start().await;
        let email = EmailConfig {
            from: Some("Liventix <tickets@example.org>".to_owned()),
            resend_api_key: Some("re_liventix".into()),
            resend_url: resend.url().to_owned(),
            ..EmailConfig::default()
        };
        let mut server = Server::start().await;
        let organiser = Organiser::create(&server, "Harbour").await;
        let ada = Person::member(&server, &organiser, "ada", "owner").await;
        server.shutdown().await;
        server
            .start_again_set(|config| {
                config.email = email;
                change(config);
            })
            .await;
        Self { server, resend, organiser, ada }
    }

    async fn ask(&self, email: &str) -> Reply {
        self.server.post("/v1/sign-in-links", "", &json!({ "email": email })).await
    }

    /// The link in the mail that comes as this one.
    async fn link(&self, number: usize) -> String {
        let mails = until(async || {
            self.server.app().queue().wake("email");
            Some(self.resend.mails()).filter(|mails| mails.len() == number)
        });
        let mails = mails.await;
        link_in(&text(&mails.last().unwrap()["text"]), &self.server.url(""))
    }

    async fn redeem(&self, link: &str) -> Reply {
        let token = link.rsplit('/').next().unwrap();
        self.server.post("/v1/sign-in-links/redeem", "", &json!({ "token": token })).await
    }

    /// Asked for and used: a session's token.
    async fn signed_in(&self, number: usize) -> String {
        self.ask(&self.ada.email).await.expect(202);
        let link = self.link(number).await;
        text(&self.redeem(&link).await.expect(201)["token"])
    }

    async fn set_password(&self, token: &str, body: Value) -> Reply {
        self.server.call("PUT", "/v1/account/password", token, &body).await
    }

    async fn pause(&self, verb: &str) {
        let path = format!("/v1/admin/queues/email/{verb}");
        self.server.call("POST", &path, ADMIN, &json!(null)).await.expect(204);
    }

    /// Waits until the newest mail stands so.
    async fn becomes(&self, status: &str) -> Value {
        until(async || {
            self.server.app().queue().wake("email");
            let mails = self.server.get("/v1/admin/emails", ADMIN).await.expect(200);
            Some(mails["items"][0].clone()).filter(|mail| mail["status"] == status)
        })
        .await
    }

    /// What the tables hold that a link passes through.
    async fn rows(&self) -> String {
        let db = self.server.place.open().await;
        let mut all = String::new();
        for sql in [
            "SELECT payload || COALESCE(subject, '') || COALESCE(failure, '') || dedupe_key FROM emails",
            "SELECT COALESCE(detail, '') FROM email_attempts",
            "SELECT payload FROM jobs",
            "SELECT COALESCE(before_state, '') || COALESCE(after_state, '') || COALESCE(target_name, '') FROM audit",
        ] {
            let rows: Result<Vec<String>, DbError> = db
                .read(move |conn| {
                    Box::pin(async move {
                        let rows = conn.query(sql, params![]).await?;
                        rows.iter().map(|row| row.get(0)).collect()
                    })
                })
                .await;
            all += &rows.unwrap().join("\n");
        }
        all
    }
}

/// The path of the link in a mail's text.
fn link_in(mail: &str, base: &str) -> String {
    let start = format!("{base}{PAGE}/lxl_");
    let (_, rest) = mail.split_once(&start).unwrap_or_else(|| panic!("no link in {mail}"));
    format!("{PAGE}/lxl_{}", rest.split_whitespace().next().unwrap())
}

fn header<'a>(page: &'a Shown, name: &str) -> &'a str {
    page.headers[name].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_a_link_signs_in_with_it_once() {
    let w = World::start().await;
    let browser = Browser::new(&w.server);
    let page = browser.open("/console/sign-in").await;
    page.has("Have a sign-in link sent to you");
    page.has(&format!("href=\"{PAGE}\""));
    let page = browser.open(PAGE).await;
    let wrong = browser.submit(&page, PAGE, &[("email", "no address")]).await;
    assert_eq!(wrong.status, 422);
    wrong.has("id=\"email-error\"");
    // However the address is written.
    let asked = browser.submit(&page, PAGE, &[("email", &w.ada.email.to_uppercase())]).await;
    browser
        .open(asked.location())
        .await
        .has("If there is an account for this address, a link is on its way.");
    let link = w.link(1).await;
    let mail = &w.resend.mails()[0];
    assert_eq!(mail["subject"], "Your link to sign in");
    assert!(text(&mail["to"][0]).contains(&w.ada.email), "{mail}");
    assert!(text(&mail["text"]).contains("31 July 2026, 18:15 UTC"), "{mail}");
    assert!(text(&mail["html"]).replace("&#x2f;", "/").contains(&link), "{mail}");
    // What looks through mail opens everything, and presses nothing.
    let scanner = Browser::new(&w.server);
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let opened = scanner.send(scanner.request(method, &link)).await;
        assert_eq!(opened.status, 200);
        assert!(scanner.cookie("liventix").is_none());
    }
    let page = browser.open(&link).await;
    page.has("<h1>Sign in as ada</h1>");
    assert_eq!(
        (header(&page, "referrer-policy"), header(&page, "cache-control")),
        ("strict-origin", "no-store")
    );
    // A form from elsewhere signs nobody in, to nobody's account.
    let forged = browser.submit_from("https://evil.example", &page.csrf(), &link, &[]).await;
    assert_eq!(forged.status, 403);
    let entered = browser.submit(&page, &link, &[]).await;
    assert_eq!(entered.location(), "/console/account?done=signed-in-by-link");
    assert!(browser.cookie("liventix").unwrap().starts_with("lxs_"));
    browser.open(entered.location()).await.has("You signed in by a link");
    for again in [browser.open(&link).await, browser.submit(&page, &link, &[]).await] {
        assert!([403, 410].contains(&again.status), "{}", again.html);
    }
    scanner.open(&link).await.has("The link was used or replaced");
    w.redeem(&link).await.expect_problem(410, "link_used");
    let asked = w.organiser.trail(&w.server, "action=session.link_asked").await;
    assert_eq!((asked.len(), &asked[0]["target"]["id"]), (1, &json!(w.ada.id)));
    let entered = w.organiser.trail(&w.server, "action=session.signed_in").await;
    let by_link: Vec<_> = entered.iter().filter(|entry| entry["after"] == json!({"by": "link"})).collect();
    assert_eq!((by_link.len(), &by_link[0]["actor"]["id"]), (1, &json!(w.ada.id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_the_session_before_it_and_every_other_link() {
    let w = World::start().await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&w.ada).await;
    let before = browser.cookie("liventix").unwrap();
    w.ask(&w.ada.email).await.expect(202);
    let first = w.link(1).await;
    w.ask(&w.ada.email).await.expect(202);
    let second = w.link(2).await;
    let page = browser.open(&second).await;
    page.has("ada is signed in here. That session ends.");
    let page = browser.submit(&page, &second, &[]).await;
    assert_eq!(page.status, 303);
    let now = browser.cookie("liventix").unwrap();
    assert_ne!(now, before);
    w.server.get("/v1/session", &before).await.expect_problem(401, "unauthenticated");
    w.server.get("/v1/session", &now).await.expect(200);
    // Another session of hers, somewhere else, is none of its business.
    w.server.get("/v1/session", &w.ada.token).await.expect(200);
    assert_eq!(browser.open(&first).await.status, 410);
    w.redeem(&first).await.expect_problem(410, "link_used");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_who_use_a_link_at_once_one_signs_in() {
    let w = World::start().await;
    w.ask(&w.ada.email).await.expect(202);
    let link = w.link(1).await;
    let tries = tokio::join!(w.redeem(&link), w.redeem(&link), w.redeem(&link));
    let mut statuses = [tries.0.status, tries.1.status, tries.2.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 410, 410]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_for_fifteen_minutes_and_no_other_text_does() {
    let w = World::start_set(|config| config.limits.bad_token = Limit::per_minute(5)).await;
    w.ask(&w.ada.email).await.expect(202);
    let link = w.link(1).await;
    w.server.clock.advance(LIFE_MS - 1);
    let browser = Browser::new(&w.server);
    assert_eq!(browser.open(&link).await.status, 200);
    w.server.clock.advance(1);
    browser.open(&link).await.has("The link has expired");
    w.redeem(&link).await.expect_problem(410, "link_expired");
    let (start, _) = link.rsplit_once('_').unwrap();
    let guess = format!("{start}_{}", "A".repeat(43));
    for bad in [&guess, "lxl_0_0", &w.ada.token] {
        w.redeem(bad).await.expect_problem(404, "link_unknown");
    }
    assert_eq!(browser.open(&guess).await.status, 404);
    // A link is no credential, and guesses are counted.
    let token = link.rsplit('/').next().unwrap();
    w.server.get("/v1/session", token).await.expect_problem(401, "unauthenticated");
    w.redeem(&guess).await.expect_problem(429, "rate_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_is_answered_alike_and_gets_no_mail() {
    let w = World::start().await;
    let (unknown, known) = (w.ask("nobody@example.org").await, w.ask(&w.ada.email).await);
    assert_eq!((unknown.status, &unknown.bytes), (202, &known.bytes));
    assert_eq!(unknown.headers["ratelimit-policy"], known.headers["ratelimit-policy"]);
    w.link(1).await;
    let mails = w.server.get("/v1/admin/emails", ADMIN).await.expect(200);
    assert_eq!(mails["items"].as_array().unwrap().len(), 1, "{mails}");
    assert!(!w.rows().await.contains("nobody@"));
    w.ask("no address").await.expect_problem(422, "invalid_field");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_limited_for_one_account_and_for_one_address() {
    let w = World::start_set(|config| {
        config.trust_forwarded_for = true;
        config.limits.sign_in_link = Limit::per_hour(2);
        config.limits.sign_in_link_address = Limit::per_hour(3);
    })
    .await;
    let ask = async |from: &str, email: &str| {
        let request =
            w.server.request(Method::POST, "/v1/sign-in-links", "").json(&json!({ "email": email }));
        w.server.send(request.header("x-forwarded-for", from)).await
    };
    ask("192.0.2.1", &w.ada.email).await.expect(202);
    ask("192.0.2.2", &w.ada.email.to_uppercase()).await.expect(202);
    let refused = ask("192.0.2.3", &w.ada.email).await;
    refused.expect_problem(429, "rate_limited");
    assert!(refused.headers.contains_key("retry-after"));
    // Of an address that nobody has the same is said.
    for number in 0..3 {
        let reply = ask("198.51.100.1", "nobody@example.org").await;
        assert_eq!(reply.status, if number < 2 { 202 } else { 429 });
    }
    ask("198.51.100.1", "somebody@example.org").await.expect_problem(429, "rate_limited");
    w.server.clock.advance(60 * MINUTE_MS);
    ask("192.0.2.3", &w.ada.email).await.expect(202);
}

/// Why most people ask.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_by_whoever_came_by_a_link() {
    let w = World::start().await;
    let session = w.signed_in(1).await;
    w.ask(&w.ada.email).await.expect(202);
    let other = w.link(2).await;
    // Not by whoever came with the password, and not for long.
    w.set_password(&w.ada.token, json!({ "new_password": NEW })).await.expect_problem(422, "invalid_field");
    let wrong = json!({"current_password": "not hers", "new_password": NEW});
    w.set_password(&session, wrong).await.expect_problem(401, "sign_in_failed");
    w.set_password(&session, json!({ "new_password": "short" })).await.expect_problem(422, "invalid_field");
    w.server.clock.advance(LIFE_MS - 1);
    w.set_password(&session, json!({ "new_password": NEW })).await.expect(204);
    for ended in [&session, &w.ada.token] {
        w.server.get("/v1/session", ended).await.expect_problem(401, "unauthenticated");
    }
    w.redeem(&other).await.expect_problem(410, "link_used");
    try_sign_in(&w.server, &w.ada.email, PASSWORD).await.expect_problem(401, "sign_in_failed");
    let known = text(&try_sign_in(&w.server, &w.ada.email, NEW).await.expect(201)["token"]);
    w.set_password(&known, json!({ "new_password": PASSWORD })).await.expect_problem(422, "invalid_field");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_page_asks_for_no_old_password_for_a_while() {
    let w = World::start().await;
    let browser = Browser::new(&w.server);
    let account = async |number: usize| {
        w.ask(&w.ada.email).await.expect(202);
        let link = w.link(number).await;
        let page = browser.open(&link).await;
        browser.submit(&page, &link, &[]).await;
        browser.open("/console/account").await
    };
    let page = account(1).await;
    assert!(!page.html.contains("current_password"));
    w.server.clock.advance(LIFE_MS);
    let set = [("new_password", NEW)];
    let late = browser.submit(&page, "/console/account/password", &set).await;
    assert_eq!(late.status, 422);
    late.has("id=\"current_password-error\"");
    let page = account(2).await;
    let done = browser.submit(&page, "/console/account/password", &set).await;
    assert_eq!(done.location(), "/console/sign-in?done=password-changed");
    try_sign_in(&w.server, &w.ada.email, NEW).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_link_is_over_is_not_sent() {
    let w = World::start().await;
    w.pause("pause").await;
    w.ask(&w.ada.email).await.expect(202);
    w.becomes("queued").await;
    w.server.clock.advance(LIFE_MS);
    w.pause("resume").await;
    let dropped = w.becomes("withheld").await;
    assert_eq!(
        (&dropped["tries"], &dropped["failure"]),
        (&json!(0), &json!("The link was over before the mail went."))
    );
    // And so of one that a new password has ended.
    w.pause("pause").await;
    w.ask(&w.ada.email).await.expect(202);
    w.becomes("queued").await;
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    let session = sign_in(&w.server, &w.ada.email).await;
    w.set_password(&session, body).await.expect(204);
    w.pause("resume").await;
    w.becomes("withheld").await;
    assert_eq!((w.resend.calls(), w.resend.mails().len()), (0, 0));
    let letters = w.server.get("/v1/admin/dead-letters?queue=email", ADMIN).await.expect(200);
    assert_eq!(letters["items"], json!([]));
    assert!(w.ada.name_operator_and_see(&w.server).await.contains("Withheld"));
}

impl Person {
    /// What the operator's page of mails shows them.
    async fn name_operator_and_see(&self, server: &Server) -> String {
        self.name_operator(server);
        let browser = Browser::new(server);
        let page = browser.open("/console/sign-in").await;
        let fields = [("email", self.email.as_str()), ("password", NEW)];
        browser.submit(&page, "/console/sign-in", &fields).await;
        browser.open("/console/operator/mail").await.html
    }
}

/// The provider has taken the mail, and its answer was lost: it would refuse another one with the same key.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_sent_again_brings_the_same_link() {
    let w = World::start().await;
    w.resend.fail(Fault::BreakAfter);
    w.ask(&w.ada.email).await.expect(202);
    let link = w.link(1).await;
    until(async || {
        w.server.app().queue().wake("email");
        let stats = w.server.app().queue().stats().await.unwrap();
        if stats.iter().any(|it| it.queue == "email" && (it.ready, it.running) == (0, 0) && it.delayed > 0) {
            w.server.clock.advance(2_000);
        }
        let mails = w.server.get("/v1/admin/emails", ADMIN).await.expect(200);
        (mails["items"][0]["status"] == "sent").then_some(())
    })
    .await;
    assert!(w.resend.calls() >= 2);
    assert_eq!(w.resend.mails().len(), 1);
    w.redeem(&link).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_a_link_is_in_no_row() {
    let w = World::start().await;
    w.resend.fail(Fault::Fail(422));
    w.ask(&w.ada.email).await.expect(202);
    w.becomes("failed").await;
    let letter = until(async || {
        let letters = w.server.get("/v1/admin/dead-letters?queue=email", ADMIN).await.expect(200);
        letters["items"][0]["job_id"].as_str().map(str::to_owned)
    })
    .await;
    let letter = format!("/v1/admin/dead-letters/{letter}");
    // While it waits, sealed, for a person; and after it went.
    let mut seen = vec![w.rows().await, w.server.get(&letter, ADMIN).await.expect(200).to_string()];
    w.server.post(&format!("{letter}/retry"), ADMIN, &json!({})).await.expect(204);
    let link = w.link(1).await;
    w.becomes("sent").await;
    seen.push(w.rows().await);
    w.redeem(&link).await.expect(201);
    seen.push(w.rows().await);
    seen.push(json!(w.organiser.trail(&w.server, "limit=200").await).to_string());
    let (_, secret) = link.rsplit_once("lxl_").unwrap();
    let secret = &secret[33..];
    assert_eq!(secret.len(), 43);
    assert!(seen[0].contains("link_id"), "there is something to be seen: {}", seen[0]);
    for text in &seen {
        assert!(!text.contains(secret) && !text.contains("lxl_"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_a_link_is_in_no_line_of_the_log() {
    let place = Place::make().await;
    let folder = place.dir.path().join("mail");
    let variables = [
        ("LIVENTIX_LOG", "trace"),
        ("LIVENTIX_MAIL_FROM", "tickets@example.org"),
        ("LIVENTIX_MAIL_FOLDER", folder.to_str().unwrap()),
    ];
    let process = Process::start_with(&place, &variables);
    let server = Server::at(&process).await;
    let organiser = Organiser::create(&server, "A").await;
    let ada = Person::member(&server, &organiser, "ada", "owner").await;
    server.post("/v1/sign-in-links", "", &json!({ "email": ada.email })).await.expect(202);
    let link = until(async || {
        let files = std::fs::read_dir(&folder).ok()?;
        let mails = files.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok());
        let mail = mails.map(|mail| mail.replace("=\r\n", "")).find(|mail| mail.contains(PAGE))?;
        Some(link_in(&mail, &process.base))
    })
    .await;
    let browser = Browser::new(&server);
    let page = browser.open(&link).await;
    browser.submit(&page, &link, &[]).await;
    browser.open(&link).await;
    let token = link.rsplit('/').next().unwrap();
    server.post("/v1/sign-in-links/redeem", "", &json!({ "token": token })).await;
    server.post("/v1/sign-in-links/redeem", "", &json!({ "tokem": token })).await;
    server.send(server.request(Method::GET, "/healthz", "").header("x-request-id", "the-last-one")).await;
    let log = until(async || {
        let log = process.log();
        log.iter().any(|line| line.contains("the-last-one") && line.contains("answered")).then_some(log)
    })
    .await;
    assert!(log.iter().any(|line| line.contains("\"path\":\"/console/sign-in/link/\"")));
    let heart = &token[token.len() - 12..];
    for line in &log {
        assert!(!line.contains(heart) && !line.contains(&ada.email), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_mail_is_sent_there_are_no_links() {
    let w = World::start_set(|config| config.email = EmailConfig::default()).await;
    w.ask(&w.ada.email).await.expect_problem(503, "mails_off");
    let browser = Browser::new(&w.server);
    let page = browser.open("/console/sign-in").await;
    page.has("Whoever runs this server can give you a new one.");
    assert!(!page.html.contains(PAGE));
    assert_eq!(browser.open(PAGE).await.status, 404);
    assert_eq!(browser.submit(&page, PAGE, &[("email", &w.ada.email)]).await.status, 503);
}
