//! One manifest page into the tables.

use rusqlite::{Connection, OptionalExtension, Statement, params};

use super::LedgerError;
use super::manifest::{Applied, ticket_columns};
use super::rows::Code;
use crate::rules::TicketStatus;
use crate::sync::wire::{ForeignPassage, ManifestPage, TicketEntry};

const REPLACE_TICKET: &str = concat!(
    "REPLACE INTO tickets (event, ",
    ticket_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
);

/// Runs [`REPLACE_TICKET`].
fn replace_ticket(replace: &mut Statement<'_>, event: i64, ticket: &TicketEntry) -> rusqlite::Result<()> {
    let status = (ticket.status != TicketStatus::Valid).then_some(Code(ticket.status));
    replace.execute(params![
        event,
        ticket.ticket_id,
        ticket.ticket_type_id,
        status,
        ticket.code_issued_at,
        ticket.live_activated,
        ticket.valid_from,
        ticket.valid_until,
        ticket.admits,
        ticket.attendee_name,
        ticket.manual_tag,
        ticket.legacy_tag,
    ])?;
    Ok(())
}

/// Writes a page, unless what is here is newer.
pub(super) fn apply(
    connection: &Connection,
    asked: i64,
    page: &ManifestPage,
) -> Result<Applied, LedgerError> {
    let known: Option<(i64, i64)> = connection
        .prepare_cached("SELECT number, cursor FROM events WHERE event_id = ?1")?
        .query_row([page.event_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((_, cursor)) = known
        && (page.next_cursor < cursor || asked > cursor)
    {
        return Ok(Applied {
            tickets: 0,
            passages: Vec::new(),
            cursor,
            has_more: page.has_more,
            outdated: true,
        });
    }
    let number = write_event(connection, known.map(|(number, _)| number), page)?;
    let tickets = write_tickets(connection, number, &page.tickets)?;
    let passages = write_passages(connection, number, &page.passages)?;
    let fresh_at = (!page.has_more).then_some(page.server_ms);
    connection
        .prepare_cached("UPDATE events SET cursor = ?2, fresh_at = coalesce(?3, fresh_at) WHERE number = ?1")?
        .execute((number, page.next_cursor, fresh_at))?;
    Ok(Applied { tickets, passages, cursor: page.next_cursor, has_more: page.has_more, outdated: false })
}

fn write_event(connection: &Connection, known: Option<i64>, page: &ManifestPage) -> Result<i64, LedgerError> {
    match (known, &page.event) {
        (Some(number), None) => Ok(number),
        (Some(number), Some(info)) => {
            let info = serde_json::to_string(info)?;
            connection.execute("UPDATE events SET info = ?2 WHERE number = ?1", (number, info))?;
            Ok(number)
        }
        (None, Some(info)) => {
            let info = serde_json::to_string(info)?;
            connection
                .execute("INSERT INTO events (event_id, info) VALUES (?1, ?2)", (page.event_id, info))?;
            Ok(connection.last_insert_rowid())
        }
        (None, None) => Err(LedgerError::BadPage("it is the first of its event and does not describe it")),
    }
}

fn write_tickets(connection: &Connection, event: i64, tickets: &[TicketEntry]) -> Result<usize, LedgerError> {
    let mut replace = connection.prepare_cached(REPLACE_TICKET)?;
    // In the order of the tree, so that each of its pages is visited once. A ticket that is on the
    // page twice keeps its later state: the sort is stable.
    let mut sorted: Vec<&TicketEntry> = tickets.iter().collect();
    sorted.sort_by_key(|ticket| ticket.ticket_id);
    for ticket in sorted {
        replace_ticket(&mut replace, event, ticket)?;
    }
    Ok(tickets.len())
}

/// Writes the passages that are not here yet, and returns those.
fn write_passages(
    connection: &Connection,
    event: i64,
    passages: &[ForeignPassage],
) -> Result<Vec<ForeignPassage>, LedgerError> {
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO passages \
         (event, ticket_id, scan_id, at, direction, people, gate_id, device_id, undoes, forced) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 \
         WHERE NOT EXISTS (SELECT 1 FROM scans WHERE ticket_id = ?2 AND outcome = 'admit' AND scan_id = ?3)",
    )?;
    let mut added = Vec::new();
    for foreign @ ForeignPassage { ticket_id, passage } in passages {
        let rows = insert.execute(params![
            event,
            ticket_id,
            passage.scan_id,
            passage.at,
            Code(passage.direction),
            passage.people,
            passage.gate_id,
            passage.device_id,
            passage.undoes,
            passage.forced,
        ])?;
        if rows > 0 {
            added.push(*foreign);
        }
    }
    Ok(added)
}
