//! Payments: begun, made, closed, and never lost.
//!
//! Every call to a provider is on record before it is made and after it was answered. What a provider says of a
//! payment comes in at one place ([`settle`]), whoever heard it. See `docs/payments.md`.
//!
//! **Invariant:** of one order, one payment at most can still be made or was. The table refuses a second.
//! **Invariant:** what is not known is `unknown` until it is, and nobody is told that it failed.

mod ask;
mod begin;
mod books;
mod calls;
mod checkout;
mod close;
mod counted;
pub(crate) mod desk;
mod disputes;
mod errand;
mod failure;
mod failures;
pub(crate) mod inbox;
pub(crate) mod jobs;
mod monitor;
pub(crate) mod payouts;
mod proof;
mod provider;
mod refunds;
pub mod routes;
mod secrets;
mod settle;
mod store;
pub(crate) mod stripe;
mod types;

pub use books::Account;
pub(crate) use checkout::{Begun, cancel, checkout, close_now, nothing_on_sale, pay_view, refresh, try_out};
pub use checkout::{PayView, TryOut};
pub use desk::{Reason, Settlement};
pub use disputes::DisputeView;
pub use failure::Outcome;
pub(crate) use failures::{Failures, UnknownPayment, failures};
pub(crate) use jobs::run;
pub use jobs::{sweep, work};
pub(crate) use monitor::{Health, health};
pub use payouts::{
    BalanceView, HoldFrom, OrganiserBalance, PayoutRequest, PayoutStatus, PayoutTerms, PayoutView, TermsView,
};
pub(crate) use provider::Provider;
pub use refunds::{RefundItem, RefundQuery, RefundRequest, RefundStatus, RefundView};
pub(crate) use refunds::{list as list_refunds, refund};
pub use types::{PaymentStatus, ProviderKind};

use crate::platform::config::{ConfigError, PaymentConfig};
use crate::platform::queue::Failure;
use types::Payment;

/// Who takes payments.
#[derive(Debug, Clone)]
pub(crate) struct Payments {
    provider: Option<Provider>,
}

impl Payments {
    /// As set up.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub(crate) fn new(config: &PaymentConfig) -> Result<Self, ConfigError> {
        let stripe = stripe::Stripe::new(config)?.map(Provider::Stripe);
        Ok(Self { provider: stripe.or_else(|| config.test_provider.then_some(Provider::Test)) })
    }

    /// Stripe, if it takes payments here.
    pub(crate) const fn stripe(&self) -> Option<&stripe::Stripe> {
        match &self.provider {
            Some(Provider::Stripe(stripe)) => Some(stripe),
            _ => None,
        }
    }

    /// Who takes new payments; none: nobody.
    pub(crate) const fn provider(&self) -> Option<&Provider> {
        self.provider.as_ref()
    }

    /// The one who took this payment, if it is still there.
    fn of(&self, payment: &Payment) -> Option<&Provider> {
        self.there(payment.provider, payment.is_live)
    }

    fn there(&self, kind: ProviderKind, is_live: bool) -> Option<&Provider> {
        self.provider.as_ref().filter(|provider| provider.kind() == kind && provider.is_live() == is_live)
    }

    /// The one who took this payment.
    ///
    /// # Errors
    /// `no_provider` when it is not there: somebody has to set it up.
    fn needed_of(&self, payment: &Payment) -> Result<&Provider, Failure> {
        self.needed(payment.provider, payment.is_live)
    }

    /// The provider of this kind, with real money or not.
    ///
    /// # Errors
    /// See [`needed_of`](Self::needed_of).
    fn needed(&self, kind: ProviderKind, is_live: bool) -> Result<&Provider, Failure> {
        let missing = "This process is not set up for the provider of this payment.";
        self.there(kind, is_live).ok_or_else(|| Failure::retry("no_provider", missing))
    }
}
