//! Tickets as doors know them.

use std::collections::HashMap;

use liventix_core::ids::{EventId, TicketId};
use liventix_core::sync::wire::TicketEntry;
use liventix_core::ticket::LookupTag;

use super::store::status;
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Value, in_list};

/// Tickets with a change number after `cursor`, in its order.
pub(crate) async fn changed_after(
    conn: &mut Conn,
    event: EventId,
    cursor: i64,
    limit: u32,
) -> Result<Vec<(i64, TicketEntry)>, DbError> {
    let sql = "SELECT change_seq, ticket_id, ticket_type_id, status, code_issued_at, live_activated, valid_from, \
               valid_until, admits, attendee_name, manual_tag, legacy_tag FROM tickets \
               WHERE event_id = $1 AND change_seq > $2 ORDER BY change_seq LIMIT $3";
    conn.query(sql, params![event, cursor, limit])
        .await?
        .iter()
        .map(|row| Ok((row.get(0)?, entry(row)?)))
        .collect()
}

fn entry(row: &Row) -> Result<TicketEntry, DbError> {
    Ok(TicketEntry {
        ticket_id: row.get(1)?,
        ticket_type_id: row.get(2)?,
        status: status(row, 3)?,
        code_issued_at: row.get(4)?,
        live_activated: row.get(5)?,
        valid_from: row.get(6)?,
        valid_until: row.get(7)?,
        admits: row.get(8)?,
        attendee_name: row.get(9)?,
        manual_tag: LookupTag(row.get(10)?),
        legacy_tag: row.get::<Option<[u8; 8]>>(11)?.map(LookupTag),
    })
}

/// How many there are in all.
pub(crate) async fn count_after(conn: &mut Conn, event: EventId, cursor: i64) -> Result<i64, DbError> {
    let sql = "SELECT COUNT(*) FROM tickets WHERE event_id = $1 AND change_seq > $2";
    conn.first(sql, params![event, cursor]).await?.map_or(Ok(0), |row| row.get(0))
}

/// Which event each of `tickets` belongs to; unknown ones are left out.
pub(crate) async fn events_of(
    conn: &mut Conn,
    tickets: &[TicketId],
) -> Result<HashMap<TicketId, EventId>, DbError> {
    let mut found = HashMap::new();
    for chunk in tickets.chunks(200) {
        let sql = format!(
            "SELECT ticket_id, event_id FROM tickets WHERE ticket_id IN ({})",
            in_list(1, chunk.len())
        );
        let ids: Vec<Value> = chunk.iter().map(|id| Value::from(*id)).collect();
        for row in conn.query(&sql, &ids).await? {
            found.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(found)
}
