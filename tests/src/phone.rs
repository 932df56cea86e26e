//! An attendee's phone with a real wallet and the real HTTP transport.

use std::sync::Arc;

use liventix_core::clock::{Clock, ManualClock};
use liventix_core::entropy::OsEntropy;
use liventix_core::resilience::AsyncSleeper;
use liventix_core::sync::{HttpTransport, MemorySecrets, TransportError};
use liventix_core::wallet::{ClaimLink, Wallet, WalletParts};

/// Makes a transport for a server.
type Connector = fn(&str) -> Result<HttpTransport, TransportError>;

/// Waits for nothing: retries come at once.
pub struct NoSleep;

impl AsyncSleeper for NoSleep {
    async fn sleep(&self, _: u64) {}
}

/// A phone whose clock is its own.
pub struct Phone {
    pub wallet: Wallet<Connector, NoSleep>,
    pub clock: Arc<ManualClock>,
}

impl Phone {
    /// A phone without tickets whose clock shows `now_ms`, right or wrong.
    pub fn new(now_ms: i64) -> Self {
        let clock = Arc::new(ManualClock::new(now_ms));
        let parts = WalletParts {
            secrets: Arc::new(MemorySecrets::default()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::new(OsEntropy),
        };
        let connector: Connector = HttpTransport::new;
        let wallet = Wallet::with_sleeper(connector, parts, NoSleep).expect("an empty wallet");
        Self { wallet, clock }
    }
}

/// A link that the server made.
pub fn link(text: &str) -> ClaimLink {
    ClaimLink::parse(text, false).expect("a ticket link")
}
