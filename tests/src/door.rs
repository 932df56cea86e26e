//! A door with a real ledger and the real HTTP transport.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use liventix_core::clock::{Clock, ManualClock};
use liventix_core::entropy::{Entropy, OsEntropy};
use liventix_core::ids::{DeviceId, EventId, GateId};
use liventix_core::ledger::{Ledger, OpenReport};
use liventix_core::resilience::AsyncSleeper;
use liventix_core::rules::Direction;
use liventix_core::scan::{DoorContext, Verdict, scan};
use liventix_core::sync::{
    EnrolmentCode, HttpTransport, MemorySecrets, SecretStore, SyncEngine, SyncError, SyncParts, SyncReport,
};

/// An HTTP client for loopback.
pub fn plain_client() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring knows them")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).build().expect("a client")
}

/// Waits for nothing: retries come at once.
pub struct NoSleep;

impl AsyncSleeper for NoSleep {
    async fn sleep(&self, _: u64) {}
}

/// A phone that is off: its secret store is all that is left beside the ledger file.
pub struct ClosedDoor {
    event_id: EventId,
    gate_id: GateId,
    device_id: DeviceId,
    url: String,
    secrets: Arc<dyn SecretStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl ClosedDoor {
    /// Switches it on again.
    pub fn open(self, ledger: &Path) -> (Door, OpenReport) {
        let Self { event_id, gate_id, device_id, url, secrets, clock, entropy } = self;
        let (ledger, report) =
            Ledger::open(ledger, Arc::clone(&clock), Arc::clone(&entropy)).expect("an opened ledger");
        let parts = SyncParts { ledger: Arc::new(Mutex::new(ledger)), secrets, clock, entropy };
        let transport = HttpTransport::new(&url).expect("a transport");
        let engine = SyncEngine::with_sleeper(transport, parts.clone(), NoSleep);
        (Door { event_id, gate_id, device_id, parts, engine }, report)
    }
}

/// An enrolled door.
pub struct Door {
    pub event_id: EventId,
    pub gate_id: GateId,
    pub device_id: DeviceId,
    pub parts: SyncParts,
    engine: SyncEngine<HttpTransport, NoSleep>,
}

impl Door {
    /// Enrols with a code such as [`crate::Stage::enrolment`] gives.
    pub async fn enrol(
        code: &str,
        ledger: &Path,
        clock: Arc<ManualClock>,
        event_id: EventId,
        gate_id: GateId,
    ) -> Self {
        let clock: Arc<dyn Clock> = clock;
        let (ledger, _) =
            Ledger::open(ledger, Arc::clone(&clock), Arc::new(OsEntropy)).expect("a new ledger");
        let parts = SyncParts {
            ledger: Arc::new(Mutex::new(ledger)),
            secrets: Arc::new(MemorySecrets::default()) as Arc<dyn SecretStore>,
            clock,
            entropy: Arc::new(OsEntropy),
        };
        let code = EnrolmentCode::parse(code, true).expect("a good code");
        let transport = HttpTransport::new(code.base_url()).expect("a transport");
        let engine = SyncEngine::with_sleeper(transport, parts.clone(), NoSleep);
        let device = engine.enrol(&code, "a test door").await.expect("an enrolment");
        Self { event_id, gate_id, device_id: device.device_id, parts, engine }
    }

    /// Switches the phone off: the ledger file is closed.
    pub fn close(self) -> ClosedDoor {
        let Self { event_id, gate_id, device_id, parts, engine } = self;
        let device = parts.ledger.lock().unwrap_or_else(PoisonError::into_inner).device();
        let url = device.expect("a readable ledger").expect("an enrolled device").server_url;
        drop(engine);
        let SyncParts { ledger, secrets, clock, entropy } = parts;
        assert_eq!(Arc::strong_count(&ledger), 1, "somebody still uses the ledger");
        ClosedDoor { event_id, gate_id, device_id, url, secrets, clock, entropy }
    }

    pub async fn sync(&self) -> Result<SyncReport, SyncError> {
        self.engine.sync(|_| {}).await
    }

    pub fn scan(&self, text: &str) -> Verdict {
        let keys = self.engine.load_keys().expect("readable keys");
        let door = DoorContext {
            event_id: self.event_id,
            gate_id: self.gate_id,
            device_id: self.device_id,
            direction: Direction::Entry,
            people: 1,
        };
        scan(&mut self.ledger(), &keys, &door, text).expect("a recorded scan")
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.parts.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
