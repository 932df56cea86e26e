//! The manifest: what changed in an event after a cursor, oldest change first.
//!
//! A cursor is a change number. Tickets and passages carry the number of their latest change, so that
//! a download that breaks off goes on from the last page it has, and rows that change meanwhile come
//! again, later, under their new number: nothing is missed.

use std::time::Duration;

use liventix_core::ids::{EventId, LedgerId};
use liventix_core::sync::wire::{ForeignPassage, MAX_PAGE_ROWS, MAX_WAIT_SECONDS, ManifestPage, TicketEntry};

use super::types::ManifestQuery;
use super::{presence, scope};
use crate::app::AppState;
use crate::events::{change_seqs, snapshot};
use crate::platform::auth::Device;
use crate::platform::db::Conn;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::{scanning, tickets};

/// A checked query.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    cursor: i64,
    limit: u32,
    wait: Duration,
    ledger: Option<LedgerId>,
    unsent: Option<u32>,
}

fn unknown_cursor() -> ApiError {
    let detail = "The cursor is not one this server gave out for this event. Start again from 0.";
    ApiError::new(Code::UnknownCursor, detail)
}

fn check(query: &ManifestQuery) -> ApiResult<Wanted> {
    let cursor = match query.cursor.as_deref() {
        None => 0,
        Some(text) => text.parse::<i64>().ok().filter(|cursor| *cursor >= 0).ok_or_else(unknown_cursor)?,
    };
    let limit = query.limit.unwrap_or(MAX_PAGE_ROWS);
    if !(1..=MAX_PAGE_ROWS).contains(&limit) {
        return Err(ApiError::new(
            Code::InvalidQuery,
            format!("limit must be between 1 and {MAX_PAGE_ROWS}"),
        ));
    }
    let wait = query.wait.unwrap_or(0);
    if wait > MAX_WAIT_SECONDS {
        return Err(ApiError::new(Code::InvalidQuery, format!("wait must be at most {MAX_WAIT_SECONDS}")));
    }
    Ok(Wanted {
        cursor,
        limit,
        wait: Duration::from_secs(u64::from(wait)),
        ledger: query.ledger,
        unsent: query.unsent,
    })
}

pub(super) async fn page(
    app: &AppState,
    device: Device,
    event: EventId,
    query: &ManifestQuery,
) -> ApiResult<ManifestPage> {
    let wanted = check(query)?;
    let deadline = tokio::time::sleep(wanted.wait);
    tokio::pin!(deadline);
    loop {
        let mut listener = app.bell().listen(event);
        let (page, is_due) = read(app, device, event, wanted).await?;
        if is_due {
            presence::note(app, device, wanted.unsent).await;
        }
        let nothing = page.event.is_none() && page.tickets.is_empty() && page.passages.is_empty();
        if !nothing || wanted.wait.is_zero() {
            return Ok(page);
        }
        tokio::select! {
            () = listener.heard() => {}
            () = &mut deadline => return Ok(page),
            () = app.closing() => return Ok(page),
        }
    }
}

async fn read(
    app: &AppState,
    device: Device,
    event: EventId,
    wanted: Wanted,
) -> ApiResult<(ManifestPage, bool)> {
    let app_in = app.clone();
    let now = app.now();
    let (snapshot, mut page, is_due) = app
        .db_of(device.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let snapshot = snapshot::load(&app_in, conn, device.organiser_id, event).await?;
                scope::require(conn, device.device_id, event, None).await?;
                let page = rows(conn, event, wanted).await?;
                let is_due = presence::is_due(conn, device.device_id, wanted.unsent, now).await?;
                Ok::<_, ApiError>((snapshot, page, is_due))
            })
        })
        .await?;
    app.snapshots().keep(&snapshot);
    // Types and gates come before the tickets that name them: with the first page after their change.
    page.event = (snapshot.config_seq > wanted.cursor).then(|| snapshot.info.clone());
    page.server_ms = app.now();
    Ok((page, is_due))
}

async fn rows(conn: &mut Conn, event: EventId, wanted: Wanted) -> ApiResult<ManifestPage> {
    let (latest, _) = change_seqs(conn, event).await?;
    if wanted.cursor > latest {
        return Err(unknown_cursor());
    }
    let tickets = tickets::changed_after(conn, event, wanted.cursor, wanted.limit + 1).await?;
    let passages =
        scanning::passages_after(conn, event, wanted.ledger, wanted.cursor, wanted.limit + 1).await?;
    let pending_rows = tickets::count_after(conn, event, wanted.cursor).await?
        + scanning::count_passages_after(conn, event, wanted.ledger, wanted.cursor).await?;
    Ok(merge(event, tickets, passages, latest, wanted.limit, pending_rows))
}

/// The first `limit` rows of both lists by change number.
fn merge(
    event_id: EventId,
    mut tickets: Vec<(i64, TicketEntry)>,
    mut passages: Vec<(i64, ForeignPassage)>,
    latest: i64,
    limit: u32,
    pending_rows: i64,
) -> ManifestPage {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut seqs: Vec<i64> =
        tickets.iter().map(|(seq, _)| *seq).chain(passages.iter().map(|(seq, _)| *seq)).collect();
    seqs.sort_unstable();
    let has_more = seqs.len() > limit;
    // After the last page, the cursor also passes what was left out: the ledger's own passages.
    let next_cursor = if has_more { seqs.get(limit - 1).copied().unwrap_or(latest) } else { latest };
    tickets.retain(|(seq, _)| *seq <= next_cursor);
    passages.retain(|(seq, _)| *seq <= next_cursor);
    ManifestPage {
        event_id,
        event: None,
        tickets: tickets.into_iter().map(|(_, ticket)| ticket).collect(),
        passages: passages.into_iter().map(|(_, passage)| passage).collect(),
        next_cursor,
        has_more,
        pending_rows,
        server_ms: 0,
    }
}
