//! What a ticket costs: price, fee and tax. Pure: no clock, no database.
//!
//! Every flow that names an amount (the offer, a quote, an order, a refund) gets it here, and an order keeps what
//! it got, so that a later change of prices or fees changes no order. See `docs/pricing.md`.
//!
//! **Invariant:** amounts are worked out for one ticket and then added up; nothing is ever divided among tickets.
//! So the parts of an order are exactly the order, whichever of its tickets are refunded and in what order.

mod currency;
mod quote;
mod terms;

pub use currency::{Currency, Money};
pub use quote::{Quote, QuoteLine};
pub(crate) use terms::check_amount;
pub use terms::{Fee, FeePayer, PricingError, TaxMode, Terms, TicketPrice};
