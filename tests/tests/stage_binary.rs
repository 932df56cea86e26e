//! The binary that tests in other languages start: real servers by its control API, and its own end.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use liventix_core::clock::{Clock, ManualClock, SystemClock};
use liventix_core::rules::{Outcome, Reason};
use liventix_core::sync::SyncError;
use liventix_tests::Door;
use liventix_tests::door::plain_client;
use reqwest::Method;
use serde_json::{Value, json};

struct Binary {
    process: Child,
    url: String,
    client: reqwest::Client,
}

impl Binary {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_liventix-stage"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let said: Value = serde_json::from_str(&line).expect("JSON");
        Self { process, url: text(&said["url"]), client: plain_client() }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn post(&self, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.call(Method::POST, path, body).await;
        assert!((200..300).contains(&status), "{path} answered {status}: {answer}");
        answer
    }

    /// Closes its input and waits for its end.
    fn end(mut self) -> bool {
        drop(self.process.stdin.take());
        self.process.wait().expect("its end").success()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

async fn door(binary: &Binary, stage: &Value, wish: Option<&Value>, folder: &std::path::Path) -> Door {
    let code = text(&binary.post(&format!("/stages/{}/enrolments", stage["id"]), wish).await["code"]);
    let clock = Arc::new(ManualClock::new(SystemClock::new().wall_ms()));
    let event_id = text(&stage["event_id"]).parse().expect("an id");
    let gate_id = text(&stage["gates"][0]["gate_id"]).parse().expect("an id");
    Door::enrol(&code, &folder.join("door.db"), clock, event_id, gate_id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_is_a_real_server_that_can_be_switched_off_and_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = Binary::start();
    let stage = binary.post("/stages", None).await;
    let path = format!("/stages/{}", stage["id"]);
    assert_eq!(stage["gates"][1]["name"], "South gate");
    assert_eq!(stage["tickets"][0]["attendee_name"], "Ada Lovelace");
    let link = text(&stage["tickets"][0]["link"]);
    assert!(link.starts_with(&format!("{}/t/lxt_", text(&stage["url"]))), "{link}");
    assert_eq!(plain_client().get(&link).send().await.expect("a page").status(), 200);
    let door = door(&binary, &stage, None, folder.path()).await;
    door.sync().await.expect("a sync");

    binary.post(&format!("{path}/stop"), None).await;
    let verdict = door.scan(&text(&stage["tickets"][0]["code"]));
    assert_eq!((verdict.decision.outcome, verdict.decision.reason), (Outcome::Admit, Reason::Entered));
    assert!(matches!(door.sync().await, Err(SyncError::Offline { .. })));
    binary.post(&format!("{path}/start"), None).await;
    assert_eq!(door.sync().await.expect("a sync").pushed, 1);

    let other = binary.post("/stages", Some(&json!({ "event": { "policy": { "legacy": "accept" } } }))).await;
    assert_ne!(other["url"], stage["url"]);
    assert_eq!(binary.call(Method::DELETE, &path, None).await.0, 204);
    let (status, problem) = binary.call(Method::POST, &format!("{path}/start"), None).await;
    assert_eq!((status, &problem["code"]), (404, &json!("stage_unknown")));
    assert!(matches!(door.sync().await, Err(SyncError::Offline { .. })));
    assert!(binary.end());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_is_a_supervisors_if_that_is_wished_for() {
    let binary = Binary::start();
    let stage = binary.post("/stages", None).await;
    for (wish, supervisor) in [(None, false), (Some(json!({ "supervisor": true })), true)] {
        let folder = tempfile::tempdir().expect("a folder");
        let door = door(&binary, &stage, wish.as_ref(), folder.path()).await;
        let device = door.ledger().device().expect("a readable ledger").expect("a device");
        assert_eq!(device.may_force(door.event_id), supervisor);
    }
    assert!(binary.end());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_the_server_refuses_is_told() {
    let binary = Binary::start();
    let wish = json!({ "event": { "policy": { "legacy": "perhaps" } } });
    let (status, problem) = binary.call(Method::POST, "/stages", Some(&wish)).await;
    assert_eq!((status, &problem["code"]), (502, &json!("server_failed")));
    assert!(text(&problem["detail"]).contains("perhaps"), "{problem}");
    assert!(binary.end());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_at_sigterm() {
    let mut binary = Binary::start();
    binary.post("/stages", None).await;
    let killed = Command::new("kill").arg(binary.process.id().to_string()).status().expect("kill");
    assert!(killed.success());
    assert!(binary.process.wait().expect("its end").success());
}
