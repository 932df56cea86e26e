//! Attendees' phones: they claim a ticket by its link, keep it, activate live codes, hand it on.
//!
//! Whoever holds a ticket is decided here and nowhere else: `claims` says which phones do, and a link is
//! the only way to become one. Looking at a link claims nothing.

pub(crate) mod holders;
mod link;
pub mod page;
mod present;
pub mod routes;
mod service;
mod store;
mod transfer;
pub mod types;

pub(crate) use link::ticket_link;
