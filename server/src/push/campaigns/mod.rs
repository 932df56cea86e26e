//! What organisers tell the phones of an event's attendees: written once, sent over time within a limit, stopped at any moment.
//!
//! A campaign goes through its attendees by their wallets' ids, in steps: as many as its limit has room for now, the next when it
//! has room again. So it can be paused and called off between any two of them, and goes on where it was.

pub mod routes;
mod service;
mod step;
mod store;
pub mod types;

pub(crate) use service::{Wish, act, list, start};
pub(crate) use step::{STEP, step};
pub use types::{CampaignStatus, CampaignView, NewCampaign};
