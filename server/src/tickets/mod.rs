//! Tickets: issued singly or from a table, listed, drawn, revoked, reissued.

mod csv;
mod import;
mod issue;
pub mod routes;
pub mod service;
pub(crate) mod store;
pub mod types;
