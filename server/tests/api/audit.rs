//! The audit trail: complete, unchangeable, without secrets.

use liventix_server::audit::Deed;
use liventix_server::params;
use liventix_server::platform::config::EmailConfig;
use liventix_server::platform::db::{Db, DbError};
use liventix_stand_ins::push::PushServices;
use serde_json::{Value, json};

use crate::support::push;
use crate::support::shop::key;
use crate::support::{
    ADMIN, Event, NOW, Organiser, PASSWORD, Person, Phone, Server, new_id, sign_in, text, try_sign_in, until,
};

struct World {
    server: Server,
    organiser: Organiser,
    event: Event,
    owner: Person,
}

async fn world() -> World {
    // Nothing is sent by it.
    let services = PushServices::start(|| NOW).await;
    let server = Server::start_set(|config| {
        config.push = push::config(&services);
        config.payments.test_provider = true;
        config.email = EmailConfig {
            from: Some("tickets@example.org".to_owned()),
            folder: Some(config.data_dir.join("mail")),
            ..EmailConfig::default()
        };
    })
    .await;
    let organiser = Organiser::create(&server, "Harbour").await;
    let event = organiser.event(&server).await;
    let owner = Person::member(&server, &organiser, "Grace", "owner").await;
    World { server, organiser, event, owner }
}

impl World {
    async fn owner_calls(&self, method: &str, path: &str, body: Value) -> Value {
        let reply = self.server.call(method, path, &self.owner.token, &body).await;
        assert!((200..300).contains(&reply.status), "{method} {path}: {}", reply.json);
        reply.json
    }

    /// Everything that goes on record, done once at least. Gives the secrets met on the way.
    async fn everything(&self) -> Vec<String> {
        let path = &self.event.path;
        let at = |rest: &str| format!("{path}{rest}");
        let mut secrets = vec![PASSWORD.to_owned()];
        self.owner_calls(
            "POST",
            "/v1/events",
            json!({"name": "E", "starts_at": 1, "ends_at": 2, "time_zone": "Europe/Paris"}),
        )
        .await;
        self.owner_calls("PATCH", "/v1/organiser", json!({"time_zone": "Europe/Paris"})).await;
        self.owner_calls("PATCH", path, json!({"name": "Harbour Nights"})).await;
        let campaign = self.owner_calls("POST", &at("/ad-campaigns"), json!({"name": "Summer"})).await;
        let creatives = at(&format!("/ad-campaigns/{}/creatives", text(&campaign["ad_campaign_id"])));
        let creative = self.owner_calls("POST", &creatives, json!({"name": "Poster"})).await;
        let spend = at(&format!("/creatives/{}/spend/2026-08-01", text(&creative["creative_id"])));
        self.owner_calls("PUT", &spend, json!({"amount": 5_000, "currency": "EUR"})).await;
        self.owner_calls("POST", &at("/keys/rotate"), json!({"mode": "overlap"})).await;
        let gate = text(&self.owner_calls("POST", &at("/gates"), json!({"name": "Pier"})).await["gate_id"]);
        self.owner_calls("PUT", &at(&format!("/gates/{gate}")), json!({"name": "Long pier"})).await;
        self.owner_calls("DELETE", &at(&format!("/gates/{gate}")), json!(null)).await;
        let kind = self.owner_calls("POST", &at("/ticket-types"), json!({"name": "Night"})).await;
        let kind = at(&format!("/ticket-types/{}", text(&kind["ticket_type_id"])));
        self.owner_calls("PUT", &kind, json!({"name": "Late night"})).await;
        self.owner_calls("DELETE", &kind, json!(null)).await;
        secrets.extend(self.tickets().await);
        secrets.extend(self.orders().await);
        self.scans().await;
        secrets.extend(self.devices_and_keys().await);
        secrets.extend(self.people().await);
        // Nobody holds a ticket by now: it would be over at once.
        self.server.pause("notices").await;
        let campaign = json!({"title": "Last boat", "body": "It goes at two."});
        let campaign = self.owner_calls("POST", &at("/campaigns"), campaign).await;
        let campaign = at(&format!("/campaigns/{}", text(&campaign["campaign_id"])));
        for act in ["pause", "resume", "cancel"] {
            self.owner_calls("POST", &format!("{campaign}/{act}"), json!(null)).await;
        }
        self.server.resume("notices").await;
        let text = "/v1/mail-texts/event_cancelled/en";
        let own = json!({"text": "Off\n\n{{ reason }}", "html": "<p>{{ reason }}</p>"});
        self.owner_calls("PUT", text, own).await;
        self.owner_calls("DELETE", text, json!(null)).await;
        self.owner_calls("POST", &at("/cancel"), json!({"reason": "storm"})).await;
        secrets
    }

