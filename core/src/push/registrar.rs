//! The registrar: what an app calls about push messages.

mod calls;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Mutex as AsyncMutex;

use super::error::PushError;
use super::keeper::{Keeper, Phone, Waiting};
use super::permission::{Permission, PermissionAdvice, RefusalReason, advise};
use super::registration::{Registration, RegistrationState, Step, Trouble};
use super::token::{PushService, PushToken, TokenFingerprint};
use super::wire::{PushPayload, ReceiptKind, RegisterPush};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::resilience::{AsyncSleeper, Retry, TokioSleeper};
use crate::sync::transport::Connect;
use crate::wallet::WalletParts;
use crate::wallet::store::Store;

/// A token that changes while it is told is told again at once, so often at most.
const ROUNDS: usize = 3;

/// What servers are told beside the token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushSettings {
    /// The language the app speaks, as a BCP 47 tag, e.g. `de-CH`; none for the event's.
    pub locale: Option<String>,
    /// Where the phone is, as an IANA time zone name; none for the event's.
    pub time_zone: Option<String>,
}

/// Where it stands with one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerRegistration {
    /// The server.
    pub server_url: String,
    /// Where it stands.
    pub state: RegistrationState,
    /// Why the last round failed, if it did.
    pub trouble: Option<Trouble>,
    /// Trying again cannot help: the token was refused.
    pub is_given_up: bool,
    /// When the next round is due (UTC milliseconds); none if there is nothing to do.
    pub due_at: Option<i64>,
}

/// Where it stands, at every server that tickets on this phone are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushStatus {
    /// The worst of all servers: failed, then pending, then refresh needed. Unregistered if no messages are wanted, or there
    /// is nobody to get them from.
    pub state: RegistrationState,
    /// Each server.
    pub servers: Vec<ServerRegistration>,
    /// When [`PushRegistrar::run`] has something to do next (UTC milliseconds): for the app's background task.
    pub due_at: Option<i64>,
    /// Receipts that wait for a network.
    pub receipts_waiting: usize,
}

/// Gets push messages to this phone: keeps its token, tells every server that the wallet has tickets of, and says whether the
/// app may ask for permission.
///
/// It shares the wallet's secret store and its identity at each server. Calls that need a server are `async`; they may be
/// repeated at any time, and their futures dropped at any point. The others never touch the network.
pub struct PushRegistrar<C, S = TokioSleeper> {
    connector: C,
    sleeper: S,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: PushSettings,
    wallet: Store,
    keeper: Keeper,
    /// One at a time: an answer that is older than another must not count after it.
    turn: AsyncMutex<()>,
}

impl<C, S> std::fmt::Debug for PushRegistrar<C, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushRegistrar").finish_non_exhaustive()
    }
}

impl<C: Connect> PushRegistrar<C> {
    /// Goes on where the last process stopped. `parts` are those that the wallet was opened with.
    #[must_use]
    pub fn open(connector: C, parts: WalletParts, settings: PushSettings) -> Self {
        Self::with_sleeper(connector, parts, settings, TokioSleeper)
    }
}

impl<C: Connect, S: AsyncSleeper> PushRegistrar<C, S> {
    /// [`PushRegistrar::open`] with another way to wait between retries.
    #[must_use]
    pub fn with_sleeper(connector: C, parts: WalletParts, settings: PushSettings, sleeper: S) -> Self {
        Self {
            connector,
            sleeper,
            clock: parts.clock,
            entropy: parts.entropy,
            settings,
            wallet: Store::new(parts.secrets.clone()),
            keeper: Keeper::new(parts.secrets),
            turn: AsyncMutex::new(()),
        }
    }

    fn now(&self) -> i64 {
        self.clock.wall_ms()
    }

    /// The token the system gave, at every start of the app and whenever it gives another. Told the same one again, nothing
    /// changes. [`Self::run`] tells the servers.
    ///
    /// # Errors
    /// [`PushError::Token`] says what to hand over instead; the secret store's. Then what was there before still is.
    pub fn set_token(&self, service: PushService, token: &str) -> Result<PushStatus, PushError> {
        let token = PushToken::parse(service, token)
            .inspect_err(|error| tracing::warn!(code = error.code(), %error, "not a push token"))?;
        self.keeper.change_phone(|phone| phone.set_token(Some(&token)))?;
        self.status()
    }

