//! What organisers send and get.

use liventix_core::ids::TicketTypeId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::pricing::{Currency, Fee, FeePayer, TaxMode, TicketPrice};

/// How an event sells, to set it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SalesSettings {
    /// In which currency. Stays, once there is an order.
    pub currency: Currency,
    /// Whether tickets can be bought now.
    #[serde(default)]
    pub is_open: bool,
    /// Who pays the fee.
    #[serde(default = "buyer")]
    pub fee_payer: FeePayer,
    /// How taxes stand to prices.
    #[serde(default = "included")]
    pub tax_mode: TaxMode,
    /// How long tickets are held for somebody who is paying (5 to 120 minutes).
    #[serde(default = "fifteen")]
    pub hold_minutes: u32,
    /// How many tickets one order may have (1 to 50).
    #[serde(default = "ten")]
    pub max_per_order: u32,
}

const fn buyer() -> FeePayer {
    FeePayer::Buyer
}

const fn included() -> TaxMode {
    TaxMode::Included
}

const fn fifteen() -> u32 {
    15
}

const fn ten() -> u32 {
    10
}

const fn yes() -> bool {
    true
}

/// What tickets of a type cost and how many there are, to set it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TypeSale {
    /// In minor units (0 to 99 999 999). 0: given away, without fee and payment.
    pub price: i64,
    /// In hundredths of a per cent (0 to 10 000).
    #[serde(default)]
    pub tax_rate_bp: u32,
    /// Whether it can be bought; with `false` it is not shown.
    #[serde(default = "yes")]
    pub is_open: bool,
    /// Not before this time (UTC milliseconds).
    #[serde(default)]
    pub on_sale_from: Option<i64>,
    /// Not from this time on (UTC milliseconds). None: until the event ends.
    #[serde(default)]
    pub on_sale_until: Option<i64>,
    /// How many of them one order may have (1 to 50).
    #[serde(default)]
    pub max_per_order: Option<u32>,
    /// How many are sold here (0 to 10 000 000); those issued by hand or imported do not count. None: any number.
    #[serde(default)]
    pub capacity: Option<u32>,
}

/// A ticket type that is for sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TypeSaleView {
    /// The type.
    pub ticket_type_id: TicketTypeId,
    /// Its name.
    pub name: String,
    /// As it was set.
    #[serde(flatten)]
    pub sale: TypeSale,
    /// What one costs. None: more than can be charged, since the fee was raised; nobody can buy it.
    pub each: Option<TicketPrice>,
    /// How many are held for orders that wait for their payment.
    pub held: i64,
    /// How many are sold.
    pub sold: i64,
}

/// How an event sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SalesView {
    /// As it was set.
    #[serde(flatten)]
    pub settings: SalesSettings,
    /// What selling a ticket costs.
    pub fee: Fee,
    /// The types that are for sale.
    pub types: Vec<TypeSaleView>,
}

/// What selling a ticket costs an organiser in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeeView {
    /// The currency.
    pub currency: Currency,
    /// The fee.
    #[serde(flatten)]
    pub fee: Fee,
}
