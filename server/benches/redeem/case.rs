//! An event with tickets, our server and the bare one on the same database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use liventix_core::clock::{Clock as _, SystemClock};
use liventix_core::entropy::OsEntropy;
use liventix_core::ids::ScanId;
use liventix_server::platform::config::Limits;
use liventix_server::platform::db::DbError;
use liventix_server::platform::rate_limit::Limit;
use liventix_server::{App, Config, Running, params};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bare::{self, Bare};

const TICKETS: usize = 20_000;
const ADMIN: &str = "admin-token-of-the-bench-0123456789abcdef";
const ROOT_SECRET: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

/// Where the database is.
pub(crate) enum Place {
    Sqlite,
    Postgres(String),
}

impl Place {
    pub(crate) fn all() -> Vec<Self> {
        let postgres = std::env::var("LIVENTIX_TEST_POSTGRES").ok().map(Self::Postgres);
        std::iter::once(Self::Sqlite).chain(postgres).collect()
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    async fn url(&self) -> Option<SecretString> {
        let Self::Postgres(server) = self else { return None };
        let url = format!("{server}/postgres");
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let name = format!("bench_{}", SystemClock::new().wall_ms());
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        Some(format!("{server}/{name}").into())
    }
}

pub(crate) struct Case {
    pub(crate) ours: String,
    pub(crate) bare: String,
    http: reqwest::Client,
    key: String,
    gate: String,
    /// Ticket id and code.
    tickets: Vec<(String, String)>,
    next: AtomicUsize,
    running: Running,
    _dir: TempDir,
}

impl Case {
    pub(crate) async fn start(place: Place) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Counted like any other, and never reached.
        let redeem = Limit { count: 100_000, window: Duration::from_millis(1) };
        let limits = Limits { redeem, ..Limits::default() };
        let config = Config {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            admin_token: Some(ADMIN.into()),
            root_secret: Some(ROOT_SECRET.into()),
            database_url: place.url().await,
            limits,
            ..Config::new(dir.path())
        };
        let running = App::start(config, Arc::new(SystemClock::new()), Arc::new(OsEntropy)).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let base = format!("http://{}", running.addr);
        let post = async |path: &str, token: &str, body: Value| -> Value {
            let reply =
                http.post(format!("{base}{path}")).bearer_auth(token).json(&body).send().await.unwrap();
            assert!(reply.status().is_success(), "{}", reply.text().await.unwrap());
            reply.json().await.unwrap()
        };
        let made = post("/v1/organisers", ADMIN, json!({ "name": "Bench" })).await;
        let key = made["api_key"]["token"].as_str().unwrap().to_owned();
        let event = json!({"name": "E", "starts_at": 0, "ends_at": 1, "time_zone": "UTC"});
        let event = post("/v1/events", &key, event).await["event_id"].as_str().unwrap().to_owned();
        let path = format!("/v1/events/{event}");
        let gate = post(&format!("{path}/gates"), &key, json!({"name": "G"})).await;
        post(&format!("{path}/ticket-types"), &key, json!({"name": "Day"})).await;
        let table: String = std::iter::once("ticket_type,reference\n".to_owned())
            .chain((0..TICKETS).map(|number| format!("Day,{number}\n")))
            .collect();
        let request = http.post(format!("{base}{path}/tickets/import")).bearer_auth(&key);
        let reply = request.header("content-type", "text/csv").body(table).send().await.unwrap();
        assert!(reply.status().is_success());
        let tickets = tickets(&http, &format!("{base}{path}"), &key).await;
        let bare = Bare {
            db: running.app().db().clone(),
            organiser: made["organiser_id"].as_str().unwrap().parse().unwrap(),
            event: event.parse().unwrap(),
        };
        Self {
            ours: format!("{base}{path}/redeem"),
            bare: format!("http://{}/redeem", bare::serve(bare).await),
            http,
            key,
            gate: gate["gate_id"].as_str().unwrap().to_owned(),
            tickets,
            next: AtomicUsize::new(0),
            running,
            _dir: dir,
        }
    }

    /// Requests for tickets that nobody has used. When all are used up, all are as new.
    pub(crate) async fn bodies(&self, url: &str, count: usize) -> Vec<String> {
        assert!(count <= TICKETS, "{count} redeems in one go need more tickets");
        if self.next.load(Ordering::Relaxed) + count > TICKETS {
            self.reset().await;
        }
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let body = |(ticket, code): &(String, String)| {
            let scan = ScanId::generate(SystemClock::new().wall_ms(), &OsEntropy);
            // The bare server is told the ticket; ours finds it in the code.
            let (field, value) = if url == self.ours { ("code", code) } else { ("ticket_id", ticket) };
            json!({"scan_id": scan, "gate_id": self.gate, field: value}).to_string()
        };
        self.tickets[first..first + count].iter().map(body).collect()
    }

    async fn reset(&self) {
        let done: Result<u64, DbError> = self
            .running
            .app()
            .db()
            .write(|tx| Box::pin(async move { tx.execute("DELETE FROM scans", params![]).await }))
            .await;
        done.unwrap();
        self.next.store(0, Ordering::Relaxed);
    }

    pub(crate) async fn redeem(&self, url: &str, body: String) {
        let request = self.http.post(url).bearer_auth(&self.key).header("content-type", "application/json");
        let reply = request.body(body).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        let answer: Value = reply.json().await.unwrap();
        assert_eq!(answer["outcome"], "admit", "{answer}");
    }
}

async fn tickets(http: &reqwest::Client, event: &str, key: &str) -> Vec<(String, String)> {
    let (mut all, mut query) = (Vec::new(), "limit=200".to_owned());
    loop {
        let reply = http.get(format!("{event}/ticket-codes?{query}")).bearer_auth(key).send().await.unwrap();
        let page: Value = reply.json().await.unwrap();
        let field = |ticket: &Value, name: &str| ticket[name].as_str().unwrap().to_owned();
        let items = page["items"].as_array().unwrap().iter();
        all.extend(items.map(|ticket| (field(ticket, "ticket_id"), field(ticket, "code"))));
        let Some(cursor) = page["next_cursor"].as_str() else { return all };
        query = format!("limit=200&cursor={cursor}");
    }
}
