//! A ticket's past: the passages made here and those merged from other doors.

use rusqlite::Connection;

use super::LedgerError;
use super::rows::read_passage;
use crate::ids::TicketId;
use crate::rules::Passage;

/// Every passage of a ticket known here, in no order, each scan once.
pub(super) fn passages(
    connection: &Connection,
    event: i64,
    ticket_id: TicketId,
) -> Result<Vec<Passage>, LedgerError> {
    let mut found = Vec::new();
    let mut made_here = connection.prepare_cached(
        "SELECT scan_id, wall_ms + offset_ms, direction, people, gate_id, device_id, \
         undoes, overruled IS NOT NULL \
         FROM scans WHERE ticket_id = ?1 AND outcome = 'admit' AND event = ?2",
    )?;
    let mut merged = connection.prepare_cached(
        "SELECT scan_id, at, direction, people, gate_id, device_id, undoes, forced \
         FROM passages WHERE event = ?1 AND ticket_id = ?2",
    )?;
    let mut rows = made_here.query((ticket_id, event))?;
    while let Some(row) = rows.next()? {
        found.push(read_passage(row, 0)?);
    }
    let own = found.len();
    let mut rows = merged.query((event, ticket_id))?;
    while let Some(row) = rows.next()? {
        let passage = read_passage(row, 0)?;
        // The server may send back what this device sent.
        if !found.iter().take(own).any(|mine| mine.scan_id == passage.scan_id) {
            found.push(passage);
        }
    }
    Ok(found)
}
