//! A link over the real sync protocol: engine, HTTP transport and secret store.

use std::sync::Arc;

use liventix_core::entropy::OsEntropy;
use liventix_core::ids::ScanId;
use liventix_core::sync::{EnrolmentCode, HttpTransport, MemorySecrets, SyncEngine, SyncParts};
use liventix_core::ticket::KeyRing;

use super::door::{Door, Link};
use super::format::{Case, News};
use crate::door::NoSleep;

/// Syncs with a server that serves the case.
pub struct Synced {
    engine: SyncEngine<HttpTransport, NoSleep>,
    code: EnrolmentCode,
    name: String,
}

impl Synced {
    /// A case's scanner, to be enrolled at `base`.
    ///
    /// # Panics
    /// If it cannot be: then there is nothing to test.
    pub async fn door(case: &Case, base: &str) -> Door<Self> {
        let code = EnrolmentCode::parse(&format!("LIVENTIX-ENROL:{base}#X"), false).expect("a good code");
        let transport = HttpTransport::new(code.base_url()).expect("a transport");
        let name = case.facts.device.device_name.clone();
        let connect = async |machine: super::door::Machine| {
            let parts = SyncParts {
                ledger: machine.ledger,
                secrets: Arc::new(MemorySecrets::default()),
                clock: machine.clock,
                entropy: Arc::new(OsEntropy),
            };
            Self { engine: SyncEngine::with_sleeper(transport, parts, NoSleep), code, name }
        };
        Door::open(case, connect).await
    }

    async fn sync_once(&self) {
        self.engine.sync(|_| {}).await.expect("a sync");
    }
}

impl Link for Synced {
    async fn begin(&mut self) {
        self.engine.enrol(&self.code, &self.name).await.expect("an enrolment");
        self.sync_once().await;
    }

    async fn sync(&mut self, _: i64, _: &News, _: &[ScanId]) {
        self.sync_once().await;
    }

    fn keys(&self) -> KeyRing {
        self.engine.load_keys().expect("readable keys")
    }
}
