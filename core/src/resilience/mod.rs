//! Trying again, politely: one retry helper for everything that may fail for a moment.

mod http_date;
pub mod retry;
pub mod sleep;

pub use http_date::parse_retry_after;
pub use retry::{Failure, GaveUp, Retry, RetryPolicy, retry, retry_blocking};
pub use sleep::{AsyncSleeper, Sleeper, ThreadSleeper, TokioSleeper};
