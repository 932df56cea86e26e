//! A venue with a real server that can be stopped, and doors that are the real binary.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use liventix_core::clock::SystemClock;
use liventix_core::entropy::OsEntropy;
use liventix_core::sync::{HttpTransport, Method, Request, Transport};
use liventix_server::{App, Config, Running};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const ADMIN_TOKEN: &str = "only-for-this-test-0123456789abcdef0123456789";

/// A ticket as the attendee has it.
pub(crate) struct Ticket {
    pub(crate) code: String,
    pub(crate) manual: String,
}

/// A server with one event and two gates.
pub(crate) struct Venue {
    runtime: Runtime,
    folder: TempDir,
    address: SocketAddr,
    running: Option<Running>,
    api_key: String,
    event_id: String,
    type_id: String,
}

impl Venue {
    pub(crate) fn open() -> Self {
        let mut venue = Self {
            runtime: Runtime::new().unwrap(),
            folder: tempfile::tempdir().unwrap(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            running: None,
            api_key: ADMIN_TOKEN.to_owned(),
            event_id: String::new(),
            type_id: String::new(),
        };
        venue.start();
        let organiser = venue.post("/v1/organisers", &json!({ "name": "Lamp Society" }));
        venue.api_key = organiser["api_key"]["token"].as_str().unwrap().to_owned();
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
        let event = json!({
            "name": "Night of the lamps", "starts_at": now - 3_600_000, "ends_at": now + 36_000_000,
            "time_zone": "Europe/Paris", "policy": { "rapid_rescan_seconds": 0 },
        });
        venue.event_id = venue.post("/v1/events", &event)["event_id"].as_str().unwrap().to_owned();
        for gate in ["North gate", "South gate"] {
            venue.post(&venue.below("gates"), &json!({ "name": gate }));
        }
        let kind = venue.post(&venue.below("ticket-types"), &json!({ "name": "Standard" }));
        venue.type_id = kind["ticket_type_id"].as_str().unwrap().to_owned();
        venue
    }

    /// Starts the server, on the port it had before.
    pub(crate) fn start(&mut self) {
        let mut config = Config::new(self.folder.path());
        config.bind = self.address;
        config.admin_token = Some(SecretString::from(ADMIN_TOKEN));
        let started = App::start(config, Arc::new(SystemClock::new()), Arc::new(OsEntropy));
        let running = self.runtime.block_on(started).unwrap();
        self.address = running.addr;
        self.running = Some(running);
    }

    pub(crate) fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.shutdown());
        }
    }

    fn below(&self, what: &str) -> String {
        format!("/v1/events/{}/{what}", self.event_id)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let transport = HttpTransport::new(&format!("http://{}", self.address)).unwrap();
        let request = Request {
            method: Method::Post,
            path: path.to_owned(),
            bearer: Some(SecretString::from(self.api_key.as_str())),
            body: Some(body.to_string().into_bytes()),
            timeout: Duration::from_secs(10),
        };
        let answer = self.runtime.block_on(transport.send(request)).unwrap();
        let text = String::from_utf8_lossy(&answer.body);
        assert!(answer.status < 300, "{path}: {} {text}", answer.status);
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn ticket(&mut self, name: &str) -> Ticket {
        self.ticket_that_is(name, "valid")
    }

    pub(crate) fn unpaid_ticket(&mut self, name: &str) -> Ticket {
        self.ticket_that_is(name, "unpaid")
    }

    fn ticket_that_is(&mut self, name: &str, status: &str) -> Ticket {
        let request = json!({ "ticket_type_id": self.type_id, "attendee_name": name, "status": status });
        let ticket = self.post(&self.below("tickets"), &request);
        let text = |field: &str| ticket[field].as_str().unwrap().to_owned();
        Ticket { code: text("code"), manual: text("manual_code") }
    }

    /// A one-time enrolment text.
    pub(crate) fn enrolment(&self) -> String {
        self.enrolment_of(false)
    }

    /// The same for a device that a supervisor holds.
    pub(crate) fn supervisor_enrolment(&self) -> String {
        self.enrolment_of(true)
    }

    fn enrolment_of(&self, supervisor: bool) -> String {
        let scope = json!({ "events": [{ "event_id": self.event_id, "supervisor": supervisor }] });
        self.post("/v1/enrolments", &scope)["uri"].as_str().unwrap().to_owned()
    }
}

/// A device: one data folder.
pub(crate) struct Door {
    folder: TempDir,
}

impl Door {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_liventix-door"));
        command.args(arguments).arg("--dir").arg(self.folder().join("data"));
        command.env("NO_COLOR", "1").env("LC_ALL", "C.UTF-8").env_remove("RUST_LOG");
        command
    }

    /// Runs a command for scripts: its exit code and its objects.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, Vec<Value>) {
        read(&self.command(arguments).arg("--json").stdin(Stdio::null()).output().unwrap())
    }

    /// The same with lines typed into it.
    pub(crate) fn type_in(&self, arguments: &[&str], input: &str) -> (i32, Vec<Value>) {
        let mut command = self.command(arguments);
        command.arg("--json").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        read(&child.wait_with_output().unwrap())
    }

    /// Runs a command for people: everything it says.
    pub(crate) fn text(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }
}

fn read(output: &Output) -> (i32, Vec<Value>) {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")));
    (output.status.code().unwrap(), lines.collect())
}

/// The code with one character of its signature changed.
pub(crate) fn forge(code: &str) -> String {
    let place = code.len() - 8;
    let other = if &code[place..=place] == "0" { "1" } else { "0" };
    format!("{}{other}{}", &code[..place], &code[place + 1..])
}
