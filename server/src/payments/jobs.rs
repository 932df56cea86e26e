//! What is done for payments later, or again.

use std::time::Duration;

use serde_json::{Value, json};

use super::ask::{Asker, ForPayment};
use super::{close, errand, inbox, payouts, proof, refunds, store};
use crate::app::AppState;
use crate::mails;
use crate::notices;
use crate::orders;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::{OrderId, PaymentId, PayoutId, RefundId};
use crate::platform::maintenance::worker_name;
use crate::platform::queue::{self, Claimed, Failure, Handlers, NewJob, QueueSpec, Worker};

/// Tried until it is certain what became of a payment.
pub(crate) const QUEUE: QueueSpec =
    QueueSpec::new("payments", 2_000, &[5_000, 15_000, 60_000, 300_000, 900_000]);
const CLOSE: &str = "close.1";
const CLOSE_STRAY: &str = "close_stray.1";
const RECONCILE: &str = "reconcile.1";
const FIND_OUT_REFUND: &str = "find_out_refund.1";
const FIND_OUT_PAYOUT: &str = "find_out_payout.1";
const PROVE: &str = "prove_books.1";
const SWEEP: &str = "sweep.1";

/// Between two sweeps for what has no job, because its job died.
const EVERY_MS: i64 = 60_000;
/// Between two looks at all of the books.
const PROVE_EVERY_MS: i64 = 3_600_000;
const ASK: Duration = Duration::from_secs(20);
/// Whoever has not heard of a payment for this long asks.
const UNCERTAIN_MS: i64 = 60_000;
/// What one sweep puts in at most.
const AT_ONCE: u32 = 500;

/// Works until the server begins to shut down.
pub(crate) async fn run(app: AppState) {
    let worker = Worker::new(app.queue().clone(), QUEUE, handlers(&app), worker_name());
    let schedule = queue::keep(ASK, || put_in(&app), "payments were not looked after", app.closing());
    tokio::join!(worker.run(app.closing()), schedule, inbox::run(app.clone()));
}

/// Does one job of payments and one of web hooks, of those that are due, and says how many that were. For whoever
/// decides what comes when, where no worker runs ([`has_workers`](crate::platform::config::Config::has_workers)).
///
/// # Errors
/// When the database fails.
pub async fn work(app: &AppState) -> Result<u64, DbError> {
    let mut done = 0;
    for (queue, handlers) in [(QUEUE, handlers(app)), (inbox::QUEUE, inbox::handlers(app))] {
        let one = queue.with_concurrency(1);
        let round = Worker::new(app.queue().clone(), one, handlers, "by hand").run_once().await?;
        done += round.done + round.failed;
    }
    Ok(done)
}

async fn put_in(app: &AppState) -> Result<bool, DbError> {
    let job = |kind: &'static str| {
        let unique_key = Some(kind.to_owned());
        NewJob { unique_key, ..NewJob::new(QUEUE.name, kind, Value::Null) }
    };
    let proves = app.queue().on_schedule("books", PROVE_EVERY_MS, job(PROVE)).await?;
    Ok(app.queue().on_schedule("payments", EVERY_MS, job(SWEEP)).await? || proves)
}

/// What was put in is done at once, now that it is committed: mails about it as well.
pub(crate) fn wake(app: &AppState) {
    app.queue().wake(QUEUE.name);
    mails::wake(app);
    notices::wake(app);
}

/// What does the work.
fn handlers(app: &AppState) -> Handlers {
    let (sweeping, closing, straying) = (app.clone(), app.clone(), app.clone());
    let (reconciling, refunding, paying_out, proving) = (app.clone(), app.clone(), app.clone(), app.clone());
    Handlers::new()
        .on(SWEEP, move |_: Claimed| {
            let app = sweeping.clone();
            async move { Ok(sweep(&app).await?) }
        })
        .on(PROVE, move |_: Claimed| {
            let app = proving.clone();
            async move { Ok(proof::prove(&app).await?) }
        })
        .on(FIND_OUT_PAYOUT, move |job: Claimed| {
            let app = paying_out.clone();
            async move { errand::find_out(&app, payouts::ForPayout(id(&job, "payout_id")?)).await }
        })
        .on(CLOSE, move |job: Claimed| {
            let app = closing.clone();
            async move { close::close(&app, id(&job, "order_id")?).await }
        })
        .on(CLOSE_STRAY, move |job: Claimed| {
            let app = straying.clone();
            async move { close::close_stray(&app, id(&job, "order_id")?, &text(&job, "provider_id")?).await }
        })
        .on(FIND_OUT_REFUND, move |job: Claimed| {
            let app = refunding.clone();
            async move { errand::find_out(&app, refunds::ForRefund(id(&job, "refund_id")?)).await }
        })
        .on(RECONCILE, move |job: Claimed| {
            let app = reconciling.clone();
            async move { errand::find_out(&app, ForPayment(id(&job, "payment_id")?, Asker::Worker)).await }
        })
}

