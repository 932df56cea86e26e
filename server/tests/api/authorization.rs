//! No organiser, and no device of theirs, can see or change anything of another. Every route is tried.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::shop::trying_out;
use crate::support::{Event, NOW, Organiser, Person, Server, Shop, new_id, text};

/// What a stranger sends to a route; `null` sends no body.
fn body(method: &str, path: &str, event: &Event) -> Value {
    let name = path.rsplit('/').next().unwrap_or_default();
    match (method, name) {
        ("get" | "delete", _) => json!(null),
        ("patch", "{event_id}") => json!({"name": "Stolen"}),
        (_, "gates" | "{gate_id}") => json!({"name": "Stolen"}),
        (_, "sales") => json!({"currency": "EUR", "is_open": false}),
        (_, "{ticket_type_id}") if path.contains("/sales/") => json!({"price": 0}),
        (_, "{currency}") => json!({"fixed": 0}),
        (_, "refunds") => json!({"all": true, "reason": "Stolen"}),
        (_, "settle") => json!({"reason": "Stolen"}),
        (_, "cancel") if path.contains("/orders/") => json!({"reason": "Stolen"}),
        (_, "test-payment") => json!({"outcome": "pay"}),
        (_, "ticket-types" | "{ticket_type_id}") => json!({"name": "Stolen"}),
        (_, "rotate") => json!({"mode": "withdraw"}),
        (_, "tickets") => json!({"ticket_type_id": event.day}),
        (_, "reissue") => json!({}),
        (_, "resolve" | "acknowledge") => json!({"note": "Stolen"}),
        (_, "undo") => json!({"scan_id": new_id(), "note": "Stolen"}),
        (_, "redeem") => event.redeem_body("hello"),
        (_, "{user_id}") => json!({"role": "finance"}),
        (_, "invitations") => json!({"role": "owner", "email": "thief@example.org"}),
        (_, "password") => json!({"current_password": "x", "new_password": "stolen by a stranger"}),
        (_, "enrolments") => json!({"events": [{"event_id": event.id}]}),
        (_, "scans") => json!({"ledger_id": new_id(), "scans": [{"scan_id": new_id()}]}),
        _ => json!(null),
    }
}

struct Victim {
    organiser: Organiser,
    event: Event,
    ticket: String,
    scan: String,
    device: String,
    key_id: String,
    anomaly: String,
    owner: Person,
    session: String,
    invitation: String,
    order: String,
}

impl Victim {
    async fn create(server: &Server) -> Self {
        let organiser = Organiser::create(server, "Victim").await;
        let event = organiser.event(server).await;
        let ticket = organiser.ticket(server, &event).await;
        let scan = event.redeem(server, &organiser.key, &text(&ticket["code"])).await;
        let mut door = organiser.door(server, &event).await;
        // The same ticket at a door, before: the two conflict.
        let earlier = door.admit(&text(&ticket["ticket_id"]), NOW - 1_000);
        door.upload(server, &[earlier]).await.expect(200);
        let anomalies = server.get(&format!("{}/anomalies", event.path), &organiser.key).await.expect(200);
        let anomaly = text(&anomalies["items"][0]["anomaly_id"]);
        let device = door.device_id.to_string();
        let keys = server.get("/v1/api-keys", &organiser.key).await.expect(200);
        let key_id = text(&keys["items"][0]["api_key_id"]);
        let owner = Person::member(server, &organiser, "Victoria", "owner").await;
        let sessions = server.get("/v1/sessions", &owner.token).await.expect(200);
        let session = text(&sessions[0]["session_id"]);
        let body = json!({"email": "guest@example.org", "role": "support"});
        let invited = server.post(&organiser.path("invitations"), &owner.token, &body).await.expect(201);
        let invitation = text(&invited["invitation_id"]);
        let (ticket, scan) = (text(&ticket["ticket_id"]), text(&scan["scan_id"]));
        let Shop { organiser, event } = Shop::open_at(server, organiser, event, None).await;
        let shop = Shop { organiser, event };
        let order = shop.order(server, 1).await.id;
        let Shop { organiser, event } = shop;
        Self { ticket, scan, organiser, event, device, key_id, anomaly, owner, session, invitation, order }
    }

