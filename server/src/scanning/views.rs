//! Lists of scans, conflicts and quarantined scans, and an event in numbers.

use std::cmp::Reverse;
use std::collections::HashMap;

use liventix_core::ids::{EventId, OrganiserId, ScanId, TicketId};

use super::types::{
    ConflictQuery, ConflictState, ConflictView, CountsView, QuarantineQuery, QuarantineView, ScanView,
    SideView, TicketCounts,
};
use super::{seen, store};
use crate::app::AppState;
use crate::events::snapshot;
use crate::params;
use crate::platform::authorize::{self, Events, Granted, Who};
use crate::platform::db::{Conn, DbError, Row, Value};
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult};

pub(super) async fn scans(
    app: &AppState,
    who: Who,
    event: EventId,
    page: &PageQuery,
) -> ApiResult<Page<ScanView>> {
    let (after, limit) = (page.after()?, page.limit()?);
    let app_in = app.clone();
    let rows = app
        .db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                snapshot::of(&app_in, conn, &who, event).await?;
                Ok::<_, ApiError>(store::list(conn, event, after, limit + 1).await?)
            })
        })
        .await?;
    Ok(Page::of(rows, limit, |scan| Key { at: scan.received_at, id: *scan.scan_id.as_bytes() }))
}

pub(crate) async fn conflicts(
    app: &AppState,
    who: Who,
    event: EventId,
    query: ConflictQuery,
) -> ApiResult<Page<ConflictView>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (after, limit) = (page.after()?, page.limit()?);
    let state = query.state;
    let app_in = app.clone();
    let rows = app
        .db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                snapshot::of(&app_in, conn, &who, event).await?;
                Ok::<_, ApiError>(conflict_rows(conn, event, state, after, limit + 1).await?)
            })
        })
        .await?;
    Ok(Page::of(rows, limit, |conflict| Key { at: 0, id: *conflict.excess.scan.scan_id.as_bytes() }))
}

const CONFLICT: &str = "SELECT c.excess_scan_id, c.standing_scan_id, c.ticket_id, c.people, t.attendee_name, \
    r.resolution FROM conflicts c JOIN tickets t ON t.ticket_id = c.ticket_id \
    LEFT JOIN conflict_resolutions r ON r.excess_scan_id = c.excess_scan_id";

async fn conflict_rows(
    conn: &mut Conn,
    event: EventId,
    state: Option<ConflictState>,
    after: Key,
    limit: u32,
) -> Result<Vec<ConflictView>, DbError> {
    let condition = match state {
        None => "",
        Some(ConflictState::Open) => " AND r.excess_scan_id IS NULL",
        Some(ConflictState::Resolved) => " AND r.excess_scan_id IS NOT NULL",
    };
    let sql = format!(
        "{CONFLICT} WHERE c.event_id = $1 AND c.excess_scan_id > $2{condition} ORDER BY c.excess_scan_id LIMIT $3"
    );
    let rows = conn.query(&sql, params![event, after.id, limit]).await?;
    with_sides(conn, &rows).await
}

/// The conflict about this excess scan, if the merge finds one.
pub(super) async fn conflict(
    conn: &mut Conn,
    event: EventId,
    excess: ScanId,
) -> Result<Option<ConflictView>, DbError> {
    let sql = format!("{CONFLICT} WHERE c.event_id = $1 AND c.excess_scan_id = $2");
    let rows = conn.query(&sql, params![event, excess]).await?;
    Ok(with_sides(conn, &rows).await?.pop())
}

async fn with_sides(conn: &mut Conn, rows: &[Row]) -> Result<Vec<ConflictView>, DbError> {
    let mut ids: Vec<ScanId> = Vec::with_capacity(rows.len() * 2);
    for row in rows {
        ids.push(row.get(0)?);
        ids.push(row.get(1)?);
    }
    let scans = store::views(conn, &ids).await?;
    let mut sides = HashMap::new();
    for (id, scan) in scans {
        sides.insert(id, side(conn, scan).await?);
    }
    let missing = || DbError::Constraint("a conflict without its scans".into());
    rows.iter()
        .map(|row| {
            Ok(ConflictView {
                ticket_id: row.get(2)?,
                attendee_name: row.get(4)?,
                people: row.get(3)?,
                excess: sides.get(&row.get::<ScanId>(0)?).cloned().ok_or_else(missing)?,
                standing: sides.get(&row.get::<ScanId>(1)?).cloned().ok_or_else(missing)?,
                resolution: row.get::<Option<String>>(5)?.map(|_| row.json(5)).transpose()?,
            })
        })
        .collect()
}

