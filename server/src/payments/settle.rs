//! What a payment's provider says becomes what the order is. The only place where it does, whoever heard it: the
//! checkout, a web hook, a worker that asked.
//!
//! Nothing here depends on the order in which things are heard: what is final stays, and what is heard twice changes
//! nothing.

use serde_json::json;

use super::types::{Decline, Payment, PaymentStatus, ProviderKind, Remote, RemoteStatus};
use super::{books, jobs, secrets, store};
use crate::app::AppState;
use crate::mails;
use crate::orders::{self, Attention, Ending, Order, OrderStatus, Step};
use crate::platform::db::Tx;
use crate::platform::problem::ApiResult;

/// Takes in what the provider says of a payment whose order is held.
///
/// # Errors
/// When the database fails: then nothing of it was taken in.
pub(super) async fn observe(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &mut Payment),
    remote: &Remote,
) -> ApiResult<()> {
    if remote.is_live != payment.is_live {
        // Of the other world: whatever it says, it is not about this payment.
        tracing::warn!(payment_id = %payment.payment_id, "a provider's test and live payments are mixed up");
        return Ok(());
    }
    if payment.provider_id.as_ref().is_some_and(|known| *known != remote.provider_id) {
        return second(tx, app, (order, payment), remote).await;
    }
    payment.provider_id = Some(remote.provider_id.clone());
    if payment.status.is_final() {
        return late(tx, app, (order, payment), remote).await;
    }
    match remote.status {
        RemoteStatus::Succeeded => succeeded(tx, app, (order, payment), remote).await,
        RemoteStatus::Canceled => canceled(tx, app, (order, payment)).await,
        RemoteStatus::Processing => {
            if payment.status != PaymentStatus::Processing {
                payment.status = PaymentStatus::Processing;
                note(tx, app, order, Step::PaymentProcessing, json!({})).await?;
            }
            Ok(store::update(tx, payment).await?)
        }
        RemoteStatus::AwaitsBuyer => open(tx, app, (order, payment), remote).await,
    }
}

async fn note(
    tx: &mut Tx,
    app: &AppState,
    order: &Order,
    step: Step,
    detail: serde_json::Value,
) -> ApiResult<()> {
    Ok(orders::note(tx, order.order_id, app.now(), step, detail).await?)
}

/// The buyer can pay; perhaps their bank has just refused.
async fn open(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &mut Payment),
    remote: &Remote,
) -> ApiResult<()> {
    let has_secret = remote.client_secret.is_some() || payment.sealed_client_secret.is_some();
    if payment.provider == ProviderKind::Stripe && !has_secret {
        // There is one; but whoever asked for it has not heard yet, and nobody can make it before.
        return Ok(store::update(tx, payment).await?);
    }
    if payment.status != PaymentStatus::Open && payment.status != PaymentStatus::Processing {
        note(tx, app, order, Step::PaymentOpen, json!({"amount": payment.amount})).await?;
    }
    payment.status = PaymentStatus::Open;
    if let Some(secret) = &remote.client_secret {
        payment.sealed_client_secret = Some(secrets::seal(app, payment.payment_id, secret)?);
    }
    if let Some(Decline { code, text, id }) = &remote.decline
        && payment.decline.as_ref() != Some(id)
    {
        payment.decline = Some(id.clone());
        note(tx, app, order, Step::PaymentDeclined, json!({"code": code, "reason": text})).await?;
    }
    store::update(tx, payment).await?;
    // It was closed meanwhile, while nobody knew of this payment.
    if order.ending.is_some() || order.status != OrderStatus::AwaitingPayment {
        jobs::close(tx, app, order.order_id).await?;
    }
    Ok(())
}

async fn canceled(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &mut Payment),
) -> ApiResult<()> {
    payment.status = PaymentStatus::Canceled;
    payment.settled_at = Some(app.now());
    store::update(tx, payment).await?;
    note(tx, app, order, Step::PaymentCanceled, json!({})).await?;
    // If it was not us, it was somebody at the provider.
    let ending = (Ending::Cancelled, Some("the payment was closed at the provider"));
    orders::begin_ending(tx, order, ending, app.now()).await?;
    Ok(orders::release(tx, order, app.now()).await?)
}