    async fn tickets(&self) -> Vec<String> {
        let body =
            json!({"ticket_type_id": self.event.day, "attendee_name": "Mateo Vasquez", "status": "unpaid"});
        let ticket = self.owner_calls("POST", &format!("{}/tickets", self.event.path), body).await;
        let table = "ticket_type,attendee_name\nDay,Ada Lovelace\n";
        let import = format!("{}/tickets/import", self.event.path);
        self.server.post_csv(&import, &self.owner.token, table).await.expect(201);
        let of = format!("{}/tickets/{}", self.event.path, text(&ticket["ticket_id"]));
        for action in ["mark-paid", "revoke", "unblock"] {
            self.owner_calls("POST", &format!("{of}/{action}"), json!(null)).await;
        }
        let again = self.owner_calls("POST", &format!("{of}/reissue"), json!({})).await;
        let link = text(&self.owner_calls("GET", &format!("{of}/link"), json!(null)).await["url"]);
        let (phone, friend) = (Phone::new("Mateo's phone"), Phone::new("Ana's phone"));
        let held = phone.claim(&self.server, &link).await.expect(200);
        let offer = phone.offer(&self.server, &held).await;
        let held = friend.claim(&self.server, &offer).await.expect(200);
        friend.call(&self.server, "DELETE", &held, "").await.expect(204);
        self.owner_calls("DELETE", &format!("{of}/claims"), json!(null)).await;
        self.owner_calls("POST", &format!("{of}/cancel"), json!(null)).await;
        let tokens = [link, offer].map(|link| link.rsplit('/').next().unwrap().to_owned());
        let codes = [&ticket, &again].map(|ticket| text(&ticket["code"]));
        let manual = [&ticket, &again].map(|ticket| text(&ticket["manual_code"]));
        [tokens.to_vec(), codes.to_vec(), manual.to_vec(), vec!["Mateo Vasquez".into(), phone.token]].concat()
    }

    async fn orders(&self) -> Vec<String> {
        let sales = format!("{}/sales", self.event.path);
        let fee = json!({"fixed": 50});
        self.server.call("PUT", &self.organiser.path("fees/EUR"), ADMIN, &fee).await.expect(200);
        self.owner_calls("PUT", &sales, json!({"currency": "EUR", "is_open": true})).await;
        for kind in [&self.event.day, &self.event.family] {
            self.owner_calls("PUT", &format!("{sales}/{kind}"), json!({"price": 4_000})).await;
        }
        self.owner_calls("DELETE", &format!("{sales}/{}", self.event.family), json!(null)).await;
        let items = json!([{"ticket_type_id": self.event.day, "quantity": 1}]);
        let wish = json!({"items": items, "name": "Ida Berg", "email": "ida@example.org"});
        let path = format!("/v1/shop/events/{}/orders", self.event.id);
        let request = self.server.request(reqwest::Method::POST, &path, "").json(&wish);
        let made = self.server.send(request.header("idempotency-key", key())).await.expect(201);
        let cancel = format!("/v1/orders/{}/cancel", text(&made["order"]["order_id"]));
        self.owner_calls("POST", &cancel, json!({"reason": "asked on the phone"})).await;
        let made = self
            .server
            .send(
                self.server
                    .request(reqwest::Method::POST, &path, "")
                    .json(&wish)
                    .header("idempotency-key", key()),
            )
            .await
            .expect(201);
        let pay = json!({"outcome": "pay"});
        self.server.post("/v1/shop/order/test-payment", &text(&made["token"]), &pay).await.expect(200);
        let send = format!("/v1/orders/{}/send-tickets", text(&made["order"]["order_id"]));
        self.owner_calls("POST", &send, json!({})).await;
        let news = format!("{}/announcements", self.event.path);
        self.owner_calls("POST", &news, json!({"subject": "Tomorrow", "body": "Gates open at six."})).await;
        let terms = json!({"account": "acct_harbour", "hold_days": 0, "hold_from": "payment"});
        self.server.call("PUT", &self.organiser.path("payout-terms"), ADMIN, &terms).await.expect(200);
        let payout = self.server.request(reqwest::Method::POST, "/v1/payouts", &self.owner.token);
        let payout = payout.json(&json!({"currency": "EUR", "amount": 100}));
        let payout_key = format!("payout:desk:{}", new_id());
        self.server.send(payout.header("idempotency-key", payout_key)).await.expect(201);
        let refunds = format!("/v1/orders/{}/refunds", text(&made["order"]["order_id"]));
        let request = self.server.request(reqwest::Method::POST, &refunds, &self.owner.token);
        let request = request.json(&json!({"all": true, "reason": "rain"}));
        let key = format!("refund:desk:{}", new_id());
        self.server.send(request.header("idempotency-key", key)).await.expect(201);
        vec![text(&made["token"]), "ida@example.org".into()]
    }