    fn fill(&self, path: &str) -> String {
        path.replace("{event_id}", &self.event.id)
            .replace("{gate_id}", &self.event.gate)
            .replace("{ticket_type_id}", &self.event.day)
            .replace("{ticket_id}", &self.ticket)
            .replace("{scan_id}", &self.scan)
            .replace("{device_id}", &self.device)
            .replace("{anomaly_id}", &self.anomaly)
            .replace("{api_key_id}", &self.key_id)
            .replace("{organiser_id}", &self.organiser.id)
            .replace("{user_id}", &self.owner.id)
            .replace("{session_id}", &self.session)
            .replace("{invitation_id}", &self.invitation)
            // The operator's: nobody's job and nobody's alert, for nobody but the operator gets that far.
            .replace("{job_id}", "01930f2e-7c1a-7b3c-9d4e-5f60718293a4")
            .replace("{alert_id}", "01930f2e-7c1a-7b3c-9d4e-5f60718293a4")
            .replace("{suppression_id}", "01930f2e-7c1a-7b3c-9d4e-5f60718293a4")
            .replace("{kind}", "news")
            .replace("{locale}", "en")
            .replace("{order_id}", &self.order)
            .replace("{currency}", "EUR")
            // Nobody's: whoever is refused is so before it is looked for.
            .replace("{campaign_id}", "01930f2e-7c1a-7b3c-9d4e-5f60718293a4")
            .replace("{ad_campaign_id}", "01930f2e-7c1a-7b3c-9d4e-5f60718293a4")
            .replace("{creative_id}", "01930f2e-7c1a-7b3c-9d4e-5f60718293a4")
            .replace("{day}", "2026-08-01")
            .replace("{message_id}", "01930f2e-7c1a-7b3c-9d4e-5f60718293a4")
            .replace("{queue}", "mail")
    }

    /// Everything the victim can see.
    async fn everything(&self, server: &Server) -> Vec<Value> {
        let path = &self.event.path;
        let mut all = Vec::new();
        for path in [
            path.clone(),
            format!("{path}/ticket-codes"),
            format!("{path}/scans"),
            format!("{path}/counts"),
            format!("{path}/keys"),
            format!("{path}/conflicts"),
            format!("{path}/anomalies"),
            format!("{path}/sales"),
            format!("{path}/orders"),
            format!("/v1/orders/{}", self.order),
            format!("{path}/anomalies/{}", self.anomaly),
            "/v1/events".into(),
            "/v1/devices".into(),
            "/v1/api-keys".into(),
            "/v1/quarantine".into(),
            "/v1/organiser".into(),
            self.organiser.path("members"),
            self.organiser.path("invitations"),
            self.organiser.path("audit?limit=200"),
        ] {
            all.push(server.get(&path, &self.organiser.key).await.expect(200));
        }
        all
    }
}

/// Whether nobody has to say who they are.
pub(crate) fn is_public(operation: &Value) -> bool {
    let security = operation.get("security").and_then(Value::as_array);
    security.is_none_or(|ways| ways.contains(&json!({})))
}

