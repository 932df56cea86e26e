//! What of an organiser's money somebody has to look at.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::super::super::failure::Failure;
use super::super::super::layout::{self, Frame, Moment};
use super::super::super::visitor::Office;
use super::super::orders;
use super::HERE;
use super::payouts::{self, PayoutRow};
use super::refunds::{self, Item};
use crate::app::AppState;
use crate::payments::{self, Failures};
use crate::platform::authorize::may;
use crate::pricing::Money;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/organisers/{organiser_id}/failures", get(show))
}

#[derive(Debug, Serialize)]
struct OrderRow {
    #[serde(flatten)]
    row: orders::Row,
    path: String,
}

#[derive(Debug, Serialize)]
struct PaymentRow {
    reference: String,
    amount: String,
    since: Moment,
    path: String,
}

#[derive(Debug, Serialize)]
struct Content {
    office: String,
    is_well: bool,
    orders: Vec<OrderRow>,
    payments: Vec<PaymentRow>,
    refunds: Vec<Item>,
    payouts: Vec<PayoutRow>,
}

async fn show(office: Office<may::SeeMoney>, State(app): State<AppState>) -> Result<Response, Failure> {
    let Failures { orders, payments, refunds, payouts } =
        payments::failures(&app, office.who.clone()).await?;
    let path = |event, order| office.place.path(&app, &format!("/events/{event}/orders/{order}"));
    let is_well = orders.is_empty() && payments.is_empty() && refunds.is_empty() && payouts.is_empty();
    let order_row = |order: crate::orders::OrderSummary| OrderRow {
        path: path(order.event_id, order.order_id),
        row: orders::row(&order, "UTC"),
    };
    let payment_row = |payment: payments::UnknownPayment| PaymentRow {
        path: path(payment.event_id, payment.order_id),
        amount: Money { amount: payment.amount, currency: payment.currency }.to_string(),
        since: Moment::new(payment.since),
        reference: payment.reference,
    };
    let content = Content {
        office: office.place.path(&app, ""),
        is_well,
        orders: orders.into_iter().map(order_row).collect(),
        payments: payments.into_iter().map(payment_row).collect(),
        refunds: refunds.into_iter().map(|it| refunds::item(&app, &office, it)).collect(),
        payouts: payouts.into_iter().map(payouts::row).collect(),
    };
    Ok(layout::render(&app, "failures.html", &Frame::at(&office, "Failures", HERE), &content)?)
}