    /// Two tickets, each used twice: one conflict is settled, the other one's anomaly.
    async fn scans(&self) {
        let mut door = self.organiser.door(&self.server, &self.event).await;
        let mut scans = Vec::new();
        for _ in 0..2 {
            let ticket = text(&self.organiser.ticket(&self.server, &self.event).await["ticket_id"]);
            scans.extend([door.admit(&ticket, NOW - 1), door.admit(&ticket, NOW)]);
        }
        door.upload(&self.server, &scans).await.expect(200);
        let note = json!({"note": "twins"});
        let conflict = format!("{}/conflicts/{}/resolve", self.event.path, scans[1].scan_id);
        self.owner_calls("POST", &conflict, note.clone()).await;
        let anomalies = format!("{}/anomalies", self.event.path);
        let open = self.server.get(&format!("{anomalies}?state=open"), &self.owner.token).await.expect(200);
        let anomaly = format!("{anomalies}/{}", text(&open["items"][0]["anomaly_id"]));
        for action in ["acknowledge", "resolve"] {
            let said = self.owner_calls("POST", &format!("{anomaly}/{action}"), note.clone()).await;
            let said = &said[if action == "resolve" { "resolved" } else { "acknowledged" }]["by"];
            assert_eq!((&said["kind"], &said["name"]), (&json!("user"), &json!("Grace")));
        }
    }

    async fn devices_and_keys(&self) -> Vec<String> {
        let body = json!({"events": [{"event_id": self.event.id}]});
        let code = text(&self.owner_calls("POST", "/v1/enrolments", body).await["code"]);
        let body = json!({"code": code, "device_name": "North gate 1"});
        let device = self.server.post("/v1/door/enrol", "", &body).await.expect(201);
        let path = format!("/v1/devices/{}", text(&device["device_id"]));
        self.owner_calls("DELETE", &path, json!(null)).await;
        self.owner_calls("DELETE", &path, json!(null)).await;
        let key = self.owner_calls("POST", "/v1/api-keys", json!({"name": "Gate", "scopes": ["read"]})).await;
        let path = format!("/v1/api-keys/{}", text(&key["api_key_id"]));
        self.owner_calls("DELETE", &path, json!(null)).await;
        self.owner_calls("DELETE", &path, json!(null)).await;
        vec![code, text(&device["token"]), text(&key["token"])]
    }