/// Lists of one's own: a stranger gets an answer, but nothing of the victim's is in it.
const OWN_LISTS: [&str; 22] = [
    "/v1/mail-texts",
    "/v1/mail-texts/{kind}/{locale}",
    "/v1/balance",
    "/v1/refunds",
    "/v1/payouts",
    "/v1/disputes",
    "/v1/events",
    "/v1/devices",
    "/v1/api-keys",
    "/v1/quarantine",
    "/v1/organiser",
    "/v1/analytics/overview",
    "/v1/analytics/sales",
    "/v1/analytics/entries",
    "/v1/analytics/doors",
    "/v1/analytics/ticket-types",
    "/v1/analytics/refresh",
    "/v1/analytics/funnel",
    "/v1/analytics/creatives",
    "/v1/analytics/ad-campaigns",
    "/v1/session",
    "/v1/sessions",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_route_gives_a_stranger_anything() {
    let server = trying_out().await;
    let victim = Victim::create(&server).await;
    let before = victim.everything(&server).await;
    let stranger = Organiser::create(&server, "Stranger").await;
    let own = stranger.event(&server).await;
    let device = stranger.door(&server, &own).await.token;
    let person = Person::member(&server, &stranger, "Eve", "owner").await;
    let document = server.get("/openapi.json", "").await.expect(200);
    let secrets = [
        &victim.event.id,
        &victim.ticket,
        &victim.scan,
        &victim.device,
        &victim.key_id,
        &victim.anomaly,
        &victim.organiser.id,
        &victim.owner.id,
        &victim.owner.email,
        &victim.session,
        &victim.invitation,
        &victim.order,
    ];
    let mut tried = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if is_public(operation) {
                continue;
            }
            let real = victim.fill(path);
            assert!(!real.contains('{'), "no value for {path}");
            let body = body(method, path, &victim.event);
            for token in ["", "lx_00_00", &stranger.key, &device, &person.token] {
                if token == person.token && path == "/v1/session" && method == "delete" {
                    // She may sign out; but she is needed for the routes that follow.
                    continue;
                }
                let reply = if path.ends_with("/import") {
                    server.post_csv(&real, token, "ticket_type\nDay\n").await
                } else if path.ends_with("/refunds") && method == "post" {
                    let request = server.request(reqwest::Method::POST, &real, token).json(&body);
                    let key = format!("refund:desk:{}", new_id());
                    server.send(request.header("idempotency-key", key)).await
                } else {
                    server.call(&method.to_uppercase(), &real, token, &body).await
                };
                let own_list = OWN_LISTS.contains(&path.as_str()) || path == "/v1/door/assignments";
                let own_upload = path == "/v1/door/scans" && token == device;
                let harmless = (own_list || own_upload) && reply.status == 200;
                // A new key of the stranger's own is theirs to make.
                let own_key = path == "/v1/api-keys" && method == "post" && reply.status == 422;
                let own_event = path == "/v1/events" && method == "post" && reply.status == 422;
                // Nothing of their own is changed by it.
                let own_text = path.starts_with("/v1/mail-texts/") && reply.status == 204;
                let lacks_something =
                    path == "/v1/payouts" && method == "post" || path == "/v1/analytics/export";
                let own_wish = lacks_something && reply.status == 400;
                // Bodies that are left out are refused before anything is looked up.
                assert!(
                    harmless
                        || own_key
                        || own_event
                        || own_wish
                        || own_text
                        || [401, 403, 404, 415].contains(&reply.status),
                    "{method} {path}: {} {}",
                    reply.status,
                    reply.json
                );
                if !own_upload {
                    let answer = String::from_utf8_lossy(&reply.bytes).into_owned();
                    assert!(
                        !secrets.iter().any(|secret| answer.contains(*secret)),
                        "{method} {path}: {answer}"
                    );
                }
            }
            tried.insert(format!("{method} {path}"));
        }
    }
    assert!(tried.len() >= 59, "{tried:?}");
    assert_eq!(victim.everything(&server).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_say_and_nothing_once_revoked() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let read = organiser.key_with(&server, "read").await;
    let redeem = organiser.key_with(&server, "redeem").await;
    server.get(&event.path, &read).await.expect(200);
    server.get(&event.path, &redeem).await.expect_problem(403, "scope_missing");
    let path = format!("{}/redeem", event.path);
    server.post(&path, &read, &event.redeem_body("x")).await.expect_problem(403, "scope_missing");
    event.redeem(&server, &redeem, "x").await;
    server.get(&format!("{}/ticket-codes", event.path), &read).await.expect_problem(403, "scope_missing");
    server.post("/v1/events", &read, &json!({})).await.expect_problem(403, "scope_missing");
    let keys = server.get("/v1/api-keys", &organiser.key).await.expect(200);
    let named = |key: &&Value| key["name"] == "read";
    let id = text(&keys["items"].as_array().unwrap().iter().find(named).unwrap()["api_key_id"]);
    assert!(!keys.to_string().contains("token"));
    server.call("DELETE", &format!("/v1/api-keys/{id}"), &organiser.key, &json!(null)).await.expect(204);
    server.get(&event.path, &read).await.expect_problem(401, "unauthenticated");
    server.get(&event.path, &format!("{}x", organiser.key)).await.expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_administrator_creates_organisers() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    for token in ["", "wrong", &organiser.key] {
        let reply = server.post("/v1/organisers", token, &json!({"name": "B"})).await;
        reply.expect_problem(401, "unauthenticated");
    }
}
