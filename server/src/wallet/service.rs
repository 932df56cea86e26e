//! What a phone can do with tickets, and what its organiser can.

use liventix_core::ids::{EventId, TicketId};
use liventix_core::rules::TicketStatus;
use liventix_core::wallet::wire::{ClaimRequest, MAX_PHONE_NAME, WalletPolicy, WalletTicket, WalletTickets};
use serde_json::json;

use super::store::{self, LinkKind, LinkRow};
use super::types::{ClaimsView, LinkView};
use super::{holders, link, present, transfer};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::events::{self, snapshot};
use crate::notices;
use crate::platform::auth::{Client, NewWallet, Token, WalletId};
use crate::platform::authorize::{Actor, By, Origin, Who};
use crate::platform::db::{Conn, Tx};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::text;
use crate::tickets;
use present::Found;

/// A link becomes a ticket on a phone.
pub(super) async fn claim(
    app: &AppState,
    client: Client,
    wallet: NewWallet,
    request: &ClaimRequest,
) -> ApiResult<WalletTicket> {
    let phone_name = text::line("phone_name", &request.phone_name, MAX_PHONE_NAME)?;
    let (token, ticket) = link::look_up(app, client, &request.token).await?;
    let (app_in, origin) = (app.clone(), client.origin());
    let (found, ticket) = app
        .db()
        .write(move |tx| {
            Box::pin(async move { claim_in(tx, &app_in, wallet, &token, origin, ticket, &phone_name).await })
        })
        .await?;
    app.snapshots().keep(&found.snapshot);
    app.ring(found.snapshot.info.event_id);
    // Whoever handed it on is told.
    notices::wake(app);
    Ok(ticket)
}

async fn claim_in(
    tx: &mut Tx,
    app: &AppState,
    wallet: NewWallet,
    token: &Token,
    origin: Origin,
    ticket: TicketId,
    phone_name: &str,
) -> ApiResult<(Found, WalletTicket)> {
    let mut found = present::hold(app, tx, ticket).await?.ok_or_else(link::unknown)?;
    let link = link::find(tx, token, ticket).await?.ok_or_else(link::unknown)?;
    if !store::register(tx, &wallet, app.now()).await? {
        let detail = "This wallet's token is not the one it was registered with. Start the app afresh.";
        return Err(ApiError::new(Code::Unauthenticated, detail));
    }
    // The answer to an earlier claim was lost: it is given again.
    let held = store::holds(tx, ticket, wallet.wallet_id).await?;
    let again = link.used_by == Some(wallet.wallet_id) && held;
    if !again {
        take(tx, app, &mut found, &link, wallet.wallet_id).await?;
    }
    if !held {
        let deed = match link.kind {
            LinkKind::Ticket => Deed::TicketClaimed,
            LinkKind::Transfer => Deed::TicketHandedOn,
        };
        record(tx, app, (wallet.wallet_id, origin), &found, deed).await?;
    }
    store::put_claim(tx, ticket, wallet.wallet_id, phone_name, app.now()).await?;
    let view = present::ticket(app, tx, &found).await?;
    Ok((found, view))
}

/// Checks that the wallet may hold the ticket, and makes room for it.
async fn take(
    tx: &mut Tx,
    app: &AppState,
    found: &mut Found,
    link: &LinkRow,
    wallet: WalletId,
) -> ApiResult<()> {
    link::check_alive(link, app.now())?;
    if matches!(found.row.view.status, TicketStatus::Cancelled | TicketStatus::Revoked) {
        let detail = "The ticket was cancelled or blocked. Ask the organiser.";
        return Err(ApiError::new(Code::TicketNotValid, detail));
    }
    match link.kind {
        LinkKind::Transfer => transfer::complete(tx, app, found, link, wallet).await,
        LinkKind::Ticket => {
            let policy = events::wallet_policy(tx, found.snapshot.info.event_id).await?;
            check_room(tx, found.row.view.ticket_id, wallet, policy).await
        }
    }
}

async fn check_room(tx: &mut Tx, ticket: TicketId, wallet: WalletId, policy: WalletPolicy) -> ApiResult<()> {
    let holders = store::holders(tx, ticket).await?;
    let others = holders.iter().filter(|(holder, _)| *holder != wallet).count();
    if others < usize::from(policy.claims.max_phones()) {
        return Ok(());
    }
    let detail = match others {
        1 => "Another phone holds the ticket. Remove it there first, or ask the organiser to free it."
            .to_owned(),
        others => format!("{others} phones hold the ticket, as many as may. Remove it on one of them first."),
    };
    Err(ApiError::new(Code::AlreadyClaimed, detail))
}

/// Every ticket a phone holds.
pub(super) async fn tickets(app: &AppState, wallet: WalletId) -> ApiResult<WalletTickets> {
    let app_in = app.clone();
    let tickets = app
        .db()
        .read(move |conn| {
            Box::pin(async move {
                let mut tickets = Vec::new();
                for ticket in store::held(conn, wallet).await? {
                    if let Some(found) = present::find(&app_in, conn, ticket).await? {
                        tickets.push(present::ticket(&app_in, conn, &found).await?);
                    }
                }
                Ok::<_, ApiError>(tickets)
            })
        })
        .await?;
    Ok(WalletTickets { tickets, server_ms: app.now() })
}