fn text(job: &Claimed, key: &str) -> Result<String, Failure> {
    let text = job.payload.get(key).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| Failure::permanent("payload", format!("The job has no {key}.")))
}

fn id<T: std::str::FromStr>(job: &Claimed, key: &str) -> Result<T, Failure> {
    let id = text(job, key)?.parse().ok();
    id.ok_or_else(|| Failure::permanent("payload", format!("The job's {key} is no id.")))
}

async fn put(tx: &mut Tx, app: &AppState, job: NewJob, key: String, run_at: i64) -> Result<(), DbError> {
    let job = NewJob { unique_key: Some(key), run_at, ..job };
    app.queue().enqueue(tx, &job).await.map(drop)
}

/// The order is to be closed, at once. Wake the queue afterwards.
pub(super) async fn close(tx: &mut Tx, app: &AppState, order: OrderId) -> Result<(), DbError> {
    close_later(tx, app, order, 0).await
}

/// The order is to be closed, unless it is by then.
pub(super) async fn close_later(tx: &mut Tx, app: &AppState, order: OrderId, at: i64) -> Result<(), DbError> {
    let job = NewJob::new(QUEUE.name, CLOSE, json!({"order_id": order}));
    put(tx, app, job, format!("close {order}"), at).await
}

/// The order is to be closed when its time is up.
pub(super) async fn close_at(tx: &mut Tx, app: &AppState, order: OrderId, at: i64) -> Result<(), DbError> {
    let job = NewJob::new(QUEUE.name, CLOSE, json!({"order_id": order}));
    put(tx, app, job, format!("expire {order}"), at).await
}

/// A payment that nobody should make is to be closed.
pub(super) async fn close_stray(
    tx: &mut Tx,
    app: &AppState,
    order: OrderId,
    provider_id: &str,
) -> Result<(), DbError> {
    let job = NewJob::new(QUEUE.name, CLOSE_STRAY, json!({"order_id": order, "provider_id": provider_id}));
    put(tx, app, job, format!("stray {provider_id}"), 0).await
}

/// Whether there is a payment is to be found out, if nobody knows it by then.
pub(super) async fn reconcile_at(
    tx: &mut Tx,
    app: &AppState,
    payment: PaymentId,
    at: i64,
) -> Result<(), DbError> {
    let job = NewJob::new(QUEUE.name, RECONCILE, json!({"payment_id": payment}));
    put(tx, app, job, format!("reconcile {payment}"), at).await
}

/// What became of a refund is to be found out, if nobody knows it by then.
pub(super) async fn find_out_refund_at(
    tx: &mut Tx,
    app: &AppState,
    refund: RefundId,
    at: i64,
) -> Result<(), DbError> {
    let job = NewJob::new(QUEUE.name, FIND_OUT_REFUND, json!({"refund_id": refund}));
    put(tx, app, job, format!("refund {refund}"), at).await
}

/// What became of a payout is to be found out, if nobody knows it by then.
pub(super) async fn find_out_payout_at(
    tx: &mut Tx,
    app: &AppState,
    payout: PayoutId,
    at: i64,
) -> Result<(), DbError> {
    let job = NewJob::new(QUEUE.name, FIND_OUT_PAYOUT, json!({"payout_id": payout}));
    put(tx, app, job, format!("payout {payout}"), at).await
}

/// Puts in what should have a job and may have none, and forgets what is too old.
///
/// # Errors
/// When the database fails.
pub async fn sweep(app: &AppState) -> Result<(), DbError> {
    let (app_in, now) = (app.clone(), app.now());
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                for order in orders::overdue(tx, now, AT_ONCE).await? {
                    close(tx, &app_in, order).await?;
                }
                for payment in store::uncertain(tx, now - UNCERTAIN_MS, AT_ONCE).await? {
                    reconcile_at(tx, &app_in, payment, 0).await?;
                }
                for refund in refunds::uncertain(tx, now - UNCERTAIN_MS, AT_ONCE).await? {
                    find_out_refund_at(tx, &app_in, refund, 0).await?;
                }
                for payout in payouts::uncertain(tx, now - UNCERTAIN_MS, AT_ONCE).await? {
                    find_out_payout_at(tx, &app_in, payout, 0).await?;
                }
                inbox::forget(tx, now).await
            })
        })
        .await?;
    wake(app);
    Ok(())
}