    /// Somebody signed out: the token is forgotten here, and by every server as soon as [`Self::run`] reaches it.
    ///
    /// # Errors
    /// The secret store's.
    pub fn sign_out(&self) -> Result<PushStatus, PushError> {
        self.keeper.change_phone(|phone| phone.set_token(None))?;
        self.status()
    }

    /// What the system says of notifications, at every start and whenever the app comes to the front: people change it in the
    /// settings. Without permission no server keeps the token; it comes back with the permission.
    ///
    /// # Errors
    /// The secret store's.
    pub fn set_permission(&self, permission: Permission) -> Result<PermissionAdvice, PushError> {
        self.keeper.change_phone(|phone| phone.set_permission(permission))?;
        self.advise(permission)
    }

    /// What to show, and whether the app may ask now.
    ///
    /// # Errors
    /// The secret store's.
    pub fn advise(&self, permission: Permission) -> Result<PermissionAdvice, PushError> {
        let now = self.now();
        self.keeper.change_phone(|phone| phone.prompts.set_right(now))?;
        Ok(advise(permission, &self.keeper.phone()?.prompts, now))
    }

    /// The app asked by itself: the next time is a month later at the earliest.
    ///
    /// # Errors
    /// The secret store's.
    pub fn prompted(&self) -> Result<(), PushError> {
        let now = self.now();
        Ok(self.keeper.change_phone(|phone| phone.prompts.prompted(now))?)
    }

    /// Somebody said no, and why.
    ///
    /// # Errors
    /// The secret store's.
    pub fn refused(&self, reason: RefusalReason) -> Result<(), PushError> {
        let now = self.now();
        Ok(self.keeper.change_phone(|phone| phone.prompts.refused(reason, now))?)
    }

    /// What happened when the app asked.
    ///
    /// # Errors
    /// The secret store's.
    pub fn prompts(&self) -> Result<super::PromptHistory, PushError> {
        Ok(self.keeper.phone()?.prompts)
    }

    /// Where it stands.
    ///
    /// # Errors
    /// The secret store's.
    pub fn status(&self) -> Result<PushStatus, PushError> {
        let now = self.now();
        let servers = self.follow()?.into_iter().map(|(server_url, registration)| ServerRegistration {
            server_url,
            state: registration.state(now),
            trouble: registration.trouble().cloned(),
            is_given_up: registration.is_given_up(),
            due_at: registration.due_at(now),
        });
        let servers: Vec<_> = servers.collect();
        Ok(PushStatus {
            state: worst(&servers),
            due_at: servers.iter().filter_map(|server| server.due_at).min(),
            servers,
            receipts_waiting: self.keeper.receipts()?.len(),
        })
    }

    /// The network is back: what waits for it is due now. Then [`Self::run`].
    ///
    /// # Errors
    /// The secret store's.
    pub fn network_is_back(&self) -> Result<PushStatus, PushError> {
        self.follow()?;
        self.keeper.change_servers(|servers| {
            let mut servers = servers.unwrap_or_default();
            servers.values_mut().for_each(Registration::network_is_back);
            (servers, ())
        })?;
        self.status()
    }

    /// Does what is due: tells servers the token, or to forget it, with three attempts each, and hands in receipts. At every
    /// start, after a ticket was claimed, when the network is back, and in the background at [`PushStatus::due_at`]. A server
    /// that does not answer is in the status, with the time of the next try.
    ///
    /// # Errors
    /// The secret store's.
    pub async fn run(&self) -> Result<PushStatus, PushError> {
        let _turn = self.turn.lock().await;
        for server_url in self.follow()?.into_keys() {
            self.settle(&server_url).await?;
        }
        self.hand_in_receipts().await?;
        self.status()
    }

    async fn settle(&self, server_url: &str) -> Result<(), PushError> {
        for _ in 0..ROUNDS {
            let now = self.now();
            let begin = |it: &mut Registration| it.step(now).inspect(|step| it.begin(*step));
            let Some(step) = self.keeper.change_server(server_url, begin)?.flatten() else { return Ok(()) };
            let outcome = self.take(server_url, step).await;
            let failed = outcome.is_err();
            // Another token may have come meanwhile: then a failure is about what is not wanted any more.
            self.follow()?;
            self.keeper.change_server(server_url, |it| self.note(it, step, outcome))?;
            if failed {
                return Ok(());
            }
        }
        Ok(())
    }

