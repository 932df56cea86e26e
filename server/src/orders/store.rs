//! Rows of orders and their tickets.

use liventix_core::ids::{EventId, OrganiserId, TicketId};

use super::types::{Attention, Buyer, Ending, Item, Order, OrderStatus};
use crate::events::snapshot;
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx, Value, values_rows};
use crate::platform::ids::{OrderId, RefundId};
use crate::platform::page::Key;
use crate::platform::text::like;
use crate::pricing::{Currency, TicketPrice};

const COLUMNS: &str = "order_id, organiser_id, event_id, reference, secret_hash, buyer_user_id, buyer_name, \
    buyer_email, status, ending, attention, currency, subtotal, buyer_fees, fees, tax, total, created_at, \
    hold_until, paid_at, ended_at, refunded, creative_id";

fn read(row: &Row) -> Result<Order, DbError> {
    Ok(Order {
        order_id: row.get(0)?,
        organiser_id: row.get(1)?,
        event_id: row.get(2)?,
        reference: row.get(3)?,
        secret_hash: row.get(4)?,
        buyer: Buyer { user_id: row.get(5)?, name: row.get(6)?, email: row.get(7)? },
        status: row.coded(8, OrderStatus::from_code)?,
        ending: row.maybe_coded(9, Ending::from_code)?,
        attention: attention(row, 10)?,
        currency: row.coded(11, Currency::from_code)?,
        subtotal: row.get(12)?,
        buyer_fees: row.get(13)?,
        fees: row.get(14)?,
        tax: row.get(15)?,
        total: row.get(16)?,
        created_at: row.get(17)?,
        hold_until: row.get(18)?,
        paid_at: row.get(19)?,
        ended_at: row.get(20)?,
        refunded: row.get(21)?,
        creative_id: row.get(22)?,
    })
}

/// The order with this id.
pub(crate) async fn by_id(conn: &mut Conn, id: OrderId) -> Result<Option<Order>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM orders WHERE order_id = $1");
    conn.first(&sql, params![id]).await?.as_ref().map(read).transpose()
}

/// Orders of an event that have tickets, those after `after`, the oldest first.
pub(crate) async fn with_tickets(
    conn: &mut Conn,
    event: EventId,
    (after, limit): (Option<OrderId>, u32),
) -> Result<Vec<Order>, DbError> {
    let statuses: Vec<String> = OrderStatus::ALL
        .iter()
        .filter(|status| status.has_tickets())
        .map(|status| format!("'{}'", status.code()))
        .collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM orders WHERE event_id = $1 AND order_id > $2 AND status IN ({}) \
         ORDER BY order_id LIMIT $3",
        statuses.join(", ")
    );
    let after = after.map_or([0; 16], |id| *id.as_bytes());
    conn.query(&sql, params![event, after, limit]).await?.iter().map(read).collect()
}

/// The order, which nobody else changes until the transaction ends; nor its event, which tickets may be issued of.
pub(crate) async fn hold(tx: &mut Tx, id: OrderId) -> Result<Option<Order>, DbError> {
    let sql = "SELECT event_id FROM orders WHERE order_id = $1";
    let Some(row) = tx.first(sql, params![id]).await? else { return Ok(None) };
    snapshot::lock(tx, row.get(0)?).await?;
    tx.lock("order", id.as_bytes()).await?;
    by_id(tx, id).await
}

/// Whether the reference is free is for the table to say.
pub(super) async fn insert(tx: &mut Tx, order: &Order, items: &[Item]) -> Result<(), DbError> {
    let sql = format!("INSERT INTO orders ({COLUMNS}, buyer_search) VALUES {}", values_rows(24, 1));
    let values = params![
        order.order_id,
        order.organiser_id,
        order.event_id,
        &order.reference,
        order.secret_hash,
        order.buyer.user_id,
        &order.buyer.name,
        &order.buyer.email,
        order.status.code(),
        order.ending.map(Ending::code),
        codes(&order.attention),
        order.currency.code(),
        order.subtotal,
        order.buyer_fees,
        order.fees,
        order.tax,
        order.total,
        order.created_at,
        order.hold_until,
        order.paid_at,
        order.ended_at,
        order.refunded,
        order.creative_id,
        search_text(order),
    ];
    tx.execute(&sql, values).await?;
    let rows: Vec<Value> = items.iter().flat_map(|item| item_values(order.order_id, item)).collect();
    let sql = format!(
        "INSERT INTO order_items (order_id, position, ticket_type_id, type_name, attendee_name, price, fee, \
         buyer_fee, tax, total) VALUES {}",
        values_rows(10, items.len())
    );
    tx.execute(&sql, &rows).await.map(drop)
}

/// As the table has them; none: NULL, so that those who need a person are found.
fn codes(attention: &[Attention]) -> Option<String> {
    let codes: Vec<&str> = attention.iter().map(|attention| attention.code()).collect();
    (!codes.is_empty()).then(|| codes.join(","))
}

fn attention(row: &Row, column: usize) -> Result<Vec<Attention>, DbError> {
    let codes: Option<String> = row.get(column)?;
    let codes = codes.iter().flat_map(|codes| codes.split(','));
    let unknown = || DbError::Column { column, expected: std::any::type_name::<Attention>() };
    codes.map(|code| Attention::from_code(code).ok_or_else(unknown)).collect()
}

fn search_text(order: &Order) -> String {
    let Order { buyer, reference, .. } = order;
    format!("{}\n{}\n{reference}", buyer.name, buyer.email).to_lowercase()
}

