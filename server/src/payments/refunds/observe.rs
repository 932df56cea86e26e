//! What the provider says of a refund.

use serde_json::json;

use super::store;
use super::types::{Refund, RefundStatus};
use crate::app::AppState;
use crate::mails;
use crate::notices;
use crate::orders::{self, Attention, Order, Step};
use crate::payments::books::{self, Stray};
use crate::payments::failure::CallFailure;
use crate::payments::stripe::RefundObject;
use crate::payments::types::Payment;
use crate::platform::db::Tx;
use crate::platform::ids::RefundId;
use crate::platform::problem::{ApiError, ApiResult};

/// Takes in what the provider says of a refund whose order is held. What is over stays over, but for one thing: a
/// bank may give back what had gone out.
///
/// # Errors
/// When the database fails, or the refund makes no sense.
pub(crate) async fn observe(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &Payment),
    remote: &RefundObject,
) -> ApiResult<()> {
    let known = match store::by_provider(tx, &remote.id).await? {
        None => match remote.refund_id() {
            Some(id) => store::by_id(tx, id).await?.filter(|refund| refund.payment_id == payment.payment_id),
            None => None,
        },
        known => known,
    };
    let mut refund = match known {
        Some(refund) => refund,
        None => adopt(tx, app, (order, payment), remote).await?,
    };
    refund.provider_id = Some(remote.id.clone());
    let status = match remote.status.as_deref() {
        Some("succeeded") => RefundStatus::Succeeded,
        Some("failed" | "canceled") => RefundStatus::Failed,
        _ => RefundStatus::Pending,
    };
    match (refund.status, status) {
        (RefundStatus::Failed, _)
        | (RefundStatus::Succeeded, RefundStatus::Succeeded | RefundStatus::Pending) => {
            Ok(store::update(tx, &refund).await?)
        }
        (_, RefundStatus::Pending) => {
            refund.status = RefundStatus::Pending;
            Ok(store::update(tx, &refund).await?)
        }
        (_, RefundStatus::Succeeded) => succeeded(tx, app, (order, payment), refund).await,
        (before, _) => {
            let why = remote.failure_reason.clone().unwrap_or_else(|| "the bank gave it back".to_owned());
            failed(tx, app, (order, payment), (refund, before), why).await
        }
    }
}

/// Somebody gave money back at the provider, and not here.
async fn adopt(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &Payment),
    remote: &RefundObject,
) -> ApiResult<Refund> {
    let money = remote.money().filter(|(currency, amount)| *currency == payment.currency && *amount > 0);
    let (currency, amount) = money.ok_or_else(|| ApiError::internal("a refund of another currency"))?;
    if !store::reserve(tx, payment.payment_id, amount).await? {
        return Err(ApiError::internal("a refund of more than was received"));
    }
    let refund = Refund {
        refund_id: RefundId::generate(app.now(), app.entropy().as_ref()),
        order_id: order.order_id,
        payment_id: payment.payment_id,
        organiser_id: order.organiser_id,
        amount,
        fees: 0,
        currency,
        reason: "made at the provider".to_owned(),
        asked_by: payment.provider.code().to_owned(),
        status: RefundStatus::Pending,
        provider_id: Some(remote.id.clone()),
        idempotency_key: format!("refund:{}:{}", order.order_id, remote.id),
        failure: None,
        created_at: app.now(),
        asked_at: None,
        settled_at: None,
    };
    store::insert(tx, &refund).await?;
    let reason = "money was given back at the provider: decide which tickets that was for";
    orders::raise(tx, order, (Attention::RefundedElsewhere, reason), app.now()).await?;
    Ok(refund)
}