    fn note(&self, it: &mut Registration, step: Step, outcome: Result<(), PushError>) {
        let now = self.now();
        match (outcome, step) {
            (Ok(()), Step::Register(token)) => it.took(token, now),
            (Ok(()), Step::Withdraw) => it.let_go(),
            (Err(error), step) => {
                let (code, detail) = (error.code(), error.to_string());
                it.failed(step, verdict(&error, step), (code, &detail), (now, &*self.entropy));
            }
        }
    }

    /// What is wanted follows from the token, the permission and the tickets, and is worked out anew each time: cut off
    /// anywhere, the next call puts it right.
    fn follow(&self) -> Result<BTreeMap<String, Registration>, PushError> {
        let token = self.told()?.map(|told| fingerprint(&told));
        let held = self.wallet.servers_of_held()?;
        let servers = self.keeper.change_servers(|kept| {
            let fresh = if kept.is_some() { Registration::default } else { Registration::unsure };
            let mut servers = kept.unwrap_or_default();
            for server_url in held.iter().flatten() {
                servers.entry(server_url.clone()).or_insert_with(fresh);
            }
            for (server_url, registration) in &mut servers {
                let counts = held.as_ref().is_none_or(|held| held.contains(server_url));
                match token.filter(|_| counts) {
                    Some(token) => registration.want(token),
                    None => registration.unwant(),
                }
            }
            servers.retain(|server_url, registration| {
                !registration.is_over() || held.as_ref().is_some_and(|held| held.contains(server_url))
            });
            (servers.clone(), servers)
        });
        Ok(servers?)
    }

    /// What servers are told, if messages are wanted.
    fn told(&self) -> Result<Option<RegisterPush>, PushError> {
        let phone: Phone = self.keeper.phone()?;
        Ok(phone.wanted().map(|token| RegisterPush {
            service: token.service(),
            token: token.as_str().to_owned(),
            locale: self.settings.locale.clone(),
            time_zone: self.settings.time_zone.clone(),
        }))
    }

    /// A message arrived: `payload` is the text that it carries under the key `liventix`. Its receipt is handed in by the next
    /// [`Self::run`].
    ///
    /// # Errors
    /// [`PushError::NotAMessage`]; the secret store's.
    pub fn delivered(&self, payload: &str) -> Result<PushPayload, PushError> {
        self.receipt(payload, ReceiptKind::Delivered)
    }

    /// Somebody opened a message; otherwise as [`Self::delivered`].
    ///
    /// # Errors
    /// [`PushError::NotAMessage`]; the secret store's.
    pub fn opened(&self, payload: &str) -> Result<PushPayload, PushError> {
        self.receipt(payload, ReceiptKind::Opened)
    }

    fn receipt(&self, payload: &str, kind: ReceiptKind) -> Result<PushPayload, PushError> {
        let payload: PushPayload = serde_json::from_str(payload).map_err(|_| PushError::NotAMessage)?;
        // Only servers that the wallet knows are told anything.
        if self.wallet.identity(&payload.server_url)?.is_some() {
            let (server_url, message_id) = (payload.server_url.clone(), payload.message_id);
            self.keeper.put_receipt(Waiting { server_url, message_id, kind, at: self.now() })?;
        }
        Ok(payload)
    }
}

/// What a failure means for what is to be done.
fn verdict(error: &PushError, step: Step) -> Retry {
    use crate::wallet::WalletError::{Busy, IdentityLost, Refused, Server, Unauthorized};
    match (error, step) {
        // Whoever is not known there gets no messages from there either.
        (
            PushError::Call(Unauthorized { .. } | Refused { status: 404, .. } | IdentityLost),
            Step::Withdraw,
        ) => Retry::No,
        (PushError::Call(Busy { retry_after: Some(wait) } | Server { retry_after: Some(wait), .. }), _) => {
            (*wait).into()
        }
        (error, _) => error.may_pass().into(),
    }
}

fn worst(servers: &[ServerRegistration]) -> RegistrationState {
    use RegistrationState::{Failed, Pending, RefreshNeeded, Registered, Unregistered};
    let has = |state: &RegistrationState| servers.iter().any(|server| server.state == *state);
    [Failed, Pending, RefreshNeeded, Registered].into_iter().find(has).unwrap_or(Unregistered)
}

/// What a server was told, token and all: anything else has to be told again.
fn fingerprint(told: &RegisterPush) -> TokenFingerprint {
    let locale = told.locale.as_deref().unwrap_or_default();
    let zone = told.time_zone.as_deref().unwrap_or_default();
    TokenFingerprint::of(&[told.service.code(), &told.token, locale, zone])
}
