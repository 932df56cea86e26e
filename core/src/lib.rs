//! # liventix-core
//!
//! Everything a phone needs to make, check, scan and sync Liventix tickets, with or without a network.
//!
//! - [`ticket`] makes and checks codes; [`qr`] draws them.
//! - [`rules`] decides who may pass: pure functions over facts.
//! - [`ledger`] keeps the manifest and every scan in one SQLite file; [`scan`] is one scan, end to end.
//! - [`readiness`] says whether doors may open with this device.
//! - [`sync`] brings ledgers and server together; its I/O sits behind a `Transport`.
//! - [`wallet`] is an attendee's pocket: tickets kept offline, live codes minted without signal.
//! - [`clock`], [`entropy`] and [`resilience`] are injected into all of these.
//!
//! **It refuses** to draw a user interface, to know a server framework or an FFI, to read the time or
//! roll dice by itself, and to panic on any input. It depends on no other crate of the workspace.

pub mod clock;
pub mod entropy;
pub mod ids;
pub mod ledger;
pub mod push;
pub mod qr;
pub mod readiness;
pub mod resilience;
pub mod rules;
pub mod scan;
pub mod sync;
pub mod ticket;
pub mod wallet;
pub mod words;

mod text;

pub(crate) use text::base64_bytes;
#[cfg(feature = "openapi")]
pub(crate) use text::openapi_text;
