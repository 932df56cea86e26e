//! What orders are made of.

use liventix_core::ids::{EventId, OrganiserId, TicketId, TicketTypeId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::platform::coded::coded;
use crate::platform::ids::{CreativeId, OrderId, RefundId, UserId};
use crate::pricing::{Currency, TicketPrice};

coded! {
    /// What became of an order.
    OrderStatus {
        /// Its tickets are held for whoever is paying.
        AwaitingPayment = "awaiting_payment",
        /// Its tickets are issued.
        Paid = "paid",
        /// Its tickets are issued; some of the money went back.
        PartiallyRefunded = "partially_refunded",
        /// All of the money went back.
        Refunded = "refunded",
        /// Nobody paid in time; its tickets are free again.
        Expired = "expired",
        /// The buyer or the organiser gave it up; its tickets are free again.
        Cancelled = "cancelled",
        /// The payment could not be begun; its tickets are free again.
        Failed = "failed",
    }
}

coded! {
    /// What an order is about to become, once none of its payments can succeed any more.
    Ending {
        /// Its time is up.
        Expired = "expired",
        /// Somebody gave it up.
        Cancelled = "cancelled",
        /// The payment was refused before it began.
        Failed = "failed",
    }
}

coded! {
    /// Why a person has to look at an order.
    Attention {
        /// It was paid after it had ended, and its tickets were sold to others meanwhile.
        PaidTooLate = "paid_too_late",
        /// What was paid is not what it costs.
        AmountDiffers = "amount_differs",
        /// Money went back that nobody asked for here.
        RefundedElsewhere = "refunded_elsewhere",
        /// Money that went back came again.
        RefundFailed = "refund_failed",
        /// The buyer's bank disputes it.
        Disputed = "disputed",
        /// The provider has a second payment of it.
        SecondPayment = "second_payment",
    }
}

impl OrderStatus {
    /// Whether tickets were issued.
    #[must_use]
    pub const fn has_tickets(self) -> bool {
        matches!(self, Self::Paid | Self::PartiallyRefunded | Self::Refunded)
    }
}

impl Ending {
    /// What it becomes.
    #[must_use]
    pub const fn status(self) -> OrderStatus {
        match self {
            Self::Expired => OrderStatus::Expired,
            Self::Cancelled => OrderStatus::Cancelled,
            Self::Failed => OrderStatus::Failed,
        }
    }
}

/// Who buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// Their account; none: a guest.
    pub user_id: Option<UserId>,
    /// Their name.
    pub name: String,
    /// Where their tickets go.
    pub email: String,
}

/// So many tickets of one type.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WishLine {
    /// The type.
    pub ticket_type_id: TicketTypeId,
    /// How many (1 to 50).
    pub quantity: u32,
    /// Whose tickets they are, at most one name for each (1 to 120 characters); the others are the buyer's.
    #[serde(default)]
    pub attendee_names: Vec<String>,
}

/// What somebody wants to buy.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Tickets by type (1 to 20 types).
    pub items: Vec<WishLine>,
    /// What the buyer was shown that it costs, in minor units: if it costs something else by now, nothing is
    /// ordered.
    #[serde(default)]
    pub expected_total: Option<i64>,
    /// The creative that brought the buyer, as its link says; one that is not of this event is nothing.
    #[serde(default)]
    pub creative_id: Option<CreativeId>,
}

/// An order.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its id.
    pub order_id: OrderId,
    /// Whose event it is at.
    pub organiser_id: OrganiserId,
    /// At which event.
    pub event_id: EventId,
    /// What people say on the phone.
    pub reference: String,
    /// SHA-256 of the buyer's secret.
    pub secret_hash: [u8; 32],
    /// Who bought.
    pub buyer: Buyer,
    /// What became of it.
    pub status: OrderStatus,
    /// What it is about to become.
    pub ending: Option<Ending>,
    /// Why a person has to look at it; empty: nobody has to.
    pub attention: Vec<Attention>,
    /// What brought the buyer.
    pub creative_id: Option<CreativeId>,
    /// The currency of its amounts.
    pub currency: Currency,
    /// The prices of its tickets.
    pub subtotal: i64,
    /// The fees on top of them.
    pub buyer_fees: i64,
    /// All fees, whoever pays them.
    pub fees: i64,
    /// The tax in `total`.
    pub tax: i64,
    /// What the buyer pays.
    pub total: i64,
    /// What went back to them.
    pub refunded: i64,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// How long its tickets are held (UTC milliseconds).
    pub hold_until: i64,
    /// Since when it is paid (UTC milliseconds).
    pub paid_at: Option<i64>,
    /// Since when it is over unpaid (UTC milliseconds).
    pub ended_at: Option<i64>,
}

