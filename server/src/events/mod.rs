//! Events: their settings, gates, ticket types and signing keys, and the feed of what changed.

mod keys;
pub mod routes;
pub mod service;
pub mod snapshot;
pub(crate) mod store;
pub mod types;

pub use keys::{KeyView, RotateMode, RotateRequest, RotateResponse};
