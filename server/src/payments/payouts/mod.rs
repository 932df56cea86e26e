//! Money that goes on to organisers: what is theirs and not held any more, reserved first, then asked for until it is
//! known what became of it.
//!
//! Where an organiser's money goes and how long it is held, whoever runs the installation says; when it goes, the
//! organiser's own people say.
//!
//! **Invariant:** what is on its way is off the organiser's balance, in the books, before the provider is asked.

mod ask;
mod balance;
pub(crate) mod desk;
mod observe;
pub(crate) mod routes;
mod store;
pub(crate) mod terms;
mod types;

pub(super) use ask::ForPayout;
pub use balance::{BalanceView, OrganiserBalance};
pub(super) use observe::{find, observe};
pub(super) use store::uncertain;
pub(super) use types::Payout;
pub use types::{HoldFrom, PayoutRequest, PayoutStatus, PayoutTerms, PayoutView, TermsView};
