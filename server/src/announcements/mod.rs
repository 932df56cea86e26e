//! What organisers write to the buyers of an event, and who wants none of it.
//!
//! Nobody has to get it: each mail says how to stop it (RFC 8058), for its address and its organiser. Tickets, refunds
//! and changes of an event come all the same.

pub mod routes;
mod service;
mod store;
mod types;
mod unsubscribe;

pub(crate) use service::{list, write};
pub(crate) use store::{by_id, wants_none};
pub(crate) use types::Announcement;
pub use types::{AnnouncementView, NewAnnouncement};
pub(crate) use unsubscribe::{Sender, sender, set_wants_none, unsubscribe_link};
