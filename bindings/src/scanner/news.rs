//! From what the engine tells to what the host hears.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use liventix_core::ids::{EventId, ScanId};
use liventix_core::ledger::Ledger;
use liventix_core::sync::Progress;

use super::views::{Conflict, LinkState, OtherDoorScan, SyncProgress};
use crate::host::note;
use crate::host::observer::ScannerObserver;

/// Who listens, and what they heard already.
#[derive(Default)]
pub(super) struct News {
    observer: Mutex<Option<Arc<dyn ScannerObserver>>>,
    /// The excess admissions that were told, or were there before anybody listened.
    told: Mutex<Option<HashSet<ScanId>>>,
    /// What the host last heard of the network.
    link: Mutex<Option<LinkState>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl News {
    pub(super) fn listen(&self, observer: Option<Arc<dyn ScannerObserver>>) {
        *locked(&self.observer) = observer;
        *locked(&self.link) = None;
    }

    /// Never called back with a lock held: the host may call the scanner from inside.
    fn observer(&self) -> Option<Arc<dyn ScannerObserver>> {
        locked(&self.observer).clone()
    }

    /// Conflicts that are known before the first sync are no news.
    pub(super) fn remember_conflicts(&self, ledger: &Ledger) {
        let mut told = locked(&self.told);
        if told.is_none() {
            let events = ledger.events().unwrap_or_default();
            let known = events.iter().flat_map(|event| ledger.conflicts(event.event_id).unwrap_or_default());
            *told = Some(known.map(|found| found.conflict.excess.scan_id).collect());
        }
    }

    pub(super) fn progress(&self, ledger: &Mutex<Ledger>, progress: Progress) {
        let Some(observer) = self.observer() else { return };
        match progress {
            Progress::Merged { event_id, passages } => {
                let (scans, conflicts) = {
                    let ledger = locked(ledger);
                    let scans = OtherDoorScan::list(&ledger, event_id, &passages);
                    (scans, self.new_conflicts(&ledger, event_id))
                };
                note("on_other_door_scans", observer.on_other_door_scans(scans));
                if !conflicts.is_empty() {
                    note("on_conflicts", observer.on_conflicts(conflicts));
                }
            }
            other => {
                if let Some(progress) = SyncProgress::of(&other) {
                    note("on_sync_progress", observer.on_sync_progress(progress));
                }
            }
        }
    }

    fn new_conflicts(&self, ledger: &Ledger, event_id: EventId) -> Vec<Conflict> {
        let mut told = locked(&self.told);
        let told = told.get_or_insert_default();
        let all = Conflict::list(ledger, event_id).unwrap_or_default();
        all.into_iter().filter_map(|(scan_id, conflict)| told.insert(scan_id).then_some(conflict)).collect()
    }

    /// Tells of the network where that is news.
    pub(super) fn link(&self, link: LinkState) {
        if locked(&self.link).replace(link.clone()).is_some_and(|before| before.is_like(&link)) {
            return;
        }
        if let Some(observer) = self.observer() {
            note("on_link", observer.on_link(link));
        }
    }
}
