//! A door: a ledger, its keys, and a sync engine, as on a phone.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use liventix_core::clock::Clock;
use liventix_core::entropy::OsEntropy;
use liventix_core::ids::{EventId, GateId};
use liventix_core::ledger::{Counts, DeviceState, Ledger, TicketConflict};
use liventix_core::scan::{DoorContext, Verdict, scan};
use liventix_core::sync::{EnrolmentCode, HttpTransport, MemorySecrets, SyncEngine, SyncParts, SyncReport};
use liventix_core::ticket::KeyRing;

use super::clock::DemoClock;
use super::evening::Act;

/// One door.
pub(super) struct Door {
    name: &'static str,
    parts: SyncParts,
    engine: Option<SyncEngine<HttpTransport>>,
    device: Option<DeviceState>,
    keys: KeyRing,
}

/// An HTTP client for loopback, without TLS.
pub(super) fn plain_client() -> anyhow::Result<reqwest::Client> {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls).build()?)
}

impl Door {
    /// A new phone with an empty ledger in `folder`.
    pub(super) fn new(name: &'static str, folder: &Path, clock: DemoClock) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let entropy = Arc::new(OsEntropy);
        let file = folder.join(format!("{}.ledger", name.to_lowercase().replace(' ', "-")));
        let (ledger, _) = Ledger::open(&file, Arc::clone(&clock), Arc::clone(&entropy) as _)?;
        let ledger = Arc::new(Mutex::new(ledger));
        let parts = SyncParts { ledger, secrets: Arc::new(MemorySecrets::default()), clock, entropy };
        Ok(Self { name, parts, engine: None, device: None, keys: KeyRing::new() })
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Becomes a device of the organiser, by the code on the organiser's screen.
    pub(super) async fn enrol(&mut self, code: &str) -> anyhow::Result<()> {
        let code = EnrolmentCode::parse(code, true)?;
        let engine = SyncEngine::new(HttpTransport::new(code.base_url())?, self.parts.clone());
        self.device = Some(engine.enrol(&code, &format!("{} phone", self.name)).await?);
        self.engine = Some(engine);
        Ok(())
    }

    /// One whole sync.
    pub(super) async fn sync(&mut self) -> anyhow::Result<SyncReport> {
        let engine = self.engine.as_ref().context("the door is not enrolled")?;
        let report = engine.sync(|_| {}).await?;
        self.keys = engine.load_keys()?;
        Ok(report)
    }

    /// Scans what the act shows: a picture, decoded first, or a typed code.
    pub(super) fn perform(&self, act: &Act, event_id: EventId) -> anyhow::Result<Verdict> {
        let text = act.show.read()?;
        let device_id = self.device.as_ref().context("the door is not enrolled")?.device_id;
        let mut ledger = self.ledger();
        let gate_id = gate_named(&ledger, event_id, self.name)?;
        let (direction, people) = (act.direction, act.people);
        let door = DoorContext { event_id, gate_id, device_id, direction, people };
        Ok(scan(&mut ledger, &self.keys, &door, &text)?)
    }

    pub(super) fn counts(&self, event: EventId) -> anyhow::Result<Counts> {
        Ok(self.ledger().counts(event)?)
    }

    pub(super) fn conflicts(&self, event: EventId) -> anyhow::Result<Vec<TicketConflict>> {
        Ok(self.ledger().conflicts(event)?)
    }

    pub(super) fn gate_name(&self, event: EventId, gate: GateId) -> anyhow::Result<String> {
        let event = self.ledger().event(event)?.context("the event is not on the list")?;
        Ok(event.gate(gate).map_or_else(|| gate.to_string(), |gate| gate.name.clone()))
    }

    /// How many scans wait for the network.
    pub(super) fn unsent(&self) -> anyhow::Result<u64> {
        Ok(self.ledger().unsent_summary()?.count)
    }

    /// Whether every scan is as it was written.
    pub(super) fn chain_is_whole(&self) -> anyhow::Result<bool> {
        Ok(self.ledger().verify_chain()?.first_break().is_none())
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.parts.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gate_named(ledger: &Ledger, event: EventId, name: &str) -> anyhow::Result<GateId> {
    let event = ledger.event(event)?.context("the event is not on the list")?;
    let gate = event.gates.iter().find(|gate| gate.name == name);
    Ok(gate.with_context(|| format!("no gate is called {name}"))?.gate_id)
}
