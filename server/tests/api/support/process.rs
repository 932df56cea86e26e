//! The server as a process of its own, so that it can be killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{ADMIN, Place, text};

/// `liventix serve`, killed with this value.
pub(crate) struct Process {
    child: Child,
    pub(crate) base: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Returns once it listens.
    pub(crate) fn start(place: &Place) -> Self {
        Self::start_with(place, &[])
    }

    /// The same with these variables, `LIVENTIX_LOG` for one.
    pub(crate) fn start_with(place: &Place, variables: &[(&str, &str)]) -> Self {
        // Limits far away, so that only the tests of limits meet them.
        let config = place.dir.path().join("liventix.toml");
        std::fs::write(
            &config,
            "limit_redeem_per_minute = 100000\nlimit_refused_scans_per_minute = 100000\n",
        )
        .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_liventix"))
            .args(["serve", "--bind", "127.0.0.1:0", "--log-json"])
            .envs(place.variables())
            .env("LIVENTIX_CONFIG", config)
            .env("LIVENTIX_ADMIN_TOKEN", ADMIN)
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.find(|line| line.as_ref().unwrap().contains("listening")).unwrap().unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let base = format!("http://{}", line["fields"]["address"].as_str().unwrap());
        // Somebody has to read on, or the process waits with its next line.
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line))
        });
        Self { child, base, log }
    }

    /// What it has logged since it listens.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// SIGKILL: it does nothing more.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Gone already, if the test killed it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An event at such a process.
pub(crate) struct Remote {
    pub(crate) key: String,
    /// Its path under `/v1`.
    pub(crate) path: String,
    pub(crate) gate: String,
}

impl Remote {
    pub(crate) async fn create(http: &reqwest::Client, base: &str) -> Self {
        let post = async |path: &str, token: &str, body: Value| {
            let reply =
                http.post(format!("{base}{path}")).bearer_auth(token).json(&body).send().await.unwrap();
            reply.json::<Value>().await.unwrap()
        };
        let made = post("/v1/organisers", ADMIN, json!({"name": "A"})).await;
        let key = text(&made["api_key"]["token"]);
        let event = json!({"name": "E", "starts_at": 0, "ends_at": 1, "time_zone": "UTC"});
        let id = text(&post("/v1/events", &key, event).await["event_id"]);
        let path = format!("/v1/events/{id}");
        let gate = post(&format!("{path}/gates"), &key, json!({"name": "G"})).await;
        Self { key, path, gate: text(&gate["gate_id"]) }
    }
}
