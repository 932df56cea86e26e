//! Doors: enrolling devices, what they download, what they upload.

mod chain;
pub(crate) mod devices;
pub(crate) mod enrolment;
mod ledger;
mod manifest;
pub(crate) mod presence;
mod quarantine;
pub mod routes;
pub(crate) mod scope;
pub mod types;
mod upload;
