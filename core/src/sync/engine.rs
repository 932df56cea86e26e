//! The sync engine: who says what when.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use super::call::{Call, Caller};
use super::enrol::EnrolmentCode;
use super::error::SyncError;
use super::progress::{Progress, SyncReport};
use super::secrets::{self, SecretStore};
use super::transport::Transport;
use super::wire::{Assignment, Assignments, EnrolRequest, EnrolResponse};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ledger::{DeviceState, Ledger};
use crate::resilience::{AsyncSleeper, TokioSleeper};

/// Round trips that measure the clock, after one that opens the connection. The fastest wins.
const TIME_PROBES: usize = 3;

/// What a sync engine works with. All of it is shared with the rest of the app.
#[derive(Clone)]
pub struct SyncParts {
    /// The ledger. Locked for one transaction at a time, never across a request, so that a scan
    /// waits for a sync no longer than that.
    pub ledger: Arc<Mutex<Ledger>>,
    /// Where the device token and the event keys are kept.
    pub secrets: Arc<dyn SecretStore>,
    /// Measures round trips.
    pub clock: Arc<dyn Clock>,
    /// Jitter between retries.
    pub entropy: Arc<dyn Entropy>,
}

/// Brings one ledger and one server together, over a [`Transport`] to that server.
///
/// Every method may be called again at any time, and its future may be dropped at any point: what
/// was done is kept, what was not is done by the next call.
pub struct SyncEngine<T, S = TokioSleeper> {
    pub(super) transport: T,
    pub(super) parts: SyncParts,
    pub(super) sleeper: S,
    pub(super) scanned: Notify,
}

impl<T, S> std::fmt::Debug for SyncEngine<T, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyncEngine").finish_non_exhaustive()
    }
}

impl<T: Transport> SyncEngine<T> {
    /// An engine over `transport`, which must lead to the server that the device is enrolled at.
    /// Its retries wait on tokio's clock.
    pub fn new(transport: T, parts: SyncParts) -> Self {
        Self::with_sleeper(transport, parts, TokioSleeper)
    }
}

impl<T: Transport, S: AsyncSleeper> SyncEngine<T, S> {
    /// [`SyncEngine::new`] with another way to wait between retries.
    pub fn with_sleeper(transport: T, parts: SyncParts, sleeper: S) -> Self {
        Self { transport, parts, sleeper, scanned: Notify::new() }
    }

    /// The ledger, for one short piece of work.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // A panic elsewhere cannot leave the ledger half written: SQLite rolls back.
        self.parts.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns this installation into a device: trades the one-time code for a token.
    ///
    /// Tried once only: the code is used up when the server answers, so if that answer is lost, the
    /// organiser makes a new code.
    ///
    /// # Errors
    /// [`SyncError::UnsentScans`] if scans of an earlier enrolment wait for their upload, unless its
    /// token is lost and the server is the same: that sets them aside for the organiser to look at;
    /// [`SyncError::Refused`] for a used, expired or unknown code.
    pub async fn enrol(&self, code: &EnrolmentCode, device_name: &str) -> Result<DeviceState, SyncError> {
        self.check_unsent(code)?;
        let request = EnrolRequest {
            code: code.secret().expose_secret().to_owned(),
            device_name: device_name.to_owned(),
        };
        let call = Call::post("enrol", "/v1/door/enrol".to_owned(), None, &request)?;
        let answer: EnrolResponse = self.once(&call).await?.0;
        let token = SecretString::from(answer.token);
        let mut device = DeviceState {
            device_id: answer.device_id,
            device_name: device_name.to_owned(),
            organiser_name: answer.organiser_name,
            server_url: code.base_url().to_owned(),
            assignments: answer.assignments,
            // Out of service until its token is kept: interrupted here, it must neither scan as the old
            // device with the new token nor as the new one with the old.
            revoked: true,
        };
        self.forget_all_but(&device.assignments)?;
        self.ledger().set_device(&device)?;
        self.parts.secrets.put(secrets::DEVICE_TOKEN, &token)?;
        device.revoked = false;
        self.ledger().set_device(&device)?;
        tracing::info!(device_id = %device.device_id, "enrolled");
        Ok(device)
    }

    /// Scans wait for the token they were made with, if that can still come to use.
    fn check_unsent(&self, code: &EnrolmentCode) -> Result<(), SyncError> {
        let (count, device) = {
            let mut ledger = self.ledger();
            (ledger.unsent_summary()?.count, ledger.device()?)
        };
        let same_server = device.is_none_or(|device| device.server_url == code.base_url());
        let token_is_lost = self.parts.secrets.get(secrets::DEVICE_TOKEN)?.is_none();
        if count > 0 && !(token_is_lost && same_server) {
            return Err(SyncError::UnsentScans { count });
        }
        Ok(())
    }

