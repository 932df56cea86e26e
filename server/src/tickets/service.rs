//! What can be done with tickets.

use std::sync::Arc;

use axum::http::StatusCode;
use liventix_core::ids::{EventId, TicketId};
use liventix_core::qr::{
    DefaultRenderer, Ecc, Format, QrOptions, QrOrManual, QrRequest, generate_with_fallback,
};
use liventix_core::resilience::ThreadSleeper;
use liventix_core::rules::TicketStatus;
use liventix_core::ticket::ManualCode;
use serde::Serialize;
use serde_json::json;

use super::issue::{Draft, Issuer, check_expiry};
use super::store::{self, TicketRow};
use super::types::{NewTicket, QrQuery, Reissue, TicketQuery, TicketView, TicketWithCode};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::events::snapshot::{self, Snapshot};
use crate::notices;
use crate::platform::authorize::Who;
use crate::platform::db::{DbError, Tx};
use crate::platform::idempotency::Attempt;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::text;
use crate::wallet;

fn issuer<'a>(app: &'a AppState, snapshot: &'a Snapshot) -> Issuer<'a> {
    Issuer::new(snapshot, app.vault(), app.entropy().as_ref(), app.now())
}

fn not_found() -> ApiError {
    ApiError::new(Code::TicketNotFound, "The event has no ticket with this id.")
}

async fn snapshot_of(app: &AppState, who: Who, event: EventId) -> ApiResult<Arc<Snapshot>> {
    let app_in = app.clone();
    let snapshot = app
        .db()
        .read(move |conn| Box::pin(async move { snapshot::of(&app_in, conn, &who, event).await }))
        .await?;
    app.snapshots().keep(&snapshot);
    Ok(snapshot)
}

pub(super) async fn issue(
    app: &AppState,
    who: Who,
    event: EventId,
    new: NewTicket,
    attempt: Attempt,
) -> ApiResult<TicketWithCode> {
    let draft = Draft::check(new, app.now())?;
    let snapshot = snapshot_of(app, who.clone(), event).await?;
    if snapshot.info.ticket_type(draft.ticket_type_id).is_none() {
        return Err(ApiError::new(Code::TicketTypeNotFound, "The event has no ticket type with this id."));
    }
    let issuer = issuer(app, &snapshot);
    let row = issuer.row(draft)?;
    let view = issuer.with_code(&row)?;
    let ticket = &row.view;
    let entry = Entry::of(Deed::TicketIssued)
        .at(event)
        .to(Target::Ticket, ticket.ticket_id.as_bytes())
        .after(json!({"ticket_type_id": ticket.ticket_type_id, "status": ticket.status}));
    insert(app, who, &snapshot, vec![row], (entry, attempt, view)).await
}

/// Issues tickets of an event that the caller holds, in its transaction. Their ids, in the same order.
pub(crate) async fn issue_in(
    tx: &mut Tx,
    app: &AppState,
    snapshot: &Snapshot,
    new: Vec<NewTicket>,
) -> ApiResult<Vec<TicketId>> {
    let issuer = issuer(app, snapshot);
    let rows = new.into_iter().map(|new| issuer.row(Draft::check(new, app.now())?));
    let rows: Vec<TicketRow> = rows.collect::<ApiResult<_>>()?;
    store::insert(tx, snapshot.info.event_id, &rows).await?;
    Ok(rows.iter().map(|row| row.view.ticket_id).collect())
}

/// Blocks those of an event's tickets that are good, in the caller's transaction, which holds the event. Says which.
pub(crate) async fn block_in(tx: &mut Tx, event: EventId, ids: &[TicketId]) -> ApiResult<Vec<TicketId>> {
    let mut blocked = Vec::new();
    for mut row in store::get_all(tx, event, ids).await? {
        if matches!(row.view.status, TicketStatus::Valid | TicketStatus::Unpaid) {
            Action::Revoke.apply(&mut row)?;
            store::update(tx, event, &row).await?;
            blocked.push(row.view.ticket_id);
        }
    }
    Ok(blocked)
}

/// Makes tickets good again that were blocked, as far as they still are.
pub(crate) async fn unblock_in(tx: &mut Tx, event: EventId, ids: &[TicketId]) -> ApiResult<()> {
    for mut row in store::get_all(tx, event, ids).await? {
        if row.view.status == TicketStatus::Revoked {
            Action::Unblock.apply(&mut row)?;
            store::update(tx, event, &row).await?;
        }
    }
    Ok(())
}

