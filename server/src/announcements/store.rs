//! Rows of announcements, and of who wants none.

use liventix_core::ids::{EventId, OrganiserId};

use super::types::{Announcement, AnnouncementView};
use crate::params;
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::ids::AnnouncementId;
use crate::platform::page::Key;

pub(super) async fn insert(tx: &mut Tx, it: &Announcement) -> Result<(), DbError> {
    let sql = "INSERT INTO announcements (announcement_id, organiser_id, event_id, subject, body, written_by, \
               created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = params![
        it.announcement_id,
        it.organiser_id,
        it.event_id,
        &it.subject,
        &it.body,
        &it.written_by,
        it.created_at,
    ];
    tx.execute(sql, values).await.map(drop)
}

/// The announcement with this id.
pub(crate) async fn by_id(conn: &mut Conn, id: AnnouncementId) -> Result<Option<Announcement>, DbError> {
    let sql = "SELECT organiser_id, event_id, subject, body, written_by, created_at FROM announcements \
               WHERE announcement_id = $1";
    let Some(row) = conn.first(sql, params![id]).await? else { return Ok(None) };
    Ok(Some(Announcement {
        announcement_id: id,
        organiser_id: row.get(0)?,
        event_id: row.get(1)?,
        subject: row.get(2)?,
        body: row.get(3)?,
        written_by: row.get(4)?,
        created_at: row.get(5)?,
    }))
}

/// Those of an event, newest first.
pub(super) async fn list(
    conn: &mut Conn,
    event: EventId,
    before: Key,
    limit: u32,
) -> Result<Vec<AnnouncementView>, DbError> {
    let count = |statuses: &str| {
        format!(
            "(SELECT COUNT(*) FROM emails e WHERE e.cause_id = a.announcement_id AND e.status IN ({statuses}))"
        )
    };
    let sql = format!(
        "SELECT a.announcement_id, a.subject, a.body, a.written_by, a.created_at, {}, {}, {}, {} \
         FROM announcements a WHERE a.event_id = $1 AND (a.created_at, a.announcement_id) < ($2, $3) \
         ORDER BY a.created_at DESC, a.announcement_id DESC LIMIT $4",
        count("'queued', 'sending'"),
        count("'sent'"),
        count("'failed'"),
        count("'withheld'"),
    );
    let rows = conn.query(&sql, params![event, before.at, before.id, limit]).await?;
    let read = |row: &crate::platform::db::Row| {
        Ok(AnnouncementView {
            announcement_id: row.get(0)?,
            subject: row.get(1)?,
            body: row.get(2)?,
            written_by: row.get(3)?,
            created_at: row.get(4)?,
            waiting: row.get(5)?,
            sent: row.get(6)?,
            failed: row.get(7)?,
            withheld: row.get(8)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Whether somebody wants no news from an organiser.
pub(crate) async fn wants_none(
    conn: &mut Conn,
    organiser: OrganiserId,
    address: &str,
) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM email_unsubscribes WHERE organiser_id = $1 AND address = $2";
    Ok(conn.first(sql, params![organiser, address.to_lowercase()]).await?.is_some())
}

/// Somebody wants no news from an organiser, or wants them again.
pub(super) async fn set(
    tx: &mut Tx,
    (organiser, address): (OrganiserId, &str),
    wants_none: bool,
    now: i64,
) -> Result<(), DbError> {
    let address = address.to_lowercase();
    if wants_none {
        let sql = "INSERT INTO email_unsubscribes (organiser_id, address, at) VALUES ($1, $2, $3) \
                   ON CONFLICT (organiser_id, address) DO NOTHING";
        return tx.execute(sql, params![organiser, address, now]).await.map(drop);
    }
    let sql = "DELETE FROM email_unsubscribes WHERE organiser_id = $1 AND address = $2";
    tx.execute(sql, params![organiser, address]).await.map(drop)
}
