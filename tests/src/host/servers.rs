//! Real servers for end-to-end tests in other languages: each with a folder, a port, an organiser and an
//! event of its own, on the machine's clock, switched off and on at will.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use liventix_core::clock::{Clock, SystemClock};
use liventix_core::entropy::OsEntropy;
use liventix_server::platform::config::{Config, Limits, PushConfig};
use liventix_server::platform::rate_limit::Limit;
use liventix_server::{App, Running};
use liventix_stand_ins::push::{self, PushServices};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};

use super::failure::Failure;
use crate::door::plain_client;

const ADMIN_TOKEN: &str = "a-token-of-at-least-32-characters-for-stages";
const HOUR: i64 = 3_600_000;
/// Who comes to every stage, and with what.
const GUESTS: [(&str, &str); 8] = [
    ("Ada Lovelace", "Day ticket"),
    ("Mateo Vásquez", "Day ticket"),
    ("Zoë Brännström", "Day ticket"),
    ("Aiko Tanaka", "Festival pass"),
    ("Kwame Mensah", "Family ticket"),
    ("Siobhán O'Neill", "VIP"),
    ("Łukasz Wójcik", "Day ticket"),
    ("Nguyễn Minh Anh", "Day ticket"),
];

/// Every server that was started, by number.
#[derive(Clone, Default)]
pub(super) struct Servers {
    all: Arc<Mutex<HashMap<u64, Server>>>,
    /// Who carries their push messages.
    push: Arc<OnceCell<PushServices>>,
}

struct Server {
    config: Config,
    running: Option<Running>,
    api_key: String,
    event_id: String,
    client: reqwest::Client,
    _folder: TempDir,
}

pub(super) fn routes(servers: Servers) -> Router {
    Router::new()
        .route("/stages", post(create))
        .route("/stages/{id}", delete(remove))
        .route("/stages/{id}/stop", post(stop))
        .route("/stages/{id}/start", post(start))
        .route("/stages/{id}/enrolments", post(enrolment))
        .route("/stages/{id}/pushes/{token}", get(pushes))
        .with_state(servers)
}

impl Servers {
    /// Stops all of them.
    pub(super) async fn remove_all(&self) {
        let all: Vec<Server> = self.all.lock().await.drain().map(|(_, server)| server).collect();
        for mut server in all {
            server.stop().await;
        }
    }
}

fn unknown() -> Failure {
    Failure::not_found("stage_unknown", "there is no such stage: it was deleted, or never made")
}

/// What a stage shall be like; everything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NewStage {
    /// Fields of the event otherwise than usual, e.g. `policy`, `wallet`, `algorithm`.
    event: Map<String, Value>,
}

async fn create(
    State(servers): State<Servers>,
    body: Option<Json<NewStage>>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let wish = body.map(|Json(wish)| wish).unwrap_or_default();
    let push = servers.push.get_or_init(|| PushServices::start(|| SystemClock::new().wall_ms())).await;
    let mut server = Server::start_new(push_config(push)).await?;
    let made = server.set_up(wish).await;
    let mut all = servers.all.lock().await;
    let id = all.keys().max().map_or(1, |last| last + 1);
    let mut view = match made {
        Ok(view) => view,
        Err(failure) => {
            server.stop().await;
            return Err(failure);
        }
    };
    view["id"] = json!(id);
    all.insert(id, server);
    Ok((StatusCode::CREATED, Json(view)))
}

async fn remove(State(servers): State<Servers>, Path(id): Path<u64>) -> Result<StatusCode, Failure> {
    let mut server = servers.all.lock().await.remove(&id).ok_or_else(unknown)?;
    server.stop().await;
    Ok(StatusCode::NO_CONTENT)
}

async fn stop(State(servers): State<Servers>, Path(id): Path<u64>) -> Result<StatusCode, Failure> {
    servers.all.lock().await.get_mut(&id).ok_or_else(unknown)?.stop().await;
    Ok(StatusCode::NO_CONTENT)
}

