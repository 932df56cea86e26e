//! The harness: a server, callers, an event, a door.

mod browser;
pub(crate) mod database;
mod door;
pub(crate) mod exim;
mod hooks;
mod mail_server;
pub(crate) mod mails;
mod person;
mod phone;
mod process;
pub(crate) mod push;
pub(crate) mod shop;
mod world;

use std::net::SocketAddr;
use std::sync::{Arc, Once};

use liventix_core::clock::ManualClock;
use liventix_core::entropy::FixedEntropy;
use liventix_server::params;
use liventix_server::platform::config::Limits;
use liventix_server::platform::db::DbError;
use liventix_server::platform::queue::{Enqueued, Failure, NewJob, QueueSpec, Turn};
use liventix_server::platform::rate_limit::Limit;
use liventix_server::{App, AppState, Config, Running};
use reqwest::Method;
use serde_json::Value;

pub(crate) use browser::{Browser, Shown, form};
pub(crate) use database::{Place, TestDatabase};
pub(crate) use door::{Door, new_id, verdicts};
pub(crate) use hooks::{Hook, until};
pub(crate) use mail_server::{At, How, MailServer};
pub(crate) use person::{PASSWORD, Person, sign_in, try_sign_in};
pub(crate) use phone::Phone;
pub(crate) use process::{Process, Remote};
pub(crate) use shop::Shop;
pub(crate) use world::{Event, Organiser};

/// Friday evening, 31 July 2026, 18:00 UTC.
pub(crate) const NOW: i64 = 1_785_520_800_000;
/// Of a server behind a proxy.
pub(crate) const PUBLIC_URL: &str = "https://tickets.example.org/at";
pub(crate) const ADMIN: &str = "admin-token-of-the-tests-0123456789abcdef";

/// 32 bytes.
pub(crate) const ROOT_SECRET: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

pub(crate) struct Server {
    running: Option<Running>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) place: Place,
    pub(crate) addr: SocketAddr,
    pub(crate) http: reqwest::Client,
    behind_proxy: bool,
    /// What its randomness comes from, at each start another; none: chance.
    pub(crate) seed: Option<u64>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
    pub(crate) json: Value,
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.json);
        self.json
    }

    /// A problem with this status and code, in its proper form.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{}", self.json);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["request_id"].as_str(), self.headers["x-request-id"].to_str().ok());
        assert!(self.json["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{}", self.json);
    }
}