/// A scan with the names people know its gate and device by.
async fn side(conn: &mut Conn, scan: ScanView) -> Result<SideView, DbError> {
    let gate = conn.first("SELECT name FROM gates WHERE gate_id = $1", params![scan.gate_id]).await?;
    let sql = "SELECT name FROM devices WHERE device_id = $1 UNION ALL \
               SELECT name FROM api_keys WHERE api_key_id = $1 UNION ALL \
               SELECT name FROM users WHERE user_id = $1";
    let device = conn.first(sql, params![scan.device_id]).await?;
    let name = |row: Option<Row>| row.map_or(Ok(String::new()), |row| row.get(0));
    Ok(SideView { gate_name: name(gate)?, device_name: name(device)?, scan })
}

/// Where a ticket was seen, the latest first: every passage, and every refusal because it had been used. Of more
/// than 100 the latest.
pub(crate) async fn of_ticket(
    app: &AppState,
    who: Who,
    event: EventId,
    ticket: TicketId,
) -> ApiResult<Vec<SideView>> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                snapshot::of(&app_in, conn, &who, event).await?;
                let mut seen = seen::of_tickets(conn, event, &[ticket]).await?;
                seen.sort_by_key(|scan| (Reverse(scan.at), scan.scan_id));
                let ids: Vec<ScanId> = seen.iter().take(100).map(|scan| scan.scan_id).collect();
                let mut scans = store::views(conn, &ids).await?;
                let mut sides = Vec::with_capacity(ids.len());
                for scan in ids.iter().filter_map(|id| scans.remove(id)) {
                    sides.push(side(conn, scan).await?);
                }
                Ok::<_, ApiError>(sides)
            })
        })
        .await
}

pub(super) async fn quarantine(
    app: &AppState,
    who: Who,
    query: QuarantineQuery,
) -> ApiResult<Page<QuarantineView>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (after, limit) = (page.after()?, page.limit()?);
    let event = query.event_id;
    let app_in = app.clone();
    let rows = app
        .db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let granted = authorize::organiser(conn, &who).await?;
                if let Some(event) = event {
                    snapshot::of(&app_in, conn, &who, event).await?;
                }
                Ok::<_, ApiError>(quarantine_rows(conn, &granted, event, after, limit + 1).await?)
            })
        })
        .await?;
    Ok(Page::of(rows, limit, |row| Key { at: row.received_at, id: row.quarantine_id }))
}

async fn quarantine_rows(
    conn: &mut Conn,
    granted: &Granted,
    event: Option<EventId>,
    after: Key,
    limit: u32,
) -> Result<Vec<QuarantineView>, DbError> {
    let mut values = params![granted.organiser_id, after.at, after.id, limit].to_vec();
    let condition = match event {
        Some(event) => Events::Only(vec![event]).condition("event_id", &mut values),
        None => granted.events.condition("event_id", &mut values),
    };
    let sql = format!(
        "SELECT scan_id, device_id, event_id, code, record, received_at, quarantine_id FROM quarantine \
         WHERE organiser_id = $1 AND (received_at > $2 OR (received_at = $2 AND quarantine_id > $3)){condition} \
         ORDER BY received_at, quarantine_id LIMIT $4"
    );
    let view = |row: &Row| {
        Ok(QuarantineView {
            scan_id: row.get(0)?,
            device_id: row.get(1)?,
            event_id: row.get(2)?,
            code: row.get(3)?,
            record: row.json(4)?,
            received_at: row.get(5)?,
            quarantine_id: row.get(6)?,
        })
    };
    conn.query(&sql, &values).await?.iter().map(view).collect()
}

