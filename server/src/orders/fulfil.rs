//! An order becomes tickets.

use serde_json::json;

use super::steps::{self, Step};
use super::types::{Item, Order, OrderStatus};
use super::{end, store};
use crate::app::AppState;
use crate::events::snapshot;
use crate::facts::{self, Fact, Measure};
use crate::platform::db::Tx;
use crate::platform::problem::{ApiError, ApiResult};
use crate::pricing::TicketPrice;
use crate::sales::stock;
use crate::tickets::{self, NewTicket};

/// Issues the tickets of an order that is held and waits, and makes it paid. Ring the event afterwards.
///
/// # Errors
/// When the database fails: then nothing happened, and it is tried again.
pub(crate) async fn fulfil(tx: &mut Tx, app: &AppState, order: &mut Order) -> ApiResult<()> {
    let now = app.now();
    if order.status != OrderStatus::AwaitingPayment {
        return Err(ApiError::internal("an order is fulfilled that does not wait"));
    }
    let items = store::items(tx, order.order_id).await?;
    let snapshot = snapshot::load(app, tx, order.organiser_id, order.event_id).await?;
    let new = items.iter().map(|item| NewTicket {
        attendee_name: Some(item.attendee_name.clone().unwrap_or_else(|| order.buyer.name.clone())),
        email: Some(order.buyer.email.clone()),
        reference: Some(order.reference.clone()),
        ..NewTicket::of(item.ticket_type_id)
    });
    let issued = tickets::issue_in(tx, app, &snapshot, new.collect()).await?;
    for (item, ticket) in items.iter().zip(issued) {
        store::set_ticket(tx, order.order_id, item.position, ticket).await?;
    }
    for (kind, count) in end::by_type(&items) {
        stock::sell(tx, kind, count).await?;
    }
    order.status = OrderStatus::Paid;
    order.ending = None;
    order.paid_at = Some(now);
    store::update(tx, order).await?;
    steps::note(tx, order.order_id, now, Step::TicketsIssued, json!({"tickets": items.len()})).await?;
    facts::append(tx, app, order.organiser_id, sold(order, &items, now)).await?;
    Ok(())
}

/// What was sold, by type.
fn sold(order: &Order, items: &[Item], now: i64) -> Vec<Fact> {
    let mut facts = vec![Fact::new(Measure::OrdersPaid, now, 1).of(order.event_id)];
    for (kind, count) in end::by_type(items) {
        let counted = |measure, value| Fact::new(measure, now, value).of(order.event_id).with(kind);
        let sum = |part: fn(&TicketPrice) -> i64| {
            items.iter().filter(|item| item.ticket_type_id == kind).map(|item| part(&item.cost)).sum()
        };
        let money = |measure, part| counted(measure, sum(part)).in_currency(order.currency);
        facts.extend([
            counted(Measure::TicketsSold, i64::from(count)),
            money(Measure::Gross, |cost| cost.total),
            money(Measure::Fees, |cost| cost.fee),
            money(Measure::Tax, |cost| cost.tax),
        ]);
    }
    if let Some(creative) = order.creative_id {
        let by = |measure, value| Fact::new(measure, now, value).of(order.event_id).by(creative);
        let tickets = i64::try_from(items.len()).unwrap_or(i64::MAX);
        facts.extend([
            by(Measure::AdOrders, 1),
            by(Measure::AdTickets, tickets),
            by(Measure::AdRevenue, order.total).in_currency(order.currency),
        ]);
    }
    facts
}
