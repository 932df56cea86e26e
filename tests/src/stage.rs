//! A server with one event, two gates and a few tickets.

use std::net::SocketAddr;
use std::sync::Arc;

use liventix_core::clock::ManualClock;
use liventix_core::entropy::OsEntropy;
use liventix_core::ids::{EventId, GateId};
use liventix_server::app::{App, Running};
use liventix_server::platform::config::Config;
use serde_json::{Value, json};
use tempfile::TempDir;

const ADMIN_TOKEN: &str = "a-token-of-at-least-32-characters-for-tests";
const HOUR: i64 = 3_600_000;
/// 2026-07-17 18:00 UTC, when every test begins.
pub const OPENING: i64 = 1_784_311_200_000;

/// A server that can be switched off and on, and what was set up on it.
pub struct Stage {
    pub clock: Arc<ManualClock>,
    pub event_id: EventId,
    pub gates: Vec<GateId>,
    pub ticket_type: Value,
    folder: TempDir,
    config: Config,
    running: Option<Running>,
    client: reqwest::Client,
    key: String,
}

impl Stage {
    /// Starts a server with an event, the gates "North" and "South", and the type "Entry".
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(ManualClock::new(OPENING));
        let mut config = Config::new(folder.path().join("server"));
        config.bind.set_port(0);
        config.admin_token = Some(ADMIN_TOKEN.to_owned().into());
        let mut stage = Self {
            clock,
            event_id: EventId::from_bytes([0; 16]),
            gates: Vec::new(),
            ticket_type: Value::Null,
            folder,
            config,
            running: None,
            client: crate::door::plain_client(),
            key: ADMIN_TOKEN.to_owned(),
        };
        stage.start().await;
        stage.set_up().await;
        stage
    }

    async fn set_up(&mut self) {
        let organiser = self.post("/v1/organisers", &json!({ "name": "Testers" })).await;
        self.key = organiser["api_key"]["token"].as_str().expect("a token").to_owned();
        let event = json!({
            "name": "Test night", "starts_at": OPENING, "ends_at": OPENING + 8 * HOUR, "time_zone": "Europe/Paris",
        });
        let event = self.post("/v1/events", &event).await;
        self.event_id = event["event_id"].as_str().expect("an id").parse().expect("an id");
        for name in ["North", "South"] {
            let gate = self.post(&self.of_event("gates"), &json!({ "name": name })).await;
            self.gates.push(gate["gate_id"].as_str().expect("an id").parse().expect("an id"));
        }
        let kind = self.post(&self.of_event("ticket-types"), &json!({ "name": "Entry" })).await;
        self.ticket_type = kind["ticket_type_id"].clone();
    }

    /// The path of something that belongs to the event.
    pub fn of_event(&self, what: &str) -> String {
        format!("/v1/events/{}/{what}", self.event_id)
    }

    /// Switches the server on, at the same address as before if it ran before.
    pub async fn start(&mut self) {
        let running = App::start(self.config.clone(), self.clock.clone(), Arc::new(OsEntropy)).await;
        let running = running.expect("the server starts");
        self.config.bind = running.addr;
        self.running = Some(running);
    }

    /// Switches the server off.
    pub async fn stop(&mut self) {
        self.running.take().expect("a running server").shutdown().await;
    }

    pub fn address(&self) -> SocketAddr {
        self.config.bind
    }

    /// A folder of the test's own.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Posts as the organiser; the call must succeed.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("http://{}{path}", self.address())).json(body);
        answer(path, request.bearer_auth(&self.key)).await
    }

    /// Gets as the organiser; the call must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("http://{}{path}", self.address()));
        answer(path, request.bearer_auth(&self.key)).await
    }

    /// Deletes as the organiser; the call must succeed.
    pub async fn delete(&self, path: &str) {
        let request = self.client.delete(format!("http://{}{path}", self.address()));
        answer(path, request.bearer_auth(&self.key)).await;
    }

    /// Imports `count` tickets.
    pub async fn import(&self, count: usize) {
        let rows: String = (0..count).map(|number| format!("Entry,Guest {number}\n")).collect();
        let path = self.of_event("tickets/import");
        let request = self.client.post(format!("http://{}{path}", self.address()));
        let request = request.header("content-type", "text/csv").bearer_auth(&self.key);
        answer(&path, request.body(format!("ticket_type,attendee_name\n{rows}"))).await;
    }

    /// Issues a ticket and returns the text of its code.
    pub async fn issue(&self) -> String {
        let body = json!({ "ticket_type_id": self.ticket_type });
        let ticket = self.post(&self.of_event("tickets"), &body).await;
        ticket["code"].as_str().expect("a code").to_owned()
    }

    /// A one-time code for one more door, which reaches the server at `url`.
    pub async fn enrolment(&self, url: &str) -> String {
        // Enrolments are limited by the minute.
        self.clock.advance(61_000);
        let body = json!({ "events": [{ "event_id": self.event_id }] });
        let made = self.post("/v1/enrolments", &body).await;
        let code = made["code"].as_str().expect("a code");
        format!("LIVENTIX-ENROL:{url}#{code}")
    }
}

async fn answer(path: &str, request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or(Value::Null);
    assert!(status.is_success(), "{path} answered {status}: {body}");
    body
}
