//! Closing an order that was not paid: its tickets are free again once no payment of it can succeed any more.

use super::ask::{Asker, ForPayment};
use super::calls::Call;
use super::failure::{CallFailure, is_about_state};
use super::provider::Provider;
use super::stripe::Answered;
use super::types::{Payment, PaymentStatus, Remote, RemoteStatus};
use super::{errand, jobs, settle, store};
use crate::app::AppState;
use crate::orders::{self, Ending, Order, OrderStatus};
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::OrderId;
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::Failure;
use crate::platform::telemetry::context;

/// What stands between an order and its end.
enum Stands {
    /// Nothing: it is over, or not to be closed yet.
    Nothing,
    /// Nobody knows whether there is a payment.
    Unknown(Payment),
    /// There is one, which has to be closed at its provider.
    Open(Payment),
}

/// Closes the order, if its time is up or somebody gave it up.
///
/// # Errors
/// When a payment of it may still succeed: then it is tried again.
pub(super) async fn close(app: &AppState, id: OrderId) -> Result<(), Failure> {
    match stands(app, id).await? {
        Stands::Nothing => Ok(()),
        Stands::Open(payment) => cancel(app, payment).await,
        Stands::Unknown(payment) => {
            errand::find_out(app, ForPayment(payment.payment_id, Asker::Worker)).await?;
            // Now it is known: it can be closed, if there is anything to close.
            match stands(app, id).await? {
                Stands::Nothing => Ok(()),
                Stands::Open(payment) => cancel(app, payment).await,
                Stands::Unknown(_) => Err(Failure::retry("payment_unknown", "The payment is not known yet.")),
            }
        }
    }
}

async fn stands(app: &AppState, id: OrderId) -> ApiResult<Stands> {
    let app_in = app.clone();
    app.db().write(move |tx| Box::pin(async move { look(tx, &app_in, id).await })).await
}

async fn look(tx: &mut Tx, app: &AppState, id: OrderId) -> ApiResult<Stands> {
    let Some(mut order) = orders::hold(tx, id).await? else { return Ok(Stands::Nothing) };
    let now = app.now();
    if order.status != OrderStatus::AwaitingPayment || (order.ending.is_none() && now < order.hold_until) {
        return Ok(Stands::Nothing);
    }
    orders::begin_ending(tx, &mut order, (Ending::Expired, None), now).await?;
    let Some(mut payment) = store::alive(tx, id).await? else {
        orders::release(tx, &mut order, now).await?;
        return Ok(Stands::Nothing);
    };
    match payment.status {
        PaymentStatus::Unasked => {
            payment.status = PaymentStatus::Canceled;
            payment.settled_at = Some(now);
            store::update(tx, &payment).await?;
            orders::release(tx, &mut order, now).await?;
            Ok(Stands::Nothing)
        }
        PaymentStatus::Asking | PaymentStatus::Unknown => Ok(Stands::Unknown(payment)),
        _ => Ok(Stands::Open(payment)),
    }
}

async fn cancel(app: &AppState, payment: Payment) -> Result<(), Failure> {
    match ask_to_cancel(app, payment).await? {
        Some(remote) if remote.status == RemoteStatus::Processing => {
            Err(Failure::retry("payment_processing", "The payment is on its way: it cannot be closed."))
        }
        _ => Ok(()),
    }
}

/// Asks the provider to cancel a payment, and takes in what it says. Where it refuses because of where the payment
/// stands, this is where it stands.
async fn ask_to_cancel(app: &AppState, payment: Payment) -> Result<Option<Remote>, Failure> {
    let (provider, provider_id) = at_provider(app, &payment)?;
    let call = Call::begin(app, (&payment).into(), "payment.cancel").await?;
    let key = format!("cancel_payment:{}:{}", payment.order_id, call.id);
    let canceled = provider.cancel(&payment, &provider_id, &key);
    let result = context::provider(provider.kind().code(), "payment.cancel", canceled).await;
    take_in(app, payment.order_id, call, result.clone()).await?;
    match result {
        Ok(_) => Ok(None),
        // It was made, or is being made: what became of it is what counts.
        Err(failure) if is_about_state(&failure) => retrieve(app, payment).await.map(Some),
        Err(failure) => Err(failure.into()),
    }
}

/// Asks the provider where a payment stands, and takes in what it says.
///
/// # Errors
/// When it does not say.
pub(super) async fn retrieve(app: &AppState, payment: Payment) -> Result<Remote, Failure> {
    let (provider, provider_id) = at_provider(app, &payment)?;
    let call = Call::begin(app, (&payment).into(), "payment.retrieve").await?;
    let retrieved = provider.retrieve(&payment, &provider_id);
    let result = context::provider(provider.kind().code(), "payment.retrieve", retrieved).await;
    take_in(app, payment.order_id, call, result.clone()).await?;
    Ok(result?.value)
}

/// Who has the payment, and what it is called there.
fn at_provider<'a>(app: &'a AppState, payment: &Payment) -> Result<(&'a Provider, String), Failure> {
    let missing = || Failure::permanent("payment_without_id", "The payment has no id at its provider.");
    Ok((app.payments().needed_of(payment)?, payment.provider_id.clone().ok_or_else(missing)?))
}

async fn take_in(
    app: &AppState,
    order: OrderId,
    call: Call,
    result: Result<Answered<Remote>, CallFailure>,
) -> ApiResult<()> {
    let app_in = app.clone();
    let doors = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                call.after(tx, &app_in, &result).await?;
                let Ok(answered) = result else { return Ok(None) };
                let Some(mut order) = orders::hold(tx, order).await? else { return Ok(None) };
                observe_at(tx, &app_in, &mut order, &answered.value).await?;
                Ok::<_, ApiError>(order.at_doors())
            })
        })
        .await?;
    doors.into_iter().for_each(|event| app.ring(event));
    jobs::wake(app);
    Ok(())
}

/// Takes in what is heard of one of an order's payments.
async fn observe_at(tx: &mut Tx, app: &AppState, order: &mut Order, remote: &Remote) -> ApiResult<()> {
    let payments = store::of_order(tx, order.order_id).await?;
    let is_it = |payment: &&Payment| {
        payment.provider_id.as_deref() == Some(&remote.provider_id)
            || (payment.provider_id.is_none() && remote.payment_id == Some(payment.payment_id))
    };
    match payments.iter().find(is_it).cloned() {
        Some(mut payment) => settle::observe(tx, app, (order, &mut payment), remote).await,
        // A stray one: it was closed, which is all that was wanted.
        None => Ok(()),
    }
}

/// Closes a payment at the provider that nobody should make.
///
/// # Errors
/// When it cannot be closed: then it is tried again.
pub(super) async fn close_stray(app: &AppState, order: OrderId, provider_id: &str) -> Result<(), Failure> {
    let payments = app.db().read(move |conn| Box::pin(async move { store::of_order(conn, order).await }));
    let payments: Result<Vec<Payment>, DbError> = payments.await;
    let Some(payment) = payments?.into_iter().next() else { return Ok(()) };
    let stray = Payment { provider_id: Some(provider_id.to_owned()), ..payment };
    ask_to_cancel(app, stray).await.map(drop)
}
