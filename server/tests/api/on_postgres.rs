//! The same tests on PostgreSQL: `tests/toolchains/postgres cargo test -p liventix-server` starts one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers included")]

use liventix_server::platform::db::Engine;

/// What [`support`] makes databases for.
const ENGINE: Engine = Engine::Postgres;

include!("modules.rs");

// What only a server of its own has.
mod email_processes;
mod postgres;
mod row_security;
mod several_processes;
