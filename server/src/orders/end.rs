//! An order ends without tickets, or needs a person.

use std::collections::BTreeMap;

use liventix_core::ids::TicketTypeId;
use serde_json::json;

use super::steps::{self, Step};
use super::store;
use super::types::{Attention, Ending, Item, Order, OrderStatus};
use crate::platform::db::{DbError, Tx};
use crate::sales::stock;

/// How many of each type, by the type.
pub(super) fn by_type(items: &[Item]) -> BTreeMap<TicketTypeId, u32> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item.ticket_type_id).or_insert(0) += 1;
    }
    counts
}

/// The order is to end: from now on nobody begins a payment of it, and what was begun is being closed. Says
/// whether it still waited.
///
/// # Errors
/// When the database fails.
pub(crate) async fn begin_ending(
    tx: &mut Tx,
    order: &mut Order,
    (ending, reason): (Ending, Option<&str>),
    now: i64,
) -> Result<bool, DbError> {
    if order.status != OrderStatus::AwaitingPayment {
        return Ok(false);
    }
    if order.ending.is_none() {
        order.ending = Some(ending);
        store::update(tx, order).await?;
        let detail = json!({"as": ending.code(), "reason": reason});
        steps::note(tx, order.order_id, now, Step::Ending, detail).await?;
    }
    Ok(true)
}

/// The order ends: no payment of it can succeed any more. What it held is free again.
///
/// # Errors
/// When the database fails.
pub(crate) async fn release(tx: &mut Tx, order: &mut Order, now: i64) -> Result<(), DbError> {
    let Some(ending) = order.ending.filter(|_| order.status == OrderStatus::AwaitingPayment) else {
        return Ok(());
    };
    let items = store::items(tx, order.order_id).await?;
    for (kind, count) in by_type(&items) {
        stock::release(tx, kind, count).await?;
    }
    order.status = ending.status();
    order.ending = None;
    order.ended_at = Some(now);
    store::update(tx, order).await?;
    steps::note(tx, order.order_id, now, Step::Ended, json!({"as": ending.code()})).await
}

/// A person has to look at the order.
///
/// # Errors
/// When the database fails.
pub(crate) async fn raise(
    tx: &mut Tx,
    order: &mut Order,
    (attention, reason): (Attention, &str),
    now: i64,
) -> Result<(), DbError> {
    if order.attention.contains(&attention) {
        return Ok(());
    }
    order.attention.push(attention);
    store::update(tx, order).await?;
    let detail = json!({"why": attention.code(), "reason": reason});
    steps::note(tx, order.order_id, now, Step::AttentionRaised, detail).await
}

/// The order was paid though it had ended: its tickets are held again, if there are as many, and it waits as before.
/// Says whether there were.
///
/// # Errors
/// When the database fails.
pub(crate) async fn revive(tx: &mut Tx, order: &mut Order, now: i64) -> Result<bool, DbError> {
    let counts = by_type(&store::items(tx, order.order_id).await?);
    let mut held = Vec::new();
    for (kind, count) in counts {
        if !stock::hold(tx, kind, count).await? {
            for (kind, count) in held {
                stock::release(tx, kind, count).await?;
            }
            return Ok(false);
        }
        held.push((kind, count));
    }
    order.status = OrderStatus::AwaitingPayment;
    order.ended_at = None;
    store::update(tx, order).await?;
    steps::note(tx, order.order_id, now, Step::Revived, json!({})).await?;
    Ok(true)
}

/// Somebody has looked at what of an order needed it. What has come up since still does.
///
/// # Errors
/// When the database fails.
pub(crate) async fn attended(
    tx: &mut Tx,
    order: &mut Order,
    (seen, by, reason): (&[Attention], &str, &str),
    now: i64,
) -> Result<(), DbError> {
    order.attention.retain(|attention| !seen.contains(attention));
    store::update(tx, order).await?;
    let detail = json!({"by": by, "reason": reason});
    steps::note(tx, order.order_id, now, Step::AttentionSettled, detail).await
}