/// Stores rows made from `snapshot`. If the event has changed since, they may carry a withdrawn key or a
/// deleted type: then nothing is stored. What goes on record and the answer, which it gives back, are kept
/// with them.
pub(super) async fn insert<T>(
    app: &AppState,
    who: Who,
    snapshot: &Arc<Snapshot>,
    rows: Vec<TicketRow>,
    (entry, attempt, answer): (Entry, Attempt, T),
) -> ApiResult<T>
where
    T: Serialize + Send + Sync + 'static,
{
    let (app_in, made_from) = (app.clone(), Arc::clone(snapshot));
    let event = snapshot.info.event_id;
    let answer = app
        .db_of(snapshot.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let now = snapshot::hold_for(&app_in, tx, &who, event).await?;
                if now.config_seq != made_from.config_seq {
                    let detail = "The event was changed while this ran. Nothing was issued: try again.";
                    return Err(ApiError::new(Code::StatusConflict, detail));
                }
                store::insert(tx, event, &rows).await.map_err(legacy_code_taken)?;
                audit::record(tx, &app_in, &who, entry).await?;
                attempt.finish_in(tx, StatusCode::CREATED, &answer).await?;
                Ok(answer)
            })
        })
        .await?;
    app.ring(event);
    Ok(answer)
}

/// Apart from ids and manual codes, which are random, an old code is the only thing that can clash.
fn legacy_code_taken(error: DbError) -> ApiError {
    if error.is_constraint() {
        ApiError::new(Code::LegacyCodeTaken, "Another ticket of the event has this legacy code.")
    } else {
        error.into()
    }
}

async fn rows(
    app: &AppState,
    who: Who,
    event: EventId,
    query: TicketQuery,
) -> ApiResult<(Arc<Snapshot>, Vec<TicketRow>, u32)> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (after, limit) = (page.after()?, page.limit()?);
    let search = text::search(query.search)?;
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let snapshot = snapshot::of(&app_in, conn, &who, event).await?;
                let rows = store::list(conn, event, search.as_deref(), after, limit + 1).await?;
                Ok((snapshot, rows, limit))
            })
        })
        .await
}

fn key(ticket: &TicketView) -> Key {
    Key { at: 0, id: *ticket.ticket_id.as_bytes() }
}

pub(crate) async fn list(
    app: &AppState,
    who: Who,
    event: EventId,
    query: TicketQuery,
) -> ApiResult<Page<TicketView>> {
    let (_, rows, limit) = rows(app, who, event, query).await?;
    Ok(Page::of(rows.into_iter().map(|row| row.view).collect(), limit, key))
}

pub(super) async fn list_with_codes(
    app: &AppState,
    who: Who,
    event: EventId,
    query: TicketQuery,
) -> ApiResult<Page<TicketWithCode>> {
    let (snapshot, rows, limit) = rows(app, who, event, query).await?;
    let issuer = issuer(app, &snapshot);
    let views: ApiResult<Vec<TicketWithCode>> = rows.iter().map(|row| issuer.with_code(row)).collect();
    Ok(Page::of(views?, limit, |view| key(&view.ticket)))
}

pub(crate) async fn get(app: &AppState, who: Who, event: EventId, id: TicketId) -> ApiResult<TicketWithCode> {
    let app_in = app.clone();
    let (snapshot, row) = app
        .db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let snapshot = snapshot::of(&app_in, conn, &who, event).await?;
                let row = store::get(conn, event, id).await?.ok_or_else(not_found)?;
                Ok::<_, ApiError>((snapshot, row))
            })
        })
        .await?;
    issuer(app, &snapshot).with_code(&row)
}

/// What happens to a ticket.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    Revoke,
    Unblock,
    Cancel,
    MarkPaid,
}

impl Action {
    /// Changes the row, or says why not. Doing it twice changes nothing more.
    fn apply(self, row: &mut TicketRow) -> ApiResult<()> {
        use TicketStatus::{Cancelled, Revoked, Unpaid, Valid};
        let status = row.view.status;
        row.view.status = match (self, status) {
            (Self::Cancel, _) => Cancelled,
            (_, Cancelled) => {
                let detail = "The ticket is cancelled for good. Issue a new one.";
                return Err(ApiError::new(Code::StatusConflict, detail));
            }
            (Self::Revoke, _) => Revoked,
            (Self::Unblock, Revoked) if row.paid => Valid,
            (Self::Unblock, Revoked) => Unpaid,
            (Self::Unblock, other) => other,
            (Self::MarkPaid, other) => {
                row.paid = true;
                if other == Unpaid { Valid } else { other }
            }
        };
        Ok(())
    }
}

impl Action {
    const fn deed(self) -> Deed {
        match self {
            Self::Revoke => Deed::TicketBlocked,
            Self::Unblock => Deed::TicketUnblocked,
            Self::Cancel => Deed::TicketCancelled,
            Self::MarkPaid => Deed::TicketPaid,
        }
    }
}

/// What the audit trail keeps of a ticket: nothing of its holder, and no code.
fn state(row: &TicketRow) -> serde_json::Value {
    let TicketView { status, code_issued_at, code_expires_at, code_key_id, .. } = &row.view;
    json!({
        "status": status, "paid": row.paid, "code_issued_at": code_issued_at,
        "code_expires_at": code_expires_at, "code_key_id": code_key_id,
    })
}

