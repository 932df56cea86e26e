//! The harness of the end-to-end tests: a real server on a free port, doors with real ledgers, and a
//! network that breaks on command.

pub mod proxy;
