//! What buyers send and get.

use liventix_core::ids::{EventId, TicketTypeId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::orders::{Ending, OrderStatus, Wish, WishLine};
use crate::payments::{PayView, ProviderKind, TryOut};
use crate::platform::ids::{CreativeId, OrderId};
use crate::pricing::{Currency, TicketPrice};
use crate::sales::Availability;

/// An event, as buyers know it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShopEvent {
    /// The event.
    pub event_id: EventId,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub organiser: String,
    /// When it starts (UTC milliseconds).
    pub starts_at: i64,
    /// When it ends (UTC milliseconds).
    pub ends_at: i64,
    /// IANA time zone name.
    pub time_zone: String,
}

/// A ticket type that can be bought, could be, or will be.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OfferTypeView {
    /// The type.
    pub ticket_type_id: TicketTypeId,
    /// Its name.
    pub name: String,
    /// What one costs.
    pub each: TicketPrice,
    /// Whether it can be bought now.
    pub availability: Availability,
    /// How many one order may have now.
    pub most: u32,
    /// From when it is sold (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_sale_from: Option<i64>,
    /// Until when (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_sale_until: Option<i64>,
}

/// What an event sells.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OfferView {
    /// The event.
    pub event: ShopEvent,
    /// The currency of its prices.
    pub currency: Currency,
    /// Whether anything can be bought at all.
    pub is_open: bool,
    /// How long tickets are held for whoever is paying, in minutes.
    pub hold_minutes: u32,
    /// How many tickets one order may have.
    pub max_per_order: u32,
    /// Who takes payments; none: nobody, so that only what costs nothing can be ordered.
    pub provider: Option<ProviderKind>,
    /// What it sells.
    pub types: Vec<OfferTypeView>,
}

/// A wish to buy.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckoutRequest {
    /// Tickets by type (1 to 20 types).
    pub items: Vec<WishLine>,
    /// What the buyer was shown that it costs, in minor units: if it costs something else by now, nothing is
    /// ordered.
    #[serde(default)]
    pub expected_total: Option<i64>,
    /// The creative that brought the buyer: what its link has as `ad`.
    #[serde(default)]
    pub creative_id: Option<CreativeId>,
    /// Who buys (1 to 120 characters). Needed of guests; of others, their account's.
    #[serde(default)]
    pub name: Option<String>,
    /// Where the tickets go (up to 254 characters). Needed of guests; of others, their account's.
    #[serde(default)]
    pub email: Option<String>,
}

impl CheckoutRequest {
    pub(super) fn wish(&self) -> Wish {
        let Self { items, expected_total, creative_id, .. } = self;
        Wish { items: items.clone(), expected_total: *expected_total, creative_id: *creative_id }
    }
}

/// One ticket of an order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BuyerItem {
    /// The type's name.
    pub type_name: String,
    /// Whose it is.
    pub attendee_name: Option<String>,
    /// What it cost.
    #[serde(flatten)]
    pub cost: TicketPrice,
    /// Whether it was given back, or is being.
    pub is_refunded: bool,
    /// Where the ticket is shown and taken onto a phone: whoever has it holds the ticket. None, while it is not paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_url: Option<String>,
}

/// An order, as its buyer sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BuyerOrder {
    /// The order.
    pub order_id: OrderId,
    /// What to say on the phone.
    pub reference: String,
    /// At which event.
    pub event: ShopEvent,
    /// Who bought.
    pub name: String,
    /// Where the tickets go.
    pub email: String,
    /// What became of it.
    pub status: OrderStatus,
    /// What it is about to become.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// The currency of its amounts.
    pub currency: Currency,
    /// The prices of its tickets.
    pub subtotal: i64,
    /// The fees on top of them.
    pub buyer_fees: i64,
    /// The tax in `total`.
    pub tax: i64,
    /// What it costs.
    pub total: i64,
    /// What went back to the buyer.
    pub refunded: i64,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// How long its tickets are held (UTC milliseconds).
    pub hold_until: i64,
    /// Since when it is paid (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<i64>,
    /// Its tickets.
    pub items: Vec<BuyerItem>,
    /// How it is paid. None: it costs nothing, or is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<PayView>,
}

/// What a checkout gives.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CheckoutView {
    /// The order's token, `lxo_…`: with it, and only with it, the buyer comes back.
    pub token: String,
    /// The order.
    pub order: BuyerOrder,
}

/// What the test provider is told to do.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TryOutRequest {
    /// Pay, or decline.
    pub(super) outcome: TryOut,
}