/// The ticket, if the phone holds it.
pub(super) async fn held(
    tx: &mut Tx,
    app: &AppState,
    wallet: WalletId,
    ticket: TicketId,
) -> ApiResult<Found> {
    let found = present::hold(app, tx, ticket).await?;
    if !store::holds(tx, ticket, wallet).await? {
        return Err(present::not_held());
    }
    found.ok_or_else(present::not_held)
}

/// Live codes from now on: what this phone mints them from, and the doors' knowledge that it does.
pub(super) async fn activate(app: &AppState, wallet: WalletId, ticket: TicketId) -> ApiResult<WalletTicket> {
    let app_in = app.clone();
    let (event, view) = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                let mut found = held(tx, &app_in, wallet, ticket).await?;
                let event = found.snapshot.info.event_id;
                if !found.row.view.live_activated {
                    found.row.view.live_activated = true;
                    tickets::update(tx, event, &found.row).await?;
                }
                Ok::<_, ApiError>((event, present::ticket(&app_in, tx, &found).await?))
            })
        })
        .await?;
    app.ring(event);
    Ok(view)
}

/// The phone lets go of the ticket. Doing it twice changes nothing more.
pub(super) async fn release(
    app: &AppState,
    wallet: WalletId,
    origin: Origin,
    ticket: TicketId,
) -> ApiResult<()> {
    let app_in = app.clone();
    let event = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                let Some(mut found) = present::hold(&app_in, tx, ticket).await? else { return Ok(None) };
                if !store::holds(tx, ticket, wallet).await? {
                    return Ok(None);
                }
                store::delete_claim(tx, ticket, wallet).await?;
                holders::abandoned(tx, &mut found).await?;
                record(tx, &app_in, (wallet, origin), &found, Deed::TicketReleased).await?;
                Ok::<_, ApiError>(Some(found.snapshot.info.event_id))
            })
        })
        .await?;
    event.into_iter().for_each(|event| app.ring(event));
    Ok(())
}

/// The ticket's link, for its organiser to send.
pub(super) async fn link(app: &AppState, who: Who, event: EventId, ticket: TicketId) -> ApiResult<LinkView> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                snapshot::lock(tx, event).await?;
                own(tx, &app_in, &who, event, ticket).await?;
                if store::alive(tx, ticket, LinkKind::Ticket).await?.is_none() {
                    audit::record(tx, &app_in, &who, entry(Deed::LinkMade, event, ticket)).await?;
                }
                let (url, _) = link::get_or_make(tx, &app_in, ticket, LinkKind::Ticket, None).await?;
                Ok::<_, ApiError>(LinkView { url })
            })
        })
        .await
}

/// The phones that hold a ticket, for its organiser.
pub(super) async fn claims(
    app: &AppState,
    who: Who,
    event: EventId,
    ticket: TicketId,
) -> ApiResult<ClaimsView> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                own(conn, &app_in, &who, event, ticket).await?;
                let claims = store::holders(conn, ticket).await?.into_iter().map(|(_, claim)| claim);
                Ok(ClaimsView { claims: claims.collect() })
            })
        })
        .await
}

/// Takes the ticket off every phone, so that it can be claimed again by its link.
pub(super) async fn free(app: &AppState, who: Who, event: EventId, ticket: TicketId) -> ApiResult<()> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                snapshot::lock(tx, event).await?;
                let mut found = own(tx, &app_in, &who, event, ticket).await?;
                let phones = store::holders(tx, ticket).await?.len();
                store::delete_claims(tx, ticket).await?;
                store::end_links(tx, ticket, LinkKind::Transfer, app_in.now()).await?;
                holders::abandoned(tx, &mut found).await?;
                let entry = entry(Deed::ClaimsFreed, event, ticket).before(json!({ "phones": phones }));
                audit::record(tx, &app_in, &who, entry).await
            })
        })
        .await?;
    app.ring(event);
    Ok(())
}

fn entry(deed: Deed, event: EventId, ticket: TicketId) -> Entry {
    Entry::of(deed).at(event).to(Target::Ticket, ticket.as_bytes())
}

/// What a phone did with a ticket goes on record with its organiser.
async fn record(
    tx: &mut Tx,
    app: &AppState,
    (wallet, origin): (WalletId, Origin),
    found: &Found,
    deed: Deed,
) -> ApiResult<()> {
    let by = By { actor: Actor::Wallet(wallet), name: String::new(), origin };
    let entry = entry(deed, found.snapshot.info.event_id, found.row.view.ticket_id);
    Ok(audit::pen(app).write(tx, Some(found.snapshot.organiser_id), &by, entry).await?)
}

/// The ticket, if it is of the organiser's event.
async fn own(
    conn: &mut Conn,
    app: &AppState,
    who: &Who,
    event: EventId,
    ticket: TicketId,
) -> ApiResult<Found> {
    let snapshot = snapshot::of(app, conn, who, event).await?;
    let row = tickets::get(conn, event, ticket)
        .await?
        .ok_or_else(|| ApiError::new(Code::TicketNotFound, "The event has no ticket with this id."))?;
    Ok(Found { snapshot, row })
}
