//! What a host may listen to.

use super::CallbackError;
use crate::scanner::views::{Conflict, LinkState, OtherDoorScan, SyncProgress};

/// Hears what happens while nobody asks. Called from threads of this library, one call at a time for each
/// scanner; should return quickly, and may call the scanner.
#[uniffi::export(with_foreign)]
pub trait ScannerObserver: Send + Sync {
    /// How far a sync is.
    ///
    /// # Errors
    /// Whatever it throws is logged.
    fn on_sync_progress(&self, progress: SyncProgress) -> Result<(), CallbackError>;

    /// People passed at other doors, and this one has just learnt of it.
    ///
    /// # Errors
    /// Whatever it throws is logged.
    fn on_other_door_scans(&self, scans: Vec<OtherDoorScan>) -> Result<(), CallbackError>;

    /// Tickets turned out to be admitted more often than they allow.
    ///
    /// # Errors
    /// Whatever it throws is logged.
    fn on_conflicts(&self, conflicts: Vec<Conflict>) -> Result<(), CallbackError>;

    /// The server came or went, while [`crate::Scanner::start_watching`] runs.
    ///
    /// # Errors
    /// Whatever it throws is logged.
    fn on_link(&self, link: LinkState) -> Result<(), CallbackError>;
}
