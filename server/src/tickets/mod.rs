//! Tickets: issued singly or from a table, listed, drawn, revoked, reissued.

mod csv;
mod feed;
mod import;
mod issue;
pub mod routes;
pub mod service;
mod store;
pub mod types;

pub(crate) use feed::{changed_after, count_after, events_of};
pub(crate) use issue::Issuer;
pub(crate) use service::{block_in, issue_in, unblock_in};
pub(crate) use store::{TicketRow, by_legacy_tag, by_manual_tag, get, get_all, update};
pub(crate) use types::NewTicket;
