//! What buyers see and do: an event's offer, a checkout, their order.
//!
//! Nobody has to have an account. Whoever placed an order has its token, `lxo_…`, and comes back with it.

mod holder;
pub(crate) mod page;
pub mod routes;
mod service;
mod types;

pub use types::{BuyerItem, BuyerOrder, CheckoutRequest, CheckoutView, OfferTypeView, OfferView, ShopEvent};
