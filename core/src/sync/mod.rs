//! Sync: how a door and the server come to know the same things.
//!
//! [`wire`] is what they say to each other. [`engine::SyncEngine`] decides who says what when, over
//! a [`transport::Transport`] that it is given ([`http::HttpTransport`] on a real device, a
//! misbehaving one in tests), with its secrets in a [`secrets::SecretStore`] that the phone's own
//! keystore can stand behind.
//!
//! Invariant: every request may be cut off, answered twice or never, and the next sync repairs it.
//! Scans are uploaded under their ids (a second upload is a duplicate, never a second scan), and each
//! manifest page is one transaction that moves the cursor with it.

pub mod engine;
pub mod enrol;
pub mod error;
#[cfg(feature = "http")]
pub mod http;
pub mod progress;
mod revocation;
pub mod secrets;
pub mod transport;
pub mod watch;
pub mod wire;

pub(crate) mod address;
pub(crate) mod call;
mod keys;
mod pull;
mod push;

pub use engine::{SyncEngine, SyncParts};
pub use enrol::{EnrolmentCode, EnrolmentCodeError};
pub use error::SyncError;
#[cfg(feature = "http")]
pub use http::HttpTransport;
pub use progress::{Progress, SyncReport};
pub use secrets::{MemorySecrets, SecretError, SecretStore};
pub use transport::{Connect, Method, Request, Response, Transport, TransportError};
pub use watch::WatchNews;
