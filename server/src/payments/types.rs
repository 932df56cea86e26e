//! What payments are made of.

use liventix_core::ids::OrganiserId;
use secrecy::SecretString;

use crate::platform::coded::coded;
use crate::platform::ids::{OrderId, PaymentId};
use crate::pricing::Currency;

coded! {
    /// Who takes the money.
    ProviderKind {
        /// Stripe.
        Stripe = "stripe",
        /// Nobody: for trying out.
        Test = "test",
    }
}

coded! {
    /// Where a payment stands.
    PaymentStatus {
        /// The provider was not asked for it, or surely did not begin it.
        Unasked = "unasked",
        /// The provider is being asked.
        Asking = "asking",
        /// The provider may have begun it.
        Unknown = "unknown",
        /// The buyer can make it.
        Open = "open",
        /// The buyer has made it, by a way that takes a while.
        Processing = "processing",
        /// The money is there.
        Succeeded = "succeeded",
        /// It can be made no more.
        Canceled = "canceled",
        /// The provider refused to begin it.
        Refused = "refused",
        /// Whether it was begun will never be known, and nobody can make it: another took its place.
        Abandoned = "abandoned",
    }
}

impl PaymentStatus {
    /// Whether the provider may still have to be asked what became of it.
    pub(super) const fn is_uncertain(self) -> bool {
        matches!(self, Self::Asking | Self::Unknown)
    }

    /// Whether nothing changes it any more.
    pub(super) const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Canceled | Self::Refused | Self::Abandoned)
    }
}

/// A payment of an order.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) payment_id: PaymentId,
    pub(crate) order_id: OrderId,
    pub(crate) organiser_id: OrganiserId,
    pub(crate) provider: ProviderKind,
    pub(crate) is_live: bool,
    pub(crate) provider_id: Option<String>,
    pub(crate) status: PaymentStatus,
    pub(crate) currency: Currency,
    pub(crate) amount: i64,
    pub(crate) received: i64,
    pub(crate) description: String,
    pub(crate) receipt_email: String,
    pub(crate) sealed_client_secret: Option<Vec<u8>>,
    pub(crate) idempotency_key: String,
    pub(crate) decline: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) asked_first_at: Option<i64>,
    pub(crate) asked_at: Option<i64>,
    pub(crate) settled_at: Option<i64>,
}

/// Where a payment stands at its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RemoteStatus {
    /// The buyer has something to do.
    AwaitsBuyer,
    /// The bank has.
    Processing,
    /// The money is there.
    Succeeded,
    /// It can be made no more.
    Canceled,
}

/// Why a buyer's bank refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decline {
    /// The provider's code.
    pub(crate) code: String,
    /// For the buyer.
    pub(crate) text: String,
    /// Tells one refusal from the next.
    pub(crate) id: String,
}

/// A payment as its provider has it.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pub(crate) provider_id: String,
    pub(crate) status: RemoteStatus,
    pub(crate) currency: Currency,
    pub(crate) amount: i64,
    pub(crate) received: i64,
    pub(crate) is_live: bool,
    pub(crate) decline: Option<Decline>,
    pub(crate) client_secret: Option<SecretString>,
    /// Ours, as we told the provider.
    pub(crate) payment_id: Option<PaymentId>,
}
