//! Organisers' own texts of mails, in the place of ours.
//!
//! What is saved has been tried with samples: it names nothing that is not there, and tells what must not be missing.
//! Each save is a version. Where one fails all the same when a mail is composed, ours is used: a buyer gets their tickets.

mod check;
pub(crate) mod routes;
mod samples;
mod service;
mod store;
mod types;

pub(super) use check::fill;
pub(crate) use service::{get, list, preview, reset, save};
pub(super) use store::{Version, newest};
pub use types::{MailText, MailTextView, NewMailText, Preview, Variable, VersionView};

use super::Kind;

/// The mails whose texts can be an organiser's own.
pub(crate) const OWN: &[Kind] =
    &[Kind::OrderPaid, Kind::OrderRefunded, Kind::EventChanged, Kind::EventCancelled, Kind::News];
