//! Apple's and Google's push services: Apple's with real HTTP/2 over TLS, Google's with its sign-in.
//!
//! <https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns>,
//! <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>

mod apns;
mod control;
mod fcm;
mod keys;
mod tls;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::stripe::Fault;
use keys::Keys;

/// What Apple calls the key.
pub const KEY_ID: &str = "ABC123DEFG";
/// What Apple calls the account.
pub const TEAM_ID: &str = "DEF123GHIJ";
/// The app.
pub const TOPIC: &str = "org.example.tickets";
/// Google's project.
pub const PROJECT: &str = "liventix-test";

/// A message that a service took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// `apns` or `fcm`.
    pub service: &'static str,
    /// For whom.
    pub token: String,
    /// A phone shows one of those with the same.
    pub collapse_id: String,
    /// What it says.
    pub title: String,
    /// What stands below it.
    pub body: String,
    /// What the app gets with it.
    pub payload: String,
    /// Whether it may wake the phone.
    pub is_urgent: bool,
    /// The whole of it.
    pub whole: Value,
}

/// What a service says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was good until then (UTC milliseconds).
    Unregistered(i64),
    /// It is none.
    Bad,
    /// It is one of another app, or of another project.
    OtherApp,
    /// There were too many for it.
    TooMany,
    /// It refuses what is sent, for another reason.
    Refused,
}

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    /// One call in so many goes wrong by chance, and the seed.
    chance: Option<(u64, u64)>,
    verdicts: HashMap<String, Verdict>,
    taken: Vec<Taken>,
    calls: usize,
    sign_ins: usize,
    /// Tokens of ours that Apple has seen, and when the last of each key was new.
    provider_tokens: BTreeSet<String>,
    renewed_at: HashMap<String, i64>,
    /// Keys that were made beside the first one.
    more_keys: BTreeSet<String>,
    /// Tokens that Google gave.
    access_tokens: BTreeSet<String>,
    /// Calls at this moment, and the most there were.
    open: usize,
    most_open: usize,
    connections: usize,
}

/// Both services, on loopback. Cheap to clone.
#[derive(Clone)]
pub struct PushServices {
    state: Arc<Mutex<State>>,
    keys: Arc<Keys>,
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
    apns_url: String,
    fcm_url: String,
    hang_up: Arc<tokio::sync::Notify>,
}

impl PushServices {
    /// Ones that know nothing yet, with keys of their own. `now` says the time by the clock of who calls (UTC milliseconds).
    ///
    /// # Panics
    /// When they cannot listen, or `openssl` is missing.
    pub async fn start(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        let keys = Arc::new(Keys::make());
        let (apns, apns_url) = apns::listen().await;
        let (fcm, fcm_url) = fcm::listen().await;
        let services = Self {
            state: Arc::default(),
            keys,
            now: Arc::new(now),
            apns_url,
            fcm_url,
            hang_up: Arc::default(),
        };
        services.keys.write_account(&services.fcm_url);
        tokio::spawn(apns::serve(apns, services.clone()));
        tokio::spawn(fcm::serve(fcm, services.clone()));
        services
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of one more key of the same team, for another installation: it has the same private part.
    #[must_use]
    pub fn another_key(&self) -> String {
        let mut state = self.state();
        let id = format!("MORE{:06}", state.more_keys.len());
        state.more_keys.insert(id.clone());
        id
    }

    /// Where Apple's is, for apps of either kind.
    #[must_use]
    pub fn apns_url(&self) -> &str {
        &self.apns_url
    }

    /// Where Google's is.
    #[must_use]
    pub fn fcm_url(&self) -> &str {
        &self.fcm_url
    }

    /// Who vouches for Apple's certificate (PEM).
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// The key as Apple gives it.
    #[must_use]
    pub fn apns_key_file(&self) -> PathBuf {
        self.file("AuthKey.p8")
    }

    /// The service account as Google gives it.
    #[must_use]
    pub fn account_file(&self) -> PathBuf {
        self.file("service-account.json")
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(self.keys.folder.path()).join(name)
    }

    /// The next call goes wrong like this; several wait for several calls.
    pub fn fail(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// One call in `one_in` goes wrong from now on, which and how by chance; 0: none.
    pub fn fail_by_chance(&self, one_in: u64, seed: u64) {
        self.state().chance = (one_in > 0).then_some((one_in, seed));
    }

    /// What is said of a token from now on.
    pub fn judge(&self, token: &str, verdict: Option<Verdict>) {
        let mut state = self.state();
        match verdict {
            Some(verdict) => drop(state.verdicts.insert(token.to_owned(), verdict)),
            None => drop(state.verdicts.remove(token)),
        }
    }

    /// Every connection to Apple's breaks off.
    pub fn hang_up(&self) {
        self.hang_up.notify_waiters();
    }

    /// Every message that was taken, oldest first, also what was taken twice.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        self.state().taken.clone()
    }

    /// What each phone shows: of those with one collapse id, the last.
    #[must_use]
    pub fn shown(&self) -> BTreeMap<String, BTreeMap<String, Taken>> {
        let mut shown: BTreeMap<String, BTreeMap<String, Taken>> = BTreeMap::new();
        for taken in &self.state().taken {
            shown.entry(taken.token.clone()).or_default().insert(taken.collapse_id.clone(), taken.clone());
        }
        shown
    }

    /// How often they were asked to take a message.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    /// How often somebody signed in at Google's.
    #[must_use]
    pub fn sign_ins(&self) -> usize {
        self.state().sign_ins
    }

    /// How many tokens of ours Apple has seen.
    #[must_use]
    pub fn provider_tokens(&self) -> usize {
        self.state().provider_tokens.len()
    }

    /// The most calls at one moment, and how many connections to Apple's there were.
    #[must_use]
    pub fn most_open(&self) -> (usize, usize) {
        let state = self.state();
        (state.most_open, state.connections)
    }

    /// A call begins: what goes wrong with it.
    fn begin(&self) -> Option<Fault> {
        let mut state = self.state();
        state.calls += 1;
        if let Some(fault) = state.faults.pop_front() {
            return Some(fault);
        }
        let (one_in, seed) = state.chance.as_mut()?;
        let random = crate::stripe::faults::next_random(seed);
        random.is_multiple_of(*one_in).then_some(match (random >> 32) % 6 {
            0 => Fault::BreakBefore,
            1 => Fault::BreakAfter,
            2 => Fault::Garble,
            3 => Fault::TooMany(1),
            4 => Fault::Fail(500),
            _ => Fault::Fail(503),
        })
    }
}

/// Counts a call for as long as it lasts.
struct Open(PushServices);

impl Open {
    fn begin(services: &PushServices) -> Self {
        let mut state = services.state();
        state.open += 1;
        state.most_open = state.most_open.max(state.open);
        drop(state);
        Self(services.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.state().open -= 1;
    }
}

/// An answer that breaks off.
fn broken() -> Response {
    let chunks = [Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("broken off on command"))];
    Body::from_stream(stream::iter(chunks)).into_response()
}
