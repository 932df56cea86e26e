//! What becomes of payments after a sale, for their organiser's figures. What was sold, `orders` says.

use liventix_core::ids::EventId;

use super::types::Payment;
use crate::app::AppState;
use crate::facts::{self, Fact, Measure};
use crate::params;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::CreativeId;

/// So much of a payment went back, with so much of its fees; less than nothing: it came again.
pub(super) async fn given_back(
    tx: &mut Tx,
    app: &AppState,
    payment: &Payment,
    (amount, fees): (i64, i64),
) -> Result<(), DbError> {
    let Some((event, creative)) = of_order(tx, payment).await? else { return Ok(()) };
    let fact =
        |measure, amount| Fact::new(measure, app.now(), amount).of(event).in_currency(payment.currency);
    let mut facts = vec![fact(Measure::Refunds, amount), fact(Measure::FeesBack, fees)];
    facts.extend(creative.map(|creative| fact(Measure::AdRefunds, amount).by(creative)));
    facts::append(tx, app, payment.organiser_id, facts).await
}

/// A dispute took so much, with its fee; less than nothing: it gave it back.
pub(super) async fn disputed(
    tx: &mut Tx,
    app: &AppState,
    payment: &Payment,
    amount: i64,
) -> Result<(), DbError> {
    let Some((event, _)) = of_order(tx, payment).await? else { return Ok(()) };
    let fact = Fact::new(Measure::Disputes, app.now(), amount).of(event).in_currency(payment.currency);
    facts::append(tx, app, payment.organiser_id, vec![fact]).await
}

/// The event that a payment's order is of, and what brought its buyer.
async fn of_order(tx: &mut Tx, payment: &Payment) -> Result<Option<(EventId, Option<CreativeId>)>, DbError> {
    let sql = "SELECT event_id, creative_id FROM orders WHERE order_id = $1";
    let row = tx.first(sql, params![payment.order_id]).await?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}
