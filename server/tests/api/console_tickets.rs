//! The console's pages of an event's tickets and keys.

use serde_json::json;

use crate::support::{Browser, Event, Organiser, Person, Server, Shown, text};

struct World {
    server: Server,
    organiser: Organiser,
    event: Event,
}

async fn world() -> World {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "Harbour").await;
    let event = organiser.event(&server).await;
    World { server, organiser, event }
}

impl World {
    fn page(&self, rest: &str) -> String {
        format!("/console/organisers/{}/events/{}/{rest}", self.organiser.id, self.event.id)
    }

    async fn browser(&self, role: &str) -> Browser<'_> {
        let person = Person::member(&self.server, &self.organiser, role, role).await;
        let browser = Browser::new(&self.server);
        browser.sign_in(&person).await;
        browser
    }

    /// Sends one of a page's forms, and looks at what comes of it.
    async fn done(&self, browser: &Browser<'_>, page: &Shown, path: &str, fields: &[(&str, &str)]) -> Shown {
        let sent = browser.submit(page, path, fields).await;
        browser.open(sent.location()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_found_whatever_signs_its_name_has() {
    let w = world().await;
    w.organiser.import(&w.server, &w.event, 60).await;
    let named = json!({"attendee_name": "Zoë <O'Hara> & Söhne", "reference": "Ü-100%", "status": "unpaid"});
    let odd = w.organiser.ticket_with(&w.server, &w.event, named).await;
    let id = text(&odd["ticket_id"]);
    let browser = w.browser("support").await;
    let page = browser.open(&w.page("tickets")).await;
    assert_eq!((page.status, page.html.matches("class=\"badge ").count()), (200, 50));
    let (_, rest) = page.html.split_once("<a class=\"button\" href=\"").unwrap();
    let more = rest.split('"').next().unwrap().replace("&amp;", "&");
    let more = browser.open(&more).await;
    assert_eq!(more.html.matches("/tickets/").count(), 11, "{}", more.html);
    for search in ["zo%C3%AB", "o%27hara", "100%25"] {
        let found = browser.open(&w.page(&format!("tickets?search={search}"))).await;
        found.has("Zoë &lt;O&#x27;Hara&gt; &amp; Söhne");
        found.has("<span class=\"badge warn\">Not paid</span>");
        assert_eq!(found.html.matches(&format!("/tickets/{id}")).count(), 1, "{search}");
    }
    browser.open(&w.page("tickets?search=x")).await.has("Search for 2 to 80 characters.");
    browser.open(&w.page("tickets?search=nobody")).await.has("There is no ticket like that.");
    let by_id = browser.open(&w.page(&format!("tickets?search=%20{id}"))).await;
    assert_eq!(by_id.location(), w.page(&format!("tickets/{id}")));
    assert_eq!(browser.open(&w.page("tickets?cursor=nonsense")).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn support_sees_where_a_ticket_was_used_and_gives_it_a_new_code() {
    let w = world().await;
    let ticket = w.organiser.ticket(&w.server, &w.event).await;
    let (id, code) = (text(&ticket["ticket_id"]), text(&ticket["code"]));
    let here = w.page(&format!("tickets/{id}"));
    let browser = w.browser("support").await;
    browser.open(&here).await.has("At no door yet");
    assert_eq!(w.event.redeem(&w.server, &w.organiser.key, &code).await["outcome"], "admit");
    w.server.clock.advance(60_000);
    assert_eq!(w.event.redeem(&w.server, &w.organiser.key, &code).await["reason"], "already_used");
    let page = browser.open(&here).await;
    assert_eq!(page.headers["cache-control"], "no-store");
    page.has("<strong>In</strong>");
    page.has("<strong>Already used</strong> <span class=\"badge warn\">Nobody passed</span>");
    page.has("North gate · ");
    page.has(&text(&ticket["manual_code"]));
    page.has("src=\"data:image/png;base64,");
    let page = w.done(&browser, &page, &format!("{here}/reissue"), &[]).await;
    page.has("The ticket has a new code.");
    assert!(!page.html.contains(&text(&ticket["manual_code"])));
    assert_eq!(w.event.redeem(&w.server, &w.organiser.key, &code).await["outcome"], "refuse");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_blocked_unblocked_paid_and_cancelled_for_good() {
    let w = world().await;
    let unpaid = json!({ "status": "unpaid" });
    let ticket = w.organiser.ticket_with(&w.server, &w.event, unpaid).await;
    let here = w.page(&format!("tickets/{}", text(&ticket["ticket_id"])));
    let browser = w.browser("event_manager").await;
    let page = browser.open(&here).await;
    let page = w.done(&browser, &page, &format!("{here}/mark-paid"), &[]).await;
    page.has("The ticket is paid.");
    assert!(!page.html.contains("/mark-paid") && !page.html.contains("/unblock"));
    let page = w.done(&browser, &page, &format!("{here}/block"), &[]).await;
    page.has("<span class=\"badge bad\">Blocked</span>");
    let page = w.done(&browser, &page, &format!("{here}/unblock"), &[]).await;
    page.has("<span class=\"badge good\">Valid</span>");
    let page = w.done(&browser, &page, &format!("{here}/cancel"), &[]).await;
    page.has("<span class=\"badge bad\">Cancelled</span>");
    assert!(!page.html.contains("class=\"qr\"") && !page.html.contains("/reissue"));
    // As from a page that was opened before.
    for (action, status) in [("reissue", 409), ("block", 409), ("mark-paid", 409)] {
        let refused = browser.submit(&page, &format!("{here}/{action}"), &[]).await;
        assert_eq!(refused.status, status, "{action}");
        refused.has("The ticket is cancelled for good. Issue a new one.");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_sees_its_part_of_a_ticket() {
    let w = world().await;
    let ticket = w.organiser.ticket_with(&w.server, &w.event, json!({ "status": "unpaid" })).await;
    let here = w.page(&format!("tickets/{}", text(&ticket["ticket_id"])));
    let finance = w.browser("finance").await;
    let page = finance.open(&here).await;
    assert_eq!(page.status, 200);
    for hidden in ["class=\"qr\"", &text(&ticket["manual_code"]), "Where it was seen", "/reissue", "/cancel"]
    {
        assert!(!page.html.contains(hidden), "{hidden}");
    }
    for action in ["reissue", "block", "unblock", "cancel"] {
        assert_eq!(finance.submit(&page, &format!("{here}/{action}"), &[]).await.status, 403, "{action}");
    }
    assert_eq!(finance.open(&w.page("keys")).await.status, 403);
    w.done(&finance, &page, &format!("{here}/mark-paid"), &[]).await.has("The ticket is paid.");
    let scanner = w.browser("event_scanner").await;
    for path in [here.clone(), w.page("tickets"), w.page("keys")] {
        assert_eq!(scanner.open(&path).await.status, 403, "{path}");
    }
    // A ticket of somebody else's event is not there, by whichever address.
    let stranger = Organiser::create(&w.server, "Pier").await;
    let elsewhere = stranger.event(&w.server).await;
    let foreign = stranger.ticket(&w.server, &elsewhere).await;
    let foreign = w.page(&format!("tickets/{}", text(&foreign["ticket_id"])));
    let support = w.browser("support").await;
    let account = support.open("/console/account").await;
    assert_eq!(support.open(&foreign).await.status, 404);
    assert_eq!(support.submit(&account, &format!("{foreign}/cancel"), &[]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_signs_and_leaked_ones_are_withdrawn_only_on_purpose() {
    let w = world().await;
    let ticket = w.organiser.ticket(&w.server, &w.event).await;
    let browser = w.browser("event_manager").await;
    let page = browser.open(&w.page("keys")).await;
    page.has("1 ticket has a code of it.");
    let rotate = w.page("keys/rotate");
    let overlap = [("mode", "overlap"), ("days", "7")];
    let page = w.done(&browser, &page, &rotate, &overlap).await;
    page.has("The event has a new key.");
    page.has("7 Aug 2026, 20:00");
    w.organiser.ticket(&w.server, &w.event).await;
    let unsure = browser.submit(&page, &rotate, &[("mode", "withdraw")]).await;
    assert_eq!(unsure.status, 422);
    unsure.has("Say that you know what it does.");
    for fields in [vec![("mode", "overlap"), ("days", "-1")], vec![("mode", "burn")]] {
        assert_eq!(browser.submit(&page, &rotate, &fields).await.status, 422, "{fields:?}");
    }
    assert_eq!(w.event.redeem(&w.server, &w.organiser.key, &text(&ticket["code"])).await["outcome"], "admit");
    let page = w.done(&browser, &page, &rotate, &[("mode", "withdraw"), ("sure", "1")]).await;
    page.has("The old keys are withdrawn.");
    assert_eq!(page.html.matches("1 ticket has a code of it, and is refused: give it a new one.").count(), 2);
    let keys = w.server.get(&format!("{}/keys", w.event.path), &w.organiser.key).await.expect(200);
    let facts: Vec<_> = keys.as_array().unwrap().iter().map(|key| (&key["signs"], &key["codes"])).collect();
    assert_eq!(facts, [(&json!(false), &json!(1)), (&json!(false), &json!(1)), (&json!(true), &json!(0))]);
}
