//! Push messages: where they reach this phone, which servers know, and whether the app may ask.

mod error;
mod views;
mod words;

use std::sync::{Arc, Mutex, PoisonError};

use liventix_core::entropy::OsEntropy;
use liventix_core::push::wire::PushPreferences;
use liventix_core::push::{PushRegistrar as CoreRegistrar, PushService, PushSettings, RefusalReason};
use liventix_core::sync::{HttpTransport, TransportError};
use liventix_core::wallet::WalletParts;

use crate::cancel::Cancellation;
use crate::host::clock::{self, HostClock};
use crate::host::secrets::{HostSecrets, SecretStore};
use crate::runtime::{self, Closing, Interrupted};

pub use error::PushError;
pub use views::{
    PermissionAdvice, PromptHistory, PushMessage, PushStatus, Refusal, RegistrationTrouble,
    ServerRegistration,
};
pub use words::{PermissionAsk, PushPermission};

type Connect = fn(&str) -> Result<HttpTransport, TransportError>;
type Registrar = CoreRegistrar<Connect>;

/// What servers are told beside the token.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct PushConfig {
    /// The language the app speaks, as a BCP 47 tag, e.g. `de-CH`: messages come in it where the server speaks
    /// it. None for the event's.
    #[uniffi(default = None)]
    pub locale: Option<String>,
    /// Where the phone is, as an IANA time zone name: quiet hours are by its time. None for the event's.
    #[uniffi(default = None)]
    pub time_zone: Option<String>,
}

/// Gets push messages to this phone: keeps its token, tells every server that the wallet has tickets of, and
/// says whether the app may ask for permission. Everything it keeps is in the secret store, which is the
/// wallet's. Open one, keep it as long as the app runs, share it between threads.
#[derive(uniffi::Object)]
pub struct PushRegistrar {
    /// None once it is shut down.
    registrar: Mutex<Option<Arc<Registrar>>>,
    closing: Closing,
}

impl std::fmt::Debug for PushRegistrar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushRegistrar").finish_non_exhaustive()
    }
}

#[uniffi::export]
impl PushRegistrar {
    /// Goes on where the last process stopped. `secrets` is the store that the wallet was opened with; nothing
    /// is read from it yet.
    ///
    /// # Errors
    /// None now; it is a `Result` because whatever breaks on the Rust side must not end the host's process.
    #[uniffi::constructor(default(clock = None))]
    pub fn open(
        config: PushConfig,
        secrets: Arc<dyn SecretStore>,
        clock: Option<Arc<dyn HostClock>>,
    ) -> Result<Arc<Self>, PushError> {
        let parts = WalletParts {
            secrets: Arc::new(HostSecrets(secrets)),
            clock: clock::clock(clock),
            entropy: Arc::new(OsEntropy),
        };
        let settings = PushSettings { locale: config.locale, time_zone: config.time_zone };
        let registrar = Registrar::open(HttpTransport::new, parts, settings);
        Ok(Arc::new(Self { registrar: Mutex::new(Some(Arc::new(registrar))), closing: Closing::new() }))
    }

    /// The token the system gave, at every start of the app and whenever it gives another. Told the same one
    /// again, nothing changes. [`PushRegistrar::run`] tells the servers.
    ///
    /// # Errors
    /// `Token` says what to hand over instead; then what was there before still is. `Secrets`, `Closed`.
    pub fn set_token(&self, service: PushService, token: String) -> Result<PushStatus, PushError> {
        Ok(self.open_registrar()?.set_token(service, &token)?.into())
    }

    /// Somebody signed out: the token is forgotten here, and by every server as soon as
    /// [`PushRegistrar::run`] reaches it.
    ///
    /// # Errors
    /// `Secrets`, `Closed`.
    pub fn sign_out(&self) -> Result<PushStatus, PushError> {
        Ok(self.open_registrar()?.sign_out()?.into())
    }

    /// What the system says of notifications, at every start and whenever the app comes to the front: people
    /// change it in the settings. Without permission no server keeps the token; it comes back with the
    /// permission. [`PushRegistrar::run`] tells the servers.
    ///
    /// # Errors
    /// `Secrets`, `Closed`.
    pub fn set_permission(&self, permission: PushPermission) -> Result<PermissionAdvice, PushError> {
        Ok(self.open_registrar()?.set_permission(permission)?.into())
    }

    /// What to show, and whether the app may ask now.
    ///
    /// # Errors
    /// `Secrets`, `Closed`.
    pub fn advise(&self, permission: PushPermission) -> Result<PermissionAdvice, PushError> {
        Ok(self.open_registrar()?.advise(permission)?.into())
    }

    /// The app asked by itself: the next time is a month later at the earliest.
    ///
    /// # Errors
    /// `Secrets`, `Closed`.
    pub fn prompted(&self) -> Result<(), PushError> {
        Ok(self.open_registrar()?.prompted()?)
    }

    /// Somebody said no, and why.
    ///
    /// # Errors
    /// `Secrets`, `Closed`.
    pub fn refused(&self, reason: RefusalReason) -> Result<(), PushError> {
        Ok(self.open_registrar()?.refused(reason)?)
    }

