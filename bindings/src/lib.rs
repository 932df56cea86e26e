//! # liventix-ffi
//!
//! The core for Swift and Kotlin. Three objects carry it: [`Scanner`] is a door, [`Wallet`] an attendee's
//! pocket, [`PushRegistrar`] gets messages to it. Everything here translates: into records and errors that a
//! phone's developer can branch on, and from the host's keystore, clock and log. It decides nothing; what it
//! seems to decide, `core` does.
//!
//! - Cheap calls are synchronous, and safe from any thread. Calls that wait for a network are async, run on
//!   one runtime that all objects share, and take a [`Cancellation`].
//! - Every failure is a [`ScannerError`], a [`WalletError`] or a [`PushError`] with a stable code. No panic
//!   crosses: what breaks on the Rust side is an error on the other, and a host callback that throws is logged.
//! - Secrets live in the host's [`host::secrets::SecretStore`] and nowhere else.
//!
//! `ios/` and `android/` wrap the generated code in what their developers expect; they are the API.

pub mod cancel;
pub mod error;
pub mod host;
pub mod push;
pub mod qr;
pub mod scanner;
pub mod wallet;

mod convert;
mod runtime;

pub use cancel::Cancellation;
pub use error::ScannerError;
pub use push::{PushError, PushRegistrar};
pub use scanner::Scanner;
pub use wallet::{Wallet, WalletError};

uniffi::setup_scaffolding!();

/// The version of this library, e.g. `0.1.0`.
#[uniffi::export]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
