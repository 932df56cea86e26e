//! Push messages that reach people and respect them.
//!
//! A message is a row for one phone, put in together with others that go with it. A worker sorts a batch: what may go now is
//! written down and sent, over a few connections at once; what has to wait (quiet hours, its person's limit, a service that is
//! down) waits in a job of its own, and goes together with what else waits for its person and is like it; what nobody wants any
//! more is withheld, with the reason. See `docs/push.md`.
//!
//! **Invariants:** a try is on record before it is made, and completed after it. A message has the same id at its service at
//! every try, so that a phone that gets it twice shows it once. Nothing is lost: each message ends as sent, failed, withheld or
//! grouped.

pub mod campaigns;
mod chores;
mod counted;
mod credentials;
pub mod desk;
mod devices;
mod messages;
pub(crate) mod outbox;
mod prepare;
mod providers;
pub mod recipients;
pub mod routes;
mod send;
mod settle;
mod types;
pub(crate) mod words;

use liventix_core::push::PushService;

pub(crate) use providers::Push;
pub use types::{Kind, PushStatus, Reason};
pub(crate) use types::{MAX_BODY, MAX_TITLE, NewMessage};

use crate::app::AppState;
use crate::platform::maintenance::worker_name;
use crate::platform::queue::{Claimed, Handlers, QueueSpec, Worker};

/// Tried at once, and then after 5 and 30 seconds, 2, 10 and 30 minutes; then it is a dead letter.
pub(crate) const QUEUE: QueueSpec =
    QueueSpec::new("push", 5, &[5_000, 30_000, 120_000, 600_000, 1_800_000]).with_concurrency(4);

/// Steps of what many are told, each of which puts messages in: of campaigns and of notices.
pub(crate) const STEPS: QueueSpec = QueueSpec::new("notices", 10, &[1_000, 5_000, 30_000, 300_000]);

/// Steps and messages that were put in go at once, now that they are committed.
pub(crate) fn wake(app: &AppState) {
    app.queue().wake(STEPS.name);
    outbox::wake(app);
}

/// What the circuit breaker of a service is called, and its calls on record.
const fn breaker_of(service: PushService) -> &'static str {
    match service {
        PushService::Apns => "apns",
        PushService::ApnsSandbox => "apns_sandbox",
        PushService::Fcm | PushService::FcmInstallation => "fcm",
    }
}

/// Works until the server begins to shut down.
pub(crate) async fn run(app: AppState) {
    let worker = Worker::new(app.queue().clone(), QUEUE, handlers(&app), worker_name());
    tokio::join!(worker.run(app.closing()), chores::keep(&app));
}

fn handlers(app: &AppState) -> Handlers {
    let (sending, tidying) = (app.clone(), app.clone());
    Handlers::new()
        .on(outbox::SEND, move |job: Claimed| {
            let app = sending.clone();
            async move { send::send(&app, &job).await }
        })
        .on(chores::TIDY, move |_: Claimed| {
            let app = tidying.clone();
            async move { Ok(chores::tidy(&app).await?) }
        })
}
