//! The log, handed to the host. One test: the sink is the process's.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod support;

use std::sync::{Arc, Mutex};

use liventix_ffi::host::CallbackError;
use liventix_ffi::host::log::{LogLevel, LogRecord, LogSink, set_log_sink};
use support::open;

#[derive(Default)]
struct Sink {
    records: Mutex<Vec<LogRecord>>,
    /// What a sink must not do, but will: call the library, and throw.
    reenters: bool,
}

impl LogSink for Sink {
    fn log(&self, record: LogRecord) -> Result<(), CallbackError> {
        self.records.lock().unwrap().push(record);
        if self.reenters {
            damaged_ledger();
        }
        Err(CallbackError::Failed { detail: "the sink throws".to_owned() })
    }
}

/// Opens a damaged ledger, which the library has something to say about.
fn damaged_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    drop(open(folder.path(), &Arc::default()).unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    drop(open(folder.path(), &Arc::default()).unwrap());
}

#[test]
fn the_host_gets_the_log_it_asked_for() {
    let heard = |sink: &Arc<Sink>| std::mem::take(&mut *sink.records.lock().unwrap());
    let quiet = Arc::new(Sink::default());
    set_log_sink(Some(quiet.clone()), LogLevel::Error);
    damaged_ledger();
    let records = heard(&quiet);
    assert!(!records.is_empty());
    assert!(records.iter().all(|record| record.level == LogLevel::Error), "{records:?}");
    let damage = &records[0];
    assert_eq!(damage.message, "the ledger is damaged, rescuing its scans");
    assert_eq!(damage.fields["code"], "ledger_corrupt");
    assert!(damage.target.starts_with("liventix_core::ledger"), "{}", damage.target);

    let reentering = Arc::new(Sink { reenters: true, ..Sink::default() });
    set_log_sink(Some(reentering.clone()), LogLevel::Debug);
    damaged_ledger();
    assert!(!heard(&reentering).is_empty());
    assert!(heard(&quiet).is_empty(), "a sink that was replaced hears nothing more");

    set_log_sink(None, LogLevel::Debug);
    damaged_ledger();
    assert!(heard(&reentering).is_empty());
}
