//! The console's page of an event's devices.

use serde_json::json;

use crate::support::{Browser, Event, Organiser, Person, Server, text};

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
    fn page(&self) -> String {
        format!("/console/organisers/{}/events/{}/devices", self.organiser.id, self.event.id)
    }

    async fn browser(&self, role: &str) -> Browser<'_> {
        let person = Person::member(&self.server, &self.organiser, role, role).await;
        let browser = Browser::new(&self.server);
        browser.sign_in(&person).await;
        browser
    }
}

/// What stands between two texts.
fn between<'a>(html: &'a str, before: &str, after: &str) -> &'a str {
    html.split_once(before).unwrap().1.split_once(after).unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_enrolled_by_the_code_shown_once_and_revoked() {
    let w = world().await;
    let browser = w.browser("event_manager").await;
    let page = browser.open(&w.page()).await;
    assert_eq!(page.status, 200);
    page.has("No device is enrolled yet.");
    let fields = [("gates", w.event.other_gate.as_str()), ("supervisor", "1")];
    let made = browser.submit(&page, &format!("{}/enrol", w.page()), &fields).await;
    assert_eq!(made.status, 200);
    made.has("src=\"data:image/png;base64,");
    made.has("31 Jul, 20:15:00");
    made.has("South gate; held by a supervisor");
    assert_eq!(made.headers["cache-control"], "no-store");
    let code = between(&made.html, "class=\"code\">", "<");
    made.has(&format!("#{code}</textarea>"));
    let body = json!({"code": code, "device_name": "Scanner <7>"});
    let enrolled = w.server.post("/v1/door/enrol", "", &body).await.expect(201);
    assert_eq!(enrolled["assignments"][0]["gate_ids"], json!([w.event.other_gate]));
    assert_eq!(enrolled["assignments"][0]["supervisor"], true);
    let (id, token) = (text(&enrolled["device_id"]), text(&enrolled["token"]));
    let manifest = format!("/v1/door/events/{}/manifest?unsent=3", w.event.id);
    w.server.get(&manifest, &token).await.expect(200);

    let page = browser.open(&w.page()).await;
    page.has("Scanner &lt;7&gt;");
    page.has("<dd>South gate</dd>");
    page.has("31 Jul, 20:00:00");
    page.has("<dd>3 scans</dd>");
    assert!(!page.html.contains(code), "the code is shown once");
    let gone = browser.submit(&page, &format!("{}/{id}/revoke", w.page()), &[]).await;
    assert_eq!(gone.location(), format!("{}?done=device-revoked", w.page()));
    let after = browser.open(gone.location()).await;
    after.has("The device is revoked");
    after.has("<span class=\"badge bad\">Revoked</span>");
    assert!(!after.html.contains("/revoke\""), "revoked once");
    w.server.get(&manifest, &token).await.expect_problem(403, "device_revoked");
    let trail = w.server.get(&w.organiser.path("audit?action=device.revoked"), &w.organiser.key).await;
    assert!(trail.bytes.len() > 2, "{}", trail.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_events_gates_and_devices_are_no_matter_of_this_page() {
    let w = world().await;
    let other = w.organiser.event(&w.server).await;
    w.organiser.door(&w.server, &other).await;
    let browser = w.browser("owner").await;
    let page = browser.open(&w.page()).await;
    page.has("No device is enrolled yet.");
    for gate in [other.gate.as_str(), "north"] {
        let again = browser.submit(&page, &format!("{}/enrol", w.page()), &[("gates", gate)]).await;
        assert_eq!(again.status, 422);
        again.has("Choose from these gates.");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_is_offered_nothing_and_others_find_no_page() {
    let w = world().await;
    let door = w.organiser.door(&w.server, &w.event).await;
    let revoke = format!("{}/{}/revoke", w.page(), door.device_id);
    let scanner = w.browser("event_scanner").await;
    let page = scanner.open(&w.page()).await;
    assert_eq!(page.status, 200);
    assert!(!page.html.contains("/devices/enrol") && !page.html.contains("/revoke\""));
    for path in [format!("{}/enrol", w.page()), revoke.clone()] {
        assert_eq!(scanner.submit(&page, &path, &[]).await.status, 403, "{path}");
    }
    let finance = w.browser("finance").await;
    assert_eq!(finance.open(&w.page()).await.status, 403);
    let stranger = Organiser::create(&w.server, "Pier").await;
    let owner = Person::member(&w.server, &stranger, "eve", "owner").await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&owner).await;
    assert_eq!(browser.open(&w.page()).await.status, 404);
    let account = browser.open("/console/account").await;
    assert_eq!(browser.submit(&account, &revoke, &[]).await.status, 404);
    let assignments = w.server.get("/v1/door/assignments", &door.token).await;
    assignments.expect(200);
}
