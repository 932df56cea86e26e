//! Event keys: fetched when the list tells of newer ones, kept in the secret store.

use secrecy::{ExposeSecret, SecretString};

use super::call::Call;
use super::engine::SyncEngine;
use super::error::SyncError;
use super::progress::{Progress, SyncReport};
use super::secrets;
use super::transport::Transport;
use crate::ids::EventId;
use crate::resilience::AsyncSleeper;
use crate::ticket::keys::EventKeys;
use crate::ticket::verify::KeyRing;

impl<T: Transport, S: AsyncSleeper> SyncEngine<T, S> {
    /// Fetches an event's keys if there are none yet, or if its list tells of newer ones.
    pub(super) async fn ensure_keys(
        &self,
        event_id: EventId,
        report: &mut SyncReport,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<(), SyncError> {
        let wanted = self.ledger().event(event_id)?.map(|event| event.key_version);
        let held = self.held_keys(event_id)?.map(|keys| keys.version);
        if held.is_some_and(|held| wanted.is_none_or(|wanted| held >= wanted)) {
            return Ok(());
        }
        progress(Progress::Keys { event_id });
        let path = format!("/v1/door/events/{event_id}/keys");
        let call = Call::get("keys", path, Some(self.token()?));
        let keys: EventKeys = self.counted(&call, report).await?;
        if keys.event_id != event_id {
            return Err(call.protocol("keys of another event").into());
        }
        KeyRing::new().insert(&keys).map_err(|error| call.protocol(&error.to_string()))?;
        let text = serde_json::to_string(&keys).map_err(|error| call.protocol(&error.to_string()))?;
        self.parts.secrets.put(&secrets::event_keys_name(event_id), &SecretString::from(text))?;
        report.key_rings += 1;
        Ok(())
    }

    /// The keys of an event as they are kept. Unreadable ones count as missing: they are fetched again.
    fn held_keys(&self, event_id: EventId) -> Result<Option<EventKeys>, SyncError> {
        let Some(text) = self.parts.secrets.get(&secrets::event_keys_name(event_id))? else {
            return Ok(None);
        };
        Ok(serde_json::from_str(text.expose_secret())
            .inspect_err(|_| tracing::warn!(%event_id, "the kept keys are damaged; fetching them again"))
            .ok())
    }

    /// The keys of every event this device may scan, ready to verify with. Load them again after
    /// each sync that reports `key_rings`.
    ///
    /// # Errors
    /// [`SyncError::Ledger`] or [`SyncError::Secrets`]. Missing or damaged keys are no error here:
    /// codes signed with them are refused as `unknown_key`, and the next sync fetches them.
    pub fn load_keys(&self) -> Result<KeyRing, SyncError> {
        let mut ring = KeyRing::new();
        let device = self.ledger().device()?;
        for assignment in device.map(|device| device.assignments).unwrap_or_default() {
            if let Some(keys) = self.held_keys(assignment.event_id)?
                && let Err(error) = ring.insert(&keys)
            {
                tracing::warn!(event_id = %assignment.event_id, %error, "the kept keys cannot be used");
            }
        }
        Ok(ring)
    }
}
