//! What organisers learn from what happened: facts (see [`facts`](crate::facts)) are summed up every five minutes, and
//! questions are answered from the sums. See `docs/analytics.md`.
//!
//! **Invariant:** sums are added to in the transaction that takes the facts, and built anew beside those that are
//! shown: nobody ever sees half of a count.

mod calendar;
mod csv;
mod failures;
mod fold;
mod health;
mod metric;
pub mod questions;
mod rebuild;
mod rollups;
mod rounds;
pub mod routes;
mod series;
mod state;
mod work;

pub use calendar::Step;
pub(crate) use calendar::start_of;
pub use csv::Report;
pub(crate) use csv::file;
pub use failures::FailureView;
pub(crate) use health::failures_in_a_row;
pub use health::{Health, health};
pub use metric::{Metric, WhyNone};
pub use questions::Memory;
pub use rounds::{RoundKind, RoundView};
pub(crate) use series::Window;
pub use work::{handlers, put_in, rebuild_soon, refresh_soon};
pub(crate) use work::{refresh_now, run};
