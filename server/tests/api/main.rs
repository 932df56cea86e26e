//! The server through its front door: HTTP on loopback, real SQLite files, a clock that tests set.

mod authorization;
mod bad_input;
mod database;
mod events;
mod manifest;
mod redeem;
mod server;
mod support;
mod tickets;
mod upload;
