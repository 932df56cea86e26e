//! Asking the provider for a refund, until it is certain what became of it.

use super::observe;
use super::store;
use super::types::{Refund, RefundStatus};
use crate::app::AppState;
use crate::orders;
use crate::payments::calls::{Call, is_in_flight, may_be_forgotten};
use crate::payments::failure::{CallFailure, Outcome};
use crate::payments::stripe::{Answered, RefundObject, RefundWish};
use crate::payments::types::Payment;
use crate::payments::{jobs, store as payments};
use crate::platform::breaker::{self, Permit};
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::RefundId;
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::Failure;
use crate::platform::telemetry::context;

/// Somebody asks again after this, if nobody has by then.
pub(super) const FIND_OUT_MS: i64 = 30_000;

/// What is to be done next.
enum Next {
    Nothing,
    Wait,
    Create(Call, Refund, Payment),
    /// Whether there is one already.
    List(Call, Payment, Refund),
}

type Result<T> = std::result::Result<T, Failure>;

/// Asks until it is known.
///
/// # Errors
/// While it is not: then it is tried again.
pub(crate) async fn find_out(app: &AppState, id: RefundId) -> Result<()> {
    let failure = match once(app, id, false).await? {
        // The same failure will come for ever: whether there is a refund is asked another way.
        Some(failure) if failure.is_replayed => once(app, id, true).await?,
        asked => asked,
    };
    failure.map_or(Ok(()), |failure| Err(failure.into()))
}

async fn once(app: &AppState, id: RefundId, by_list: bool) -> Result<Option<CallFailure>> {
    let Some(payment) = payment_of_uncertain(app, id).await? else { return Ok(None) };
    let provider = app.payments().needed_of(&payment)?;
    let permit = breaker::ask(app.db(), provider.kind().code(), app.now()).await?;
    let Permit::Call { had_failures } = permit else {
        return Ok(Some(CallFailure::new(Outcome::NotCalled, "It has failed too often of late.")));
    };
    let app_in = app.clone();
    let next = app
        .db()
        .write(move |tx| Box::pin(async move { before(tx, &app_in, id, by_list, had_failures).await }));
    match next.await? {
        Next::Nothing => Ok(None),
        Next::Wait => Ok(Some(CallFailure::new(Outcome::InProgress, "It is being asked for."))),
        Next::Create(call, refund, payment) => {
            let intent = payment.provider_id.clone().unwrap_or_default();
            let wish = RefundWish {
                refund_id: refund.refund_id,
                intent: &intent,
                currency: refund.currency,
                amount: refund.amount,
                idempotency_key: &refund.idempotency_key,
            };
            let created = provider.refund(&wish);
            let result = context::provider(provider.kind().code(), "refund.create", created).await;
            Ok(after(app, (call, id), result).await?)
        }
        Next::List(call, payment, listed_for) => {
            let intent = payment.provider_id.clone().unwrap_or_default();
            let listed = provider.refunds_of(&intent);
            let result = context::provider(provider.kind().code(), "refund.list", listed).await;
            Ok(listed_now(app, (call, listed_for), result).await?)
        }
    }
}

/// What is given back by a refund of which it is not known what became.
async fn payment_of_uncertain(app: &AppState, id: RefundId) -> Result<Option<Payment>> {
    let read = app.db().read(move |conn| {
        Box::pin(async move {
            let refund = store::by_id(conn, id).await?.filter(|refund| refund.status.is_uncertain());
            match refund {
                Some(refund) => payments::by_id(conn, refund.payment_id).await,
                None => Ok(None),
            }
        })
    });
    let payment: std::result::Result<_, DbError> = read.await;
    Ok(payment?)
}

async fn held(tx: &mut Tx, id: RefundId) -> ApiResult<(orders::Order, Refund, Payment)> {
    let missing = || ApiError::internal("a refund that is not there");
    let order = store::by_id(tx, id).await?.ok_or_else(missing)?.order_id;
    let order = orders::hold(tx, order).await?.ok_or_else(missing)?;
    let refund = store::by_id(tx, id).await?.ok_or_else(missing)?;
    let payment = payments::by_id(tx, refund.payment_id).await?.ok_or_else(missing)?;
    Ok((order, refund, payment))
}

