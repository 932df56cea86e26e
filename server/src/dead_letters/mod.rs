//! What whoever runs the installation does with queues and dead letters, on record.

pub mod routes;
mod service;

pub(crate) use service::not_found;
pub use service::{DeadLetters, Done};
