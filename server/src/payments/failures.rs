//! What of an organiser's money somebody has to look at.

use liventix_core::ids::{EventId, OrganiserId};

use super::payouts::{self, PayoutView};
use super::refunds::{self, RefundItem, RefundQuery};
use crate::app::AppState;
use crate::orders::{self, OrderSummary};
use crate::params;
use crate::platform::authorize::{self, Who};
use crate::platform::db::{Conn, DbError, Row};
use crate::platform::ids::OrderId;
use crate::platform::page::PageQuery;
use crate::platform::problem::ApiResult;
use crate::pricing::Currency;

/// Of each kind at most.
const AT_ONCE: u32 = 100;
/// What failed longer ago than this is history.
const OF_LATE_MS: i64 = 30 * 86_400_000;

/// A payment of which nobody knows what became.
#[derive(Debug, Clone)]
pub(crate) struct UnknownPayment {
    pub(crate) order_id: OrderId,
    pub(crate) event_id: EventId,
    pub(crate) reference: String,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    /// Since when (UTC milliseconds).
    pub(crate) since: i64,
}

/// What somebody has to look at.
#[derive(Debug)]
pub(crate) struct Failures {
    /// Orders that need a person, the newest first.
    pub(crate) orders: Vec<OrderSummary>,
    /// Payments that are being found out.
    pub(crate) payments: Vec<UnknownPayment>,
    /// Refunds of late that came to nothing.
    pub(crate) refunds: Vec<RefundItem>,
    /// Payouts of late that came to nothing.
    pub(crate) payouts: Vec<PayoutView>,
}

/// Looks for it.
///
/// # Errors
/// When it is not theirs.
pub(crate) async fn failures(app: &AppState, who: Who) -> ApiResult<Failures> {
    let since = app.now() - OF_LATE_MS;
    let refunds = RefundQuery { limit: Some(AT_ONCE), failed: true, cursor: None };
    let mut refunds = refunds::list(app, who.clone(), refunds).await?.items;
    refunds.retain(|it| it.refund.created_at > since);
    let page = PageQuery { limit: Some(AT_ONCE), cursor: None };
    let mut payouts = payouts::desk::list(app, who.clone(), page).await?.items;
    payouts.retain(|payout| payout.has_failed() && payout.created_at > since);
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let organiser = authorize::organiser(conn, &who).await?.organiser_id;
                let orders = orders::wanting(conn, organiser, AT_ONCE).await?;
                let orders = orders.into_iter().map(OrderSummary::from).collect();
                Ok(Failures { orders, payments: unknown(conn, organiser).await?, refunds, payouts })
            })
        })
        .await
}

async fn unknown(conn: &mut Conn, organiser: OrganiserId) -> Result<Vec<UnknownPayment>, DbError> {
    let sql = "SELECT p.order_id, o.event_id, o.reference, p.amount, p.currency, p.asked_first_at FROM payments p \
               JOIN orders o ON o.order_id = p.order_id WHERE p.organiser_id = $1 \
               AND p.status IN ('asking', 'unknown') ORDER BY p.asked_first_at LIMIT $2";
    let read = |row: &Row| {
        Ok(UnknownPayment {
            order_id: row.get(0)?,
            event_id: row.get(1)?,
            reference: row.get(2)?,
            amount: row.get(3)?,
            currency: row.coded(4, Currency::from_code)?,
            since: row.get::<Option<i64>>(5)?.unwrap_or_default(),
        })
    };
    conn.query(sql, params![organiser, AT_ONCE]).await?.iter().map(read).collect()
}
