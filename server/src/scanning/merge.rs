//! The merge: a ticket's passages from every door, folded by the rules of the core, and what the fold
//! finds wrong. The fold sorts by time, so the order of uploads never matters.

use std::collections::HashMap;

use liventix_core::ids::{EventId, ScanId, TicketId, TicketTypeId};
use liventix_core::rules::{Allowance, EventInfo, Standing};

use super::store;
use crate::anomalies::{self, Merged};
use crate::params;
use crate::platform::db::{DbError, Tx, Value, in_list, padded, values_rows};

const CHUNK: usize = 200;

/// Folds the passages of `tickets` again and rewrites their conflicts, at `now` (UTC milliseconds).
pub(crate) async fn refresh(
    tx: &mut Tx,
    info: &EventInfo,
    tickets: &[TicketId],
    now: i64,
) -> Result<(), DbError> {
    for chunk in tickets.chunks(CHUNK) {
        let allowances = allowances(tx, info, chunk).await?;
        let passages = store::passages(tx, chunk).await?;
        let mut conflicts = HashMap::new();
        let mut found = Vec::new();
        for (ticket, passages) in &passages {
            let Some(allowance) = allowances.get(ticket) else { continue };
            let folded = Standing::fold(*allowance, passages).conflicts;
            for conflict in &folded {
                let (excess, standing) = (conflict.excess.scan_id, conflict.standing.scan_id);
                found.push((excess, *ticket, standing, conflict.people));
            }
            conflicts.insert(*ticket, folded);
        }
        replace(tx, info.event_id, chunk, &found).await?;
        let merged = Merged {
            event_id: info.event_id,
            tickets: chunk,
            allowances: &allowances,
            conflicts: &conflicts,
        };
        anomalies::merged(tx, now, &merged).await?;
    }
    Ok(())
}

/// The same for every ticket of a type that was ever scanned: its rules have changed.
pub(crate) async fn refresh_type(
    tx: &mut Tx,
    info: &EventInfo,
    kind: TicketTypeId,
    now: i64,
) -> Result<(), DbError> {
    let sql = "SELECT DISTINCT s.ticket_id FROM scans s JOIN tickets t ON t.ticket_id = s.ticket_id \
               WHERE s.event_id = $1 AND s.change_seq IS NOT NULL AND t.ticket_type_id = $2";
    let rows = tx.query(sql, params![info.event_id, kind]).await?;
    let tickets: Result<Vec<TicketId>, DbError> = rows.iter().map(|row| row.get(0)).collect();
    refresh(tx, info, &tickets?, now).await
}

/// What `tickets` hold.
pub(crate) async fn allowances(
    tx: &mut Tx,
    info: &EventInfo,
    tickets: &[TicketId],
) -> Result<HashMap<TicketId, Allowance>, DbError> {
    let ids = padded(tickets.iter().map(|id| Value::from(*id)).collect());
    let sql = format!(
        "SELECT ticket_id, ticket_type_id, admits FROM tickets WHERE ticket_id IN ({})",
        in_list(1, ids.len())
    );
    let mut found = HashMap::new();
    for row in tx.query(&sql, &ids).await? {
        let Some(kind) = info.ticket_type(row.get(1)?) else { continue };
        let people = row.get::<Option<u16>>(2)?.unwrap_or(kind.admits);
        found.insert(row.get(0)?, Allowance { people, entry: kind.entry });
    }
    Ok(found)
}

async fn replace(
    tx: &mut Tx,
    event: EventId,
    tickets: &[TicketId],
    found: &[(ScanId, TicketId, ScanId, u32)],
) -> Result<(), DbError> {
    let ids = padded(tickets.iter().map(|id| Value::from(*id)).collect());
    let sql = format!("DELETE FROM conflicts WHERE ticket_id IN ({})", in_list(1, ids.len()));
    tx.execute(&sql, &ids).await?;
    for chunk in found.chunks(CHUNK) {
        let sql = format!(
            "INSERT INTO conflicts (excess_scan_id, ticket_id, standing_scan_id, people, event_id) VALUES {}",
            values_rows(5, chunk.len())
        );
        let values: Vec<Value> = chunk
            .iter()
            .flat_map(|(excess, ticket, standing, people)| {
                params![*excess, *ticket, *standing, *people, event].to_vec()
            })
            .collect();
        tx.execute(&sql, &values).await?;
    }
    Ok(())
}