    /// What happened when the app asked.
    ///
    /// # Errors
    /// `Secrets`, `Closed`.
    pub fn prompts(&self) -> Result<PromptHistory, PushError> {
        Ok(self.open_registrar()?.prompts()?.into())
    }

    /// Where it stands.
    ///
    /// # Errors
    /// `Secrets`, `Closed`.
    pub fn status(&self) -> Result<PushStatus, PushError> {
        Ok(self.open_registrar()?.status()?.into())
    }

    /// The network is back: what waits for it is due now. Then [`PushRegistrar::run`].
    ///
    /// # Errors
    /// `Secrets`, `Closed`.
    pub fn network_is_back(&self) -> Result<PushStatus, PushError> {
        Ok(self.open_registrar()?.network_is_back()?.into())
    }

    /// Does what is due: tells servers the token, or to forget it, with three attempts each, and hands in
    /// receipts. At every start, after a ticket was claimed, when the network is back, and in the background at
    /// `due_at` of the status. A server that does not answer is in the status, with the time of the next try.
    ///
    /// # Errors
    /// `Secrets`, `Cancelled`, `Closed`.
    #[uniffi::method(default(cancellation = None))]
    pub async fn run(&self, cancellation: Option<Arc<Cancellation>>) -> Result<PushStatus, PushError> {
        self.wait(cancellation, async move |registrar| Ok(registrar.run().await?.into())).await
    }

    /// A message arrived: `payload` is the text that it carries under the key `liventix`. Its receipt is handed
    /// in by the next [`PushRegistrar::run`].
    ///
    /// # Errors
    /// `InvalidInput` (`push_not_a_message`) for another text; `Secrets`, `Closed`.
    pub fn delivered(&self, payload: String) -> Result<PushMessage, PushError> {
        Ok(self.open_registrar()?.delivered(&payload)?.into())
    }

    /// Somebody opened a message; otherwise as [`PushRegistrar::delivered`].
    ///
    /// # Errors
    /// As [`PushRegistrar::delivered`].
    pub fn opened(&self, payload: String) -> Result<PushMessage, PushError> {
        Ok(self.open_registrar()?.opened(&payload)?.into())
    }

    /// Which messages somebody wants from a server, and when.
    ///
    /// # Errors
    /// `NotRegistered`, `Refused`, `Network`, `Server`, `Secrets`.
    #[uniffi::method(default(cancellation = None))]
    pub async fn preferences(
        &self,
        server_url: String,
        cancellation: Option<Arc<Cancellation>>,
    ) -> Result<PushPreferences, PushError> {
        self.wait(cancellation, async move |registrar| Ok(registrar.preferences(&server_url).await?)).await
    }

    /// Says which messages somebody wants from a server, and when; gives what the server keeps.
    ///
    /// # Errors
    /// `InvalidInput` (`push_quiet_hours`) for hours that cannot be; `NotRegistered`, `Refused`, `Network`,
    /// `Server`, `Secrets`.
    #[uniffi::method(default(cancellation = None))]
    pub async fn set_preferences(
        &self,
        server_url: String,
        preferences: PushPreferences,
        cancellation: Option<Arc<Cancellation>>,
    ) -> Result<PushPreferences, PushError> {
        let set = async move |registrar: Arc<Registrar>| {
            Ok(registrar.set_preferences(&server_url, preferences).await?)
        };
        self.wait(cancellation, set).await
    }

    /// Has a server send this phone a message, for people who want to see that it works; gives the message's id.
    ///
    /// # Errors
    /// `NotRegistered`, `Refused`, `Network`, `Server`, `Secrets`.
    #[uniffi::method(default(cancellation = None))]
    pub async fn send_test(
        &self,
        server_url: String,
        cancellation: Option<Arc<Cancellation>>,
    ) -> Result<String, PushError> {
        let send =
            async move |registrar: Arc<Registrar>| Ok(registrar.send_test(&server_url).await?.to_string());
        self.wait(cancellation, send).await
    }

    /// Ends every call under way with `Closed`; every later call fails so, too.
    pub fn shutdown(&self) {
        self.closing.close();
        drop(self.registrar.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl PushRegistrar {
    fn open_registrar(&self) -> Result<Arc<Registrar>, PushError> {
        let registrar = self.registrar.lock().unwrap_or_else(PoisonError::into_inner);
        registrar.clone().ok_or_else(|| Interrupted::Closed.into())
    }

    /// Runs `work` on the shared runtime.
    async fn wait<T, F, Fut>(&self, cancellation: Option<Arc<Cancellation>>, work: F) -> Result<T, PushError>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Registrar>) -> Fut,
        Fut: Future<Output = Result<T, PushError>> + Send + 'static,
    {
        let registrar = self.open_registrar()?;
        runtime::run(cancellation, self.closing.closed(), work(registrar)).await
    }
}

impl Drop for PushRegistrar {
    fn drop(&mut self) {
        self.shutdown();
    }
}
