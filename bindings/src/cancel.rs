//! Giving up on a call that waits.

use std::sync::Arc;

use tokio::sync::watch;

/// Cancels the calls it is given to. Swift does not tell Rust of a cancelled task and Kotlin does, so both
/// go the same way: the hand-written layers make one of these for each call.
#[derive(Debug, uniffi::Object)]
pub struct Cancellation {
    cancelled: watch::Sender<bool>,
}

#[uniffi::export]
impl Cancellation {
    /// One that is not cancelled yet.
    #[uniffi::constructor]
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { cancelled: watch::Sender::new(false) })
    }

    /// Ends every call it was given to with `Cancelled`, now and later. What such a call had done by then
    /// stays done.
    pub fn cancel(&self) {
        self.cancelled.send_replace(true);
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }
}

impl Cancellation {
    /// Is ready once it is cancelled.
    pub(crate) async fn cancelled(&self) {
        // The sender is `self`: it cannot go away meanwhile.
        let _ = self.cancelled.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}
