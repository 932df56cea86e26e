//! The core as a surface: a real ledger, the core's own calls, a clock that the steps move.

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use liventix_core::clock::{Clock, ManualClock};
use liventix_core::entropy::OsEntropy;
use liventix_core::ids::{DeviceId, EventId, ScanId};
use liventix_core::ledger::Ledger;
use liventix_core::scan::{DoorContext, ScanError, Verdict, admit_listed, force, force_listed, scan, undo};
use liventix_core::ticket::KeyRing;
use tempfile::TempDir;

use super::format::{Case, ClockChange, Listed, News, Place, Scan, SurfaceKind};
use super::play::{Answer, SeenUndo, SeenVerdict, Surface};

/// How news reach a ledger.
pub trait Link {
    /// Brings the device's first list and keys.
    fn begin(&mut self) -> impl Future<Output = ()>;

    /// Syncs at the true time `at`: learns the news, and of passages of its own again.
    fn sync(&mut self, at: i64, news: &News, own: &[ScanId]) -> impl Future<Output = ()>;

    /// The keys that the device holds now.
    fn keys(&self) -> KeyRing;
}

/// What a link works with.
#[derive(Clone)]
pub struct Machine {
    /// The ledger.
    pub ledger: Arc<Mutex<Ledger>>,
    /// The scanner's clocks.
    pub clock: Arc<ManualClock>,
}

impl Machine {
    /// The ledger, for one piece of work.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A scanner, enrolled and synced.
pub struct Door<L> {
    machine: Machine,
    link: L,
    event_id: EventId,
    device_id: DeviceId,
    /// The true time.
    now: i64,
    path: PathBuf,
    _folder: TempDir,
}

impl<L: Link> Door<L> {
    /// The scanner of a case, as its first step finds it.
    pub async fn open<F: Future<Output = L>>(case: &Case, connect: impl FnOnce(Machine) -> F) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("door.db");
        let starting = case.facts.clock;
        let clock = Arc::new(ManualClock::new(starting.starts_at + starting.wall_ahead_ms));
        let ledger = Arc::new(Mutex::new(open_ledger(&path, &clock)));
        let machine = Machine { ledger, clock };
        let mut link = connect(machine.clone()).await;
        link.begin().await;
        Self {
            machine,
            link,
            event_id: case.facts.event.event_id,
            device_id: case.facts.device.device_id,
            now: starting.starts_at,
            path,
            _folder: folder,
        }
    }

    fn context(&self, place: Place) -> DoorContext {
        DoorContext {
            event_id: self.event_id,
            gate_id: place.gate_id,
            device_id: self.device_id,
            direction: place.direction,
            people: place.people,
        }
    }
}

fn open_ledger(path: &std::path::Path, clock: &Arc<ManualClock>) -> Ledger {
    let clock: Arc<dyn Clock> = clock.clone();
    Ledger::open(path, clock, Arc::new(OsEntropy)).expect("a ledger").0
}

fn answer(result: Result<Verdict, ScanError>) -> Answer {
    match result {
        Ok(verdict) => Answer::Verdict(SeenVerdict {
            scan_id: verdict.scan_id,
            at: verdict.at,
            decision: verdict.decision,
            ticket_id: verdict.ticket.map(|ticket| ticket.ticket_id),
        }),
        Err(error) => Answer::Error(error.code().to_owned()),
    }
}

impl<L: Link> Surface for Door<L> {
    const KIND: SurfaceKind = SurfaceKind::Door;

    fn wait_until(&mut self, at: i64) {
        self.machine.clock.advance(at - self.now);
        self.now = at;
    }

    async fn scan(&mut self, what: &Scan, _: Option<ScanId>) -> Answer {
        let (keys, door) = (self.link.keys(), self.context(what.place));
        let ledger = &mut self.machine.ledger();
        answer(match &what.force {
            None => scan(ledger, &keys, &door, &what.text),
            Some(note) => force(ledger, &keys, &door, &what.text, note),
        })
    }

    async fn listed(&mut self, what: &Listed) -> Answer {
        let door = self.context(what.place);
        let ledger = &mut self.machine.ledger();
        answer(match &what.force {
            None => admit_listed(ledger, &door, what.ticket_id),
            Some(note) => force_listed(ledger, &door, what.ticket_id, note),
        })
    }

    async fn undo(&mut self, target: ScanId, note: &str, _: Option<ScanId>) -> Answer {
        match undo(&mut self.machine.ledger(), target, note) {
            Ok(undone) => Answer::Undone(SeenUndo {
                scan_id: undone.scan_id,
                undoes: undone.undoes,
                people: undone.people,
                direction: undone.direction,
                remaining: undone.remaining,
            }),
            Err(error) => Answer::Error(error.code().to_owned()),
        }
    }

    async fn sync(&mut self, news: &News, own: &[ScanId]) {
        self.link.sync(self.now, news, own).await;
    }

    async fn change_clock(&mut self, change: &ClockChange) {
        if change.reboot {
            self.machine.clock.reboot();
        }
        if let Some(wall_ms) = change.wall_ms {
            self.machine.clock.set_wall(wall_ms);
        }
        if change.reboot {
            // A reboot ends the program.
            let reopened = open_ledger(&self.path, &self.machine.clock);
            *self.machine.ledger() = reopened;
        }
    }
}
