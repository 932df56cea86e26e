//! `/v1/wallet` for phones; a ticket's `/link` and `/claims` for organisers.

use axum::extract::State;
use axum::http::StatusCode;
use liventix_core::ids::{EventId, TicketId};
use liventix_core::wallet::wire::{ClaimRequest, TransferOffer, WalletTicket, WalletTickets};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::types::{ClaimsView, LinkView};
use super::{service, transfer};
use crate::app::AppState;
use crate::platform::auth::{Caller, Client, NewWallet, Wallet};
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path};
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(claim))
        .routes(routes!(tickets))
        .routes(routes!(activate))
        .routes(routes!(offer_transfer, take_transfer_back))
        .routes(routes!(release))
        .routes(routes!(link))
        .routes(routes!(claims, free_claims))
}

/// Claim a ticket by its link
///
/// The phone makes its own token, `lxw_<wallet id>_<secret>`: 16 random bytes as hex, 32 as base64url. The
/// first claim registers it. Repeat a claim whose answer was lost: the same phone gets the same answer. A
/// transfer link gives the ticket new codes, and takes it off every other phone.
#[utoipa::path(
    post, path = "/v1/wallet/claim", tag = "wallet", security(("wallet" = [])),
    responses(
        (status = 200, body = WalletTicket), (status = 403, description = "`transfer_refused`"),
        (status = 404, description = "`link_unknown`"),
        (status = 409, description = "`already_claimed`, `ticket_used`, `ticket_not_valid`"),
        (status = 410, description = "`link_used`, `link_expired`")
    )
)]
async fn claim(
    client: Client,
    wallet: NewWallet,
    State(app): State<AppState>,
    Json(request): Json<ClaimRequest>,
) -> ApiResult<axum::Json<WalletTicket>> {
    Ok(axum::Json(service::claim(&app, client, wallet, &request).await?))
}

/// Every ticket this phone holds
#[utoipa::path(
    get, path = "/v1/wallet/tickets", tag = "wallet", security(("wallet" = [])),
    responses((status = 200, body = WalletTickets))
)]
async fn tickets(wallet: Wallet, State(app): State<AppState>) -> ApiResult<axum::Json<WalletTickets>> {
    Ok(axum::Json(service::tickets(&app, wallet.wallet_id).await?))
}

/// Activate live codes
///
/// The answer holds what this phone mints them from. Where printed codes count until live ones are activated,
/// they count no more, at doors from their next sync. Doing it twice changes nothing more.
#[utoipa::path(
    post, path = "/v1/wallet/tickets/{ticket_id}/activate", tag = "wallet", security(("wallet" = [])),
    params(("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 200, body = WalletTicket), (status = 400, description = "`invalid_path`"),
        (status = 404, description = "`ticket_not_found`")
    )
)]
async fn activate(
    wallet: Wallet,
    State(app): State<AppState>,
    Path(ticket): Path<TicketId>,
) -> ApiResult<axum::Json<WalletTicket>> {
    Ok(axum::Json(service::activate(&app, wallet.wallet_id, ticket).await?))
}

/// Offer the ticket to somebody else
///
/// The link can be claimed once, within seven days. Until then the ticket stays where it is. Asked again, the
/// same link comes.
#[utoipa::path(
    post, path = "/v1/wallet/tickets/{ticket_id}/transfer", tag = "wallet", security(("wallet" = [])),
    params(("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 200, body = TransferOffer), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`transfer_refused`"), (status = 404, description = "`ticket_not_found`"),
        (status = 409, description = "`ticket_used`, `ticket_not_valid`")
    )
)]
async fn offer_transfer(
    wallet: Wallet,
    State(app): State<AppState>,
    Path(ticket): Path<TicketId>,
) -> ApiResult<axum::Json<TransferOffer>> {
    Ok(axum::Json(transfer::offer(&app, wallet.wallet_id, ticket).await?))
}

/// Take an offer back
#[utoipa::path(
    delete, path = "/v1/wallet/tickets/{ticket_id}/transfer", tag = "wallet", security(("wallet" = [])),
    params(("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 200, body = WalletTicket), (status = 400, description = "`invalid_path`"),
        (status = 404, description = "`ticket_not_found`")
    )
)]
async fn take_transfer_back(
    wallet: Wallet,
    State(app): State<AppState>,
    Path(ticket): Path<TicketId>,
) -> ApiResult<axum::Json<WalletTicket>> {
    Ok(axum::Json(transfer::take_back(&app, wallet.wallet_id, ticket).await?))
}

/// Take the ticket off this phone
///
/// It can then be claimed on another by its link. Doing it twice changes nothing more.
#[utoipa::path(
    delete, path = "/v1/wallet/tickets/{ticket_id}", tag = "wallet", security(("wallet" = [])),
    params(("ticket_id" = TicketId, Path, description = "The ticket")),
    responses((status = 204), (status = 400, description = "`invalid_path`"))
)]
async fn release(
    client: Client,
    wallet: Wallet,
    State(app): State<AppState>,
    Path(ticket): Path<TicketId>,
) -> ApiResult<StatusCode> {
    service::release(&app, wallet.wallet_id, client.origin(), ticket).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A ticket's link, to send to its holder
///
/// The same each time, until the ticket gets new codes. Whoever has it can claim the ticket.
#[utoipa::path(
    get, path = "/v1/events/{event_id}/tickets/{ticket_id}/link", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 200, body = LinkView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_not_found`")
    )
)]
async fn link(
    caller: Caller<may::SeeCodes>,
    State(app): State<AppState>,
    Path((event, ticket)): Path<(EventId, TicketId)>,
) -> ApiResult<axum::Json<LinkView>> {
    Ok(axum::Json(service::link(&app, caller.who, event, ticket).await?))
}

/// The phones that hold a ticket
#[utoipa::path(
    get, path = "/v1/events/{event_id}/tickets/{ticket_id}/claims", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 200, body = ClaimsView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_not_found`")
    )
)]
async fn claims(
    caller: Caller<may::SeeTickets>,
    State(app): State<AppState>,
    Path((event, ticket)): Path<(EventId, TicketId)>,
) -> ApiResult<axum::Json<ClaimsView>> {
    Ok(axum::Json(service::claims(&app, caller.who, event, ticket).await?))
}

/// Take a ticket off every phone
///
/// For a holder who lost theirs: the link can be claimed again, and the printed code counts again. If the phone
/// was stolen, reissue the ticket instead: until then it can still mint codes.
#[utoipa::path(
    delete, path = "/v1/events/{event_id}/tickets/{ticket_id}/claims", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 204), (status = 400, description = "`invalid_path`"), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_not_found`")
    )
)]
async fn free_claims(
    caller: Caller<may::ChangeTickets>,
    State(app): State<AppState>,
    Path((event, ticket)): Path<(EventId, TicketId)>,
) -> ApiResult<StatusCode> {
    service::free(&app, caller.who, event, ticket).await?;
    Ok(StatusCode::NO_CONTENT)
}
