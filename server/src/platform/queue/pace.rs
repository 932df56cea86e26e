//! How fast jobs may begin, where something else than the worker sets the pace.

use std::pin::Pin;
use std::time::Duration;

use crate::platform::db::DbError;

/// What [`Pace::room`] says: how many may begin now, and after which wait to ask again, if that is soon.
pub type Room<'a> = Pin<Box<dyn Future<Output = Result<(usize, Option<Duration>), DbError>> + Send + 'a>>;

/// Sets the pace. It is asked before jobs are claimed, so that what has to wait waits in its order. It promises
/// nothing: of several processes that are told the same, each handler still has to take its turn.
pub trait Pace: std::fmt::Debug + Send + Sync {
    /// How many of `free` jobs may begin now.
    fn room(&self, free: usize) -> Room<'_>;
}