/// Changes one ticket under the write lock.
async fn change<F>(
    app: &AppState,
    who: Who,
    event: EventId,
    id: TicketId,
    deed: Deed,
    edit: F,
) -> ApiResult<(Arc<Snapshot>, TicketRow)>
where
    F: FnOnce(&AppState, &Snapshot, &mut TicketRow) -> ApiResult<()> + Send + 'static,
{
    let app_in = app.clone();
    let changed = app
        .db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let snapshot = snapshot::hold_for(&app_in, tx, &who, event).await?;
                let mut row = store::get(tx, event, id).await?.ok_or_else(not_found)?;
                let (before, was) = (state(&row), row.view.status);
                edit(&app_in, &snapshot, &mut row)?;
                store::update(tx, event, &row).await?;
                if (was, row.view.status) == (TicketStatus::Unpaid, TicketStatus::Valid) {
                    notices::ticket_ready(tx, &app_in, who.organiser_id, id).await?;
                }
                if deed == Deed::TicketReissued {
                    // Whoever held the old codes, on paper or on a phone, holds the ticket no more.
                    wallet::holders::end(tx, id, app_in.now()).await?;
                }
                let entry = Entry::of(deed).at(event).to(Target::Ticket, id.as_bytes());
                let entry = entry.before(before).after(state(&row));
                audit::record(tx, &app_in, &who, entry).await?;
                Ok::<_, ApiError>((snapshot, row))
            })
        })
        .await?;
    app.ring(event);
    notices::wake(app);
    Ok(changed)
}

pub(crate) async fn act(
    app: &AppState,
    who: Who,
    event: EventId,
    id: TicketId,
    action: Action,
) -> ApiResult<TicketView> {
    let apply = move |_: &AppState, _: &Snapshot, row: &mut TicketRow| action.apply(row);
    let (_, row) = change(app, who, event, id, action.deed(), apply).await?;
    Ok(row.view)
}

pub(crate) async fn reissue(
    app: &AppState,
    who: Who,
    event: EventId,
    id: TicketId,
    request: Reissue,
) -> ApiResult<TicketWithCode> {
    check_expiry(request.code_expires_at, app.now())?;
    let renew = move |app: &AppState, snapshot: &Snapshot, row: &mut TicketRow| {
        if row.view.status == TicketStatus::Cancelled {
            let detail = "The ticket is cancelled for good. Issue a new one.";
            return Err(ApiError::new(Code::StatusConflict, detail));
        }
        issuer(app, snapshot).renew(row, request.code_expires_at)
    };
    let (snapshot, row) = change(app, who, event, id, Deed::TicketReissued, renew).await?;
    issuer(app, &snapshot).with_code(&row)
}

pub(crate) async fn qr(
    app: &AppState,
    who: Who,
    event: EventId,
    id: TicketId,
    format: Format,
    query: &QrQuery,
) -> ApiResult<Vec<u8>> {
    let options = qr_options(query)?;
    let ticket = get(app, who, event, id).await?;
    match draw(app, ticket, options, format).await? {
        QrOrManual::Qr(image) => Ok(image.bytes),
        QrOrManual::Manual(manual) => {
            let detail =
                format!("The QR code cannot be drawn. The ticket enters with the manual code {manual}.");
            Err(ApiError::new(Code::QrUnavailable, detail))
        }
    }
}

/// Draws a ticket's code; its manual code, if that fails.
pub(crate) async fn draw(
    app: &AppState,
    ticket: TicketWithCode,
    options: QrOptions,
    format: Format,
) -> ApiResult<QrOrManual> {
    let manual: ManualCode =
        ticket.manual_code.parse().map_err(|_| ApiError::internal("a stored manual code does not parse"))?;
    let entropy = Arc::clone(app.entropy());
    let drawn = tokio::task::spawn_blocking(move || {
        let request = QrRequest { text: &ticket.code, options, format, manual };
        generate_with_fallback(&DefaultRenderer, &request, &ThreadSleeper, entropy.as_ref())
    });
    drawn.await.map_err(ApiError::internal)
}

/// The options a query asks for.
pub(crate) fn qr_options(query: &QrQuery) -> ApiResult<QrOptions> {
    let base = QrOptions::default();
    let scale = query.scale.unwrap_or(base.scale);
    if !(1..=32).contains(&scale) {
        return Err(ApiError::new(Code::InvalidQuery, "scale must be between 1 and 32"));
    }
    let ecc = match query.ecc.as_deref() {
        None => base.ecc,
        Some(name) => Ecc::ALL
            .into_iter()
            .find(|ecc| ecc.to_string() == name)
            .ok_or_else(|| ApiError::new(Code::InvalidQuery, "ecc must be L, M, Q or H"))?,
    };
    Ok(QrOptions { ecc, scale, ..base })
}
