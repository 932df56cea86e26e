//! Passages as the manifest hands them on.

use liventix_core::ids::{EventId, LedgerId, TicketId};
use liventix_core::rules::Passage;
use liventix_core::sync::wire::ForeignPassage;

use super::store::{self, PASSAGE, PASSAGE_COLUMNS, read_passage};
use crate::params;
use crate::platform::db::{Conn, DbError};

/// Passages with a change number after `cursor`, in its order, without those of the ledger `except`. A device that
/// redeemed online, or whose ledger file is a new one, gets those passages of its own back.
pub(crate) async fn passages_after(
    conn: &mut Conn,
    event: EventId,
    except: Option<LedgerId>,
    cursor: i64,
    limit: u32,
) -> Result<Vec<(i64, ForeignPassage)>, DbError> {
    let sql = format!(
        "SELECT {PASSAGE}, change_seq FROM scans \
         WHERE event_id = $1 AND change_seq IS NOT NULL AND change_seq > $2 AND (ledger_id IS NULL OR ledger_id <> $3) \
         ORDER BY change_seq LIMIT $4"
    );
    let rows = conn.query(&sql, params![event, cursor, ledger_or_none(except), limit]).await?;
    rows.iter()
        .map(|row| {
            let passage = ForeignPassage { ticket_id: row.get(0)?, passage: read_passage(row)? };
            Ok((row.get(PASSAGE_COLUMNS)?, passage))
        })
        .collect()
}

/// Every passage of a ticket.
pub(crate) async fn passages_of(conn: &mut Conn, ticket: TicketId) -> Result<Vec<Passage>, DbError> {
    Ok(store::passages(conn, &[ticket]).await?.remove(&ticket).unwrap_or_default())
}

/// How many there are in all.
pub(crate) async fn count_passages_after(
    conn: &mut Conn,
    event: EventId,
    except: Option<LedgerId>,
    cursor: i64,
) -> Result<i64, DbError> {
    let sql = "SELECT COUNT(*) FROM scans WHERE event_id = $1 AND change_seq IS NOT NULL AND change_seq > $2 \
               AND (ledger_id IS NULL OR ledger_id <> $3)";
    conn.first(sql, params![event, cursor, ledger_or_none(except)]).await?.map_or(Ok(0), |row| row.get(0))
}

/// An id that no ledger has stands for none: comparing with NULL would leave out every row.
const fn ledger_or_none(except: Option<LedgerId>) -> LedgerId {
    match except {
        Some(ledger_id) => ledger_id,
        None => LedgerId::from_bytes([0; 16]),
    }
}
