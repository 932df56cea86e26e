//! Orders: from a wish for tickets to tickets, or to nothing.
//!
//! ```text
//! awaiting_payment ──► paid          tickets are issued in the transaction that says so
//!        ├───────────► expired       nobody paid in time
//!        ├───────────► cancelled     by the buyer or the organiser
//!        └───────────► failed        the payment could not be begun
//!
//! paid ──► partially_refunded ──► refunded        and back, if a bank gives the money back
//! ```
//!
//! **Invariant:** tickets are issued once, in the transaction that makes an order paid, and an order gives back what
//! it held in the transaction that ends it otherwise. Neither happens twice: both begin with [`hold`], and look
//! whether the order still waits. **Invariant:** an order ends unpaid only when no payment of it can succeed any
//! more; until then it is only [`ending`](Order::ending). The payments see to that.

mod end;
mod fulfil;
mod place;
mod refund;
pub mod routes;
mod service;
mod steps;
mod store;
mod types;

pub(crate) use end::{attended, begin_ending, raise, release, revive};
pub(crate) use fulfil::fulfil;
pub(crate) use place::{Placed, place, quote};
pub(crate) use refund::{
    block_for_refund, refund_back, refunded, refunded_positions, refunded_tickets, unblock_refunded,
};
pub(crate) use service::{detail, list, not_found, of, send_tickets};
pub use steps::Step;
pub(crate) use steps::note;
pub(crate) use store::{by_id, hold, items, overdue, wanting, with_tickets};
pub use types::{
    Attention, Buyer, Ending, Item, Order, OrderDetail, OrderQuery, OrderStatus, OrderSummary, StepView,
    Wish, WishLine,
};
