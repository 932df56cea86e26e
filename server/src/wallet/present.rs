//! A ticket as its holder sees it.

use std::sync::Arc;

use liventix_core::ids::TicketId;
use liventix_core::wallet::wire::{WalletEvent, WalletLive, WalletTicket};

use super::store::{self, LinkKind};
use crate::app::AppState;
use crate::events::{self, snapshot};
use crate::platform::db::{Conn, Tx};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::tickets::{self, Issuer, TicketRow};

/// A ticket with its event.
pub(super) struct Found {
    pub(super) snapshot: Arc<snapshot::Snapshot>,
    pub(super) row: TicketRow,
}

pub(super) fn not_held() -> ApiError {
    ApiError::new(Code::TicketNotFound, "This phone does not hold the ticket: claim it again by its link.")
}

/// The ticket with this id, whoever's it is.
pub(super) async fn find(app: &AppState, conn: &mut Conn, ticket: TicketId) -> ApiResult<Option<Found>> {
    let Some((organiser, event)) = store::locate(conn, ticket).await? else { return Ok(None) };
    let snapshot = snapshot::load(app, conn, organiser, event).await?;
    let Some(row) = tickets::get(conn, event, ticket).await? else { return Ok(None) };
    Ok(Some(Found { snapshot, row }))
}

/// The same, and nobody else changes it until the transaction ends.
pub(super) async fn hold(app: &AppState, tx: &mut Tx, ticket: TicketId) -> ApiResult<Option<Found>> {
    if let Some((_, event)) = store::locate(tx, ticket).await? {
        snapshot::lock(tx, event).await?;
    }
    find(app, tx, ticket).await
}

/// What makes codes of the ticket's event.
pub(super) fn issuer<'a>(app: &'a AppState, found: &'a Found) -> Issuer<'a> {
    Issuer::new(&found.snapshot, app.vault(), app.entropy().as_ref(), app.now())
}

/// What its holder's phone gets.
pub(super) async fn ticket(app: &AppState, conn: &mut Conn, found: &Found) -> ApiResult<WalletTicket> {
    let Found { snapshot, row } = found;
    let (info, view) = (&snapshot.info, &row.view);
    let kind = info.ticket_type(view.ticket_type_id);
    let kind = kind.ok_or_else(|| ApiError::internal("a ticket without a type"))?;
    let issuer = issuer(app, found);
    let codes = issuer.with_code(row)?;
    let pending = store::alive(conn, view.ticket_id, LinkKind::Transfer).await?;
    let pending = pending.and_then(|link| link.expires_at).filter(|expires_at| *expires_at > app.now());
    Ok(WalletTicket {
        ticket_id: view.ticket_id,
        event: WalletEvent {
            event_id: info.event_id,
            name: info.name.clone(),
            starts_at: info.starts_at,
            ends_at: info.ends_at,
            time_zone: info.time_zone.clone(),
        },
        type_name: kind.name.clone(),
        attendee_name: view.attendee_name.clone(),
        status: view.status,
        admits: view.admits.unwrap_or(kind.admits),
        valid_from: view.valid_from.or(kind.valid_from),
        valid_until: view.valid_until.or(kind.valid_until),
        code: codes.code,
        manual_code: codes.manual_code,
        code_expires_at: view.code_expires_at,
        live: WalletLive {
            activated: view.live_activated,
            ttl_seconds: info.policy.live_ttl_seconds,
            ttl_effect: info.policy.live_ttl_effect,
            printed: info.policy.printed,
            base: if view.live_activated { Some(issuer.live_base(row)?) } else { None },
        },
        transfer: events::wallet_policy(conn, info.event_id).await?.transfer,
        transfer_pending_until: pending,
    })
}