pub(crate) fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl Server {
    pub(crate) async fn start() -> Self {
        // Limits far away, so that only the tests of limits meet them.
        let far = Limit::per_minute(100_000);
        Self::start_with(Limits::all(far)).await
    }

    pub(crate) async fn start_with(limits: Limits) -> Self {
        Self::make(limits, false).await
    }

    /// With a proxy in front, which says where requests come from, at [`PUBLIC_URL`].
    pub(crate) async fn start_behind_proxy(limits: Limits) -> Self {
        Self::make(limits, true).await
    }

    /// With settings of one's own.
    pub(crate) async fn start_set(change: impl FnOnce(&mut Config)) -> Self {
        let mut server = Self::nowhere(Place::make().await, false);
        let mut config = server.config(Limits::all(Limit::per_minute(100_000)));
        change(&mut config);
        server.run(config).await;
        server
    }

    /// Whose ids and secrets are the same each time.
    pub(crate) async fn start_seeded(seed: u64, change: impl FnOnce(&mut Config)) -> Self {
        let mut server = Self { seed: Some(seed), ..Self::nowhere(Place::make().await, false) };
        server.start_again_set(change).await;
        server
    }

    /// On what others have left, at this time (UTC milliseconds).
    pub(crate) async fn start_on(place: Place, wall_ms: i64, change: impl FnOnce(&mut Config)) -> Self {
        let mut server = Self::nowhere(place, false);
        server.clock.set_wall(wall_ms);
        server.start_again_set(change).await;
        server
    }

    /// A process, to be driven like a server of our own.
    pub(crate) async fn at(process: &Process) -> Self {
        let addr = process.base.strip_prefix("http://").unwrap().parse().unwrap();
        Self { addr, ..Self::nowhere(Place { dir: tempfile::tempdir().unwrap(), url: None }, false) }
    }

    fn nowhere(place: Place, behind_proxy: bool) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { running: None, clock, place, addr, http: client(), behind_proxy, seed: None }
    }

    async fn make(limits: Limits, behind_proxy: bool) -> Self {
        let mut server = Self::nowhere(Place::make().await, behind_proxy);
        server.up(limits).await;
        server
    }

    async fn up(&mut self, limits: Limits) {
        self.run(self.config(limits)).await;
    }

    fn config(&self, limits: Limits) -> Config {
        Config {
            bind: self.addr,
            admin_token: Some(ADMIN.into()),
            limits,
            trust_forwarded_for: self.behind_proxy,
            public_url: self.behind_proxy.then(|| PUBLIC_URL.to_owned()),
            readers: 2,
            database_url: self.place.url.clone(),
            root_secret: Some(ROOT_SECRET.into()),
            connections: 8,
            ..Config::new(self.place.dir.path())
        }
    }

    async fn run(&mut self, config: Config) {
        // Another stream at each start: ids must not come again.
        let seed = match &mut self.seed {
            Some(seed) => {
                *seed += 1;
                *seed
            }
            None => {
                let mut seed = [0_u8; 8];
                liventix_core::entropy::Entropy::fill(&liventix_core::entropy::OsEntropy, &mut seed);
                u64::from_be_bytes(seed)
            }
        };
        let entropy = Arc::new(FixedEntropy::new(seed));
        let running = App::start(config, self.clock.clone(), entropy).await.unwrap();
        self.addr = running.addr;
        self.running = Some(running);
    }

    /// Whether every request under way ended by itself.
    pub(crate) async fn shutdown(&mut self) -> bool {
        self.running.take().unwrap().shutdown().await
    }

    pub(crate) async fn restart(&mut self) -> bool {
        let drained = self.shutdown().await;
        self.start_again().await;
        drained
    }

    pub(crate) fn drain(&self) {
        self.running.as_ref().unwrap().drain();
    }

    /// After a [`shutdown`](Self::shutdown).
    pub(crate) async fn start_again(&mut self) {
        self.up(Limits::default()).await;
    }

    /// The same with settings of one's own.
    pub(crate) async fn start_again_set(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = self.config(Limits::all(Limit::per_minute(100_000)));
        change(&mut config);
        self.run(config).await;
    }

    /// What its handlers reach.
    pub(crate) fn app(&self) -> &AppState {
        self.running.as_ref().unwrap().app()
    }

    /// Looks for what is wrong. The server does so as well; of two that open one alert at the same moment, one fails.
    pub(crate) async fn look(&self) {
        until(async || liventix_server::alerts::look(self.app()).await.ok()).await;
    }

    /// No worker takes a job of the queue from now on.
    pub(crate) async fn pause(&self, queue: &str) {
        self.post(&format!("/v1/admin/queues/{queue}/pause"), ADMIN, &serde_json::json!({}))
            .await
            .expect(204);
    }

    pub(crate) async fn resume(&self, queue: &str) {
        self.post(&format!("/v1/admin/queues/{queue}/resume"), ADMIN, &serde_json::json!({}))
            .await
            .expect(204);
    }

    /// Puts a job in that is tried once, by `worker-1`, which is one time too many. Its id.
    pub(crate) async fn dead_letter(&self, job: NewJob, code: &'static str, detail: &str) -> String {
        let (queue, spec) = (self.app().queue(), QueueSpec::new(job.queue, 0, &[1_000]));
        let put = queue.clone();
        let put: Result<Enqueued, DbError> =
            self.app().db().write(move |tx| Box::pin(async move { put.enqueue(tx, &job).await })).await;
        for job in queue.claim(&spec, &mut Turn::new("worker-1"), 10).await.unwrap() {
            queue.fail(&spec, &job, Failure::permanent(code, detail)).await.unwrap();
        }
        put.unwrap().job_id.to_string()
    }

    /// A queue's jobs go on; where all that is left of them waits for its time, the next one's comes. Says whether there are
    /// any.
    pub(crate) async fn pass_time(&self, queue: &str) -> bool {
        let app = self.app();
        app.queue().wake(queue);
        let sql = "SELECT SUM(CASE WHEN state = 'delayed' AND run_at > $1 THEN 0 ELSE 1 END), MIN(run_at) FROM jobs \
                   WHERE queue = $2 AND state IN ('ready', 'running', 'delayed')";
        let row = app.db().first(sql, params![app.now(), queue]).await.unwrap().unwrap();
        let at_it: Option<i64> = row.get(0).unwrap();
        if at_it == Some(0) {
            let next: i64 = row.get(1).unwrap();
            self.clock.advance(next - app.now());
        }
        at_it.is_some()
    }

    /// Changes the database behind the server's back.
    pub(crate) async fn run_sql(&self, statements: &'static [&'static str]) {
        let run = self.app().db().write(move |tx| {
            Box::pin(async move {
                for sql in statements {
                    tx.execute(sql, &[]).await?;
                }
                Ok(())
            })
        });
        let run: Result<(), DbError> = run.await;
        run.unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, self.url(path));
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        Self::reply(request.send().await.unwrap()).await
    }

    /// Sends a body that is refused before its end. The server closes the connection then, and whoever is still
    /// sending may hear of that before the answer: such a one asks again.
    pub(crate) async fn send_too_much(&self, request: reqwest::RequestBuilder) -> Reply {
        let request = request.build().unwrap();
        for _ in 0..20 {
            // By a client of its own, whose connections nobody else finds closed under the next request.
            if let Ok(response) = client().execute(request.try_clone().unwrap()).await {
                return Self::reply(response).await;
            }
        }
        panic!("refused without an answer, again and again")
    }

    async fn reply(response: reqwest::Response) -> Reply {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status, headers, bytes, json }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.send(self.request(Method::GET, path, token)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path, token).json(body)).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, token: &str, body: &Value) -> Reply {
        let request = self.request(method.parse().unwrap(), path, token);
        self.send(if body.is_null() { request } else { request.json(body) }).await
    }

    pub(crate) async fn post_csv(&self, path: &str, token: &str, bytes: impl Into<Vec<u8>>) -> Reply {
        self.send(self.csv(path, token, bytes)).await
    }

    pub(crate) fn csv(&self, path: &str, token: &str, bytes: impl Into<Vec<u8>>) -> reqwest::RequestBuilder {
        self.request(Method::POST, path, token).header("content-type", "text/csv").body(bytes.into())
    }
}

/// The text of a JSON string.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}
