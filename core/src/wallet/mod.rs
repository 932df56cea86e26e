//! The wallet: an attendee's tickets on their own phone, good without a network.
//!
//! [`ClaimLink`] is what the organiser sends; [`Wallet`] claims it, keeps the ticket, and mints live
//! codes from it offline, by the server's time whatever the phone's clock says. [`wire`] is what phone
//! and server say to each other, over a [`Connect`](crate::sync::Connect) that makes a transport for
//! each server.
//!
//! **It keeps** everything in the host's [`SecretStore`](crate::sync::SecretStore) and nowhere else: a
//! ticket is a name, a code and a key, and the phone's keystore encrypts all three.
//!
//! **It refuses** to claim a ticket by looking at it, to send a key or a token to another server than
//! the ticket's own, and to throw away a ticket because a server no longer lists it: a server restored
//! from a backup must not empty a phone at the door. Such a ticket is marked [`HeldTicket::gone`].
//!
//! **Invariant:** every request may be repeated. The phone makes its own identity and keeps it before it
//! is first sent, so that an answer that was lost is asked for again by the same phone.

mod clocks;
mod codes;
mod engine;
pub mod error;
pub mod link;
pub(crate) mod store;
mod turns;
pub mod wire;

pub use codes::{LiveCode, PrintedCode};
pub use engine::{RefreshFailure, RefreshReport, Wallet, WalletParts};
pub use error::WalletError;
pub use link::{ClaimLink, ClaimLinkError};
pub use store::HeldTicket;
pub use wire::{TransferOffer, WalletTicket};
