//! Rows of tickets.

use liventix_core::ids::{EventId, TicketId};
use liventix_core::rules::TicketStatus;
use liventix_core::ticket::LookupTag;

use super::types::TicketView;
use crate::events::take_seqs;
use crate::params;
use crate::platform::db::{Conn, DbError, Row, Tx, Value, in_list, padded, values_rows};
use crate::platform::page::Key;
use crate::platform::text::like;

/// Rows in one statement: large enough to hide its cost, small enough for every engine's limit.
const CHUNK: usize = 200;

/// A ticket with what only the server knows.
#[derive(Debug, Clone)]
pub(crate) struct TicketRow {
    pub(crate) view: TicketView,
    pub(crate) paid: bool,
    pub(crate) sealed_manual_code: Vec<u8>,
    pub(crate) manual_tag: LookupTag,
    pub(crate) legacy_tag: Option<LookupTag>,
}

const COLUMNS: &str = "ticket_id, ticket_type_id, status, attendee_name, reference, code_issued_at, \
    code_expires_at, code_key_id, live_activated, valid_from, valid_until, admits, created_at, paid, \
    sealed_manual_code, manual_tag, legacy_tag, email";

pub(crate) fn read_row(row: &Row) -> Result<TicketRow, DbError> {
    Ok(TicketRow {
        view: TicketView {
            ticket_id: row.get(0)?,
            ticket_type_id: row.get(1)?,
            status: status(row, 2)?,
            attendee_name: row.get(3)?,
            email: row.get(17)?,
            reference: row.get(4)?,
            code_issued_at: row.get(5)?,
            code_expires_at: row.get(6)?,
            code_key_id: row.get(7)?,
            live_activated: row.get(8)?,
            valid_from: row.get(9)?,
            valid_until: row.get(10)?,
            admits: row.get(11)?,
            created_at: row.get(12)?,
        },
        paid: row.get(13)?,
        sealed_manual_code: row.get(14)?,
        manual_tag: LookupTag(row.get(15)?),
        legacy_tag: row.get::<Option<[u8; 8]>>(16)?.map(LookupTag),
    })
}

pub(crate) const fn status_name(status: TicketStatus) -> &'static str {
    match status {
        TicketStatus::Valid => "valid",
        TicketStatus::Unpaid => "unpaid",
        TicketStatus::Cancelled => "cancelled",
        TicketStatus::Revoked => "revoked",
    }
}

pub(crate) fn status(row: &Row, column: usize) -> Result<TicketStatus, DbError> {
    match row.get::<String>(column)?.as_str() {
        "valid" => Ok(TicketStatus::Valid),
        "unpaid" => Ok(TicketStatus::Unpaid),
        "cancelled" => Ok(TicketStatus::Cancelled),
        "revoked" => Ok(TicketStatus::Revoked),
        _ => Err(DbError::Column { column, expected: "a ticket status" }),
    }
}

/// What the search looks through: name and reference in lower case.
fn search_text(view: &TicketView) -> String {
    [view.attendee_name.as_deref(), view.reference.as_deref()]
        .into_iter()
        .flatten()
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Inserts tickets, each with the next change number.
pub(crate) async fn insert(tx: &mut Tx, event: EventId, rows: &[TicketRow]) -> Result<(), DbError> {
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let mut seq = take_seqs(tx, event, count).await?;
    for chunk in rows.chunks(CHUNK) {
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len() * 21);
        for row in chunk {
            values.extend(insert_values(event, row, seq));
            seq += 1;
        }
        let columns = values.len() / chunk.len();
        let sql = format!(
            "INSERT INTO tickets ({COLUMNS}, event_id, attendee_search, change_seq) VALUES {}",
            values_rows(columns, chunk.len())
        );
        tx.execute(&sql, &values).await?;
    }
    Ok(())
}

fn insert_values(event: EventId, row: &TicketRow, seq: i64) -> [Value; 21] {
    let view = &row.view;
    [
        view.ticket_id.into(),
        view.ticket_type_id.into(),
        status_name(view.status).into(),
        view.attendee_name.clone().into(),
        view.reference.clone().into(),
        view.code_issued_at.into(),
        view.code_expires_at.into(),
        view.code_key_id.into(),
        view.live_activated.into(),
        view.valid_from.into(),
        view.valid_until.into(),
        view.admits.into(),
        view.created_at.into(),
        row.paid.into(),
        row.sealed_manual_code.clone().into(),
        row.manual_tag.0.into(),
        row.legacy_tag.map(|tag| tag.0).into(),
        view.email.clone().into(),
        event.into(),
        search_text(view).into(),
        seq.into(),
    ]
}

