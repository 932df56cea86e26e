//! The one tokio runtime, and how a call runs on it.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cancel::Cancellation;

/// Requests wait most of the time; a second thread keeps one busy with a keystore from holding up the rest.
const THREADS: usize = 2;

/// Why a call did not run to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupted {
    /// Its [`Cancellation`] was cancelled.
    Cancelled,
    /// Its object was shut down.
    Closed,
    /// The work panicked: a mistake in this library.
    Panicked,
    /// The system gives no threads.
    NoThreads,
}

/// The runtime, started by the first call that needs it.
pub(crate) fn shared() -> Result<&'static Runtime, Interrupted> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    RUNTIME.get_or_init(start).as_ref().ok_or(Interrupted::NoThreads)
}

fn start() -> Option<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("liventix")
        .enable_all()
        .build()
        .inspect_err(|error| tracing::error!(%error, "no runtime"))
        .ok()
}

/// Says when an object is shut down.
#[derive(Debug)]
pub(crate) struct Closing(watch::Sender<bool>);

impl Closing {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Ends every call that runs.
    pub(crate) fn close(&self) {
        self.0.send_replace(true);
    }

    /// Is ready once the object is shut down.
    pub(crate) fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut receiver = self.0.subscribe();
        async move {
            // An object that is gone is shut down, too.
            let _ = receiver.wait_for(|closed| *closed).await;
        }
    }
}

/// A task that ends with its handle: a host that drops a call does not leave it running.
pub(crate) struct Task<T>(JoinHandle<T>);

impl<T> Task<T> {
    pub(crate) fn new(handle: JoinHandle<T>) -> Self {
        Self(handle)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs `work` to its end, or until it is cancelled or its object is shut down.
pub(crate) async fn run<T, E>(
    cancellation: Option<Arc<Cancellation>>,
    closed: impl Future<Output = ()> + Send,
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Interrupted> + Send + 'static,
{
    let mut task = Task::new(shared()?.spawn(work));
    let cancelled = async {
        match &cancellation {
            Some(cancellation) => cancellation.cancelled().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = cancelled => Err(Interrupted::Cancelled.into()),
        () = closed => Err(Interrupted::Closed.into()),
        done = &mut task.0 => done.unwrap_or_else(|_| Err(Interrupted::Panicked.into())),
    }
}
