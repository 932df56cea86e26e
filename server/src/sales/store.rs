//! Rows of what is for sale.

use liventix_core::ids::{EventId, OrganiserId, TicketTypeId};

use super::offer::{Offer, OfferType};
use super::types::{FeeView, SalesSettings, TypeSale};
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx};
use crate::pricing::{Currency, Fee, FeePayer, TaxMode};

fn fee(row: &Row, first: usize) -> Result<Fee, DbError> {
    Ok(Fee { fixed: row.get(first)?, percent_bp: row.get(first + 1)?, cap: row.get(first + 2)? })
}

/// Whose event it is, if it sells; none if it never did.
pub(super) async fn seller(conn: &mut Conn, event: EventId) -> Result<Option<OrganiserId>, DbError> {
    let sql = "SELECT e.organiser_id FROM event_sales s JOIN events e ON e.event_id = s.event_id \
               WHERE s.event_id = $1";
    conn.first(sql, params![event]).await?.map(|row| row.get(0)).transpose()
}

/// How the event sells and what; none if it never did.
pub(super) async fn offer(conn: &mut Conn, event: EventId) -> Result<Option<Offer>, DbError> {
    let sql = "SELECT e.organiser_id, o.name, e.name, e.starts_at, e.ends_at, e.time_zone, s.currency, \
               CASE WHEN e.cancelled_at IS NULL THEN s.is_open ELSE 0 END, \
               s.fee_payer, s.tax_mode, s.hold_minutes, s.max_per_order, \
               COALESCE(f.fixed, 0), COALESCE(f.percent_bp, 0), f.cap \
               FROM event_sales s JOIN events e ON e.event_id = s.event_id \
               JOIN organisers o ON o.organiser_id = e.organiser_id \
               LEFT JOIN organiser_fees f ON f.organiser_id = e.organiser_id AND f.currency = s.currency \
               WHERE s.event_id = $1";
    let Some(row) = conn.first(sql, params![event]).await? else { return Ok(None) };
    let settings = SalesSettings {
        currency: row.coded(6, Currency::from_code)?,
        is_open: row.get(7)?,
        fee_payer: row.coded(8, FeePayer::from_code)?,
        tax_mode: row.coded(9, TaxMode::from_code)?,
        hold_minutes: row.get(10)?,
        max_per_order: row.get(11)?,
    };
    Ok(Some(Offer {
        organiser_id: row.get(0)?,
        organiser_name: row.get(1)?,
        event_id: event,
        event_name: row.get(2)?,
        starts_at: row.get(3)?,
        ends_at: row.get(4)?,
        time_zone: row.get(5)?,
        settings,
        fee: fee(&row, 12)?,
        types: types(conn, event).await?,
    }))
}

async fn types(conn: &mut Conn, event: EventId) -> Result<Vec<OfferType>, DbError> {
    let sql = "SELECT s.ticket_type_id, t.name, s.price, s.tax_rate_bp, s.is_open, s.on_sale_from, \
               s.on_sale_until, s.max_per_order, s.capacity, s.held, s.sold FROM ticket_sales s \
               JOIN ticket_types t ON t.ticket_type_id = s.ticket_type_id \
               WHERE s.event_id = $1 ORDER BY s.ticket_type_id";
    let read = |row: &Row| {
        Ok(OfferType {
            ticket_type_id: row.get(0)?,
            name: row.get(1)?,
            sale: TypeSale {
                price: row.get(2)?,
                tax_rate_bp: row.get(3)?,
                is_open: row.get(4)?,
                on_sale_from: row.get(5)?,
                on_sale_until: row.get(6)?,
                max_per_order: row.get(7)?,
                capacity: row.get(8)?,
            },
            held: row.get(9)?,
            sold: row.get(10)?,
        })
    };
    conn.query(sql, params![event]).await?.iter().map(read).collect()
}

