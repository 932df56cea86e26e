//! The harness of the end-to-end tests: a real server on a free port, doors with real ledgers, and a
//! network that breaks on command.
//!
//! Everything goes through a surface that a user has: the HTTP API, the sync engine, a scan. Time
//! stands still until a test moves it.

pub mod conformance;
pub mod door;
pub mod host;
pub mod phone;
pub mod proxy;
pub mod stage;

pub use door::Door;
pub use phone::Phone;
pub use proxy::CuttingProxy;
pub use stage::Stage;
