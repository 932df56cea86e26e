//! The wallet's life, seen from a host. What it does with tickets is tested in the core, and end to end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use liventix_ffi::host::secrets::SecretStore;
use liventix_ffi::wallet::WalletConfig;
use liventix_ffi::{Wallet, WalletError};
use support::Keystore;

const TICKET: &str = "01930f2e-7c1a-7b3c-9d4e-5f60718293a4";

fn open(secrets: &Arc<Keystore>) -> Result<Arc<Wallet>, WalletError> {
    let secrets: Arc<dyn SecretStore> = Arc::<Keystore>::clone(secrets);
    Wallet::open(WalletConfig { allow_http: true }, secrets, None)
}

#[test]
fn an_empty_wallet_says_so() {
    let wallet = open(&Arc::default()).unwrap();
    assert_eq!(wallet.tickets().unwrap(), []);
    assert!(matches!(wallet.ticket(TICKET.to_owned()), Err(WalletError::NotFound { .. })));
    assert!(matches!(wallet.live_code(TICKET.to_owned()), Err(WalletError::NotFound { .. })));
    assert!(matches!(wallet.printed_code("7".to_owned()), Err(WalletError::InvalidInput { .. })));
    assert_eq!(wallet.forget(TICKET.to_owned()), Ok(()));
}

#[tokio::test]
async fn another_link_is_not_a_ticket() {
    let wallet = open(&Arc::default()).unwrap();
    let claimed = wallet.claim("https://example.org/t/nothing".to_owned(), "Phone".to_owned(), None).await;
    let Err(WalletError::Link { code, .. }) = claimed else { panic!("{claimed:?}") };
    assert_eq!(code, "not_a_ticket_link");
}

#[tokio::test]
async fn every_call_after_the_shutdown_says_so() {
    let wallet = open(&Arc::default()).unwrap();
    wallet.shutdown();
    assert!(matches!(wallet.tickets(), Err(WalletError::Closed { .. })));
    assert!(matches!(wallet.refresh(None).await, Err(WalletError::Closed { .. })));
}

#[test]
fn a_locked_keystore_is_an_error_of_its_own() {
    let secrets = Arc::new(Keystore::default());
    secrets.locked.store(true, Ordering::SeqCst);
    let opened = open(&secrets);
    let Err(WalletError::Secrets { detail, .. }) = opened else { panic!("{opened:?}") };
    assert!(detail.contains("the keystore is locked"), "{detail}");
}
