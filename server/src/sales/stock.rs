//! How many tickets there are left: held while somebody pays, then sold or given back.
//!
//! Whoever changes several types does it in the order of their ids, so that none waits for another in a circle.

use liventix_core::ids::TicketTypeId;

use crate::params;
use crate::platform::db::{DbError, Tx};

/// Holds `count` tickets, if there are as many. Says whether there were.
pub(crate) async fn hold(tx: &mut Tx, kind: TicketTypeId, count: u32) -> Result<bool, DbError> {
    let sql = "UPDATE ticket_sales SET held = held + $2 \
               WHERE ticket_type_id = $1 AND (capacity IS NULL OR held + sold + $2 <= capacity)";
    Ok(tx.execute(sql, params![kind, count]).await? == 1)
}

/// Gives held tickets back.
pub(crate) async fn release(tx: &mut Tx, kind: TicketTypeId, count: u32) -> Result<(), DbError> {
    let sql = "UPDATE ticket_sales SET held = held - $2 WHERE ticket_type_id = $1";
    tx.execute(sql, params![kind, count]).await.map(drop)
}

/// What was sold is for sale again.
pub(crate) async fn unsell(tx: &mut Tx, kind: TicketTypeId, count: u32) -> Result<(), DbError> {
    let sql = "UPDATE ticket_sales SET sold = sold - $2 WHERE ticket_type_id = $1";
    tx.execute(sql, params![kind, count]).await.map(drop)
}

/// What was held is sold.
pub(crate) async fn sell(tx: &mut Tx, kind: TicketTypeId, count: u32) -> Result<(), DbError> {
    let sql = "UPDATE ticket_sales SET held = held - $2, sold = sold + $2 WHERE ticket_type_id = $1";
    tx.execute(sql, params![kind, count]).await.map(drop)
}
