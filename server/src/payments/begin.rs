//! A payment of an order, before its provider knows of it.

use liventix_core::ids::EventId;

use super::provider::Provider;
use super::types::{Payment, PaymentStatus};
use super::{jobs, store};
use crate::app::AppState;
use crate::events;
use crate::orders::{self, Order, OrderStatus};
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::ids::PaymentId;
use crate::platform::problem::ApiResult;

/// A payment of the order, of which the provider knows nothing yet; and the order's end, should it not be made.
pub(super) async fn begin(
    tx: &mut Tx,
    app: &AppState,
    provider: &Provider,
    order: &Order,
) -> Result<Payment, DbError> {
    let payment_id = PaymentId::generate(app.now(), app.entropy().as_ref());
    let payment = Payment {
        payment_id,
        order_id: order.order_id,
        organiser_id: order.organiser_id,
        provider: provider.kind(),
        is_live: provider.is_live(),
        provider_id: None,
        status: PaymentStatus::Unasked,
        currency: order.currency,
        amount: order.total,
        received: 0,
        description: format!("{} · {}", event_name(tx, order.event_id).await?, order.reference),
        receipt_email: order.buyer.email.clone(),
        sealed_client_secret: None,
        idempotency_key: format!("create_payment:{}:{payment_id}", order.order_id),
        decline: None,
        created_at: app.now(),
        asked_first_at: None,
        asked_at: None,
        settled_at: None,
    };
    store::insert(tx, &payment).await?;
    jobs::close_at(tx, app, order.order_id, order.hold_until).await?;
    Ok(payment)
}

/// Gives up a payment of which will never be known whether it was begun, and puts another in its place, if the order
/// still waits. If the first was begun all the same, nobody has its secret, so nobody can make it.
pub(super) async fn replace(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &mut Payment),
) -> ApiResult<Option<PaymentId>> {
    payment.status = PaymentStatus::Abandoned;
    payment.settled_at = Some(app.now());
    store::update(tx, payment).await?;
    if order.ending.is_some() {
        orders::release(tx, order, app.now()).await?;
    }
    let provider = app.payments().of(payment);
    match provider.filter(|_| order.status == OrderStatus::AwaitingPayment) {
        Some(provider) => Ok(Some(begin(tx, app, provider, order).await?.payment_id)),
        None => Ok(None),
    }
}

async fn event_name(conn: &mut Conn, event: EventId) -> Result<String, DbError> {
    Ok(events::summary(conn, event).await?.map(|event| event.name).unwrap_or_default())
}