async fn succeeded(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &Payment),
    mut refund: Refund,
) -> ApiResult<()> {
    refund.status = RefundStatus::Succeeded;
    refund.settled_at = Some(app.now());
    store::update(tx, &refund).await?;
    orders::refunded(tx, app, order, (refund.refund_id, refund.amount)).await?;
    let detail = json!({"amount": refund.amount});
    orders::note(tx, order.order_id, app.now(), Step::RefundSucceeded, detail).await?;
    mails::order_refunded(tx, app, order, (refund.refund_id, refund.amount)).await?;
    let tickets = orders::refunded_tickets(tx, order.order_id, refund.refund_id).await?;
    notices::tickets_refunded(tx, app, order.organiser_id, (&tickets, refund.refund_id)).await?;
    Ok(books::refund(tx, app, payment, &refund).await?)
}

async fn failed(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &Payment),
    (mut refund, before): (Refund, RefundStatus),
    why: String,
) -> ApiResult<()> {
    if before.is_over() {
        return Ok(());
    }
    refund.status = RefundStatus::Failed;
    refund.failure = Some(why.clone());
    refund.settled_at = Some(app.now());
    store::update(tx, &refund).await?;
    store::give_back(tx, refund.payment_id, refund.amount).await?;
    let detail = json!({"amount": refund.amount, "reason": why});
    orders::note(tx, order.order_id, app.now(), Step::RefundFailed, detail).await?;
    if before == RefundStatus::Succeeded {
        // The buyer's tickets may be sold to others by now: a person decides.
        orders::refund_back(tx, order, refund.amount).await?;
    } else {
        orders::unblock_refunded(tx, order, refund.refund_id).await?;
    }
    let reason = "the money came back: the buyer has to be paid in another way";
    orders::raise(tx, order, (Attention::RefundFailed, reason), app.now()).await?;
    if before == RefundStatus::Succeeded {
        books::refund_back(tx, app, payment, &refund).await?;
    }
    Ok(())
}

/// Takes in what the provider says of a refund of a payment that was one too many: such are made at the provider.
///
/// # Errors
/// When the database fails, or the refund makes no sense.
pub(crate) async fn observe_stray(
    tx: &mut Tx,
    app: &AppState,
    stray: Stray,
    remote: &RefundObject,
) -> ApiResult<Order> {
    let missing = || ApiError::internal("a payment of no order");
    let mut order = orders::hold(tx, stray.order).await?.ok_or_else(missing)?;
    let money = remote.money().filter(|(currency, amount)| *currency == stray.currency && *amount > 0);
    let (_, amount) = money.ok_or_else(|| ApiError::internal("a refund of another currency"))?;
    match remote.status.as_deref() {
        Some("succeeded") if stray.back(tx, app, &remote.id, amount).await? => {
            let detail = json!({"amount": amount});
            orders::note(tx, order.order_id, app.now(), Step::RefundSucceeded, detail).await?;
        }
        Some("failed" | "canceled") if stray.again(tx, app, &remote.id, amount).await? => {
            let detail = json!({"amount": amount, "reason": remote.failure_reason});
            orders::note(tx, order.order_id, app.now(), Step::RefundFailed, detail).await?;
            let reason = "the money of a second payment came back: the buyer has to be paid in another way";
            orders::raise(tx, &mut order, (Attention::RefundFailed, reason), app.now()).await?;
        }
        _ => {}
    }
    Ok(order)
}

/// The provider refused: nothing went out, and the tickets are good again.
pub(super) async fn refused(
    tx: &mut Tx,
    app: &AppState,
    (order, refund): (&mut Order, &mut Refund),
    failure: &CallFailure,
) -> ApiResult<()> {
    refund.status = RefundStatus::Refused;
    refund.failure = Some(failure.detail.clone());
    refund.settled_at = Some(app.now());
    store::update(tx, refund).await?;
    store::give_back(tx, refund.payment_id, refund.amount).await?;
    orders::unblock_refunded(tx, order, refund.refund_id).await?;
    let detail = json!({"amount": refund.amount, "reason": failure.detail});
    Ok(orders::note(tx, order.order_id, app.now(), Step::RefundRefused, detail).await?)
}
