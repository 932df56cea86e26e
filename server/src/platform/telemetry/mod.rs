//! What the server tells about itself: log lines with their context, and numbers.
//!
//! **Invariant:** nothing secret reaches a log line. The first defence is not to log it; the last is
//! [`redact`], which every line passes as it is written, whatever field or message it came from.

pub mod context;
pub mod metrics;
pub mod redact;
mod writer;

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use writer::Redacting;

/// Starts logging by `filter` (as in `info,liventix_server=debug`), to standard error.
///
/// # Errors
/// When logging was started before in this process.
pub fn init(filter: &str, json: bool) -> Result<(), TryInitError> {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer =
        tracing_subscriber::fmt::layer().with_writer(|| Redacting(std::io::stderr())).with_ansi(colours);
    if json { registry.with(layer.json()).try_init() } else { registry.with(layer).try_init() }
}
