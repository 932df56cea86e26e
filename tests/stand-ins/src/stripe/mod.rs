//! Stripe: payments, refunds, disputes, transfers, events and signed web hooks, with idempotency as documented.
//!
//! ```no_run
//! # async fn example() {
//! let stripe = liventix_stand_ins::stripe::Stripe::start().await;
//! println!("{}", stripe.url());
//! # }
//! ```

mod control;
mod disputes;
mod errors;
mod events;
pub(crate) mod faults;
mod form;
mod http;
mod idempotency;
mod payments;
mod refunds;
mod state;
mod transfers;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::net::TcpListener;

pub use events::{VERSION, sign};
pub use faults::{Fault, Operation};
pub use payments::Card;
pub use state::Seen;
use state::State;

/// A Stripe account of one's own, on loopback. Cheap to clone.
#[derive(Clone)]
pub struct Stripe {
    state: Arc<Mutex<State>>,
    url: String,
}

impl Stripe {
    /// One in test mode, that knows nothing yet.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stripe = Self { state: Arc::default(), url };
        let router = http::router(stripe.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        stripe
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it is this late (UTC milliseconds), until it is told again.
    pub fn set_clock(&self, ms: i64) {
        self.state().now_ms = Some(ms);
    }

    /// The next call of this kind goes wrong like this; several wait for several calls.
    pub fn fail(&self, on: Operation, fault: Fault) {
        self.state().faults.push_back((on, fault));
    }

    /// Goes wrong by chance: each call with this probability, by these seeds.
    pub fn fail_at_random(&self, seed: u64, per_mille: u32) {
        self.state().chance = (per_mille > 0).then_some((seed, per_mille));
    }

    /// Nothing goes wrong any more.
    pub fn fail_no_more(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.chance = None;
    }

    /// Whether searches find what was made since. They do not, for a while, at the real one.
    pub fn set_search_lags(&self, lags: bool) {
        self.state().search_lags = lags;
    }

    /// Calls that came, oldest first.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// How often this was called.
    #[must_use]
    pub fn calls(&self, on: Operation) -> usize {
        self.state().seen.iter().filter(|seen| seen.operation == Some(on)).count()
    }

    /// Every object of this kind, such as `payment_intent`, oldest first.
    #[must_use]
    pub fn all(&self, object: &str) -> Vec<Value> {
        self.state().objects.values().filter(|it| it["object"] == object).cloned().collect()
    }

    /// The object with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Value {
        self.state().objects.get(id).cloned().unwrap_or_default()
    }

    /// The buyer, in their browser, confirms the payment with this card.
    ///
    /// # Errors
    /// What the browser is told.
    pub fn buyer_pays(&self, intent: &str, card: Card) -> Result<Value, Value> {
        payments::confirm(&mut self.state(), intent, card).map_err(|error| error.body())
    }

    /// What was processing ends, well or not.
    pub fn processing_ends(&self, intent: &str, well: bool) {
        payments::processing_ends(&mut self.state(), intent, well);
    }

    /// The bank gives a refund back that had gone out.
    pub fn refund_fails(&self, refund: &str) {
        refunds::fail(&mut self.state(), refund);
    }

    /// Refunds wait from now on, until [`refund_ends`](Self::refund_ends).
    pub fn set_refunds_wait(&self, wait: bool) {
        self.state().refunds_wait = wait;
    }

    /// A refund that waited has gone out.
    pub fn refund_ends(&self, refund: &str) {
        refunds::succeed(&mut self.state(), refund);
    }

    /// The buyer's bank takes back so much of a charge. The dispute's id.
    pub fn dispute(&self, charge: &str, amount: i64, reason: &str) -> String {
        disputes::open(&mut self.state(), charge, amount, reason)
    }

    /// A dispute ends: won, the money comes back.
    pub fn dispute_ends(&self, dispute: &str, won: bool) {
        disputes::close(&mut self.state(), dispute, won);
    }

    /// What buyers pay is not available from now on, until it is told otherwise: it takes days at the real one.
    pub fn set_funds_wait(&self, wait: bool) {
        self.state().funds_wait = wait;
    }

    /// So much of a transfer comes back.
    ///
    /// # Panics
    /// When there is not as much of it.
    pub fn reverse(&self, transfer: &str, amount: i64) {
        let form = form::Form(vec![("amount".to_owned(), amount.to_string())]);
        transfers::reverse(&mut self.state(), transfer, &form).expect("as much as that went");
    }

    /// What happened, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.state().events.clone()
    }

    /// Forgets what happened; objects stay.
    pub fn forget_events(&self) {
        self.state().events.clear();
    }
}