async fn succeeded(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &mut Payment),
    remote: &Remote,
) -> ApiResult<()> {
    payment.status = PaymentStatus::Succeeded;
    payment.received = remote.received;
    payment.settled_at = Some(app.now());
    store::update(tx, payment).await?;
    note(tx, app, order, Step::PaymentSucceeded, json!({"amount": remote.received})).await?;
    if remote.received != order.total || remote.amount != order.total || remote.currency != order.currency {
        // Its tickets are for others: what is to be done with the money, a person decides.
        orders::begin_ending(tx, order, (Ending::Failed, None), app.now()).await?;
        orders::release(tx, order, app.now()).await?;
        let reason = "what was paid is not what the order costs; no tickets were issued";
        orders::raise(tx, order, (Attention::AmountDiffers, reason), app.now()).await?;
        return Ok(books::unexplained(tx, app, payment).await?);
    }
    if order.status != OrderStatus::AwaitingPayment && !orders::revive(tx, order, app.now()).await? {
        let reason = "it was paid after it had ended, and its tickets were sold meanwhile";
        orders::raise(tx, order, (Attention::PaidTooLate, reason), app.now()).await?;
        return Ok(books::unexplained(tx, app, payment).await?);
    }
    orders::fulfil(tx, app, order).await?;
    mails::order_paid(tx, app, order).await?;
    Ok(books::sale(tx, app, order, payment).await?)
}

/// The provider has one payment too many.
async fn second(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &Payment),
    remote: &Remote,
) -> ApiResult<()> {
    match remote.status {
        // What becomes of it is heard when it is known.
        RemoteStatus::Canceled | RemoteStatus::Processing => Ok(()),
        RemoteStatus::Succeeded => stray(tx, app, (order, payment.is_live), remote).await,
        RemoteStatus::AwaitsBuyer => {
            Ok(jobs::close_stray(tx, app, order.order_id, &remote.provider_id).await?)
        }
    }
}

/// Something is heard of a payment that was thought to be over.
async fn late(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &mut Payment),
    remote: &Remote,
) -> ApiResult<()> {
    if payment.status == PaymentStatus::Succeeded {
        return Ok(());
    }
    match remote.status {
        // It was made after all: whoever paid has a right to tickets, or to their money.
        RemoteStatus::Succeeded => succeeded_late(tx, app, (order, payment), remote).await,
        RemoteStatus::AwaitsBuyer if payment.status != PaymentStatus::Canceled => {
            store::update(tx, payment).await?;
            Ok(jobs::close_stray(tx, app, order.order_id, &remote.provider_id).await?)
        }
        RemoteStatus::AwaitsBuyer | RemoteStatus::Processing | RemoteStatus::Canceled => {
            Ok(store::update(tx, payment).await?)
        }
    }
}

async fn succeeded_late(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &mut Payment),
    remote: &Remote,
) -> ApiResult<()> {
    if store::alive(tx, order.order_id).await?.is_none() {
        return succeeded(tx, app, (order, payment), remote).await;
    }
    stray(tx, app, (order, payment.is_live), remote).await
}

/// A payment too many was made: the money is somebody's, and has to go back.
async fn stray(
    tx: &mut Tx,
    app: &AppState,
    (order, is_live): (&mut Order, bool),
    remote: &Remote,
) -> ApiResult<()> {
    let money = (remote.currency, remote.received);
    if !books::stray(tx, app, (order, is_live), &remote.provider_id, money).await? {
        return Ok(());
    }
    note(tx, app, order, Step::PaymentSucceeded, json!({"amount": remote.received})).await?;
    let reason = "the provider has a second payment of it, which was made: give it back there";
    Ok(orders::raise(tx, order, (Attention::SecondPayment, reason), app.now()).await?)
}