    /// One whole sync: clock, scans up, assignments, keys, lists down.
    ///
    /// # Errors
    /// Any [`SyncError`]; what was done before it stays done.
    pub async fn sync(&self, progress: impl Fn(Progress) + Send + Sync) -> Result<SyncReport, SyncError> {
        let started = self.parts.clock.sample();
        let mut report = SyncReport::default();
        let done = self.run(&mut report, &progress).await;
        let done = self.notice_revocation(done);
        let reading = self.ledger().now();
        report.offset_ms = reading.offset_ms;
        report.error_ms = reading.error_ms;
        report.duration_ms = self.parts.clock.sample().mono_ms.saturating_sub(started.mono_ms);
        match &done {
            Ok(()) => tracing::info!(?report, "synced"),
            Err(error) => tracing::warn!(code = error.code(), %error, ?report, "sync did not finish"),
        }
        done.map(|()| report)
    }

    /// Asks the server once whether it is there and still knows this device.
    ///
    /// # Errors
    /// Why not: [`SyncError::Offline`], [`SyncError::Unauthorized`], [`SyncError::Revoked`] and the rest.
    pub async fn probe(&self) -> Result<(), SyncError> {
        let call = Call::get("assignments", "/v1/door/assignments".to_owned(), Some(self.token()?));
        let done = self.once::<Assignments>(&call).await;
        self.notice_revocation(done).map(drop)
    }

    async fn run(
        &self,
        report: &mut SyncReport,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<(), SyncError> {
        let device = self.device()?;
        if device.revoked {
            self.push_into(report, progress).await?;
            return Err(SyncError::Revoked { unsent: 0 });
        }
        progress(Progress::Clock);
        self.measure_time(report).await?;
        self.push_into(report, progress).await?;
        for assignment in self.refresh_assignments(report).await? {
            self.ensure_keys(assignment.event_id, report, progress).await?;
            self.pull_into(assignment.event_id, report, progress).await?;
            // The list may have told of newer keys.
            self.ensure_keys(assignment.event_id, report, progress).await?;
        }
        Ok(())
    }

    /// Compares clocks with the server. The best of a few round trips counts.
    async fn measure_time(&self, report: &mut SyncReport) -> Result<(), SyncError> {
        report.bytes += self.caller().warm_up().await?;
        for _ in 0..TIME_PROBES {
            let (trip, bytes) = self.caller().round_trip(&*self.parts.clock).await?;
            report.bytes += bytes;
            self.ledger().observe_time(&trip)?;
        }
        Ok(())
    }

    /// Learns which events this device may scan, and forgets the others.
    async fn refresh_assignments(&self, report: &mut SyncReport) -> Result<Vec<Assignment>, SyncError> {
        let call = Call::get("assignments", "/v1/door/assignments".to_owned(), Some(self.token()?));
        let answer: Assignments = self.counted(&call, report).await?;
        let mut device = self.device()?;
        if device.assignments != answer.assignments {
            self.forget_all_but(&answer.assignments)?;
            device.assignments.clone_from(&answer.assignments);
            self.ledger().set_device(&device)?;
        }
        Ok(answer.assignments)
    }

    fn caller(&self) -> Caller<'_, T, S> {
        Caller { transport: &self.transport, sleeper: &self.sleeper, entropy: &*self.parts.entropy }
    }

    /// One try.
    pub(super) async fn once<A: DeserializeOwned>(&self, call: &Call) -> Result<(A, u64), SyncError> {
        Ok(self.caller().once(call).await?)
    }

    /// A few tries, as long as the failure is of a kind that passes. The answer's bytes are counted.
    pub(super) async fn counted<A: DeserializeOwned + Send>(
        &self,
        call: &Call,
        report: &mut SyncReport,
    ) -> Result<A, SyncError> {
        let (answer, bytes) = self.caller().call(call).await?;
        report.bytes += bytes;
        Ok(answer)
    }

    /// What this installation is.
    pub(super) fn device(&self) -> Result<DeviceState, SyncError> {
        self.ledger().device()?.ok_or(SyncError::NotEnrolled)
    }

    pub(super) fn token(&self) -> Result<SecretString, SyncError> {
        self.parts.secrets.get(secrets::DEVICE_TOKEN)?.ok_or(SyncError::NotEnrolled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send(_: impl Send) {}

    /// Compiles only if the futures may run on another thread, for any transport.
    #[expect(dead_code, reason = "checked by the compiler")]
    fn futures_are_send<T: Transport, S: AsyncSleeper>(engine: &SyncEngine<T, S>, code: &EnrolmentCode) {
        let event_id = crate::ids::EventId::from_bytes([0; 16]);
        is_send(engine.enrol(code, ""));
        is_send(engine.sync(|_| {}));
        is_send(engine.watch(event_id, |_| {}, |_| {}));
        is_send(engine.wait_for_changes(event_id, 1, |_| {}));
    }
}