pub(super) async fn put(
    tx: &mut Tx,
    event: EventId,
    settings: &SalesSettings,
    now: i64,
) -> Result<(), DbError> {
    let sql = "INSERT INTO event_sales (event_id, currency, is_open, fee_payer, tax_mode, hold_minutes, \
               max_per_order, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
               ON CONFLICT (event_id) DO UPDATE SET currency = excluded.currency, is_open = excluded.is_open, \
               fee_payer = excluded.fee_payer, tax_mode = excluded.tax_mode, \
               hold_minutes = excluded.hold_minutes, max_per_order = excluded.max_per_order, \
               updated_at = excluded.updated_at";
    let values = params![
        event,
        settings.currency.code(),
        settings.is_open,
        settings.fee_payer.code(),
        settings.tax_mode.code(),
        settings.hold_minutes,
        settings.max_per_order,
        now,
    ];
    tx.execute(sql, values).await.map(drop)
}

/// Sets what tickets of a type cost. Says whether it did: not if more are taken than there are to be.
pub(super) async fn put_type(
    tx: &mut Tx,
    event: EventId,
    kind: TicketTypeId,
    sale: &TypeSale,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO ticket_sales (ticket_type_id, event_id, price, tax_rate_bp, is_open, on_sale_from, \
               on_sale_until, max_per_order, capacity, held, sold) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0) \
               ON CONFLICT (ticket_type_id) DO UPDATE SET price = excluded.price, \
               tax_rate_bp = excluded.tax_rate_bp, is_open = excluded.is_open, \
               on_sale_from = excluded.on_sale_from, on_sale_until = excluded.on_sale_until, \
               max_per_order = excluded.max_per_order, capacity = excluded.capacity \
               WHERE excluded.capacity IS NULL \
               OR ticket_sales.held + ticket_sales.sold <= excluded.capacity";
    let values = params![
        kind,
        event,
        sale.price,
        sale.tax_rate_bp,
        sale.is_open,
        sale.on_sale_from,
        sale.on_sale_until,
        sale.max_per_order,
        sale.capacity,
    ];
    Ok(tx.execute(sql, values).await? == 1)
}

pub(super) async fn delete_type(tx: &mut Tx, kind: TicketTypeId) -> Result<(), DbError> {
    tx.execute("DELETE FROM ticket_sales WHERE ticket_type_id = $1", params![kind]).await.map(drop)
}

/// Whether anything was ever ordered at the event.
pub(super) async fn has_orders(conn: &mut Conn, event: EventId) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM orders WHERE event_id = $1 LIMIT 1";
    Ok(conn.first(sql, params![event]).await?.is_some())
}

/// Whether tickets of the type were ever ordered.
pub(super) async fn was_ordered(conn: &mut Conn, kind: TicketTypeId) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM order_items WHERE ticket_type_id = $1 LIMIT 1";
    Ok(conn.first(sql, params![kind]).await?.is_some())
}

pub(super) async fn fee_of(
    conn: &mut Conn,
    organiser: OrganiserId,
    currency: Currency,
) -> Result<Option<Fee>, DbError> {
    let sql = "SELECT fixed, percent_bp, cap FROM organiser_fees WHERE organiser_id = $1 AND currency = $2";
    conn.first(sql, params![organiser, currency.code()]).await?.map(|row| fee(&row, 0)).transpose()
}

/// Every fee of an organiser, by currency.
pub(super) async fn fees(conn: &mut Conn, organiser: OrganiserId) -> Result<Vec<FeeView>, DbError> {
    let sql = "SELECT currency, fixed, percent_bp, cap FROM organiser_fees WHERE organiser_id = $1 \
               ORDER BY currency";
    let view = |row: &Row| Ok(FeeView { currency: row.coded(0, Currency::from_code)?, fee: fee(row, 1)? });
    conn.query(sql, params![organiser]).await?.iter().map(view).collect()
}

pub(super) async fn put_fee(
    tx: &mut Tx,
    organiser: OrganiserId,
    (currency, fee): (Currency, Fee),
    now: i64,
) -> Result<(), DbError> {
    let sql = "INSERT INTO organiser_fees (organiser_id, currency, fixed, percent_bp, cap, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (organiser_id, currency) DO UPDATE SET \
               fixed = excluded.fixed, percent_bp = excluded.percent_bp, cap = excluded.cap, \
               updated_at = excluded.updated_at";
    let values = params![organiser, currency.code(), fee.fixed, fee.percent_bp, fee.cap, now];
    tx.execute(sql, values).await.map(drop)
}
