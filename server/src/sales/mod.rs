//! What an event sells: prices, fees, taxes, when, and how many.
//!
//! **Invariant:** `held + sold` of a ticket type never exceeds its capacity. One guarded statement takes tickets
//! ([`hold`](stock::hold)), and the table itself refuses what would exceed it.

mod offer;
pub mod routes;
mod service;
pub(crate) mod stock;
mod store;
mod types;

pub use offer::Availability;
pub(crate) use offer::{Offer, OfferType};
pub(crate) use service::{delete_type, fees, get, offer, put, put_fee, put_type, seller};
pub use types::{FeeView, SalesSettings, SalesView, TypeSale, TypeSaleView};
