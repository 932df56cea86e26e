//! What time it is at each server: doors judge the age of a live code by their server's clock, so that
//! is the one to mint by, however the phone's own is set.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::{Clock, RoundTrip, TimeReading, TimeState, TrustedTime};
use crate::sync::secrets::SecretError;

use super::store::Store;

/// The clock of one server, and what of it is stored.
#[derive(Default)]
struct ServerClock {
    trusted: TrustedTime,
    stored: TimeState,
}

/// The clocks of all servers that tickets are from.
pub(super) struct Clocks {
    clock: Arc<dyn Clock>,
    servers: Mutex<BTreeMap<String, ServerClock>>,
}

impl Clocks {
    /// Continues where the last process stopped. What is damaged is measured again at the next contact.
    pub(super) fn restore(store: &Store, clock: Arc<dyn Clock>) -> Result<Self, SecretError> {
        let known = store.times()?.into_iter().map(|(server_url, stored)| {
            (server_url, ServerClock { trusted: TrustedTime::restore(stored, stored.floor_ms), stored })
        });
        Ok(Self { clock, servers: Mutex::new(known.collect()) })
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<String, ServerClock>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The servers whose time was ever measured.
    pub(super) fn known(&self) -> Vec<String> {
        self.servers().keys().cloned().collect()
    }

    /// Learns from round trips to a server.
    pub(super) fn observe(
        &self,
        store: &Store,
        server_url: &str,
        trips: &[RoundTrip],
    ) -> Result<(), SecretError> {
        let mut servers = self.servers();
        let server = servers.entry(server_url.to_owned()).or_default();
        // First the clock as it is: one set since the last reading must not go unnoticed.
        server.trusted.read(self.clock.sample());
        for trip in trips {
            server.trusted.observe(trip);
        }
        Self::keep(store, &mut servers)
    }

    /// The time at a server.
    pub(super) fn read(&self, store: &Store, server_url: &str) -> TimeReading {
        let mut servers = self.servers();
        let sample = self.clock.sample();
        let Some(server) = servers.get_mut(server_url) else {
            return TrustedTime::default().read(sample);
        };
        let reading = server.trusted.read(sample);
        if let Some(jumped_ms) = reading.jumped_ms {
            tracing::warn!(jumped_ms, "the wall clock was set");
        }
        if let Err(error) = Self::keep(store, &mut servers) {
            // The reading is right; the next process only knows less.
            tracing::warn!(%error, "the time is not kept");
        }
        reading
    }

    /// Forgets the clocks of servers that are not in `wanted`.
    pub(super) fn retain(&self, store: &Store, wanted: &[String]) -> Result<(), SecretError> {
        let mut servers = self.servers();
        let before = servers.len();
        servers.retain(|server_url, _| wanted.contains(server_url));
        if servers.len() == before { Ok(()) } else { Self::write(store, &mut servers) }
    }

    fn keep(store: &Store, servers: &mut BTreeMap<String, ServerClock>) -> Result<(), SecretError> {
        let changed = servers.values().any(|server| server.trusted.state().differs(&server.stored));
        if changed { Self::write(store, servers) } else { Ok(()) }
    }

    fn write(store: &Store, servers: &mut BTreeMap<String, ServerClock>) -> Result<(), SecretError> {
        let states = servers.iter().map(|(server_url, server)| (server_url.clone(), server.trusted.state()));
        store.put_times(&states.collect())?;
        for server in servers.values_mut() {
            server.stored = server.trusted.state();
        }
        Ok(())
    }
}
