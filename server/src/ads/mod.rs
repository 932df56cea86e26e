//! Advertising of events: campaigns and what they show, what that costs, who saw it and who bought because of it. What is
//! told becomes facts (see [`facts`](crate::facts)); what it comes to, `analytics` says. See `docs/analytics.md`.

mod bots;
mod ingest;
pub mod routes;
mod service;
mod store;
mod types;

pub(crate) use ingest::forget;
pub(crate) use store::{CampaignNames, Names, Whose, belongs, campaign_names, names};
pub use types::{
    AdCampaignView, AdEvent, AdEventKind, AdEvents, AdEventsTaken, CreativeView, Named, Spend, SpendView,
};
