//! Asking the provider for a payment, until it is certain whether there is one.
//!
//! A payment that was not answered for is `unknown`, never failed. It is asked for again with the same key, so that
//! the provider gives what it gave before; and where it gives the same failure again and again, it is searched for.
//! Until its secret came in an answer, nobody can make it: so nothing can be charged meanwhile.

use serde_json::json;

use super::calls::{Call, is_in_flight, may_be_forgotten};
use super::failure::{CallFailure, Outcome};
use super::provider::Provider;
use super::stripe::Answered;
use super::types::{Payment, PaymentStatus, Remote};
use super::{begin, jobs, settle, store};
use crate::app::AppState;
use crate::orders::{self, Ending, Order, OrderStatus, Step};
use crate::platform::breaker::{self, Permit};
use crate::platform::db::Tx;
use crate::platform::ids::{OrderId, PaymentId};
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::Failure;
use crate::platform::telemetry::context;

/// Somebody asks again after this, if nobody has by then.
const RECONCILE_MS: i64 = 30_000;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// A buyer, who waits.
    Buyer,
    /// A worker, who wants to know.
    Worker,
}

/// How far it came.
#[derive(Debug)]
pub(super) enum Asked {
    /// As far as it can: there is a payment, or there will be none.
    Settled(Payment),
    /// It is not known yet.
    NotKnown(CallFailure),
}

/// What is to be done next, as it stands in the transaction before the call.
enum Next {
    Nothing(Payment),
    Wait(CallFailure),
    Create { call: Call, payment: Payment, was: PaymentStatus },
    Search { call: Call, payment: Payment },
}

/// The job: asks until it is known.
///
/// # Errors
/// While it is not: then it is tried again.
pub(super) async fn find_out(app: &AppState, id: PaymentId) -> Result<(), Failure> {
    match ask(app, id, Asker::Worker).await? {
        Asked::Settled(_) => Ok(()),
        Asked::NotKnown(failure) => Err(failure.into()),
    }
}

/// Asks for the order's payment, if that is still wanted.
///
/// # Errors
/// When the database fails.
pub(super) async fn ask(app: &AppState, id: PaymentId, asker: Asker) -> ApiResult<Asked> {
    let asked = once(app, id, asker, false).await?;
    match &asked {
        // The same failure will come for ever: whether there is a payment is asked another way.
        Asked::NotKnown(failure) if failure.is_replayed => once(app, id, asker, true).await,
        _ => Ok(asked),
    }
}

async fn once(app: &AppState, id: PaymentId, asker: Asker, by_search: bool) -> ApiResult<Asked> {
    let provider = match provider_of(app, id).await? {
        Ok(provider) => provider,
        Err(failure) => return Ok(Asked::NotKnown(failure)),
    };
    let permit = breaker::ask(app.db(), provider.kind().code(), app.now()).await?;
    let Permit::Call { had_failures } = permit else {
        return Ok(Asked::NotKnown(CallFailure::new(Outcome::NotCalled, "It has failed too often of late.")));
    };
    let app_in = app.clone();
    let next = app.db().write(move |tx| {
        Box::pin(async move { before(tx, &app_in, id, (asker, by_search), had_failures).await })
    });
    match next.await? {
        Next::Nothing(payment) => Ok(Asked::Settled(payment)),
        Next::Wait(failure) => Ok(Asked::NotKnown(failure)),
        Next::Create { call, payment, was } => {
            let created = provider.create(&payment);
            let result = context::provider(provider.kind().code(), "payment.create", created).await;
            created_now(app, (call, id, was), result).await
        }
        Next::Search { call, payment } => {
            let search = provider.search(&payment);
            let result = context::provider(provider.kind().code(), "payment.search", search).await;
            Box::pin(searched(app, (call, id), asker, result)).await
        }
    }
}

async fn provider_of(app: &AppState, id: PaymentId) -> ApiResult<Result<Provider, CallFailure>> {
    let payment = app.db().read(move |conn| Box::pin(async move { store::by_id(conn, id).await })).await?;
    let payment = payment.ok_or_else(|| ApiError::internal("a payment that is not there"))?;
    let provider = app.payments().needed_of(&payment).cloned();
    Ok(provider.map_err(|failure| CallFailure::new(Outcome::NotCalled, failure.detail)))
}

async fn held(tx: &mut Tx, id: PaymentId) -> ApiResult<(Order, Payment)> {
    let missing = || ApiError::internal("a payment that is not there");
    let order: OrderId = store::by_id(tx, id).await?.ok_or_else(missing)?.order_id;
    let order = orders::hold(tx, order).await?.ok_or_else(missing)?;
    // Read again: it may have changed while we waited.
    Ok((order, store::by_id(tx, id).await?.ok_or_else(missing)?))
}

