//! The console's pages, as a browser without a script uses them.

use liventix_server::platform::config::Limits;
use liventix_server::platform::rate_limit::Limit;
use reqwest::Method;
use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};

use crate::support::{Browser, Organiser, PASSWORD, Person, Server, form, text};

struct World {
    server: Server,
    organiser: Organiser,
    owner: Person,
}

async fn world() -> World {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "Harbour & <Lights>").await;
    let owner = Person::member(&server, &organiser, "Grace", "owner").await;
    World { server, organiser, owner }
}

impl World {
    fn path(&self, rest: &str) -> String {
        format!("/console/organisers/{}{rest}", self.organiser.id)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_where_one_wanted_to_go_and_out_again() {
    let w = world().await;
    let browser = Browser::new(&w.server);
    let wanted = w.path("/members");
    let asked = browser.open(&wanted).await.location().to_owned();
    assert_eq!(asked, format!("/console/sign-in?next={wanted}"));
    let page = browser.open(&asked).await;
    page.has("<label for=\"email\">Email address</label>");
    page.has("<html lang=\"en\">");
    page.has("class=\"skip\"");
    let wrong = [("email", w.owner.email.as_str()), ("password", "not hers"), ("next", wanted.as_str())];
    let again = browser.submit(&page, "/console/sign-in", &wrong).await;
    assert_eq!(again.status, 401);
    again.has("role=\"alert\"");
    again.has(&w.owner.email);
    assert!(!again.html.contains("not hers"), "a password is not sent back");
    let right = [("email", w.owner.email.as_str()), ("password", PASSWORD), ("next", wanted.as_str())];
    let entered = browser.submit(&again, "/console/sign-in", &right).await;
    assert_eq!(entered.location(), wanted);
    let cookie = entered.headers[SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.starts_with("liventix=lxs_") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    assert!(browser.cookie("liventix-form").is_none(), "used up");
    let members = browser.open(&wanted).await;
    assert_eq!(members.status, 200);
    members.has("Harbour &amp; &lt;Lights&gt;");
    members.has(&w.owner.email);
    let token = browser.cookie("liventix").unwrap();
    let out = browser.submit(&members, "/console/sign-out", &[]).await;
    assert_eq!(out.location(), "/console/sign-in?done=signed-out");
    assert!(browser.cookie("liventix").is_none());
    browser.open(out.location()).await.has("You have signed out.");
    // The session is over, not only forgotten.
    w.server.get("/v1/session", &token).await.expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_new_at_every_sign_in_and_next_leads_nowhere_else() {
    let w = world().await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&w.owner).await;
    let first = browser.cookie("liventix").unwrap();
    let page = browser.open("/console/account").await;
    for next in ["//evil.example", "https://evil.example/", "/console/../v1", "/console/x?y"] {
        let fields = [("email", w.owner.email.as_str()), ("password", PASSWORD), ("next", next)];
        let csrf = browser.open("/console/account").await.csrf();
        let origin = w.server.url("");
        let entered = browser.submit_from(&origin, &csrf, "/console/sign-in", &fields).await;
        assert_eq!(entered.location(), "/console", "{next}");
    }
    assert_ne!(browser.cookie("liventix").unwrap(), first);
    w.server.get("/v1/session", &first).await.expect_problem(401, "unauthenticated");
    // Forms of the session that is over are over too.
    let late = browser.submit(&page, "/console/sign-out", &[]).await;
    assert_eq!(late.status, 403);
    // Remembered, it outlives the browser.
    let fields = [("email", w.owner.email.as_str()), ("password", PASSWORD), ("remember", "1")];
    let page = browser.open("/console/account").await;
    let entered = browser.submit(&page, "/console/sign-in", &fields).await;
    assert!(entered.headers[SET_COOKIE].to_str().unwrap().ends_with("; Max-Age=2592000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_from_elsewhere_does_nothing() {
    let w = world().await;
    let browser = Browser::new(&w.server);
    let login = browser.open("/console/sign-in").await;
    let fields = [("email", w.owner.email.as_str()), ("password", PASSWORD)];
    let ours = w.server.url("");
    // Somebody else's page signs this browser in: to no avail.
    for (origin, csrf) in [
        ("https://evil.example", login.csrf()),
        ("null", login.csrf()),
        (&ours, String::new()),
        (&ours, Browser::new(&w.server).open("/console/sign-in").await.csrf()),
    ] {
        let refused = browser.submit_from(origin, &csrf, "/console/sign-in", &fields).await;
        assert_eq!(refused.status, 403, "{origin}");
        assert!(browser.cookie("liventix").is_none());
    }
    let unsaid = browser.request(Method::POST, "/console/sign-in").body(form(&fields));
    let unsaid = unsaid.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(browser.send(unsaid).await.status, 403);
    browser.sign_in(&w.owner).await;
    let page = browser.open(&w.path("/members")).await;
    let invite = [("email", "eve@example.org"), ("role", "owner")];
    let path = w.path("/members/invite");
    let stranger = Browser::new(&w.server);
    let eve = Person::member(&w.server, &Organiser::create(&w.server, "B").await, "eve", "owner").await;
    stranger.sign_in(&eve).await;
    let theirs = stranger.open("/console/account").await.csrf();
    for (origin, csrf) in [("https://evil.example", page.csrf()), (&ours, theirs), (&ours, login.csrf())] {
        assert_eq!(browser.submit_from(origin, &csrf, &path, &invite).await.status, 403);
    }
    let cross =
        browser.request(Method::POST, &path).header("origin", &ours).header("sec-fetch-site", "cross-site");
    let csrf = page.csrf();
    let body = form(&[("csrf", csrf.as_str()), ("email", "eve@example.org"), ("role", "owner")]);
    let cross = cross.header("content-type", "application/x-www-form-urlencoded").body(body);
    assert_eq!(browser.send(cross).await.status, 403);
    let open = w.server.get(&w.organiser.path("invitations"), &w.owner.token).await.expect(200);
    assert_eq!(open["items"], json!([]));
    // The cookie is none of the API's business.
    let api = browser.send(browser.request(Method::GET, "/v1/session")).await;
    assert_eq!(api.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_keeps_to_itself() {
    let w = world().await;
    let browser = Browser::new(&w.server);
    let login = browser.open("/console/sign-in").await;
    browser.sign_in(&w.owner).await;
    let mut pages = vec![login];
    for path in ["/console/account", "/console/organisers", "/console/nothing"] {
        pages.push(browser.open(path).await);
    }
    for path in ["", "/members", "/audit"] {
        pages.push(browser.open(&w.path(path)).await);
    }
    for page in &pages {
        let header = |name: &str| page.headers[name].to_str().unwrap();
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let policy = header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && policy.contains("script-src 'self';"), "{policy}");
        assert!(!page.html.contains("<script") && !page.html.contains("style="), "{}", page.html);
        assert_eq!(page.html.matches("<h1>").count(), 1, "{}", page.html);
        every_field_has_a_label(&page.html);
    }
    let (_, rest) = pages[0].html.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let style = browser.open(rest.split('"').next().unwrap()).await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    assert!(style.headers["cache-control"].to_str().unwrap().contains("immutable"));
}

fn every_field_has_a_label(html: &str) {
    for start in ["<input ", "<select ", "<textarea "] {
        for field in html.split(start).skip(1) {
            let field = field.split('>').next().unwrap();
            if field.contains("type=\"hidden\"") || field.contains("type=\"checkbox\"") {
                continue;
            }
            let id = field.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
            assert!(html.contains(&format!("<label for=\"{id}\">")), "{field}");
            assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_invites_changes_and_removes() {
    let w = world().await;
    let event = w.organiser.event(&w.server).await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&w.owner).await;
    let page = browser.open(&w.path("/members")).await;
    let wrong = [("email", "ada@example.org"), ("role", "finance"), ("events", event.id.as_str())];
    let again = browser.submit(&page, &w.path("/members/invite"), &wrong).await;
    assert_eq!(again.status, 422);
    again.has("id=\"events-error\"");
    again.has("value=\"ada@example.org\"");
    let wrong = [("email", "no address"), ("role", "finance")];
    let again = browser.submit(&page, &w.path("/members/invite"), &wrong).await;
    again.has("aria-describedby=\"email-error\" aria-invalid=\"true\"");
    let right = [("email", "ada@example.org"), ("role", "event_manager"), ("events", event.id.as_str())];
    let invited = browser.submit(&again, &w.path("/members/invite"), &right).await;
    assert_eq!(invited.status, 200);
    let (_, rest) = invited.html.split_once(&w.server.url("/console/invitation/")).unwrap();
    let link = format!("/console/invitation/{}", rest.split('<').next().unwrap());
    let ada = accepted(&w, &link).await;
    let members = browser.open(&w.path("/members")).await;
    members.has("Event manager: Harbour Lights");
    let member = |rest: &str| w.path(&format!("/members/{ada}/{rest}"));
    let both = [("role", "finance"), ("events", event.id.as_str())];
    let again = browser.submit(&members, &member("change"), &both).await;
    assert_eq!(again.status, 422);
    again.has(&format!("id=\"events-{ada}-error\""));
    assert!(!again.html.contains("id=\"events-error\""), "the form that invites is not meant");
    let changed = browser.submit(&members, &member("change"), &[("role", "support")]).await;
    assert_eq!(changed.location(), w.path("/members?done=member-changed"));
    browser.open(changed.location()).await.has("The member is changed.");
    let removed = browser.submit(&members, &member("remove"), &[]).await;
    assert_eq!(removed.location(), w.path("/members?done=member-removed"));
    let own = w.path(&format!("/members/{}/remove", w.owner.id));
    let refused = browser.submit(&members, &own, &[]).await;
    assert_eq!(refused.status, 409);
    refused.has("only owner");
    // What was done is on the trail's page.
    let trail = browser.open(&w.path("/audit?action=member.removed")).await;
    trail.has("Member removed");
    trail.has("Grace");
    assert!(!trail.html.contains("<strong>Member changed"));
}

/// Ada accepts by the link: her id.
async fn accepted(w: &World, link: &str) -> String {
    let browser = Browser::new(&w.server);
    let page = browser.open(link).await;
    page.has("ada@example.org");
    let short = browser.submit(&page, link, &[("name", "Ada <Lovelace>"), ("password", "short")]).await;
    assert_eq!(short.status, 422);
    short.has("id=\"password-error\"");
    short.has("value=\"Ada &lt;Lovelace&gt;\"");
    let joined = browser.submit(&page, link, &[("name", "Ada <Lovelace>"), ("password", PASSWORD)]).await;
    assert_eq!(joined.location(), w.path("?done=joined"));
    // Signed in at once; limited to an event, she sees neither members nor trail.
    let home = browser.open(joined.location()).await;
    home.has("You are event manager at");
    assert!(!home.html.contains("/audit\"") && !home.html.contains("/members\""));
    assert_eq!(browser.open(&w.path("/members")).await.status, 403);
    assert_eq!(browser.open(&w.path("/audit")).await.status, 403);
    let used = browser.open(link).await;
    assert_eq!(used.status, 410);
    let me = w.server.get("/v1/session", &browser.cookie("liventix").unwrap()).await.expect(200);
    text(&me["user_id"])
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_account_signs_in_and_comes_back_to_the_invitation() {
    let w = world().await;
    let other = Organiser::create(&w.server, "Pier").await;
    let ada = Person::member(&w.server, &other, "ada", "owner").await;
    let token = w.organiser.invite(&w.server, &ada.email, &json!({"role": "finance"})).await;
    let link = format!("/console/invitation/{token}");
    let browser = Browser::new(&w.server);
    let page = browser.open(&link).await;
    page.has(&format!("href=\"/console/sign-in?next={link}\""));
    let somebody = Browser::new(&w.server);
    somebody.sign_in(&w.owner).await;
    somebody.open(&link).await.has("somebody else");
    browser.sign_in(&ada).await;
    let page = browser.open(&link).await;
    let joined = browser.submit(&page, &link, &[]).await;
    assert_eq!(joined.location(), w.path("?done=joined"));
    // She has two now, and chooses.
    let choice = browser.open("/console").await;
    choice.has("Pier");
    choice.has("Harbour &amp; &lt;Lights&gt;");
    assert_eq!(browser.open("/console/invitation/lxi_0_0").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organiser_is_not_there() {
    let w = world().await;
    let other = Organiser::create(&w.server, "Pier").await;
    let eve = Person::member(&w.server, &other, "eve", "owner").await;
    let browser = Browser::new(&w.server);
    let entered = browser.sign_in(&eve).await;
    let home = browser.open(entered.location()).await.location().to_owned();
    assert_eq!(home, format!("/console/organisers/{}", other.id), "one organiser needs no choice");
    let page = browser.open(&home).await;
    for path in ["", "/members", "/audit"] {
        assert_eq!(browser.open(&w.path(path)).await.status, 404, "{path}");
    }
    for path in ["/members/invite", &format!("/members/{}/remove", w.owner.id)] {
        let fields = [("email", "eve2@example.org"), ("role", "owner")];
        assert_eq!(browser.submit(&page, &w.path(path), &fields).await.status, 404, "{path}");
    }
    assert_eq!(browser.open("/console/organisers/nonsense").await.status, 404);
    assert_eq!(browser.open("/console/").await.location(), "/console");
    // What cannot be read is said on a page as well.
    let path = format!("/console/organisers/{}/audit?cursor=1&cursor=2", other.id);
    let unread = browser.open(&path).await;
    assert_eq!(unread.status, 400);
    unread.has("<h1>That cannot be read</h1>");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_page_ends_sessions_and_changes_the_password() {
    let w = world().await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&w.owner).await;
    let page = browser.open("/console/account").await;
    page.has("This one");
    let sessions = w.server.get("/v1/sessions", &w.owner.token).await.expect(200);
    let own: &Value = sessions.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
    let path = format!("/console/account/sessions/{}/end", text(&own["session_id"]));
    let ended = browser.submit(&page, &path, &[]).await;
    assert_eq!(ended.location(), "/console/account?done=session-ended");
    w.server.get("/v1/session", &w.owner.token).await.expect_problem(401, "unauthenticated");
    let change = async |current: &str, new: &str| {
        let fields = [("current_password", current), ("new_password", new)];
        browser.submit(&page, "/console/account/password", &fields).await
    };
    let wrong = change("not hers", "another harbour at dawn").await;
    assert_eq!(wrong.status, 401);
    wrong.has("id=\"current_password-error\"");
    let short = change(PASSWORD, "short").await;
    assert_eq!(short.status, 422);
    short.has("id=\"new_password-error\"");
    let changed = change(PASSWORD, "another harbour at dawn").await;
    assert_eq!(changed.location(), "/console/sign-in?done=password-changed");
    assert!(browser.cookie("liventix").is_none());
    assert_eq!(browser.open("/console/account").await.location(), "/console/sign-in?next=/console/account");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_cookies_are_bound_to_the_host() {
    let server = Server::start_behind_proxy(Limits::all(Limit::per_minute(100_000))).await;
    let organiser = Organiser::create(&server, "Pier").await;
    let ada = Person::member(&server, &organiser, "ada", "owner").await;
    let browser = Browser::new(&server);
    let asked = browser.open("/console/account").await;
    assert_eq!(asked.location(), "/at/console/sign-in?next=/console/account");
    let page = browser.open("/console/sign-in").await;
    let cookie = page.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-liventix-form="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    page.has("action=\"/at/console/sign-in\"");
    page.has("href=\"/at/console/style.");
    let fields = [("email", ada.email.as_str()), ("password", PASSWORD), ("next", "/console/account")];
    // What the proxy is called from outside, and not what it calls us.
    let submit =
        async |origin: &str| browser.submit_from(origin, &page.csrf(), "/console/sign-in", &fields).await;
    assert_eq!(submit("https://tickets.example.com").await.status, 403);
    let entered = submit("https://tickets.example.org").await;
    assert_eq!(entered.location(), "/at/console/account");
    let cookie = entered.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-liventix=lxs_") && cookie.ends_with("; Secure"), "{cookie}");
    assert_eq!(browser.open("/console/account").await.status, 200);
}
