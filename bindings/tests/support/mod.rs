//! A host written in Rust: what Swift and Kotlin lend, and how it misbehaves.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use liventix_ffi::host::CallbackError;
use liventix_ffi::host::clock::{ClockSample, HostClock};
use liventix_ffi::host::secrets::{SecretStore, SecretStoreError};
use liventix_ffi::scanner::ScannerConfig;
use liventix_ffi::{Scanner, ScannerError};

/// A keystore that can be locked.
#[derive(Default)]
pub(crate) struct Keystore {
    pub(crate) values: Mutex<HashMap<String, String>>,
    pub(crate) locked: AtomicBool,
}

impl Keystore {
    fn check(&self) -> Result<(), SecretStoreError> {
        if self.locked.load(Ordering::SeqCst) {
            return Err(SecretStoreError::Failed { detail: "the keystore is locked".to_owned() });
        }
        Ok(())
    }
}

impl SecretStore for Keystore {
    fn put(&self, name: String, value: String) -> Result<(), SecretStoreError> {
        self.check()?;
        self.values.lock().unwrap().insert(name, value);
        Ok(())
    }

    fn get(&self, name: String) -> Result<Option<String>, SecretStoreError> {
        self.check()?;
        Ok(self.values.lock().unwrap().get(&name).cloned())
    }

    fn delete(&self, name: String) -> Result<(), SecretStoreError> {
        self.check()?;
        self.values.lock().unwrap().remove(&name);
        Ok(())
    }
}

/// A clock that throws.
pub(crate) struct BrokenClock;

impl HostClock for BrokenClock {
    fn sample(&self) -> Result<ClockSample, CallbackError> {
        Err(CallbackError::Failed { detail: "no clock".to_owned() })
    }
}

/// A clock that a test sets.
pub(crate) struct SteppedClock(AtomicI64);

impl SteppedClock {
    pub(crate) fn at(wall_ms: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(wall_ms)))
    }

    pub(crate) fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl HostClock for SteppedClock {
    fn sample(&self) -> Result<ClockSample, CallbackError> {
        let now = self.0.load(Ordering::SeqCst);
        Ok(ClockSample { wall_ms: now, mono_ms: now, boot: 1 })
    }
}

pub(crate) fn open(folder: &Path, secrets: &Arc<Keystore>) -> Result<Arc<Scanner>, ScannerError> {
    let ledger_path = folder.join("ledger.sqlite").display().to_string();
    let secrets: Arc<dyn SecretStore> = Arc::<Keystore>::clone(secrets);
    Scanner::open(ScannerConfig { ledger_path, allow_http: true }, secrets, None)
}
