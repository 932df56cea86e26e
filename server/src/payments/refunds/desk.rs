//! Somebody gives money back.

use axum::http::StatusCode;
use liventix_core::ids::EventId;
use serde_json::json;

use super::ask::{FIND_OUT_MS, ForRefund};
use super::store;
use super::types::{Refund, RefundItem, RefundQuery, RefundRequest, RefundStatus, RefundView};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::orders::{self, Item, Order, Step};
use crate::payments::types::Payment;
use crate::payments::{errand, jobs, store as payments};
use crate::platform::authorize::{self, Who};
use crate::platform::db::Tx;
use crate::platform::idempotency::Attempt;
use crate::platform::ids::{OrderId, RefundId};
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::text;
use crate::pricing::{Money, check_amount};

/// The step after which a repeated refund goes on.
const RESERVED: &str = "reserved";

/// How much, for which tickets.
struct Wish {
    amount: i64,
    fees: i64,
    positions: Vec<u32>,
}

/// Reserves what is to go back, blocks the tickets it is for, and asks the provider.
///
/// # Errors
/// `refund_too_much`, `nothing_to_refund`, `invalid_field`. What the provider says is in the answer: also a refund that
/// it refused, or of which it is not known yet.
pub(crate) async fn refund(
    app: &AppState,
    who: Who,
    id: OrderId,
    request: RefundRequest,
    attempt: Attempt,
) -> ApiResult<RefundView> {
    let reason = text::line("reason", &request.reason, 200)?;
    let refund_id = match attempt.resumed::<RefundId>(RESERVED)? {
        Some(refund_id) => refund_id,
        None => {
            let (app_in, by, attempt) = (app.clone(), who.clone(), attempt.clone());
            let db = app.db_of(who.organiser_id);
            let reserved = db.write(move |tx| {
                Box::pin(async move {
                    let (refund_id, event) = reserve(tx, &app_in, &by, id, (&request, reason)).await?;
                    attempt.reach_in(tx, RESERVED, &refund_id).await?;
                    Ok::<_, ApiError>((refund_id, event))
                })
            });
            let (refund_id, event) = reserved.await?;
            // Doors that are online learn at once which tickets are blocked.
            app.ring(event);
            refund_id
        }
    };
    // Whether it is known now or later, the refund is there.
    if let Err(failure) = errand::find_out(app, ForRefund(refund_id)).await {
        tracing::info!(%failure, %refund_id, "the refund is found out later");
    }
    let db = app.db_of(who.organiser_id);
    db.write(move |tx| {
        Box::pin(async move {
            let view = view(tx, refund_id).await?;
            attempt.finish_in(tx, StatusCode::CREATED, &view).await?;
            Ok(view)
        })
    })
    .await
}

/// An organiser's refunds over all orders, newest first.
///
/// # Errors
/// When they are not theirs.
pub(crate) async fn list(app: &AppState, who: Who, query: RefundQuery) -> ApiResult<Page<RefundItem>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (before, limit) = (page.before()?, page.limit()?);
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let granted = authorize::organiser(conn, &who).await?;
                let which = (granted.organiser_id, query.failed);
                let rows = store::of_organiser(conn, which, before, limit + 1).await?;
                let item = |row: store::Listed| RefundItem {
                    refund: row.refund.view(row.positions),
                    event_id: row.event_id,
                    reference: row.reference,
                };
                let key =
                    |it: &RefundItem| Key { at: it.refund.created_at, id: *it.refund.refund_id.as_bytes() };
                Ok(Page::of(rows.into_iter().map(item).collect(), limit, key))
            })
        })
        .await
}

async fn view(tx: &mut Tx, id: RefundId) -> ApiResult<RefundView> {
    let refund =
        store::by_id(tx, id).await?.ok_or_else(|| ApiError::internal("a refund that is not there"))?;
    let positions = orders::refunded_positions(tx, refund.order_id, id).await?;
    Ok(refund.view(positions))
}

