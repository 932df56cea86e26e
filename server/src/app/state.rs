//! What every handler can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use liventix_core::clock::Clock;
use liventix_core::entropy::Entropy;
use liventix_core::ids::{EventId, OrganiserId};
use tokio::sync::watch;

use crate::accounts::Passwords;
use crate::alerts::Channels;
use crate::analytics;
use crate::anomalies::OverLimits;
use crate::email::Emails;
use crate::events::snapshot::Snapshots;
use crate::payments::Payments;
use crate::platform::change_bell::ChangeBell;
use crate::platform::config::Config;
use crate::platform::db::Db;
use crate::platform::idempotency::Idempotency;
use crate::platform::objectives::Recorder;
use crate::platform::queue::Queue;
use crate::platform::rate_limit::RateLimiter;
use crate::platform::telemetry::metrics::Metrics;
use crate::platform::vault::Vault;
use crate::push::Push;
use crate::scanning::{Desks, LiveBoards};

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct AppState(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) config: Config,
    pub(super) public_url: String,
    pub(super) db: Db,
    pub(super) vault: Vault,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) limiter: RateLimiter,
    pub(super) idempotency: Idempotency,
    pub(super) bell: ChangeBell,
    pub(super) snapshots: Snapshots,
    pub(super) desks: Desks,
    pub(super) boards: LiveBoards,
    pub(super) queue: Queue,
    pub(super) over_limits: OverLimits,
    pub(super) passwords: Passwords,
    pub(super) metrics: Metrics,
    pub(super) objectives: Recorder,
    pub(super) channels: Channels,
    pub(super) payments: Payments,
    pub(super) emails: Emails,
    pub(super) push: Push,
    pub(super) answers: analytics::Memory,
    pub(super) closing: watch::Receiver<bool>,
    /// Asked to stop, and working on for a while.
    pub(super) draining: AtomicBool,
}

impl std::fmt::Debug for AppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppState")
    }
}

impl AppState {
    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// How doors and people reach this server; no slash at the end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.0.public_url
    }

    /// What stands before the path of each page: behind a proxy the server may have a path of its own.
    pub(crate) fn base_path(&self) -> &str {
        let url = self.public_url();
        let start = url.find("://").map_or(0, |place| place + 3);
        url[start..].find('/').map_or("", |place| &url[start + place..])
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// The database as one organiser may see it: for everything that is done in an organiser's name.
    #[must_use]
    pub fn db_of(&self, organiser: OrganiserId) -> Db {
        self.0.db.of(organiser)
    }

    /// The queue of work that outlives a request.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.0.queue
    }

    /// Seals and opens secrets.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }

    /// The time (UTC milliseconds).
    #[must_use]
    pub fn now(&self) -> i64 {
        self.0.clock.wall_ms()
    }

    /// Randomness.
    #[must_use]
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.0.entropy
    }

    /// The rate limits.
    #[must_use]
    pub fn limiter(&self) -> &RateLimiter {
        &self.0.limiter
    }

    /// Calls with an `Idempotency-Key`.
    #[must_use]
    pub fn idempotency(&self) -> &Idempotency {
        &self.0.idempotency
    }

    /// Wakes long-polls.
    #[must_use]
    pub fn bell(&self) -> &ChangeBell {
        &self.0.bell
    }

    /// Wakes the long-polls of an event, in every process: it has changed, and the change is committed.
    pub fn ring(&self, event: EventId) {
        self.0.bell.ring(&self.0.db, event);
    }

    /// Events and their keys, ready for verifying.
    #[must_use]
    pub fn snapshots(&self) -> &Snapshots {
        &self.0.snapshots
    }

    /// Hashes passwords.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// Where online redeems queue.
    #[must_use]
    pub fn desks(&self) -> &Desks {
        &self.0.desks
    }

    /// What is shown of the events that somebody watches.
    #[must_use]
    pub fn boards(&self) -> &LiveBoards {
        &self.0.boards
    }

    /// Scanners that were refused because they sent too much.
    #[must_use]
    pub fn over_limits(&self) -> &OverLimits {
        &self.0.over_limits
    }

    /// Who takes mails.
    #[must_use]
    pub(crate) fn emails(&self) -> &Emails {
        &self.0.emails
    }

    /// Who carries push messages.
    #[must_use]
    pub(crate) fn push(&self) -> &Push {
        &self.0.push
    }

    /// The last good answers to questions about figures.
    #[must_use]
    pub(crate) fn answers(&self) -> &analytics::Memory {
        &self.0.answers
    }

    /// Who takes payments.
    #[must_use]
    pub(crate) fn payments(&self) -> &Payments {
        &self.0.payments
    }

    /// Whether it is asked to stop, and works on until others have taken over.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    /// What is counted and measured.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Counts what went well and what did not.
    #[must_use]
    pub fn objectives(&self) -> &Recorder {
        &self.0.objectives
    }

    /// Where alerts go.
    #[must_use]
    pub fn channels(&self) -> &Channels {
        &self.0.channels
    }

    /// Returns once the server begins to shut down.
    pub async fn closing(&self) {
        // The sender lives as long as the server; without it, it is closing as well.
        let _ = self.0.closing.clone().wait_for(|closing| *closing).await;
    }
}
