//! Writing to all buyers of an event: in steps, each of which puts in the next, so that no transaction is long and
//! nobody is left out or written to twice.

use liventix_core::ids::{EventId, OrganiserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Kind, to_buyer};
use crate::app::AppState;
use crate::email::{self, Class, NewEmail};
use crate::orders;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::{CauseId, OrderId};
use crate::platform::maintenance::worker_name;
use crate::platform::queue::{Claimed, Failure, Handlers, NewJob, QueueSpec, Worker};

/// The queue of steps.
const QUEUE: QueueSpec = QueueSpec::new("mails", 10, &[1_000, 5_000, 30_000, 300_000]);
const STEP: &str = "spread.1";
/// Orders in one step.
const AT_ONCE: u32 = 200;

/// Something that all buyers of an event are told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Spread {
    cause_id: CauseId,
    kind: String,
    organiser_id: OrganiserId,
    event_id: EventId,
    payload: Value,
    /// Where the last step ended.
    after: Option<OrderId>,
}

impl Spread {
    pub(super) fn new(
        app: &AppState,
        kind: Kind,
        organiser_id: OrganiserId,
        event_id: EventId,
        payload: Value,
    ) -> Self {
        let cause_id = CauseId::generate(app.now(), app.entropy().as_ref());
        Self { cause_id, kind: kind.code().to_owned(), organiser_id, event_id, payload, after: None }
    }

    /// The same, written for something that has a name.
    pub(super) fn because_of(self, cause_id: CauseId) -> Self {
        Self { cause_id, ..self }
    }
}

/// Puts the first step in, or the next one.
pub(super) async fn begin(tx: &mut Tx, app: &AppState, spread: &Spread) -> Result<(), DbError> {
    let job = NewJob {
        organiser: Some(spread.organiser_id),
        unique_key: Some(format!("{STEP} {} {:?}", spread.cause_id, spread.after)),
        ..NewJob::new(QUEUE.name, STEP, json!(spread))
    };
    app.queue().enqueue(tx, &job).await.map(drop)
}

/// What was put in goes at once.
pub(super) fn wake(app: &AppState) {
    app.queue().wake(QUEUE.name);
}

/// Works until the server begins to shut down.
pub(super) async fn run(app: AppState) {
    let stepping = app.clone();
    let handlers = Handlers::new().on(STEP, move |job: Claimed| {
        let app = stepping.clone();
        async move { step(&app, &job).await }
    });
    Worker::new(app.queue().clone(), QUEUE, handlers, worker_name()).run(app.closing()).await;
}

async fn step(app: &AppState, job: &Claimed) -> Result<(), Failure> {
    let spread: Spread = serde_json::from_value(job.payload.clone())
        .map_err(|error| Failure::permanent("payload", error.to_string()))?;
    let kind = Kind::from_code(&spread.kind)
        .ok_or_else(|| Failure::retry("unknown_kind", "This version knows no such mail."))?;
    let app_in = app.clone();
    let put: Result<(), DbError> =
        app.db().write(move |tx| Box::pin(async move { put(tx, &app_in, kind, spread).await })).await;
    put?;
    super::wake(app);
    Ok(())
}

async fn put(tx: &mut Tx, app: &AppState, kind: Kind, spread: Spread) -> Result<(), DbError> {
    let buyers = orders::with_tickets(tx, spread.event_id, (spread.after, AT_ONCE)).await?;
    for order in &buyers {
        // Who has bought twice hears it once.
        let address = order.buyer.email.to_lowercase();
        let key = format!("{}:{}:{address}", kind.code(), spread.cause_id);
        let email = NewEmail {
            class: Class::Bulk,
            cause_id: Some(spread.cause_id),
            ..to_buyer(order, kind, key, spread.payload.clone())
        };
        email::put(tx, app, &email).await?;
    }
    match buyers.last() {
        Some(last) if buyers.len() == usize::try_from(AT_ONCE).unwrap_or(usize::MAX) => {
            begin(tx, app, &Spread { after: Some(last.order_id), ..spread }).await
        }
        _ => Ok(()),
    }
}