    async fn people(&self) -> Vec<String> {
        let token = self.organiser.invite(&self.server, "eve@example.org", &json!({"role": "support"})).await;
        let open = self.server.get(&self.organiser.path("invitations"), &self.owner.token).await.expect(200);
        let id = text(&open["items"][0]["invitation_id"]);
        self.owner_calls("DELETE", &self.organiser.path(&format!("invitations/{id}")), json!(null)).await;
        let ada = Person::member(&self.server, &self.organiser, "ada", "finance").await;
        let member = self.organiser.path(&format!("members/{}", ada.id));
        self.owner_calls("PUT", &member, json!({"role": "support"})).await;
        try_sign_in(&self.server, &ada.email, "perhaps her other password").await.expect(401);
        self.server.post("/v1/sign-in-links", "", &json!({ "email": ada.email })).await.expect(202);
        // It is answered before it is done.
        until(async || {
            let asked = self.organiser.trail(&self.server, "action=session.link_asked").await;
            (!asked.is_empty()).then_some(())
        })
        .await;
        let session = sign_in(&self.server, &ada.email).await;
        let list = self.server.get("/v1/sessions", &session).await.expect(200);
        let other = list.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
        let path = format!("/v1/sessions/{}", text(&other["session_id"]));
        self.server.call("DELETE", &path, &session, &json!(null)).await.expect(204);
        self.server.call("DELETE", "/v1/session", &session, &json!(null)).await.expect(204);
        let last = sign_in(&self.server, &ada.email).await;
        let body = json!({"current_password": PASSWORD, "new_password": "another harbour at dawn"});
        self.server.call("PUT", "/v1/account/password", &last, &body).await.expect(204);
        self.owner_calls("DELETE", &member, json!(null)).await;
        vec![token, ada.token, session, "perhaps her other password".into(), "another harbour".into()]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_on_record_and_no_secret_does() {
    let w = world().await;
    let secrets = w.everything().await;
    let mut trail = Vec::new();
    let mut query = "limit=50".to_owned();
    loop {
        let page =
            w.server.get(&w.organiser.path(&format!("audit?{query}")), &w.owner.token).await.expect(200);
        trail.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=50&cursor={cursor}");
    }
    for deed in Deed::ALL {
        // The command line's and the operator's, tested there.
        let elsewhere = *deed == Deed::MemberAdded
            || *deed == Deed::OrderSettled
            || matches!(deed, Deed::PayoutRefused | Deed::PayoutReversed)
            || deed.code().starts_with("operator.")
            || deed.code().starts_with("alert.")
            || deed.code().starts_with("email.")
            || deed.code().starts_with("job.")
            || deed.code().starts_with("queue.");
        let expected = usize::from(!elsewhere);
        let found = trail.iter().filter(|entry| entry["action"] == deed.code()).count();
        assert!(found >= expected, "{} is not on record", deed.code());
        // Doing it again changed nothing, and so went on no record.
        if matches!(deed, Deed::DeviceRevoked | Deed::ApiKeyRevoked) {
            assert_eq!(found, 1, "{}", deed.code());
        }
    }
    let mut ids: Vec<String> = trail.iter().map(|entry| text(&entry["audit_id"])).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "no entry is seen twice");
    let text = json!(trail).to_string();
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is on record");
    }
    for entry in &trail {
        let is_provider = entry["actor"]["kind"] == "provider";
        assert!(is_provider || entry["network"] == "127.0.0.0/24", "{entry}");
        assert!(entry["request_id"].is_string(), "{entry}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_says_who_did_what_and_what_changed() {
    let w = world().await;
    // The order of entries of one millisecond means nothing.
    w.server.clock.advance(1);
    let request = w.server.request(reqwest::Method::PATCH, &w.event.path, &w.owner.token);
    let request = request.header("x-request-id", "the-change").json(&json!({"name": "Harbour Nights"}));
    w.server.send(request).await.expect(200);
    let entry = &w.organiser.trail(&w.server, "limit=1").await[0];
    assert_eq!(entry["action"], "event.changed");
    assert_eq!(entry["actor"], json!({"kind": "user", "id": w.owner.id, "name": "Grace"}));
    assert_eq!(entry["target"], json!({"kind": "event", "id": w.event.id, "name": "Harbour Nights"}));
    assert_eq!(entry["event_id"], w.event.id.as_str());
    assert_eq!(entry["before"]["name"], "Harbour Lights");
    assert_eq!(entry["after"]["name"], "Harbour Nights");
    assert_eq!(entry["request_id"], "the-change");
    w.server.clock.advance(1);
    w.server
        .post(&format!("{}/gates", w.event.path), &w.organiser.key, &json!({"name": "Pier"}))
        .await
        .expect(201);
    let entry = &w.organiser.trail(&w.server, "limit=1").await[0];
    assert_eq!((&entry["actor"]["kind"], &entry["actor"]["name"]), (&json!("api_key"), &json!("First key")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_left_no_entry() {
    let w = world().await;
    let before = w.organiser.trail(&w.server, "limit=200").await.len();
    let gates = format!("{}/gates", w.event.path);
    w.server
        .post(&gates, &w.owner.token, &json!({"name": "North gate"}))
        .await
        .expect_problem(409, "name_taken");
    let ticket = w.organiser.ticket(&w.server, &w.event).await;
    w.organiser.act(&w.server, &w.event, &ticket, "cancel").await;
    let of = format!("{}/tickets/{}", w.event.path, text(&ticket["ticket_id"]));
    let reply = w.server.post(&format!("{of}/reissue"), &w.owner.token, &json!({})).await;
    reply.expect_problem(409, "status_conflict");
    // Issued and cancelled.
    assert_eq!(w.organiser.trail(&w.server, "limit=200").await.len(), before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_filtered_by_action_target_and_actor() {
    let w = world().await;
    let ticket = w.organiser.ticket(&w.server, &w.event).await;
    w.server.clock.advance(1);
    w.organiser.act(&w.server, &w.event, &ticket, "revoke").await;
    let id = text(&ticket["ticket_id"]);
    let codes = async |query: &str| {
        let entries = w.organiser.trail(&w.server, query).await;
        entries.iter().map(|entry| text(&entry["action"])).collect::<Vec<String>>()
    };
    assert_eq!(codes(&format!("target={id}")).await, ["ticket.blocked", "ticket.issued"]);
    assert_eq!(codes(&format!("target={id}&action=ticket.issued")).await, ["ticket.issued"]);
    assert_eq!(codes("action=gate.created&limit=1").await, ["gate.created"]);
    assert_eq!(codes(&format!("actor={}", w.owner.id)).await, ["session.signed_in"]);
    for bad in ["action=nonsense", "target=1", "actor=x", "limit=0"] {
        let path = w.organiser.path(&format!("audit?{bad}"));
        w.server.get(&path, &w.owner.token).await.expect_problem(400, "invalid_query");
    }
    let path = w.organiser.path("audit?cursor=nonsense");
    w.server.get(&path, &w.owner.token).await.expect_problem(422, "unknown_cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sign_in_is_on_record_with_the_organisers_of_whoever_it_was_about() {
    let w = world().await;
    let stranger = Organiser::create(&w.server, "Other").await;
    try_sign_in(&w.server, &w.owner.email, "guess").await.expect(401);
    try_sign_in(&w.server, "nobody@example.org", "guess").await.expect(401);
    let failed = w.organiser.trail(&w.server, "action=session.failed").await;
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["actor"], json!({"kind": "nobody", "name": ""}));
    assert_eq!(failed[0]["target"]["name"], w.owner.email.as_str());
    assert!(stranger.trail(&w.server, "action=session.failed").await.is_empty());
}

async fn run(db: &Db, sql: &'static str) -> Result<u64, DbError> {
    db.write(move |tx| Box::pin(async move { tx.execute(sql, params![]).await })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_sql_changes_or_deletes_an_entry() {
    let w = world().await;
    let before = w.organiser.trail(&w.server, "limit=200").await;
    let db = w.server.place.open().await;
    for sql in [
        "UPDATE audit SET actor_name = 'somebody else'",
        "UPDATE audit SET at = 0 WHERE action = 'event.created'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE action = 'event.created'",
    ] {
        let error = run(&db, sql).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
    let only_one_engine_has = match crate::ENGINE {
        liventix_server::platform::db::Engine::Sqlite => {
            "REPLACE INTO audit SELECT audit_id, organiser_id, event_id, 0, actor_kind, actor_id, 'x', action, \
             target_kind, target_id, target_name, before_state, after_state, request_id, network FROM audit"
        }
        liventix_server::platform::db::Engine::Postgres => "TRUNCATE audit",
    };
    let error = run(&db, only_one_engine_has).await.unwrap_err();
    assert!(error.to_string().contains("append-only"), "{error}");
    assert_eq!(w.organiser.trail(&w.server, "limit=200").await, before);
}