/// Writes back what can change of a ticket, with the next change number.
pub(crate) async fn update(tx: &mut Tx, event: EventId, row: &TicketRow) -> Result<(), DbError> {
    let seq = take_seqs(tx, event, 1).await?;
    let view = &row.view;
    let sql = "UPDATE tickets SET status = $2, paid = $3, code_issued_at = $4, code_expires_at = $5, \
               code_key_id = $6, live_activated = $7, sealed_manual_code = $8, manual_tag = $9, \
               legacy_tag = $10, change_seq = $11 WHERE ticket_id = $1";
    let values = params![
        view.ticket_id,
        status_name(view.status),
        row.paid,
        view.code_issued_at,
        view.code_expires_at,
        view.code_key_id,
        view.live_activated,
        row.sealed_manual_code.clone(),
        row.manual_tag.0,
        row.legacy_tag.map(|tag| tag.0),
        seq,
    ];
    tx.execute(sql, values).await.map(drop)
}

pub(crate) async fn get(conn: &mut Conn, event: EventId, id: TicketId) -> Result<Option<TicketRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM tickets WHERE ticket_id = $1 AND event_id = $2");
    conn.first(&sql, params![id, event]).await?.as_ref().map(read_row).transpose()
}

/// Those of `ids` that are tickets of the event.
pub(crate) async fn get_all(
    conn: &mut Conn,
    event: EventId,
    ids: &[TicketId],
) -> Result<Vec<TicketRow>, DbError> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let ids = padded(chunk.iter().map(|id| Value::from(*id)).collect());
        let sql = format!(
            "SELECT {COLUMNS} FROM tickets WHERE event_id = $1 AND ticket_id IN ({})",
            in_list(2, ids.len())
        );
        let values: Vec<Value> = std::iter::once(Value::from(event)).chain(ids).collect();
        for row in conn.query(&sql, &values).await? {
            found.push(read_row(&row)?);
        }
    }
    Ok(found)
}

pub(crate) async fn by_manual_tag(
    conn: &mut Conn,
    event: EventId,
    tag: LookupTag,
) -> Result<Option<TicketRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM tickets WHERE event_id = $1 AND manual_tag = $2");
    conn.first(&sql, params![event, tag.0]).await?.as_ref().map(read_row).transpose()
}

pub(crate) async fn by_legacy_tag(
    conn: &mut Conn,
    event: EventId,
    tag: LookupTag,
) -> Result<Option<TicketRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM tickets WHERE event_id = $1 AND legacy_tag = $2");
    conn.first(&sql, params![event, tag.0]).await?.as_ref().map(read_row).transpose()
}

pub(super) async fn list(
    conn: &mut Conn,
    event: EventId,
    search: Option<&str>,
    after: Key,
    limit: u32,
) -> Result<Vec<TicketRow>, DbError> {
    let mut values = params![event, after.id, limit].to_vec();
    let mut condition = "";
    if let Some(search) = search {
        condition = "AND attendee_search LIKE $4 ESCAPE '!'";
        values.push(like(search).into());
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM tickets WHERE event_id = $1 AND ticket_id > $2 {condition} \
         ORDER BY ticket_id LIMIT $3"
    );
    conn.query(&sql, &values).await?.iter().map(read_row).collect()
}

/// Which of `tags` tickets of the event have already.
pub(super) async fn known_legacy_tags(
    conn: &mut Conn,
    event: EventId,
    tags: &[LookupTag],
) -> Result<Vec<LookupTag>, DbError> {
    let mut known = Vec::new();
    for chunk in tags.chunks(CHUNK) {
        let sql = format!(
            "SELECT legacy_tag FROM tickets WHERE event_id = $1 AND legacy_tag IN ({})",
            in_list(2, chunk.len())
        );
        let mut values = params![event].to_vec();
        values.extend(chunk.iter().map(|tag| Value::from(tag.0)));
        for row in conn.query(&sql, &values).await? {
            known.push(LookupTag(row.get(0)?));
        }
    }
    Ok(known)
}
