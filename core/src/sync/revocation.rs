//! What happens when the organiser takes a device out of service.

use super::engine::SyncEngine;
use super::error::SyncError;
use super::secrets;
use super::transport::Transport;
use super::wire::Assignment;
use crate::ids::EventId;
use crate::resilience::AsyncSleeper;

impl<T: Transport, S: AsyncSleeper> SyncEngine<T, S> {
    /// Looks whether a result says that this device was revoked, and if so wipes what it must not
    /// keep. The token stays: the server takes the scans still to come as evidence.
    pub(super) fn notice_revocation<A>(&self, result: Result<A, SyncError>) -> Result<A, SyncError> {
        match result {
            Err(SyncError::Revoked { .. }) => Err(self.wipe()),
            result => result,
        }
    }

    fn wipe(&self) -> SyncError {
        match self.try_wipe() {
            Ok(unsent) => SyncError::Revoked { unsent },
            Err(error) => error,
        }
    }

    fn try_wipe(&self) -> Result<u64, SyncError> {
        // Marked first: if the rest is interrupted, the next sync wipes again.
        let mut device = self.device()?;
        device.revoked = true;
        self.ledger().set_device(&device)?;
        for assignment in &device.assignments {
            self.forget_event(assignment.event_id)?;
        }
        self.forget_all_but(&[])?;
        tracing::warn!(device_id = %device.device_id, "revoked: keys and lists are wiped");
        Ok(self.ledger().unsent_summary()?.count)
    }

    /// Forgets keys and lists of every event that is not in `assignments`.
    pub(super) fn forget_all_but(&self, assignments: &[Assignment]) -> Result<(), SyncError> {
        let known = self.ledger().events()?;
        for event in known {
            if !assignments.iter().any(|assignment| assignment.event_id == event.event_id) {
                self.forget_event(event.event_id)?;
            }
        }
        Ok(())
    }

    fn forget_event(&self, event_id: EventId) -> Result<(), SyncError> {
        // Keys first: they are what a thief could use.
        self.parts.secrets.delete(&secrets::event_keys_name(event_id))?;
        self.ledger().forget_manifest(event_id)?;
        Ok(())
    }
}
