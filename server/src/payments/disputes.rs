//! A buyer's bank takes money back, and may give it again. <https://docs.stripe.com/disputes>

use liventix_core::ids::{EventId, OrganiserId};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::books;
use super::stripe::DisputeObject;
use super::types::Payment;
use crate::app::AppState;
use crate::orders::{self, Attention, Order, Step};
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx, Value};
use crate::platform::ids::OrderId;
use crate::platform::problem::{ApiError, ApiResult};
use crate::pricing::Currency;

/// A dispute.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DisputeView {
    /// What the provider calls it: evidence is handed in there.
    pub dispute_id: String,
    /// The order.
    pub order_id: OrderId,
    /// The event it is of.
    pub event_id: EventId,
    /// What people say on the phone.
    pub reference: String,
    /// How much is disputed, in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// Why, in the provider's words: `fraudulent`, `product_not_received`, …
    pub reason: String,
    /// Where it stands, in the provider's words: `needs_response`, `under_review`, `won`, `lost`, …
    pub status: String,
    /// Until when evidence is taken (UTC milliseconds).
    pub due_by: Option<i64>,
    /// Since when (UTC milliseconds).
    pub opened_at: i64,
    /// When it was decided (UTC milliseconds).
    pub closed_at: Option<i64>,
}

/// Statuses that nothing follows. <https://docs.stripe.com/api/disputes/object#dispute_object-status>
const CLOSED: [&str; 3] = ["won", "lost", "warning_closed"];

/// Takes in what the provider says of a dispute whose order is held. Each movement of money has an id of its own, and
/// is booked once, in whatever order events come.
///
/// # Errors
/// When the database fails, or the dispute makes no sense.
pub(super) async fn observe(
    tx: &mut Tx,
    app: &AppState,
    (order, payment): (&mut Order, &Payment),
    remote: &DisputeObject,
    made_at: i64,
) -> ApiResult<()> {
    let (currency, amount) =
        remote.money().ok_or_else(|| ApiError::internal("a dispute of another currency"))?;
    let known = status(tx, &remote.id).await?;
    let is_over = known.as_ref().is_some_and(|(status, _)| CLOSED.contains(&status.as_str()));
    // Older news of a dispute that was heard of since.
    let is_stale = known.as_ref().is_some_and(|(_, updated_at)| *updated_at > made_at);
    for movement in &remote.balance_transactions {
        let (in_currency, moved, fee) =
            movement.money().ok_or_else(|| ApiError::internal("a movement of another currency"))?;
        if in_currency != payment.currency {
            let reason = "money of a dispute moved in another currency: it has to be booked by hand";
            orders::raise(tx, order, (Attention::Disputed, reason), app.now()).await?;
            continue;
        }
        if books::dispute(tx, app, payment, (&movement.id, moved, fee)).await? {
            let step = if moved < 0 { Step::DisputeWithdrawn } else { Step::DisputeReinstated };
            orders::note(tx, order.order_id, app.now(), step, json!({"amount": moved.abs(), "fee": fee}))
                .await?;
        }
    }
    if is_over || is_stale {
        return Ok(());
    }
    let is_closed = CLOSED.contains(&remote.status.as_str());
    put(tx, (order, payment), remote, (currency, amount), (made_at, is_closed)).await?;
    if known.is_none() {
        let detail = json!({"amount": amount, "reason": remote.reason});
        orders::note(tx, order.order_id, app.now(), Step::DisputeOpened, detail).await?;
        if !is_closed {
            let reason = "the buyer's bank disputes it: hand in evidence at Stripe before it is due";
            orders::raise(tx, order, (Attention::Disputed, reason), app.now()).await?;
        }
    }
    if is_closed {
        let detail = json!({"as": remote.status, "amount": amount});
        orders::note(tx, order.order_id, app.now(), Step::DisputeClosed, detail).await?;
    }
    Ok(())
}

async fn status(conn: &mut Conn, id: &str) -> Result<Option<(String, i64)>, DbError> {
    let sql = "SELECT status, updated_at FROM disputes WHERE dispute_id = $1";
    conn.first(sql, params![id]).await?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

async fn put(
    tx: &mut Tx,
    (order, payment): (&Order, &Payment),
    remote: &DisputeObject,
    (currency, amount): (Currency, i64),
    (made_at, is_closed): (i64, bool),
) -> Result<(), DbError> {
    let due_by = remote.evidence_details.as_ref().and_then(|evidence| evidence.due_by);
    let sql = "INSERT INTO disputes (dispute_id, order_id, payment_id, organiser_id, amount, currency, reason, \
               status, due_by, opened_at, updated_at, closed_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11) \
               ON CONFLICT (dispute_id) DO UPDATE SET amount = excluded.amount, reason = excluded.reason, \
               status = excluded.status, due_by = excluded.due_by, updated_at = excluded.updated_at, \
               closed_at = excluded.closed_at";
    let values = params![
        &remote.id,
        order.order_id,
        payment.payment_id,
        order.organiser_id,
        amount,
        currency.code(),
        &remote.reason,
        &remote.status,
        due_by.map(|seconds| seconds.saturating_mul(1_000)),
        made_at,
        is_closed.then_some(made_at),
    ];
    tx.execute(sql, values).await.map(drop)
}

const VIEW: &str = "SELECT d.dispute_id, d.order_id, o.reference, d.amount, d.currency, d.reason, d.status, \
    d.due_by, d.opened_at, d.closed_at, o.event_id FROM disputes d JOIN orders o ON o.order_id = d.order_id";

fn view(row: &Row) -> Result<DisputeView, DbError> {
    Ok(DisputeView {
        dispute_id: row.get(0)?,
        order_id: row.get(1)?,
        reference: row.get(2)?,
        amount: row.get(3)?,
        currency: row.coded(4, Currency::from_code)?,
        reason: row.get(5)?,
        status: row.get(6)?,
        due_by: row.get(7)?,
        opened_at: row.get(8)?,
        closed_at: row.get(9)?,
        event_id: row.get(10)?,
    })
}

/// An order's disputes, oldest first.
pub(super) async fn of_order(conn: &mut Conn, order: OrderId) -> Result<Vec<DisputeView>, DbError> {
    let sql = format!("{VIEW} WHERE d.order_id = $1 ORDER BY d.opened_at, d.dispute_id LIMIT 100");
    conn.query(&sql, params![order]).await?.iter().map(view).collect()
}

/// An organiser's disputes: those that are open first, the one that is due next first of all.
pub(super) async fn of_organiser(
    conn: &mut Conn,
    organiser: OrganiserId,
    only_open: bool,
    limit: u32,
) -> Result<Vec<DisputeView>, DbError> {
    let open = if only_open { "AND d.closed_at IS NULL" } else { "" };
    let sql = format!(
        "{VIEW} WHERE d.organiser_id = $1 {open} \
         ORDER BY CASE WHEN d.closed_at IS NULL THEN 0 ELSE 1 END, COALESCE(d.due_by, d.opened_at), d.dispute_id LIMIT $2"
    );
    let values: Vec<Value> = params![organiser, limit].to_vec();
    conn.query(&sql, &values).await?.iter().map(view).collect()
}
