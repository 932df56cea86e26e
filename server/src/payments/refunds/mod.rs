//! Money that goes back to buyers: reserved first, so that it never comes to more than came, then asked for until it is
//! known what became of it.
//!
//! Tickets that a refund is for are blocked at the doors from the moment it is reserved. If the provider refuses, or
//! the bank gives the money back before it counted as gone, they are good again.
//!
//! **Invariant:** what is reserved and what went back never exceeds what was received: one guarded statement reserves,
//! and the table refuses more.

mod ask;
mod desk;
mod observe;
mod store;
mod types;

pub(super) use ask::ForRefund;
pub(crate) use desk::{list, refund};
pub(super) use observe::{observe, observe_stray};
pub(super) use store::{of_order, uncertain};
pub(super) use types::Refund;
pub use types::{RefundItem, RefundQuery, RefundRequest, RefundStatus, RefundView};