async fn before(
    tx: &mut Tx,
    app: &AppState,
    id: RefundId,
    by_list: bool,
    had_failures: bool,
) -> ApiResult<Next> {
    let ((_, mut refund, payment), now) = (held(tx, id).await?, app.now());
    if !refund.status.is_uncertain() {
        return Ok(Next::Nothing);
    }
    if refund.status == RefundStatus::Asking && is_in_flight(refund.asked_at, now) {
        return Ok(Next::Wait);
    }
    if by_list || may_be_forgotten(refund.created_at, now) {
        let call = Call::before(tx, app, (&payment).into(), ("refund.list", None), had_failures).await?;
        return Ok(Next::List(call, payment, refund));
    }
    refund.status = RefundStatus::Asking;
    refund.asked_at = Some(now);
    store::update(tx, &refund).await?;
    let operation = ("refund.create", Some(refund.idempotency_key.as_str()));
    let call = Call::before(tx, app, (&payment).into(), operation, had_failures).await?;
    Ok(Next::Create(call, refund, payment))
}

async fn after(
    app: &AppState,
    (call, id): (Call, RefundId),
    result: std::result::Result<Answered<RefundObject>, CallFailure>,
) -> ApiResult<Option<CallFailure>> {
    let app_in = app.clone();
    let (failure, event) = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                call.after(tx, &app_in, &result).await?;
                let (mut order, mut refund, payment) = held(tx, id).await?;
                let event = order.event_id;
                let failure = match result {
                    Ok(answered) => {
                        observe::observe(tx, &app_in, (&mut order, &payment), &answered.value).await?;
                        None
                    }
                    Err(_) if !refund.status.is_uncertain() => None,
                    Err(failure) if is_final(&failure) => {
                        observe::refused(tx, &app_in, (&mut order, &mut refund), &failure).await?;
                        None
                    }
                    Err(failure) => {
                        refund.status = RefundStatus::Unknown;
                        store::update(tx, &refund).await?;
                        Some(failure)
                    }
                };
                Ok::<_, ApiError>((failure, event))
            })
        })
        .await?;
    app.ring(event);
    app.queue().wake(jobs::QUEUE.name);
    Ok(failure)
}

/// A key that stands for something else says nothing of the refund.
fn is_final(failure: &CallFailure) -> bool {
    failure.outcome == Outcome::Refused && failure.code.as_deref() != Some("idempotency_error")
}

/// What is found is taken in. Where nothing is, the refund is asked for with another key.
async fn listed_now(
    app: &AppState,
    (call, listed_for): (Call, Refund),
    result: std::result::Result<Answered<Vec<RefundObject>>, CallFailure>,
) -> ApiResult<Option<CallFailure>> {
    let app_in = app.clone();
    let (failure, event) = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                call.after(tx, &app_in, &result).await?;
                let id = listed_for.refund_id;
                let (mut order, mut refund, payment) = held(tx, id).await?;
                let event = order.event_id;
                let found = match result {
                    Err(failure) => return Ok((Some(failure), event)),
                    Ok(answered) => answered.value,
                };
                if let Some(found) = found.iter().find(|found| found.refund_id() == Some(id)) {
                    observe::observe(tx, &app_in, (&mut order, &payment), found).await?;
                    return Ok((None, event));
                }
                let asked =
                    |refund: &Refund| (refund.status, refund.asked_at, refund.idempotency_key.clone());
                if asked(&refund) != asked(&listed_for) {
                    // Somebody has asked since: the list may be older than what came of that.
                    let wait = CallFailure::new(Outcome::InProgress, "It is being asked for.");
                    return Ok((Some(wait), event));
                }
                // Surely none: what is asked for now is the first.
                refund.idempotency_key = format!("refund:{}:{}", order.order_id, call.id);
                refund.status = RefundStatus::Unknown;
                store::update(tx, &refund).await?;
                let again = CallFailure::new(Outcome::Busy, "There is none yet: it is asked for anew.");
                Ok::<_, ApiError>((Some(again), event))
            })
        })
        .await?;
    app.ring(event);
    Ok(failure)
}