fn item_values(order: OrderId, item: &Item) -> [Value; 10] {
    let cost = &item.cost;
    [
        order.into(),
        item.position.into(),
        item.ticket_type_id.into(),
        (&item.type_name).into(),
        item.attendee_name.clone().into(),
        cost.price.into(),
        cost.fee.into(),
        cost.buyer_fee.into(),
        cost.tax.into(),
        cost.total.into(),
    ]
}

/// Its tickets, in their order.
pub(crate) async fn items(conn: &mut Conn, order: OrderId) -> Result<Vec<Item>, DbError> {
    let sql = "SELECT position, ticket_type_id, type_name, attendee_name, price, fee, buyer_fee, tax, total, \
               ticket_id, refund_id FROM order_items WHERE order_id = $1 ORDER BY position";
    let read = |row: &Row| {
        Ok(Item {
            position: row.get(0)?,
            ticket_type_id: row.get(1)?,
            type_name: row.get(2)?,
            attendee_name: row.get(3)?,
            cost: TicketPrice {
                price: row.get(4)?,
                fee: row.get(5)?,
                buyer_fee: row.get(6)?,
                tax: row.get(7)?,
                total: row.get(8)?,
            },
            ticket_id: row.get(9)?,
            refund_id: row.get(10)?,
        })
    };
    conn.query(sql, params![order]).await?.iter().map(read).collect()
}

pub(super) async fn set_ticket(
    tx: &mut Tx,
    order: OrderId,
    position: u32,
    ticket: TicketId,
) -> Result<(), DbError> {
    let sql = "UPDATE order_items SET ticket_id = $3 WHERE order_id = $1 AND position = $2";
    tx.execute(sql, params![order, position, ticket]).await.map(drop)
}

/// Writes back what can change of an order.
pub(super) async fn update(tx: &mut Tx, order: &Order) -> Result<(), DbError> {
    let sql = "UPDATE orders SET status = $2, ending = $3, attention = $4, paid_at = $5, ended_at = $6, \
               refunded = $7 WHERE order_id = $1";
    let values = params![
        order.order_id,
        order.status.code(),
        order.ending.map(Ending::code),
        codes(&order.attention),
        order.paid_at,
        order.ended_at,
        order.refunded,
    ];
    tx.execute(sql, values).await.map(drop)
}

/// What is said of a ticket by a refund: whose it is, and whether the ticket is blocked for it.
pub(super) async fn set_refund(
    tx: &mut Tx,
    order: OrderId,
    position: u32,
    (refund, is_blocked): (Option<RefundId>, bool),
) -> Result<(), DbError> {
    let sql =
        "UPDATE order_items SET refund_id = $3, refund_blocked = $4 WHERE order_id = $1 AND position = $2";
    tx.execute(sql, params![order, position, refund, is_blocked]).await.map(drop)
}

/// Those tickets of a refund that are blocked because of it.
pub(super) async fn refund_blocked(
    conn: &mut Conn,
    order: OrderId,
    refund: RefundId,
) -> Result<Vec<TicketId>, DbError> {
    let sql = "SELECT ticket_id FROM order_items WHERE order_id = $1 AND refund_id = $2 AND refund_blocked = 1 \
               AND ticket_id IS NOT NULL ORDER BY position";
    conn.query(sql, params![order, refund]).await?.iter().map(|row| row.get(0)).collect()
}

/// Orders that wait for their payment, and that should end: those whose time is up, and those that are ending.
pub(crate) async fn overdue(conn: &mut Conn, now: i64, limit: u32) -> Result<Vec<OrderId>, DbError> {
    let sql = "SELECT order_id FROM orders WHERE status = 'awaiting_payment' \
               AND (hold_until <= $1 OR ending IS NOT NULL) ORDER BY hold_until LIMIT $2";
    conn.query(sql, params![now, limit]).await?.iter().map(|row| row.get(0)).collect()
}

/// What a list of orders is narrowed to.
#[derive(Debug, Clone, Default)]
pub(super) struct Narrow {
    pub(super) status: Option<OrderStatus>,
    pub(super) needs_attention: bool,
    pub(super) search: Option<String>,
}

/// The event's orders, newest first.
pub(super) async fn list(
    conn: &mut Conn,
    (organiser, event): (OrganiserId, EventId),
    narrow: &Narrow,
    before: Key,
    limit: u32,
) -> Result<Vec<Order>, DbError> {
    let mut values = params![organiser, event, before.at, before.id, limit].to_vec();
    let mut condition = String::new();
    if let Some(status) = narrow.status {
        values.push(status.code().into());
        condition += &format!(" AND status = ${}", values.len());
    }
    if narrow.needs_attention {
        condition += " AND attention IS NOT NULL";
    }
    if let Some(search) = &narrow.search {
        values.push(like(search).into());
        condition += &format!(" AND buyer_search LIKE ${} ESCAPE '!'", values.len());
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM orders WHERE organiser_id = $1 AND event_id = $2 \
         AND (created_at < $3 OR (created_at = $3 AND order_id < $4)){condition} \
         ORDER BY created_at DESC, order_id DESC LIMIT $5"
    );
    conn.query(&sql, &values).await?.iter().map(read).collect()
}

/// An organiser's orders that need a person, the newest first.
pub(crate) async fn wanting(
    conn: &mut Conn,
    organiser: OrganiserId,
    limit: u32,
) -> Result<Vec<Order>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM orders WHERE organiser_id = $1 AND attention IS NOT NULL \
         ORDER BY order_id DESC LIMIT $2"
    );
    conn.query(&sql, params![organiser, limit]).await?.iter().map(read).collect()
}
