//! Anomalies: what scans tell beyond their verdicts. Each is found on ingest, in the transaction that stores
//! the scans, so that none is lost; shown through the API; and alerted after the commit.
//!
//! `rules` says what is an anomaly: functions of scans and settings. `detect` reads what they need and keeps
//! what they find. An ordinary scan costs no statement here, an upload a few.
//!
//! Two kinds of keeping. **Settled**: conflicting admissions, impossible travel and broken chains are what a fold
//! over everything stored says now, so they open, change and close by themselves. **Grown**: bursts, clock jumps
//! and the rest happened, and stay until somebody resolves them.
//!
//! **Invariant:** the order of uploads does not matter for what is settled, nor for clock jumps.
//! **Invariant:** a clock's error never accuses: times are compared at the bounds that their errors allow.

pub mod alerts;
mod detect;
mod finding;
mod kinds;
mod over_limit;
pub mod routes;
pub mod rules;
mod settings;
mod store;
pub mod types;
pub(crate) mod views;

pub(crate) use detect::{Break, Context, Merged, chain, merged, revoked, scanned};
pub use finding::{BreakKind, Facts, Finding};
pub use kinds::{Kind, State, SubjectKind};
pub use over_limit::OverLimits;
pub(crate) use over_limit::over_limit;
pub use settings::{AnomalySettings, ForgedSettings, TravelSettings, Walk};
pub(crate) use store::{json, resolve_conflicts};
