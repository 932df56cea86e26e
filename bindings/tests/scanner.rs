//! The scanner's life, seen from a host: opened, given up on, shut down.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

mod support;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use liventix_ffi::host::secrets::SecretStore;
use liventix_ffi::scanner::ScannerConfig;
use liventix_ffi::scanner::views::OpenReport;
use liventix_ffi::{Cancellation, Scanner, ScannerError};
use support::{BrokenClock, Keystore, open};

/// A server that takes connections and never answers.
struct Silent(TcpListener);

impl Silent {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn code(&self) -> String {
        format!("LIVENTIX-ENROL:http://{}#ABCD", self.0.local_addr().unwrap())
    }

    /// Returns once somebody waits for an answer.
    async fn asked(self) -> Self {
        tokio::task::spawn_blocking(move || {
            let _connection = self.0.accept().unwrap();
            self
        })
        .await
        .unwrap()
    }
}

#[test]
fn a_ledger_is_created_once_and_opened_after_that() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = Arc::new(Keystore::default());
    assert_eq!(open(folder.path(), &secrets).unwrap().open_report(), OpenReport::Created);
    assert_eq!(open(folder.path(), &secrets).unwrap().open_report(), OpenReport::Opened);
}

#[test]
fn a_file_that_is_no_ledger_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    std::fs::write(&path, "a shopping list").unwrap();
    let Err(ScannerError::Storage { code, detail }) = open(folder.path(), &Arc::default()) else {
        panic!("it was opened");
    };
    assert_eq!(code, "not_a_ledger");
    assert!(detail.contains("choose another path"), "{detail}");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "a shopping list");
}

#[tokio::test]
async fn every_call_after_the_shutdown_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = Arc::new(Keystore::default());
    let scanner = open(folder.path(), &secrets).unwrap();
    scanner.shutdown();
    scanner.shutdown();
    assert!(matches!(scanner.device(), Err(ScannerError::Closed { .. })));
    assert!(matches!(scanner.unsent(), Err(ScannerError::Closed { .. })));
    assert!(matches!(scanner.sync(None).await, Err(ScannerError::Closed { .. })));
    assert_eq!(scanner.open_report(), OpenReport::Created);
    assert_eq!(open(folder.path(), &secrets).unwrap().open_report(), OpenReport::Opened);
}

#[tokio::test]
async fn a_call_is_given_up_when_it_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let scanner = open(folder.path(), &Arc::default()).unwrap();
    let (server, cancellation) = (Silent::new(), Cancellation::new());
    let code = server.code();
    let enrolling = scanner.enrol(code, "Door".to_owned(), Some(Arc::clone(&cancellation)));
    let cancelling = async {
        let _server = server.asked().await;
        cancellation.cancel();
    };
    let (enrolled, ()) = tokio::join!(enrolling, cancelling);
    assert!(matches!(enrolled, Err(ScannerError::Cancelled { .. })), "{enrolled:?}");
    assert!(cancellation.is_cancelled());
    assert_eq!(scanner.device().unwrap(), None);
    let again = scanner.sync(Some(cancellation)).await;
    assert!(matches!(again, Err(ScannerError::Cancelled { .. })), "it cancels later calls, too: {again:?}");
}

#[tokio::test]
async fn a_shutdown_ends_the_calls_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let scanner = open(folder.path(), &Arc::default()).unwrap();
    let server = Silent::new();
    let enrolling = scanner.enrol(server.code(), "Door".to_owned(), None);
    let closing = async {
        let _server = server.asked().await;
        scanner.shutdown();
    };
    let (enrolled, ()) = tokio::join!(enrolling, closing);
    assert!(matches!(enrolled, Err(ScannerError::Closed { .. })), "{enrolled:?}");
}

#[tokio::test]
async fn a_scanner_without_enrolment_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let scanner = open(folder.path(), &Arc::default()).unwrap();
    assert!(matches!(scanner.sync(None).await, Err(ScannerError::NotEnrolled { .. })));
    assert!(matches!(scanner.start_watching("not an id".to_owned()), Err(ScannerError::InvalidInput { .. })));
    let event = "01930f2e-7c1a-7b3c-9d4e-5f60718293a4".to_owned();
    assert!(matches!(scanner.start_watching(event.clone()), Err(ScannerError::NotEnrolled { .. })));
    assert!(matches!(scanner.counts(event), Err(ScannerError::UnknownPlace { .. })));
    assert_eq!(scanner.events().unwrap(), []);
    let bad = scanner.enrol("https://example.org".to_owned(), "Door".to_owned(), None).await;
    let Err(ScannerError::EnrolmentCode { code, .. }) = bad else { panic!("{bad:?}") };
    assert_eq!(code, "not_an_enrolment_code");
}

#[tokio::test]
async fn a_locked_keystore_is_an_error_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = Arc::new(Keystore::default());
    let scanner = open(folder.path(), &secrets).unwrap();
    secrets.locked.store(true, Ordering::SeqCst);
    let synced = scanner.sync(None).await;
    assert!(matches!(synced, Err(ScannerError::NotEnrolled { .. })), "{synced:?}");
    let enrolled = scanner.enrol(Silent::new().code(), "Door".to_owned(), None).await;
    let Err(ScannerError::Secrets { detail, .. }) = enrolled else { panic!("{enrolled:?}") };
    assert!(detail.contains("the keystore is locked"), "{detail}");
}

#[test]
fn a_clock_that_fails_is_replaced_by_the_system_s() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = folder.path().join("ledger.sqlite").display().to_string();
    let secrets: Arc<dyn SecretStore> = Arc::new(Keystore::default());
    let config = ScannerConfig { ledger_path, allow_http: false };
    let scanner = Scanner::open(config, secrets, Some(Arc::new(BrokenClock))).unwrap();
    assert_eq!(scanner.unsent().unwrap().count, 0);
}

#[test]
fn an_export_never_overwrites_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let scanner = open(folder.path(), &Arc::default()).unwrap();
    let path = folder.path().join("export.jsonl").display().to_string();
    assert_eq!(scanner.export_unsent(path.clone()).unwrap(), 0);
    assert!(matches!(scanner.export_unsent(path), Err(ScannerError::Storage { .. })));
}
