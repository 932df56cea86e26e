//! The server through its front door: HTTP on loopback, real SQLite files, a clock that tests set.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers included")]

use liventix_server::platform::db::Engine;

/// What [`support`] makes databases for.
const ENGINE: Engine = Engine::Sqlite;

include!("modules.rs");

// What only files have.
mod sqlite;
// In a real browser: the engine makes no difference there.
mod browser;