pub(crate) async fn counts(app: &AppState, who: Who, event: EventId) -> ApiResult<CountsView> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                snapshot::of(&app_in, conn, &who, event).await?;
                Ok::<_, ApiError>(count(conn, who.organiser_id, event).await?)
            })
        })
        .await
}

pub(super) async fn count(
    conn: &mut Conn,
    organiser: OrganiserId,
    event: EventId,
) -> Result<CountsView, DbError> {
    let mut counts = CountsView { tickets: ticket_counts(conn, event).await?, ..CountsView::default() };
    let sql = "SELECT outcome, direction, medium, COUNT(*), CAST(SUM(people) AS BIGINT), COUNT(overruled) \
               FROM scans WHERE event_id = $1 AND undoes IS NULL GROUP BY outcome, direction, medium";
    for row in conn.query(sql, params![event]).await? {
        let (outcome, direction, medium): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (scans, people): (i64, i64) = (row.get(3)?, row.get(4)?);
        counts.scans += scans;
        counts.forced += row.get::<i64>(5)?;
        match outcome.as_str() {
            "admit" => counts.admitted += scans,
            "ask" => counts.asked += scans,
            _ => counts.refused += scans,
        }
        if medium == "legacy" {
            counts.legacy += scans;
        }
        if direction == "entry" {
            counts.people_in += people;
        } else {
            counts.people_out += people;
        }
    }
    take_back(conn, event, &mut counts).await?;
    counts.inside = (counts.people_in - counts.people_out).max(0);
    let conflicts = "SELECT COUNT(*) FROM conflicts WHERE event_id = $1";
    counts.conflicts = number(conn, conflicts, params![event]).await?;
    let settled = "SELECT COUNT(*) FROM conflicts c JOIN conflict_resolutions r \
                   ON r.excess_scan_id = c.excess_scan_id WHERE c.event_id = $1";
    counts.conflicts_open = counts.conflicts - number(conn, settled, params![event]).await?;
    // What is set aside names whatever its device wrote into it, perhaps another organiser's event.
    let aside = "SELECT COUNT(*) FROM quarantine WHERE event_id = $1 AND organiser_id = $2";
    counts.quarantined = number(conn, aside, params![event, organiser]).await?;
    Ok(counts)
}

/// Takes what was taken back off again: it stands among the scans as it was made.
async fn take_back(conn: &mut Conn, event: EventId, counts: &mut CountsView) -> Result<(), DbError> {
    let sql = "SELECT direction, COUNT(*), CAST(SUM(people) AS BIGINT), COUNT(overruled) FROM scans \
               WHERE scan_id IN (SELECT undoes FROM scans WHERE event_id = $1 AND undoes IS NOT NULL) \
               GROUP BY direction";
    for row in conn.query(sql, params![event]).await? {
        let (scans, people): (i64, i64) = (row.get(1)?, row.get(2)?);
        counts.undone += scans;
        counts.admitted -= scans;
        counts.forced -= row.get::<i64>(3)?;
        if row.get::<String>(0)? == "entry" {
            counts.people_in -= people;
        } else {
            counts.people_out -= people;
        }
    }
    Ok(())
}

pub(super) async fn number(conn: &mut Conn, sql: &str, values: &[Value]) -> Result<i64, DbError> {
    conn.first(sql, values).await?.map_or(Ok(0), |row| row.get(0))
}

async fn ticket_counts(conn: &mut Conn, event: EventId) -> Result<TicketCounts, DbError> {
    let mut counts = TicketCounts::default();
    let sql = "SELECT status, COUNT(*) FROM tickets WHERE event_id = $1 GROUP BY status";
    for row in conn.query(sql, params![event]).await? {
        let number = row.get(1)?;
        match row.get::<String>(0)?.as_str() {
            "valid" => counts.valid = number,
            "unpaid" => counts.unpaid = number,
            "cancelled" => counts.cancelled = number,
            _ => counts.revoked = number,
        }
    }
    Ok(counts)
}
