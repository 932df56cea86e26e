//! What every feature stands on: storage, secrets, callers, limits, errors, configuration.
//!
//! Features depend on the platform, never the other way round.

pub mod auth;
pub mod authorize;
pub mod body;
pub mod breaker;
pub mod call;
pub mod change_bell;
pub(crate) mod coded;
pub mod config;
pub mod db;
pub mod http;
pub mod idempotency;
pub mod ids;
pub mod listen;
pub mod locale;
pub mod maintenance;
pub mod objectives;
pub mod openapi;
pub mod outbound;
pub mod page;
pub mod problem;
pub mod queue;
pub mod rate_limit;
pub mod remark;
pub mod request_id;
pub mod severity;
pub(crate) mod smtp;
pub mod telemetry;
pub mod text;
pub mod vault;
