//! Handing a ticket on: offered, taken back, completed.

use liventix_core::ids::TicketId;
use liventix_core::rules::{Allowance, Standing, TicketStatus};
use liventix_core::wallet::wire::{TransferOffer, TransferPolicy, WalletTicket};

use super::present::{self, Found};
use super::store::{self, LinkKind, LinkRow};
use super::{holders, link, service};
use crate::app::AppState;
use crate::events;
use crate::platform::auth::WalletId;
use crate::platform::db::{Conn, Tx};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::{notices, scanning, tickets};

/// How long an offer can be taken up.
const OFFER_LIFE_MS: i64 = 7 * 24 * 3_600_000;

/// Makes the link for another person; the one that is alive, if there is one.
pub(super) async fn offer(app: &AppState, wallet: WalletId, ticket: TicketId) -> ApiResult<TransferOffer> {
    let app_in = app.clone();
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                let found = service::held(tx, &app_in, wallet, ticket).await?;
                check(tx, &found).await?;
                let until = Some(app_in.now() + OFFER_LIFE_MS);
                let (url, expires_at) =
                    link::get_or_make(tx, &app_in, ticket, LinkKind::Transfer, until).await?;
                let expires_at = expires_at.ok_or_else(|| ApiError::internal("a transfer without an end"))?;
                Ok(TransferOffer { url, expires_at })
            })
        })
        .await
}

/// Takes an offer back. Without one, nothing changes.
pub(super) async fn take_back(app: &AppState, wallet: WalletId, ticket: TicketId) -> ApiResult<WalletTicket> {
    let app_in = app.clone();
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                let found = service::held(tx, &app_in, wallet, ticket).await?;
                store::end_links(tx, ticket, LinkKind::Transfer, app_in.now()).await?;
                present::ticket(&app_in, tx, &found).await
            })
        })
        .await
}

/// Gives the ticket to whoever claims the offer: new codes, and nobody else holds it.
pub(super) async fn complete(
    tx: &mut Tx,
    app: &AppState,
    found: &mut Found,
    link: &LinkRow,
    wallet: WalletId,
) -> ApiResult<()> {
    check(tx, found).await?;
    let (event, ticket) = (found.snapshot.info.event_id, found.row.view.ticket_id);
    if !store::use_link(tx, link, wallet, app.now()).await? {
        return link::check_alive(&LinkRow { ended: true, ..link.clone() }, app.now());
    }
    let expires_at = found.row.view.code_expires_at;
    let mut row = found.row.clone();
    present::issuer(app, found).renew(&mut row, expires_at)?;
    tickets::update(tx, event, &row).await?;
    found.row = row;
    let held_by: Vec<WalletId> =
        store::holders(tx, ticket).await?.into_iter().map(|(holder, _)| holder).collect();
    if let Some((organiser, _)) = store::locate(tx, ticket).await? {
        notices::ticket_transferred(tx, app, organiser, (ticket, &held_by)).await?;
    }
    Ok(holders::end(tx, ticket, app.now()).await?)
}

/// Whether a ticket may be handed on now.
async fn check(conn: &mut Conn, found: &Found) -> ApiResult<()> {
    let policy = events::wallet_policy(conn, found.snapshot.info.event_id).await?;
    if policy.transfer == TransferPolicy::Refused {
        let detail = "The organiser does not allow tickets of this event to be handed on.";
        return Err(ApiError::new(Code::TransferRefused, detail));
    }
    if found.row.view.status != TicketStatus::Valid {
        let detail = "Only a paid ticket that is neither cancelled nor blocked can be handed on.";
        return Err(ApiError::new(Code::TicketNotValid, detail));
    }
    if is_used(conn, found).await? {
        let detail = "Somebody has entered with this ticket: it cannot be handed on any more.";
        return Err(ApiError::new(Code::TicketUsed, detail));
    }
    Ok(())
}

/// Whether a ticket may be handed on now, for those who only look.
pub(super) async fn is_possible(conn: &mut Conn, found: &Found) -> ApiResult<bool> {
    match check(conn, found).await {
        Ok(()) => Ok(true),
        Err(error) => match error.code() {
            Code::TransferRefused | Code::TicketNotValid | Code::TicketUsed => Ok(false),
            _ => Err(error),
        },
    }
}

/// Whether anybody entered with it, as far as the server knows.
async fn is_used(conn: &mut Conn, found: &Found) -> ApiResult<bool> {
    let view = &found.row.view;
    let Some(kind) = found.snapshot.info.ticket_type(view.ticket_type_id) else { return Ok(false) };
    let allowance = Allowance { people: view.admits.unwrap_or(kind.admits), entry: kind.entry };
    let passages = scanning::passages_of(conn, view.ticket_id).await?;
    Ok(Standing::fold(allowance, &passages).first_entry.is_some())
}
