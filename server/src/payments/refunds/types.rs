//! What refunds are made of.

use liventix_core::ids::{EventId, OrganiserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::platform::coded::coded;
use crate::platform::ids::{OrderId, PaymentId, RefundId};
use crate::pricing::Currency;

coded! {
    /// Where a refund stands.
    RefundStatus {
        /// The provider is being asked.
        Asking = "asking",
        /// The provider may have it; it is asked again until it is known.
        Unknown = "unknown",
        /// The provider has it, and the money is on its way.
        Pending = "pending",
        /// The money is with the buyer's bank.
        Succeeded = "succeeded",
        /// The bank gave the money back.
        Failed = "failed",
        /// The provider refused.
        Refused = "refused",
    }
}

impl RefundStatus {
    pub(super) const fn is_uncertain(self) -> bool {
        matches!(self, Self::Asking | Self::Unknown)
    }

    /// Whether the money is with us again, or never left.
    pub(super) const fn is_over(self) -> bool {
        matches!(self, Self::Failed | Self::Refused)
    }
}

/// A refund.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) refund_id: RefundId,
    pub(crate) order_id: OrderId,
    pub(crate) payment_id: PaymentId,
    pub(crate) organiser_id: OrganiserId,
    pub(crate) amount: i64,
    pub(crate) fees: i64,
    pub(crate) currency: Currency,
    pub(crate) reason: String,
    pub(crate) asked_by: String,
    pub(crate) status: RefundStatus,
    pub(crate) provider_id: Option<String>,
    pub(crate) idempotency_key: String,
    pub(crate) failure: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) asked_at: Option<i64>,
    pub(crate) settled_at: Option<i64>,
}

/// A wish to give money back: for tickets, an amount, or all that is left. One of the three.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RefundRequest {
    /// For these tickets of the order, by their positions: what they cost. They are good no more.
    pub positions: Vec<u32>,
    /// So much, in minor units; every ticket stays good.
    pub amount: Option<i64>,
    /// Everything that is left, for all tickets. They are good no more.
    pub all: bool,
    /// Why, for the record and the order's history (1 to 200 characters).
    pub reason: String,
}

/// A refund, as organisers see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RefundView {
    /// Its id.
    pub refund_id: RefundId,
    /// The order.
    pub order_id: OrderId,
    /// How much, in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// Where it stands.
    pub status: RefundStatus,
    /// Why.
    pub reason: String,
    /// Who wanted it.
    pub asked_by: String,
    /// The tickets it is for, by their positions; none: an amount.
    pub positions: Vec<u32>,
    /// What the provider or the bank said, if it did not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// When it was over (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<i64>,
}

/// Which refunds to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RefundQuery {
    /// Where the last page ended: its `next_cursor`. Left out for the first page.
    pub cursor: Option<String>,
    /// Rows in the page (1 to 200; 50 unless told).
    pub limit: Option<u32>,
    /// Only those that came to nothing: refused, or given back by the bank.
    #[serde(default)]
    pub failed: bool,
}

/// A refund, in a list over all orders.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RefundItem {
    /// The refund.
    #[serde(flatten)]
    pub refund: RefundView,
    /// The event of its order.
    pub event_id: EventId,
    /// What people call its order on the phone.
    pub reference: String,
}

impl Refund {
    pub(crate) fn view(self, positions: Vec<u32>) -> RefundView {
        RefundView {
            refund_id: self.refund_id,
            order_id: self.order_id,
            amount: self.amount,
            currency: self.currency,
            status: self.status,
            reason: self.reason,
            asked_by: self.asked_by,
            positions,
            failure: self.failure,
            created_at: self.created_at,
            settled_at: self.settled_at,
        }
    }
}
