//! What an organiser's people do about orders and their payments.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::disputes::{self, DisputeView};
use super::refunds::{self, RefundView};
use super::{checkout, jobs};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::orders::{self, Attention, Order, OrderDetail, OrderStatus};
use crate::platform::authorize::{self, Who};
use crate::platform::db::Tx;
use crate::platform::ids::OrderId;
use crate::platform::problem::ApiResult;
use crate::platform::text;
use crate::pricing::Currency;

/// What a list of disputes has at most.
const MAX_DISPUTES: u32 = 200;

/// Why somebody does something about an order.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// For the record (1 to 200 characters).
    pub reason: String,
}

/// What somebody did about an order that needed a person.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// For the record (1 to 200 characters).
    pub reason: String,
    /// What they have looked at; left out: all that needs it. What has come up since they looked still needs a person.
    #[serde(default)]
    pub attention: Option<Vec<Attention>>,
}

impl Reason {
    fn checked(&self) -> ApiResult<String> {
        text::line("reason", &self.reason, 200)
    }
}

/// The order, held, if `who` may do what they ask for.
async fn held(tx: &mut Tx, who: &Who, id: OrderId) -> ApiResult<Order> {
    orders::of(tx, who, id).await?;
    orders::hold(tx, id).await?.ok_or_else(orders::not_found)
}

fn entry(deed: Deed, order: &Order) -> Entry {
    let entry = Entry::of(deed).at(order.event_id).to(Target::Order, order.order_id.as_bytes());
    entry.named(&order.reference)
}

/// Gives up an order that is not paid. Doing it twice changes nothing more.
///
/// # Errors
/// `order_over` once it is paid.
pub(crate) async fn cancel(app: &AppState, who: Who, id: OrderId, reason: &Reason) -> ApiResult<OrderDetail> {
    let (app_in, by, reason) = (app.clone(), who.clone(), reason.checked()?);
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let mut order = held(tx, &by, id).await?;
                let is_done = order.ending.is_some()
                    || !(order.status == OrderStatus::AwaitingPayment || order.status.has_tickets());
                if is_done {
                    return Ok(());
                }
                checkout::cancel(tx, &app_in, &mut order, Some(&reason)).await?;
                let entry = entry(Deed::OrderCancelled, &order).after(json!({"reason": reason}));
                audit::record(tx, &app_in, &by, entry).await
            })
        })
        .await?;
    jobs::wake(app);
    checkout::close_now(app, id).await;
    detail(app, who, id).await
}

/// Says that somebody has looked at an order that needed it, and what they did. Doing it twice changes nothing more.
///
/// # Errors
/// When the order is not theirs.
pub(crate) async fn settle(
    app: &AppState,
    who: Who,
    id: OrderId,
    Settlement { reason, attention }: Settlement,
) -> ApiResult<OrderDetail> {
    let (app_in, by, reason) = (app.clone(), who.clone(), text::line("reason", &reason, 200)?);
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let mut order = held(tx, &by, id).await?;
                let is_meant = |it: &&Attention| attention.as_ref().is_none_or(|seen| seen.contains(it));
                let seen: Vec<Attention> = order.attention.iter().filter(is_meant).copied().collect();
                if seen.is_empty() {
                    return Ok(());
                }
                orders::attended(tx, &mut order, (&seen, &by.by.name, &reason), app_in.now()).await?;
                let entry = entry(Deed::OrderSettled, &order).before(json!({"attention": seen}));
                audit::record(tx, &app_in, &by, entry.after(json!({"reason": reason}))).await
            })
        })
        .await?;
    detail(app, who, id).await
}

/// Asks the provider where the order's payment stands, and takes in what it says.
///
/// # Errors
/// `TIMEOUT` when it does not say.
pub(crate) async fn check(app: &AppState, who: Who, id: OrderId) -> ApiResult<OrderDetail> {
    let (db, asking) = (app.db_of(who.organiser_id), who.clone());
    db.read(move |conn| Box::pin(async move { orders::of(conn, &asking, id).await.map(drop) })).await?;
    checkout::refresh(app, id).await?;
    checkout::close_now(app, id).await;
    detail(app, who, id).await
}

/// An order's refunds, oldest first.
///
/// # Errors
/// When the order is not theirs.
pub(crate) async fn refunds(app: &AppState, who: Who, id: OrderId) -> ApiResult<Vec<RefundView>> {
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                orders::of(conn, &who, id).await?;
                let items = orders::items(conn, id).await?;
                let refunds = refunds::of_order(conn, id).await?.into_iter().map(|refund| {
                    let is_its = |item: &&orders::Item| item.refund_id == Some(refund.refund_id);
                    let positions = items.iter().filter(is_its).map(|item| item.position).collect();
                    refund.view(positions)
                });
                Ok(refunds.collect())
            })
        })
        .await
}

/// Everything that is known of an order and its money.
///
/// # Errors
/// When the order is not theirs.
pub(crate) async fn all_of(
    app: &AppState,
    who: Who,
    id: OrderId,
) -> ApiResult<(OrderDetail, Vec<RefundView>, Vec<DisputeView>)> {
    let detail = detail(app, who.clone(), id).await?;
    let refunds = refunds(app, who.clone(), id).await?;
    let db = app.db_of(who.organiser_id);
    let disputes = db.read(move |conn| Box::pin(async move { disputes::of_order(conn, id).await })).await?;
    Ok((detail, refunds, disputes))
}

/// An organiser's disputes.
///
/// # Errors
/// When they are not theirs.
pub(crate) async fn disputes(app: &AppState, who: Who, only_open: bool) -> ApiResult<Vec<DisputeView>> {
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let granted = authorize::organiser(conn, &who).await?;
                Ok(disputes::of_organiser(conn, granted.organiser_id, only_open, MAX_DISPUTES).await?)
            })
        })
        .await
}

/// What an order's amounts are in.
///
/// # Errors
/// When it is not theirs.
pub(crate) async fn currency_of(app: &AppState, who: Who, id: OrderId) -> ApiResult<Currency> {
    let db = app.db_of(who.organiser_id);
    db.read(move |conn| Box::pin(async move { Ok(orders::of(conn, &who, id).await?.currency) })).await
}

async fn detail(app: &AppState, who: Who, id: OrderId) -> ApiResult<OrderDetail> {
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let order = orders::of(conn, &who, id).await?;
                orders::detail(conn, order).await
            })
        })
        .await
}