async fn start(State(servers): State<Servers>, Path(id): Path<u64>) -> Result<StatusCode, Failure> {
    servers.all.lock().await.get_mut(&id).ok_or_else(unknown)?.start().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a device may do.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NewEnrolment {
    /// It may overrule refusals.
    supervisor: bool,
}

async fn enrolment(
    State(servers): State<Servers>,
    Path(id): Path<u64>,
    body: Option<Json<NewEnrolment>>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let wish = body.map(|Json(wish)| wish).unwrap_or_default();
    let all = servers.all.lock().await;
    let server = all.get(&id).ok_or_else(unknown)?;
    let mut scope = json!({ "event_id": server.event_id });
    if wish.supervisor {
        scope["supervisor"] = json!(true);
    }
    let made = server.post("/v1/enrolments", &json!({ "events": [scope] })).await?;
    Ok((StatusCode::CREATED, Json(json!({ "code": made["uri"] }))))
}

/// The push messages that a phone with this token shows, of whichever server.
async fn pushes(State(servers): State<Servers>, Path((_, token)): Path<(u64, String)>) -> Json<Value> {
    let shown = servers.push.get().and_then(|push| push.shown().remove(&token)).unwrap_or_default();
    let shown = shown.into_values().map(
        |it| json!({ "service": it.service, "title": it.title, "body": it.body, "payload": it.payload }),
    );
    Json(json!({ "shown": shown.collect::<Vec<_>>() }))
}

fn push_config(services: &PushServices) -> PushConfig {
    PushConfig {
        apns_key_file: Some(services.apns_key_file()),
        // Each is an installation of its own, and Apple takes one new token of a key in twenty minutes.
        apns_key_id: Some(services.another_key()),
        apns_team_id: Some(push::TEAM_ID.to_owned()),
        apns_topic: Some(push::TOPIC.to_owned()),
        apns_url: services.apns_url().to_owned(),
        apns_sandbox_url: services.apns_url().to_owned(),
        fcm_service_account_file: Some(services.account_file()),
        fcm_url: services.fcm_url().to_owned(),
        ca_file: Some(services.ca_file()),
        ..PushConfig::default()
    }
}

impl Server {
    async fn start_new(push: PushConfig) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::server(error.to_string()))?;
        let mut config = Config::new(folder.path().join("server"));
        config.bind = SocketAddr::from(([127, 0, 0, 1], 0));
        config.admin_token = Some(ADMIN_TOKEN.to_owned().into());
        config.push = push;
        // Tests come in bursts, from one address.
        config.limits = Limits::all(Limit::per_minute(100_000));
        let mut server = Self {
            config,
            running: None,
            api_key: ADMIN_TOKEN.to_owned(),
            event_id: String::new(),
            client: plain_client(),
            _folder: folder,
        };
        server.start().await?;
        Ok(server)
    }

    /// Switches it on, at the same address as before. Nothing if it is on.
    async fn start(&mut self) -> Result<(), Failure> {
        if self.running.is_none() {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
            let running = App::start(self.config.clone(), clock, Arc::new(OsEntropy)).await;
            let running = running.map_err(|error| Failure::server(error.to_string()))?;
            self.config.bind = running.addr;
            self.running = Some(running);
        }
        Ok(())
    }

    /// Switches it off. Nothing if it is off.
    async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.config.bind)
    }

    /// Posts as the organiser.
    async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        answer(path, self.client.post(format!("{}{path}", self.url())).json(body).bearer_auth(&self.api_key))
            .await
    }

    /// Gets as the organiser.
    async fn get(&self, path: &str) -> Result<Value, Failure> {
        answer(path, self.client.get(format!("{}{path}", self.url())).bearer_auth(&self.api_key)).await
    }

    /// An organiser, an event that goes on until tomorrow, two gates, four types and a few guests.
    async fn set_up(&mut self, wish: NewStage) -> Result<Value, Failure> {
        let organiser = self.post("/v1/organisers", &json!({ "name": "Harbour Events" })).await?;
        self.api_key = text(&organiser["api_key"]["token"])?;
        let now = SystemClock::new().wall_ms();
        let mut event = json!({
            "name": "Harbour Lights", "starts_at": now - HOUR, "ends_at": now + 24 * HOUR,
            "time_zone": "Europe/Paris",
        });
        for (name, value) in wish.event {
            event[name] = value;
        }
        self.event_id = text(&self.post("/v1/events", &event).await?["event_id"])?;
        let of_event = format!("/v1/events/{}", self.event_id);
        let mut gates = Vec::new();
        for name in ["North gate", "South gate"] {
            gates.push(self.post(&format!("{of_event}/gates"), &json!({ "name": name })).await?);
        }
        let types = self.set_up_types(&of_event, &gates).await?;
        let mut tickets = Vec::new();
        for (attendee, kind) in GUESTS {
            tickets.push(self.set_up_ticket(&of_event, attendee, kind, &types).await?);
        }
        let types: Vec<Value> = types.into_values().collect();
        Ok(json!({
            "url": self.url(), "api_key": self.api_key, "event_id": self.event_id, "gates": gates,
            "ticket_types": types, "tickets": tickets,
        }))
    }

    async fn set_up_types(
        &self,
        of_event: &str,
        gates: &[Value],
    ) -> Result<HashMap<&'static str, Value>, Failure> {
        let south = gates.last().map_or(Value::Null, |gate| gate["gate_id"].clone());
        let returning = json!({ "max_entries": 1, "reentry": "after_exit" });
        let kinds = [
            ("Day ticket", json!({ "name": "Day ticket" })),
            ("Festival pass", json!({ "name": "Festival pass", "entry": returning })),
            ("Family ticket", json!({ "name": "Family ticket", "admits": 4 })),
            ("VIP", json!({ "name": "VIP", "gate_ids": [south] })),
        ];
        let mut types = HashMap::new();
        for (name, kind) in kinds {
            types.insert(name, self.post(&format!("{of_event}/ticket-types"), &kind).await?);
        }
        Ok(types)
    }

    async fn set_up_ticket(
        &self,
        of_event: &str,
        attendee: &str,
        kind: &'static str,
        types: &HashMap<&'static str, Value>,
    ) -> Result<Value, Failure> {
        let kind_id = types.get(kind).map_or(Value::Null, |kind| kind["ticket_type_id"].clone());
        let body = json!({ "ticket_type_id": kind_id, "attendee_name": attendee });
        let made = self.post(&format!("{of_event}/tickets"), &body).await?;
        let link = self.get(&format!("{of_event}/tickets/{}/link", text(&made["ticket_id"])?)).await?;
        Ok(json!({
            "ticket_id": made["ticket_id"], "attendee_name": attendee, "type_name": kind,
            "code": made["code"], "manual_code": made["manual_code"], "link": text(&link["url"])?,
        }))
    }
}

async fn answer(path: &str, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
    let answer = request.send().await.map_err(|error| Failure::server(format!("{path}: {error}")))?;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or(Value::Null);
    if status.is_success() {
        Ok(body)
    } else {
        Err(Failure::server(format!("{path} answered {status}: {body}")))
    }
}

fn text(value: &Value) -> Result<String, Failure> {
    value.as_str().map(str::to_owned).ok_or_else(|| Failure::server(format!("{value} is no text")))
}
