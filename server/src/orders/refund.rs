//! What a refund does to an order and its tickets.

use liventix_core::ids::TicketId;

use super::end::by_type;
use super::store;
use super::types::{Item, Order, OrderStatus};
use crate::app::AppState;
use crate::facts::{self, Fact, Measure};
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::ids::{OrderId, RefundId};
use crate::platform::problem::ApiResult;
use crate::sales::stock;
use crate::tickets;

async fn items_of(conn: &mut Conn, order: OrderId, refund: RefundId) -> Result<Vec<Item>, DbError> {
    let items = store::items(conn, order).await?;
    Ok(items.into_iter().filter(|item| item.refund_id == Some(refund)).collect())
}

/// The tickets a refund is for, by their positions.
pub(crate) async fn refunded_positions(
    conn: &mut Conn,
    order: OrderId,
    refund: RefundId,
) -> Result<Vec<u32>, DbError> {
    Ok(items_of(conn, order, refund).await?.iter().map(|item| item.position).collect())
}

/// The tickets a refund is for, as far as there are any.
pub(crate) async fn refunded_tickets(
    conn: &mut Conn,
    order: OrderId,
    refund: RefundId,
) -> Result<Vec<TicketId>, DbError> {
    Ok(items_of(conn, order, refund).await?.iter().filter_map(|item| item.ticket_id).collect())
}

/// Tickets of an order that is held are a refund's from now on, and open no door. Ring the event afterwards.
pub(crate) async fn block_for_refund(
    tx: &mut Tx,
    order: &Order,
    (refund, positions): (RefundId, &[u32]),
) -> ApiResult<()> {
    let items = store::items(tx, order.order_id).await?;
    let chosen: Vec<&Item> = items.iter().filter(|item| positions.contains(&item.position)).collect();
    let ids: Vec<_> = chosen.iter().filter_map(|item| item.ticket_id).collect();
    let blocked = tickets::block_in(tx, order.event_id, &ids).await?;
    for item in chosen {
        let is_blocked = item.ticket_id.is_some_and(|id| blocked.contains(&id));
        store::set_refund(tx, order.order_id, item.position, (Some(refund), is_blocked)).await?;
    }
    Ok(())
}

/// A refund came to nothing before the money had gone: its tickets are good again. Ring the event afterwards.
pub(crate) async fn unblock_refunded(tx: &mut Tx, order: &Order, refund: RefundId) -> ApiResult<()> {
    let blocked = store::refund_blocked(tx, order.order_id, refund).await?;
    tickets::unblock_in(tx, order.event_id, &blocked).await?;
    for item in items_of(tx, order.order_id, refund).await? {
        store::set_refund(tx, order.order_id, item.position, (None, false)).await?;
    }
    Ok(())
}

/// Money went back: the order's status follows, and tickets it was for are for sale again.
pub(crate) async fn refunded(
    tx: &mut Tx,
    app: &AppState,
    order: &mut Order,
    (refund, amount): (RefundId, i64),
) -> Result<(), DbError> {
    order.refunded += amount;
    follow(order);
    store::update(tx, order).await?;
    let mut items = items_of(tx, order.order_id, refund).await?;
    // What was paid too late was never sold.
    items.retain(|item| item.ticket_id.is_some());
    let mut facts = Vec::new();
    for (kind, count) in by_type(&items) {
        stock::unsell(tx, kind, count).await?;
        let fact = Fact::new(Measure::TicketsRefunded, app.now(), i64::from(count));
        facts.push(fact.of(order.event_id).with(kind));
    }
    facts::append(tx, app, order.organiser_id, facts).await
}

/// Money that had gone back came again. The tickets stay as they are: they may be others' by now.
pub(crate) async fn refund_back(tx: &mut Tx, order: &mut Order, amount: i64) -> Result<(), DbError> {
    order.refunded -= amount;
    follow(order);
    store::update(tx, order).await
}

/// Only an order with tickets follows: money of one that ended went back without any.
fn follow(order: &mut Order) {
    if order.status.has_tickets() {
        order.status = match order.refunded {
            ..=0 => OrderStatus::Paid,
            refunded if refunded >= order.total => OrderStatus::Refunded,
            _ => OrderStatus::PartiallyRefunded,
        };
    }
}
