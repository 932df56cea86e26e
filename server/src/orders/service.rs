//! What organisers see of orders, and do about them.

use liventix_core::ids::EventId;

use super::store::Narrow;
use super::types::{Order, OrderDetail, OrderQuery, OrderSummary};
use super::{steps, store};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::email;
use crate::mails;
use crate::platform::authorize::{self, Who};
use crate::platform::db::Conn;
use crate::platform::ids::OrderId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::text;

pub(crate) fn not_found() -> ApiError {
    ApiError::new(Code::OrderNotFound, "You have no order with this id. List them by event.")
}

pub(crate) async fn list(
    app: &AppState,
    who: Who,
    event: EventId,
    query: OrderQuery,
) -> ApiResult<Page<OrderSummary>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (before, limit) = (page.before()?, page.limit()?);
    let (status, needs_attention) = (query.status, query.needs_attention);
    let search = text::search(query.search)?;
    let narrow = Narrow { status, needs_attention, search };
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let granted = authorize::event(conn, &who, event).await?;
                let place = (granted.organiser_id, event);
                let orders = store::list(conn, place, &narrow, before, limit + 1).await?;
                let rows = orders.into_iter().map(OrderSummary::from).collect();
                Ok(Page::of(rows, limit, |order| Key {
                    at: order.created_at,
                    id: *order.order_id.as_bytes(),
                }))
            })
        })
        .await
}

/// The order, if `who` may do at its event what they ask for.
pub(crate) async fn of(conn: &mut Conn, who: &Who, id: OrderId) -> ApiResult<Order> {
    let order = store::by_id(conn, id).await?.filter(|order| order.organiser_id == who.organiser_id);
    let order = order.ok_or_else(not_found)?;
    match authorize::event(conn, who, order.event_id).await {
        Ok(_) => Ok(order),
        Err(error) if error.code() == Code::EventNotFound => Err(not_found()),
        Err(error) => Err(error),
    }
}

/// Everything that is known of an order.
pub(crate) async fn detail(conn: &mut Conn, order: Order) -> ApiResult<OrderDetail> {
    let items = store::items(conn, order.order_id).await?;
    let steps = steps::list(conn, order.order_id, order.currency).await?;
    Ok(OrderDetail { order: order.into(), items, steps })
}

pub(super) async fn get(app: &AppState, who: Who, id: OrderId) -> ApiResult<OrderDetail> {
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let order = of(conn, &who, id).await?;
                detail(conn, order).await
            })
        })
        .await
}

/// The buyer gets their tickets by mail once more.
///
/// # Errors
/// `mails_off`, `order_without_tickets`, and when the order is not theirs.
pub(crate) async fn send_tickets(app: &AppState, who: Who, id: OrderId) -> ApiResult<()> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let order = of(tx, &who, id).await?;
                email::desk::require(&app_in)?;
                let items = store::items(tx, id).await?;
                if !items.iter().any(|item| item.ticket_id.is_some() && item.refund_id.is_none()) {
                    let detail = "It is not paid yet, or its tickets were given back.";
                    return Err(ApiError::new(Code::OrderWithoutTickets, detail));
                }
                mails::tickets_again(tx, &app_in, &order).await?;
                let entry = Entry::of(Deed::TicketsSent).at(order.event_id);
                let entry = entry.to(Target::Order, id.as_bytes()).named(&order.reference);
                audit::record(tx, &app_in, &who, entry).await
            })
        })
        .await?;
    mails::wake(app);
    Ok(())
}
