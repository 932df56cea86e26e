//! This machine as a door: its folder, ledger, secrets and the way to its server.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use liventix_core::clock::{Clock, SystemClock};
use liventix_core::entropy::{Entropy, OsEntropy};
use liventix_core::ids::DeviceId;
use liventix_core::ledger::{DeviceState, Ledger, OpenReport};
use liventix_core::rules::{EventInfo, Gate};
use liventix_core::sync::{HttpTransport, SyncEngine, SyncError, SyncParts};

use crate::cli::EventArgs;
use crate::error::DoorError;
use crate::output::Output;
use crate::place;
use crate::secrets::{FileSecrets, make_private_folder};
use crate::settings::Settings;
use crate::views::{Link, StandingView};

/// The sync engine of a real door.
pub(crate) type Engine = SyncEngine<HttpTransport>;

/// This machine as a door.
pub(crate) struct Door {
    /// Where everything lies.
    pub(crate) folder: PathBuf,
    /// Its parts, shared with the sync engine.
    pub(crate) parts: SyncParts,
    /// Where words go.
    pub(crate) output: Output,
}

/// Where a door stands.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// This device.
    pub(crate) device_id: DeviceId,
    /// The event.
    pub(crate) event: EventInfo,
    /// The gate.
    pub(crate) gate: Gate,
    /// The gates it may move to.
    pub(crate) gates: Vec<Gate>,
}

impl Door {
    /// Opens the door kept in `folder`, and begins a new one if there is none.
    pub(crate) fn open(folder: Option<PathBuf>, output: Output) -> Result<Self, DoorError> {
        let folder = folder.or_else(default_folder).ok_or(DoorError::NoFolder)?;
        make_private_folder(&folder).map_err(|source| DoorError::File {
            path: folder.clone(),
            action: "cannot be made: choose another folder with --dir",
            source,
        })?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let (ledger, report) =
            Ledger::open(&folder.join("ledger.sqlite"), Arc::clone(&clock), Arc::clone(&entropy))?;
        let secrets = Arc::new(FileSecrets::open(&folder.join("secrets"))?);
        let ledger = Arc::new(Mutex::new(ledger));
        let door = Self { folder, parts: SyncParts { ledger, secrets, clock, entropy }, output };
        door.report_opening(&report)?;
        Ok(door)
    }

    /// A rescued ledger is news that must not scroll by unseen.
    fn report_opening(&self, report: &OpenReport) -> Result<(), DoorError> {
        if let OpenReport::Rescued { .. } = report {
            let view = crate::views::ErrorView {
                code: "ledger_rescued".to_owned(),
                detail: format!(
                    "the scan ledger was damaged and set aside; what could be read of it is in a new one. \
                     Sync as soon as you can. {report:?}"
                ),
                file: None,
            };
            self.output.fail(&view)?;
        }
        Ok(())
    }

    /// The ledger, for one short piece of work.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.parts.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this machine is enrolled as.
    pub(crate) fn device(&self) -> Result<DeviceState, DoorError> {
        self.ledger().device()?.ok_or(DoorError::Sync(SyncError::NotEnrolled))
    }

    /// A sync engine that leads to `server_url`.
    pub(crate) fn engine(&self, server_url: &str) -> Result<Engine, DoorError> {
        let transport = HttpTransport::new(server_url).map_err(SyncError::from)?;
        Ok(SyncEngine::new(transport, self.parts.clone()))
    }

    /// Best guess of the true time (UTC milliseconds).
    pub(crate) fn now(&self) -> i64 {
        self.ledger().now().now()
    }

    /// Which event and gate, from the arguments and from what was used last.
    pub(crate) fn place(&self, event: &EventArgs, gate: Option<&str>) -> Result<Place, DoorError> {
        let device = self.device()?;
        if device.revoked {
            return Err(SyncError::Revoked { unsent: self.ledger().unsent_summary()?.count }.into());
        }
        let settings = Settings::load(&self.settings_path());
        let event = self.event(event)?;
        let gates = place::allowed_gates(&event, &device.assignments);
        let gate = place::choose_gate(gates.clone(), gate, settings.gate_id)?;
        let place = Place { device_id: device.device_id, event, gate, gates };
        self.remember(&place);
        Ok(place)
    }

    /// Which event, from the arguments and from what was used last.
    pub(crate) fn event(&self, args: &EventArgs) -> Result<EventInfo, DoorError> {
        let settings = Settings::load(&self.settings_path());
        let now = self.now();
        let events = self.ledger().events()?;
        place::choose_event(events, args.event.as_deref(), settings.event_id, now)
    }

    /// Remembers where the door stands. Losing it costs one argument, so a failure is only logged.
    pub(crate) fn remember(&self, place: &Place) {
        let settings = Settings { event_id: Some(place.event.event_id), gate_id: Some(place.gate.gate_id) };
        if let Err(error) = settings.save(&self.settings_path()) {
            tracing::warn!(%error, "the gate could not be remembered");
        }
    }

    fn settings_path(&self) -> PathBuf {
        self.folder.join("door.json")
    }

    /// The numbers of one event.
    pub(crate) fn standing(&self, event: &EventInfo, link: Link) -> Result<StandingView, DoorError> {
        let mut ledger = self.ledger();
        let counts = ledger.counts(event.event_id)?;
        let unsent = ledger.unsent_summary()?;
        Ok(StandingView {
            inside: counts.inside,
            admitted: counts.admitted_people,
            scans_here: counts.scans_here,
            refused_here: counts.refused_here,
            unsent: unsent.count,
            oldest_unsent_ms: unsent.oldest_age_ms,
            list_age_ms: ledger.list_age_ms(event.event_id)?,
            clock_error_ms: ledger.now().error_ms,
            link,
        })
    }
}

/// The data folder of the XDG base directory specification; on Windows, the local application data.
fn default_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else {
        absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
    };
    base.map(|base| base.join(Path::new("liventix-door")))
}
