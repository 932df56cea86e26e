//! The server through its front door: HTTP on loopback, real SQLite files, a clock that tests set.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers included")]

mod authorization;
mod bad_input;
mod cli;
mod database;
mod events;
mod manifest;
mod measure;
mod redeem;
mod server;
mod supervisor;
mod support;
mod tickets;
mod upload;
mod wallet;
mod wallet_page;
mod wallet_transfer;
