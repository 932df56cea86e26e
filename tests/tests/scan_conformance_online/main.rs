//! Every case against the redeem API of a real server, over HTTP. What the organiser and other doors did
//! is written into its database.

mod seed;

use std::sync::Arc;

use liventix_core::clock::ManualClock;
use liventix_core::entropy::OsEntropy;
use liventix_core::ids::{EventId, ScanId};
use liventix_core::rules::Decision;
use liventix_server::platform::config::{Config, Limits};
use liventix_server::platform::rate_limit::Limit;
use liventix_server::{App, Running};
use liventix_tests::conformance::all::play_all;
use liventix_tests::conformance::format::{Case, ClockChange, Listed, News, Scan, SurfaceKind};
use liventix_tests::conformance::play::{Answer, SeenUndo, SeenVerdict, Surface, play};
use liventix_tests::door::plain_client;
use seed::Seed;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A server, and the device of the case as its caller.
struct Online {
    running: Running,
    clock: Arc<ManualClock>,
    now: i64,
    event_id: EventId,
    seed: Seed,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Online {
    async fn start(case: &Case) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let now = case.facts.clock.starts_at;
        let clock = Arc::new(ManualClock::new(now));
        let mut config = Config::new(folder.path());
        config.bind.set_port(0);
        // Not what this is about.
        let far = Limit::per_minute(100_000);
        config.limits = Limits::all(far);
        let running = App::start(config, clock.clone(), Arc::new(OsEntropy)).await.expect("a server");
        let seed = Seed::plant(running.app(), case).await;
        Self {
            running,
            clock,
            now,
            event_id: case.facts.event.event_id,
            seed,
            client: plain_client(),
            _folder: folder,
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let url = format!("http://{}/v1/events/{}/{path}", self.running.addr, self.event_id);
        let request = self.client.post(url).bearer_auth(self.seed.token()).json(body);
        let answer = request.send().await.expect("an answer");
        let is_good = answer.status().is_success();
        let body: Value = answer.json().await.expect("JSON");
        if is_good { Ok(body) } else { Err(body["code"].as_str().expect("a problem's code").to_owned()) }
    }
}

/// The field of an answer, as what it is.
fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    T::deserialize(value).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn verdict(body: &Value) -> SeenVerdict {
    let decision: Decision = read(body);
    let ticket_id = body.get("ticket").map(|ticket| read(&ticket["ticket_id"]));
    SeenVerdict { scan_id: read(&body["scan_id"]), at: read(&body["at"]), decision, ticket_id }
}

fn undone(body: &Value) -> SeenUndo {
    SeenUndo {
        scan_id: read(&body["scan_id"]),
        undoes: read(&body["undoes"]),
        people: read(&body["people"]),
        direction: read(&body["direction"]),
        remaining: read(&body["remaining"]),
    }
}

impl Surface for Online {
    const KIND: SurfaceKind = SurfaceKind::Online;

    fn wait_until(&mut self, at: i64) {
        self.clock.advance(at - self.now);
        self.now = at;
    }

    async fn scan(&mut self, scan: &Scan, scan_id: Option<ScanId>) -> Answer {
        let mut body = json!({
            "scan_id": scan_id.unwrap_or_else(|| ScanId::generate(self.now, &OsEntropy)),
            "code": scan.text,
            "gate_id": scan.place.gate_id,
            "direction": scan.place.direction,
            "people": scan.place.people,
        });
        if let Some(note) = &scan.force {
            body["force"] = json!(note);
        }
        self.post("redeem", &body).await.map_or_else(Answer::Error, |body| Answer::Verdict(verdict(&body)))
    }

    async fn listed(&mut self, _: &Listed) -> Answer {
        panic!("the redeem API takes codes, not names")
    }

    async fn undo(&mut self, target: ScanId, note: &str, scan_id: Option<ScanId>) -> Answer {
        let body = json!({
            "scan_id": scan_id.unwrap_or_else(|| ScanId::generate(self.now, &OsEntropy)),
            "note": note,
        });
        let answer = self.post(&format!("scans/{target}/undo"), &body).await;
        answer.map_or_else(Answer::Error, |body| Answer::Undone(undone(&body)))
    }

    async fn sync(&mut self, news: &News, _: &[ScanId]) {
        self.seed.water(self.running.app(), news).await;
    }

    async fn change_clock(&mut self, _: &ClockChange) {}
}

#[test]
fn the_redeem_api_passes_every_case() {
    play_all(SurfaceKind::Online, async |_, case| {
        let mut online = Online::start(case).await;
        let problems = play(case, &mut online).await;
        online.running.shutdown().await;
        problems
    });
}
