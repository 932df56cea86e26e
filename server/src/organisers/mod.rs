//! Organisers, the tenants, and their API keys.

pub mod routes;
pub mod service;
mod store;

pub(crate) use store::{name, names};
