//! An organiser with an event, made through the API.

use serde_json::{Value, json};

use super::{ADMIN, Door, NOW, Server, text};

pub(crate) struct Organiser {
    pub(crate) id: String,
    pub(crate) key: String,
}

pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) gate: String,
    pub(crate) other_gate: String,
    /// Single entry.
    pub(crate) day: String,
    /// Admits four, through the first gate only.
    pub(crate) family: String,
}

impl Organiser {
    pub(crate) async fn create(server: &Server, name: &str) -> Self {
        let made = server.post("/v1/organisers", ADMIN, &json!({ "name": name })).await.expect(201);
        Self { id: text(&made["organiser_id"]), key: text(&made["api_key"]["token"]) }
    }

    pub(crate) async fn key_with(&self, server: &Server, scope: &str) -> String {
        self.key_with_all(server, &[scope]).await
    }

    pub(crate) async fn key_with_all(&self, server: &Server, scopes: &[&str]) -> String {
        let body = json!({"name": scopes.join(" "), "scopes": scopes});
        text(&server.post("/v1/api-keys", &self.key, &body).await.expect(201)["token"])
    }

    pub(crate) async fn event(&self, server: &Server) -> Event {
        self.event_with(server, json!({})).await
    }

    /// An event with some fields set otherwise.
    pub(crate) async fn event_with(&self, server: &Server, more: Value) -> Event {
        let mut body = json!({
            "name": "Harbour Lights", "starts_at": NOW - 3_600_000, "ends_at": NOW + 36_000_000,
            "time_zone": "Europe/Paris",
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let id = text(&server.post("/v1/events", &self.key, &body).await.expect(201)["event_id"]);
        let path = format!("/v1/events/{id}");
        let mut gates = Vec::new();
        for name in ["North gate", "South gate"] {
            let gate = server.post(&format!("{path}/gates"), &self.key, &json!({ "name": name })).await;
            gates.push(text(&gate.expect(201)["gate_id"]));
        }
        let types = format!("{path}/ticket-types");
        let day = server.post(&types, &self.key, &json!({"name": "Day"})).await.expect(201);
        let rules = json!({"name": "Family", "admits": 4, "gate_ids": [gates[0]]});
        let family = server.post(&types, &self.key, &rules).await.expect(201);
        let [gate, other_gate] = <[String; 2]>::try_from(gates).unwrap();
        Event {
            id,
            path,
            gate,
            other_gate,
            day: text(&day["ticket_type_id"]),
            family: text(&family["ticket_type_id"]),
        }
    }

    /// A day ticket with its codes.
    pub(crate) async fn ticket(&self, server: &Server, event: &Event) -> Value {
        self.ticket_with(server, event, json!({})).await
    }

    pub(crate) async fn ticket_with(&self, server: &Server, event: &Event, more: Value) -> Value {
        let mut body = json!({"ticket_type_id": event.day, "attendee_name": "Mateo Vasquez"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        server.post(&format!("{}/tickets", event.path), &self.key, &body).await.expect(201)
    }

    /// Many day tickets at once.
    pub(crate) async fn import(&self, server: &Server, event: &Event, count: usize) {
        let mut table = String::from("ticket_type,attendee_name,reference\n");
        for number in 0..count {
            table.push_str(&format!("Day,Guest Number {number},HL-{number}\n"));
        }
        server.post_csv(&format!("{}/tickets/import", event.path), &self.key, table).await.expect(201);
    }

    /// A ticket's link, as its holder gets it.
    pub(crate) async fn link(&self, server: &Server, event: &Event, ticket: &Value) -> String {
        let path = format!("{}/tickets/{}/link", event.path, text(&ticket["ticket_id"]));
        text(&server.get(&path, &self.key).await.expect(200)["url"])
    }

    /// Does something to a ticket: `cancel`, `revoke`, `reissue`, …
    pub(crate) async fn act(&self, server: &Server, event: &Event, ticket: &Value, action: &str) -> Value {
        let path = format!("{}/tickets/{}/{action}", event.path, text(&ticket["ticket_id"]));
        server.post(&path, &self.key, &json!({})).await.expect(200)
    }

    pub(crate) async fn enrolment_code(&self, server: &Server, event: &Event, gates: &[&str]) -> String {
        let body = json!({"events": [{"event_id": event.id, "gate_ids": gates}]});
        text(&server.post("/v1/enrolments", &self.key, &body).await.expect(201)["code"])
    }

    pub(crate) async fn door(&self, server: &Server, event: &Event) -> Door {
        let code = self.enrolment_code(server, event, &[]).await;
        Self::enrolled(server, event, &code).await
    }

    /// A door that a supervisor holds.
    pub(crate) async fn supervisor_door(&self, server: &Server, event: &Event) -> Door {
        let body = json!({"events": [{"event_id": event.id, "supervisor": true}]});
        let made = server.post("/v1/enrolments", &self.key, &body).await.expect(201);
        Self::enrolled(server, event, &text(&made["code"])).await
    }

    async fn enrolled(server: &Server, event: &Event, code: &str) -> Door {
        let body = json!({"code": code, "device_name": "North gate 1"});
        let made = server.post("/v1/door/enrol", "", &body).await.expect(201);
        Door::new(text(&made["device_id"]).parse().unwrap(), text(&made["token"]), event)
    }
}

impl Event {
    /// Redeems a code at the first gate.
    pub(crate) async fn redeem(&self, server: &Server, token: &str, code: &str) -> Value {
        let body = self.redeem_body(code);
        server.post(&format!("{}/redeem", self.path), token, &body).await.expect(200)
    }

    pub(crate) fn redeem_body(&self, code: &str) -> Value {
        json!({"scan_id": super::door::new_id(), "code": code, "gate_id": self.gate})
    }

    pub(crate) async fn counts(&self, server: &Server, organiser: &Organiser) -> Value {
        server.get(&format!("{}/counts", self.path), &organiser.key).await.expect(200)
    }
}
