//! What payouts are made of.

use liventix_core::ids::OrganiserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::payments::types::ProviderKind;
use crate::platform::coded::coded;
use crate::platform::ids::PayoutId;
use crate::pricing::Currency;

coded! {
    /// Where a payout stands.
    PayoutStatus {
        /// The provider is being asked.
        Asking = "asking",
        /// The provider may have made it; it is asked again until it is known.
        Unknown = "unknown",
        /// The money is on the organiser's account at the provider.
        Paid = "paid",
        /// The provider refused: the money is the organiser's balance again.
        Refused = "refused",
        /// All of it came back.
        Reversed = "reversed",
    }
}

impl PayoutStatus {
    pub(super) const fn is_uncertain(self) -> bool {
        matches!(self, Self::Asking | Self::Unknown)
    }
}

coded! {
    /// From when on an order's money is held.
    HoldFrom {
        /// From when the order was paid.
        Payment = "payment",
        /// From the end of the order's event: what was taken for an event that never happens has to go back.
        EventEnd = "event_end",
    }
}

/// Where an organiser's money goes, and how long it is held before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutTerms {
    /// The organiser's account at the provider: of Stripe, the id of a connected account, `acct_…`.
    pub account: String,
    /// How many days money is held (0 to 365).
    #[serde(default = "hold_days")]
    pub hold_days: u32,
    /// From when on.
    #[serde(default = "hold_from")]
    pub hold_from: HoldFrom,
}

const fn hold_days() -> u32 {
    3
}

const fn hold_from() -> HoldFrom {
    HoldFrom::EventEnd
}

impl PayoutTerms {
    /// How long money is held (milliseconds).
    pub(super) fn hold_ms(&self) -> i64 {
        i64::from(self.hold_days) * 86_400_000
    }
}

/// An organiser's terms, and since when they hold.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TermsView {
    /// The terms.
    #[serde(flatten)]
    pub terms: PayoutTerms,
    /// Since when (UTC milliseconds).
    pub updated_at: i64,
}

/// A wish to be paid out.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutRequest {
    /// In which currency.
    pub currency: Currency,
    /// So much, in minor units; left out: all that is available.
    #[serde(default)]
    pub amount: Option<i64>,
}

/// A payout.
#[derive(Debug, Clone)]
pub(crate) struct Payout {
    pub(crate) payout_id: PayoutId,
    pub(crate) organiser_id: OrganiserId,
    pub(crate) provider: ProviderKind,
    pub(crate) is_live: bool,
    pub(crate) account: String,
    pub(crate) amount: i64,
    pub(crate) reversed: i64,
    pub(crate) currency: Currency,
    pub(crate) status: PayoutStatus,
    pub(crate) provider_id: Option<String>,
    pub(crate) idempotency_key: String,
    pub(crate) failure: Option<String>,
    pub(crate) asked_by: String,
    pub(crate) created_at: i64,
    pub(crate) asked_at: Option<i64>,
    pub(crate) settled_at: Option<i64>,
}

/// A payout, as organisers see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayoutView {
    /// Its id.
    pub payout_id: PayoutId,
    /// How much, in minor units.
    pub amount: i64,
    /// What came back of it, in minor units.
    pub reversed: i64,
    /// The currency.
    pub currency: Currency,
    /// Whether it is real money.
    pub is_live: bool,
    /// Where it stands.
    pub status: PayoutStatus,
    /// The account it goes to.
    pub account: String,
    /// What the provider calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Who wanted it.
    pub asked_by: String,
    /// What the provider said, if it did not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// When it was paid or refused (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<i64>,
}

impl PayoutView {
    /// Whether the money, or a part of it, is not where it was to go.
    pub(crate) const fn has_failed(&self) -> bool {
        matches!(self.status, PayoutStatus::Refused | PayoutStatus::Reversed) || self.reversed > 0
    }
}

impl From<Payout> for PayoutView {
    fn from(payout: Payout) -> Self {
        Self {
            payout_id: payout.payout_id,
            amount: payout.amount,
            reversed: payout.reversed,
            currency: payout.currency,
            is_live: payout.is_live,
            status: payout.status,
            account: payout.account,
            provider_id: payout.provider_id,
            asked_by: payout.asked_by,
            failure: payout.failure,
            created_at: payout.created_at,
            settled_at: payout.settled_at,
        }
    }
}
