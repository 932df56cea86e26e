//! What an open scanner works with.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use liventix_core::clock::Clock;
use liventix_core::entropy::{Entropy, OsEntropy};
use liventix_core::ids::DeviceId;
use liventix_core::ledger::{DeviceState, Ledger, OpenReport};
use liventix_core::sync::{
    EnrolmentCode, HttpTransport, Progress, SecretStore, SyncEngine, SyncError, SyncParts, SyncReport,
};
use liventix_core::ticket::KeyRing;

use super::news::News;
use super::views::Device;
use crate::error::ScannerError;
use crate::runtime::Task;

pub(super) type Engine = SyncEngine<HttpTransport>;

/// One open ledger, the keys to check codes with, and the way to the server.
pub(super) struct Door {
    parts: SyncParts,
    keys: RwLock<Arc<KeyRing>>,
    /// None before enrolment.
    pub(super) engine: RwLock<Option<Arc<Engine>>>,
    pub(super) news: News,
    /// The loop that stays in touch.
    pub(super) watch: Mutex<Option<Task<()>>>,
}

impl Door {
    pub(super) fn open(
        path: &Path,
        secrets: Arc<dyn SecretStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, OpenReport), ScannerError> {
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let (ledger, report) = Ledger::open(path, Arc::clone(&clock), Arc::clone(&entropy))?;
        let device = ledger.device()?;
        let parts = SyncParts { ledger: Arc::new(Mutex::new(ledger)), secrets, clock, entropy };
        let door = Self {
            parts,
            keys: RwLock::default(),
            engine: RwLock::default(),
            news: News::default(),
            watch: Mutex::default(),
        };
        if let Some(device) = device {
            door.use_engine(door.engine_to(&device.server_url)?)?;
        }
        Ok((door, report))
    }

    /// The ledger, for one short piece of work.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // A panic elsewhere cannot leave the ledger half written: SQLite rolls back.
        self.parts.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of the events this device may scan.
    pub(super) fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The secret store.
    pub(super) fn secrets(&self) -> &dyn SecretStore {
        &*self.parts.secrets
    }

    /// The enrolled device.
    pub(super) fn enrolled(&self) -> Result<DeviceState, ScannerError> {
        Ok(self.ledger().device()?.ok_or(SyncError::NotEnrolled)?)
    }

    /// The enrolled device's id.
    pub(super) fn device_id(&self) -> Result<DeviceId, ScannerError> {
        Ok(self.enrolled()?.device_id)
    }

    /// The sync engine of the enrolled device.
    pub(super) fn engine(&self) -> Result<Arc<Engine>, ScannerError> {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(engine.ok_or(SyncError::NotEnrolled)?)
    }

    /// An engine that leads to `server_url`.
    fn engine_to(&self, server_url: &str) -> Result<Arc<Engine>, ScannerError> {
        Ok(Arc::new(SyncEngine::new(HttpTransport::new(server_url)?, self.parts.clone())))
    }

    /// Works with `engine`, and with the keys as they are kept now.
    fn use_engine(&self, engine: Arc<Engine>) -> Result<(), ScannerError> {
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = Some(engine);
        self.load_keys()
    }

    /// Takes the keys as they are kept now.
    fn load_keys(&self) -> Result<(), ScannerError> {
        let keys = Arc::new(self.engine()?.load_keys()?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    pub(super) async fn enrol(&self, code: &EnrolmentCode, name: &str) -> Result<Device, ScannerError> {
        self.stop_watching();
        // Kept only if the enrolment comes about: the old token must never go to the new server.
        let engine = self.engine_to(code.base_url())?;
        let device = engine.enrol(code, name).await?;
        self.use_engine(engine)?;
        Ok(device.into())
    }

    /// One whole sync.
    pub(super) async fn sync(&self) -> Result<SyncReport, ScannerError> {
        let engine = self.engine()?;
        self.news.remember_conflicts(&self.ledger());
        let done = engine.sync(|progress| self.hear(progress)).await;
        self.learn(done.as_ref());
        Ok(done?)
    }

    /// Passes progress on.
    pub(super) fn hear(&self, progress: Progress) {
        self.news.progress(&self.parts.ledger, progress);
    }

    /// Takes over what a sync brought. Keys may have come, or gone with a revocation; it costs little to look.
    pub(super) fn learn(&self, done: Result<&SyncReport, &SyncError>) {
        let changed = match done {
            Ok(report) => report.key_rings > 0,
            Err(error) => matches!(error, SyncError::Revoked { .. }),
        };
        if changed && let Err(error) = self.load_keys() {
            tracing::warn!(%error, "the keys could not be loaded");
        }
    }

    /// Ends the loop that stays in touch.
    pub(super) fn stop_watching(&self) {
        drop(self.watch.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
