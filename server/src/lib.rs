//! # liventix-server
//!
//! The companion server: organisers, events, tickets, devices; what doors download and upload; online
//! redeem. One folder per feature (routes · service · store) over [`platform`].
//!
//! **It refuses** to decide who may pass by rules of its own: those are `liventix_core::rules`, the same
//! at every door. It keeps no signed code and no key in clear: codes are made anew from keys, and keys
//! are sealed.
//!
//! **Invariant:** a handler gets its tenant from an extractor of [`platform::auth`] and every query of
//! a tenant's data goes through [`platform::authorize`] or `events::snapshot::load`, which check it.

pub mod accounts;
pub mod ads;
pub mod alerts;
pub mod analytics;
pub mod announcements;
pub mod anomalies;
pub mod app;
pub mod audit;
pub mod cli;
pub mod console;
pub mod dead_letters;
pub mod demo;
pub mod doors;
pub mod email;
pub mod events;
pub mod facts;
pub mod health;
pub mod mails;
pub mod notices;
pub mod orders;
pub mod organisers;
pub mod payments;
pub mod platform;
pub mod pricing;
pub mod push;
pub mod sales;
pub mod scanning;
pub mod shop;
pub mod tickets;
pub mod wallet;

pub use app::{App, AppState, Running, StartError};
pub use platform::config::Config;