async fn before(
    tx: &mut Tx,
    app: &AppState,
    id: PaymentId,
    (asker, by_search): (Asker, bool),
    had_failures: bool,
) -> ApiResult<Next> {
    let ((order, mut payment), now) = (held(tx, id).await?, app.now());
    let was = payment.status;
    let is_wanted = match was {
        PaymentStatus::Unasked => order.status == OrderStatus::AwaitingPayment && order.ending.is_none(),
        PaymentStatus::Asking | PaymentStatus::Unknown => true,
        _ => false,
    };
    if !is_wanted {
        return Ok(Next::Nothing(payment));
    }
    if was == PaymentStatus::Asking && is_in_flight(payment.asked_at, now) {
        return Ok(Next::Wait(CallFailure::new(Outcome::InProgress, "It is being asked for.")));
    }
    // With a key that was forgotten it would be begun a second time: it is only looked for.
    let is_old = payment.asked_first_at.is_some_and(|first| may_be_forgotten(first, now));
    if is_old || by_search {
        let operation = ("payment.search", None);
        let call = Call::before(tx, app, (&payment).into(), operation, had_failures).await?;
        return Ok(Next::Search { call, payment });
    }
    if was == PaymentStatus::Unasked && asker == Asker::Worker {
        // A buyer who comes back asks for it; nobody else needs it.
        return Ok(Next::Nothing(payment));
    }
    payment.status =
        if was == PaymentStatus::Unasked { PaymentStatus::Asking } else { PaymentStatus::Unknown };
    payment.asked_first_at = payment.asked_first_at.or(Some(now));
    payment.asked_at = Some(now);
    store::update(tx, &payment).await?;
    let operation = ("payment.create", Some(payment.idempotency_key.as_str()));
    let call = Call::before(tx, app, (&payment).into(), operation, had_failures).await?;
    jobs::reconcile_at(tx, app, id, now + RECONCILE_MS).await?;
    if was == PaymentStatus::Unasked {
        let detail = json!({"provider": payment.provider.code()});
        orders::note(tx, order.order_id, now, Step::PaymentBegun, detail).await?;
    }
    Ok(Next::Create { call, payment, was })
}

async fn created_now(
    app: &AppState,
    (call, id, was): (Call, PaymentId, PaymentStatus),
    result: Result<Answered<Remote>, CallFailure>,
) -> ApiResult<Asked> {
    let app_in = app.clone();
    let (asked, doors) = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                call.after(tx, &app_in, &result).await?;
                let (mut order, mut payment) = held(tx, id).await?;
                match result {
                    Ok(answered) => {
                        settle::observe(tx, &app_in, (&mut order, &mut payment), &answered.value).await?;
                        Ok((Asked::Settled(payment), order.at_doors()))
                    }
                    Err(failure) => {
                        let asked = failed(tx, &app_in, (order, payment), was, failure).await?;
                        Ok::<_, ApiError>((asked, None))
                    }
                }
            })
        })
        .await?;
    doors.into_iter().for_each(|event| app.ring(event));
    app.queue().wake(jobs::QUEUE.name);
    Ok(asked)
}

async fn failed(
    tx: &mut Tx,
    app: &AppState,
    (mut order, mut payment): (Order, Payment),
    was: PaymentStatus,
    failure: CallFailure,
) -> ApiResult<Asked> {
    // Somebody else has heard of it meanwhile.
    if !payment.status.is_uncertain() {
        return Ok(Asked::Settled(payment));
    }
    let now = app.now();
    if failure.outcome == Outcome::Refused {
        // The key stands for something else at the provider: that says nothing of what was asked before.
        if failure.code.as_deref() == Some("idempotency_error") {
            payment.status = PaymentStatus::Unknown;
            store::update(tx, &payment).await?;
            return Ok(Asked::NotKnown(CallFailure { is_replayed: true, ..failure }));
        }
        payment.status = PaymentStatus::Refused;
        payment.settled_at = Some(now);
        store::update(tx, &payment).await?;
        let detail = json!({"code": failure.code, "reason": failure.detail});
        orders::note(tx, order.order_id, now, Step::PaymentRefused, detail).await?;
        orders::begin_ending(tx, &mut order, (Ending::Failed, Some("the provider refused")), now).await?;
        orders::release(tx, &mut order, now).await?;
        return Ok(Asked::Settled(payment));
    }
    let is_new = was == PaymentStatus::Unasked;
    payment.status = if is_new && !failure.outcome.is_uncertain() {
        // Surely not begun: there is nothing to find out.
        payment.asked_first_at = None;
        PaymentStatus::Unasked
    } else {
        PaymentStatus::Unknown
    };
    store::update(tx, &payment).await?;
    if is_new && payment.status == PaymentStatus::Unknown {
        let detail = json!({"provider": payment.provider.code(), "why": failure.outcome.code()});
        orders::note(tx, order.order_id, now, Step::PaymentUnknown, detail).await?;
    }
    Ok(Asked::NotKnown(failure))
}

/// What is found is taken in. Where nothing is, the payment is given up, since nobody can make it, and a buyer who
/// waits gets another one.
async fn searched(
    app: &AppState,
    (call, id): (Call, PaymentId),
    asker: Asker,
    result: Result<Answered<Vec<Remote>>, CallFailure>,
) -> ApiResult<Asked> {
    let app_in = app.clone();
    let (asked, successor, doors) = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                call.after(tx, &app_in, &result).await?;
                let (mut order, mut payment) = held(tx, id).await?;
                let found = match result {
                    Err(failure) => return Ok((Asked::NotKnown(failure), None, None)),
                    Ok(answered) => answered.value,
                };
                if !payment.status.is_uncertain() {
                    return Ok((Asked::Settled(payment), None, None));
                }
                if found.is_empty() {
                    let successor = begin::replace(tx, &app_in, (&mut order, &mut payment)).await?;
                    return Ok((Asked::Settled(payment), successor, None));
                }
                for remote in &found {
                    settle::observe(tx, &app_in, (&mut order, &mut payment), remote).await?;
                }
                Ok::<_, ApiError>((Asked::Settled(payment), None, order.at_doors()))
            })
        })
        .await?;
    doors.into_iter().for_each(|event| app.ring(event));
    app.queue().wake(jobs::QUEUE.name);
    match successor {
        Some(next) if asker == Asker::Buyer => once(app, next, asker, false).await,
        _ => Ok(asked),
    }
}
