//! What a scan through the library for apps costs without a language border: the figure beside which
//! `docs/performance.md` sets Swift's and Kotlin's, who do exactly this.
//!
//! `cargo test --profile phone -p liventix-tests --test scan_cost -- --ignored --nocapture`

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use liventix_core::rules::Direction;
use liventix_ffi::Scanner;
use liventix_ffi::host::secrets::{SecretStore, SecretStoreError};
use liventix_ffi::scanner::ScannerConfig;
use liventix_ffi::scanner::scanning::Gateway;
use liventix_tests::Stage;

const WARM_UP: usize = 500;
const MEASURED: usize = 5_000;

#[derive(Default)]
struct Secrets(Mutex<HashMap<String, String>>);

impl SecretStore for Secrets {
    fn put(&self, name: String, value: String) -> Result<(), SecretStoreError> {
        self.0.lock().unwrap().insert(name, value);
        Ok(())
    }

    fn get(&self, name: String) -> Result<Option<String>, SecretStoreError> {
        Ok(self.0.lock().unwrap().get(&name).cloned())
    }

    fn delete(&self, name: String) -> Result<(), SecretStoreError> {
        self.0.lock().unwrap().remove(&name);
        Ok(())
    }
}

/// A scanner in `folder` that has synced, where it stands, and a ticket's code.
async fn scanner(stage: &Stage, folder: &Path) -> (Arc<Scanner>, Gateway, String) {
    let config =
        ScannerConfig { ledger_path: folder.join("ledger.sqlite").display().to_string(), allow_http: false };
    let scanner = Scanner::open(config, Arc::new(Secrets::default()), None).unwrap();
    let code = stage.issue().await;
    let enrolment = stage.enrolment(&format!("http://{}", stage.address())).await;
    scanner.enrol(enrolment, "Cost".to_owned(), None).await.unwrap();
    scanner.sync(None).await.unwrap();
    let gateway = Gateway {
        event_id: stage.event_id.to_string(),
        gate_id: stage.gates[0].to_string(),
        direction: Direction::Entry,
        people: 1,
    };
    (scanner, gateway, code)
}

fn median(mut call: impl FnMut()) -> Duration {
    for _ in 0..WARM_UP {
        call();
    }
    let mut times: Vec<Duration> = (0..MEASURED)
        .map(|_| {
            let started = Instant::now();
            call();
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[MEASURED / 2]
}

async fn measure(stage: &Stage, name: &str, folder: &Path) {
    let (scanner, gateway, code) = scanner(stage, folder).await;
    let scan = median(|| {
        scanner.scan(code.clone(), gateway.clone()).unwrap();
    });
    let device = median(|| {
        scanner.device().unwrap();
    });
    println!("Rust, {name}: scan {scan:.1?}, device {device:.1?} (medians of {MEASURED})");
}

#[tokio::test]
#[ignore = "a measurement, not a test: it fails for nothing"]
async fn a_scan_without_a_border() {
    let stage = Stage::new().await;
    measure(&stage, "on disk", tempfile::tempdir().unwrap().path()).await;
    measure(&stage, "in memory", tempfile::tempdir_in("/dev/shm").unwrap().path()).await;
}
