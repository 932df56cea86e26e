//! The door: one device, its ledger, its sync.
//!
//! `mod.rs` is its life (opened, enrolled, shut down); `scanning` what happens at the gate, `reading` what a
//! door shows, `syncing` how it stays in touch. `views` and `rules` are what all of them speak in.

mod door;
mod news;
pub mod readiness;
mod reading;
pub mod rules;
pub mod scanning;
mod syncing;
pub mod views;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use liventix_core::sync::EnrolmentCode;

use crate::cancel::Cancellation;
use crate::error::ScannerError;
use crate::host::clock::{self, HostClock};
use crate::host::observer::ScannerObserver;
use crate::host::secrets::{HostSecrets, SecretStore};
use crate::runtime::{self, Closing, Interrupted};
use door::Door;
use views::{Device, OpenReport};

/// How a scanner is opened.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ScannerConfig {
    /// Where the scan ledger lies: a file in a folder that is kept and backed up by nobody, such as
    /// `Application Support` or `noBackupFilesDir`. Created if it is not there.
    pub ledger_path: String,
    /// Takes servers without TLS at any address. Only for tests and networks you own; loopback, private
    /// and `.local` addresses are taken anyway.
    #[uniffi(default = false)]
    pub allow_http: bool,
}

/// One door. Open one for each ledger file, keep it as long as the app runs, share it between threads.
#[derive(uniffi::Object)]
pub struct Scanner {
    /// None once it is shut down.
    door: Mutex<Option<Arc<Door>>>,
    closing: Closing,
    report: OpenReport,
    allow_http: bool,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("report", &self.report).finish_non_exhaustive()
    }
}

#[uniffi::export]
impl Scanner {
    /// Opens the ledger, and creates it if there is none. A damaged ledger is set aside and its scans are
    /// rescued: see [`Scanner::open_report`]. Reads the whole file once: not for the main thread.
    ///
    /// # Errors
    /// `Storage` if the file cannot be used; it is then as it was. `Secrets` if the device is enrolled and its
    /// keys cannot be read from the keystore.
    #[uniffi::constructor(default(clock = None))]
    pub fn open(
        config: ScannerConfig,
        secrets: Arc<dyn SecretStore>,
        clock: Option<Arc<dyn HostClock>>,
    ) -> Result<Arc<Self>, ScannerError> {
        let path = PathBuf::from(&config.ledger_path);
        let (door, report) = Door::open(&path, Arc::new(HostSecrets(secrets)), clock::clock(clock))?;
        Ok(Arc::new(Self {
            door: Mutex::new(Some(Arc::new(door))),
            closing: Closing::new(),
            report: report.into(),
            allow_http: config.allow_http,
        }))
    }

    /// What was found when it was opened. Tell people of a rescue: scans may be missing.
    #[must_use]
    pub fn open_report(&self) -> OpenReport {
        self.report.clone()
    }

    /// Turns this installation into a device: trades the organiser's one-time code for a token.
    ///
    /// Tried once only: if the answer is lost or the call is cancelled, the code may be used up, and the
    /// organiser makes a new one.
    ///
    /// # Errors
    /// `EnrolmentCode` for another text; `UnsentScans`; `Network`; `Server` with `enrolment_code_used`,
    /// `enrolment_code_expired` or `enrolment_code_unknown`.
    #[uniffi::method(default(cancellation = None))]
    pub async fn enrol(
        &self,
        code: String,
        device_name: String,
        cancellation: Option<Arc<Cancellation>>,
    ) -> Result<Device, ScannerError> {
        let code = EnrolmentCode::parse(&code, self.allow_http)?;
        let door = self.door()?;
        self.run(cancellation, async move { door.enrol(&code, &device_name).await }).await
    }

    /// What this installation is enrolled as; none before that.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub fn device(&self) -> Result<Option<Device>, ScannerError> {
        Ok(self.door()?.ledger().device()?.map(Device::from))
    }

    /// Who hears of progress, of scans at other doors, of conflicts and of the network; none: nobody.
    ///
    /// # Errors
    /// `Closed`.
    pub fn set_observer(&self, observer: Option<Arc<dyn ScannerObserver>>) -> Result<(), ScannerError> {
        self.door()?.news.listen(observer);
        Ok(())
    }

    /// Closes the ledger and ends every call under way with `Closed`; every later call fails so, too. The
    /// same file may be opened again at once.
    pub fn shutdown(&self) {
        self.closing.close();
        let door = self.door.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(door) = door {
            door.stop_watching();
            door.news.listen(None);
        }
    }
}

impl Scanner {
    /// The open door.
    fn door(&self) -> Result<Arc<Door>, ScannerError> {
        let door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        door.clone().ok_or_else(|| Interrupted::Closed.into())
    }

    /// Runs `work` on the shared runtime.
    async fn run<T: Send + 'static>(
        &self,
        cancellation: Option<Arc<Cancellation>>,
        work: impl Future<Output = Result<T, ScannerError>> + Send + 'static,
    ) -> Result<T, ScannerError> {
        runtime::run(cancellation, self.closing.closed(), work).await
    }
}

impl Drop for Scanner {
    fn drop(&mut self) {
        self.shutdown();
    }
}