async fn reserve(
    tx: &mut Tx,
    app: &AppState,
    who: &Who,
    id: OrderId,
    (request, reason): (&RefundRequest, String),
) -> ApiResult<(RefundId, EventId)> {
    orders::of(tx, who, id).await?;
    let order = orders::hold(tx, id).await?.ok_or_else(orders::not_found)?;
    let payment = payments::alive(tx, id).await?.filter(|payment| payment.received > 0);
    let payment = payment.ok_or_else(|| {
        let detail = "Nothing was paid for this order. What is not paid is given up, not refunded.";
        ApiError::new(Code::NothingToRefund, detail)
    })?;
    let left = store::left(tx, payment.payment_id).await?;
    let wish = wish(request, &order, &orders::items(tx, id).await?, left)?;
    if !store::reserve(tx, payment.payment_id, wish.amount).await? {
        return Err(too_much(&order, wish.amount, left));
    }
    let refund = new(app, (&order, &payment), who, &wish, reason);
    store::insert(tx, &refund).await?;
    orders::block_for_refund(tx, &order, (refund.refund_id, &wish.positions)).await?;
    let (now, tickets) = (app.now(), wish.positions.len());
    let detail =
        json!({"amount": refund.amount, "tickets": tickets, "by": refund.asked_by, "reason": refund.reason});
    orders::note(tx, id, now, Step::RefundBegun, detail.clone()).await?;
    let entry = Entry::of(Deed::OrderRefunded).at(order.event_id).to(Target::Order, id.as_bytes());
    audit::record(tx, app, who, entry.named(&order.reference).after(detail)).await?;
    jobs::find_out_refund_at(tx, app, refund.refund_id, now + FIND_OUT_MS).await?;
    Ok((refund.refund_id, order.event_id))
}

fn new(
    app: &AppState,
    (order, payment): (&Order, &Payment),
    who: &Who,
    wish: &Wish,
    reason: String,
) -> Refund {
    let refund_id = RefundId::generate(app.now(), app.entropy().as_ref());
    Refund {
        refund_id,
        order_id: order.order_id,
        payment_id: payment.payment_id,
        organiser_id: order.organiser_id,
        amount: wish.amount,
        fees: wish.fees,
        currency: payment.currency,
        reason,
        asked_by: who.by.name.clone(),
        // Nobody has asked; but from here on somebody may.
        status: RefundStatus::Unknown,
        provider_id: None,
        idempotency_key: format!("refund:{}:{refund_id}", order.order_id),
        failure: None,
        created_at: app.now(),
        asked_at: None,
        settled_at: None,
    }
}

fn too_much(order: &Order, amount: i64, left: i64) -> ApiError {
    let money = |amount| Money { amount, currency: order.currency };
    let detail = format!(
        "{} is more than the {} that is left of what was paid. Nothing was refunded.",
        money(amount),
        money(left)
    );
    ApiError::new(Code::RefundTooMuch, detail)
}

fn wish(request: &RefundRequest, order: &Order, items: &[Item], left: i64) -> ApiResult<Wish> {
    let ways = [!request.positions.is_empty(), request.amount.is_some(), request.all];
    if ways.iter().filter(|way| **way).count() != 1 {
        return Err(ApiError::field("positions", "name tickets, or an amount, or all: one of the three"));
    }
    if left <= 0 {
        return Err(ApiError::new(Code::NothingToRefund, "Everything that was paid has gone back already."));
    }
    if let Some(amount) = request.amount {
        check_amount(amount, order.currency).map_err(|error| ApiError::field("amount", error.to_string()))?;
        if amount == 0 {
            return Err(ApiError::field("amount", "must be more than nothing"));
        }
        return if amount > left {
            Err(too_much(order, amount, left))
        } else {
            Ok(Wish { amount, fees: 0, positions: Vec::new() })
        };
    }
    let chosen = chosen(request, items)?;
    let (cost, fees) =
        chosen.iter().fold((0, 0), |(cost, fees), item| (cost + item.cost.total, fees + item.cost.fee));
    let amount = if request.all { left } else { cost };
    if amount > left {
        return Err(too_much(order, amount, left));
    }
    Ok(Wish { amount, fees: fees.min(amount), positions: chosen.iter().map(|item| item.position).collect() })
}

fn chosen<'a>(request: &RefundRequest, items: &'a [Item]) -> ApiResult<Vec<&'a Item>> {
    if request.all {
        return Ok(items.iter().filter(|item| item.refund_id.is_none()).collect());
    }
    let mut positions = request.positions.clone();
    positions.sort_unstable();
    positions.dedup();
    let find = |position: &u32| {
        let item = items.iter().find(|item| item.position == *position);
        let item =
            item.ok_or_else(|| ApiError::field("positions", format!("the order has no ticket {position}")))?;
        if item.refund_id.is_some() {
            return Err(ApiError::field("positions", format!("ticket {position} was refunded already")));
        }
        Ok(item)
    };
    positions.iter().map(find).collect()
}
