//! Events: their settings, gates, ticket types and signing keys, and the feed of what changed.

pub(crate) mod keys;
pub mod routes;
pub mod service;
pub mod snapshot;
mod store;
pub mod types;

pub use keys::{KeyView, RotateMode, RotateRequest, RotateResponse};
pub(crate) use store::{
    anomaly_settings, change_seqs, opened, set_gates_told, summary, take_seqs, view_of, wallet_policy,
};