impl Order {
    /// The event whose doors have something to learn of it: where there are tickets.
    pub(crate) fn at_doors(&self) -> Option<EventId> {
        self.status.has_tickets().then_some(self.event_id)
    }
}

/// One ticket of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Item {
    /// Its place in the order, from 1.
    pub position: u32,
    /// The type.
    pub ticket_type_id: TicketTypeId,
    /// The type's name at that time.
    pub type_name: String,
    /// Whose it is.
    pub attendee_name: Option<String>,
    /// What it cost.
    #[serde(flatten)]
    pub cost: TicketPrice,
    /// The ticket; none, while it is not paid.
    pub ticket_id: Option<TicketId>,
    /// The refund it was given back by, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<RefundId>,
}

/// An order in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderSummary {
    /// Its id.
    pub order_id: OrderId,
    /// At which event.
    pub event_id: EventId,
    /// What people say on the phone.
    pub reference: String,
    /// Who bought.
    pub buyer_name: String,
    /// Their address.
    pub buyer_email: String,
    /// What became of it.
    pub status: OrderStatus,
    /// What it is about to become, once none of its payments can succeed any more.
    pub ending: Option<Ending>,
    /// Why a person has to look at it; empty: nobody has to.
    pub attention: Vec<Attention>,
    /// The currency of its amounts.
    pub currency: Currency,
    /// The prices of its tickets.
    pub subtotal: i64,
    /// The fees on top of them.
    pub buyer_fees: i64,
    /// All fees, whoever pays them.
    pub fees: i64,
    /// The tax in `total`.
    pub tax: i64,
    /// What the buyer pays.
    pub total: i64,
    /// What went back to them.
    pub refunded: i64,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// How long its tickets are held (UTC milliseconds).
    pub hold_until: i64,
    /// Since when it is paid (UTC milliseconds).
    pub paid_at: Option<i64>,
    /// Since when it is over unpaid (UTC milliseconds).
    pub ended_at: Option<i64>,
}

impl From<Order> for OrderSummary {
    fn from(order: Order) -> Self {
        Self {
            order_id: order.order_id,
            event_id: order.event_id,
            reference: order.reference,
            buyer_name: order.buyer.name,
            buyer_email: order.buyer.email,
            status: order.status,
            ending: order.ending,
            attention: order.attention,
            currency: order.currency,
            subtotal: order.subtotal,
            buyer_fees: order.buyer_fees,
            fees: order.fees,
            tax: order.tax,
            total: order.total,
            refunded: order.refunded,
            created_at: order.created_at,
            hold_until: order.hold_until,
            paid_at: order.paid_at,
            ended_at: order.ended_at,
        }
    }
}

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StepView {
    /// When (UTC milliseconds).
    pub at: i64,
    /// What; see `docs/payments.md`.
    pub step: String,
    /// In plain words.
    pub sentence: String,
    /// What belongs to it.
    pub detail: serde_json::Value,
}

/// An order with all that is known of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderDetail {
    /// The order.
    #[serde(flatten)]
    pub order: OrderSummary,
    /// Its tickets.
    pub items: Vec<Item>,
    /// What happened to it, oldest first.
    pub steps: Vec<StepView>,
}

/// Which orders to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrderQuery {
    /// Where the last page ended: its `next_cursor`.
    pub cursor: Option<String>,
    /// Rows in the page (1 to 200; 50 unless told).
    pub limit: Option<u32>,
    /// Only orders with this status.
    pub status: Option<OrderStatus>,
    /// Only orders that a person has to look at.
    #[serde(default)]
    pub needs_attention: bool,
    /// Only orders whose buyer's name, address or reference contains this (2 to 80 characters, any case).
    pub search: Option<String>,
}
