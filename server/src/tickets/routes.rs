//! `/v1/events/{event_id}/tickets` and `/ticket-codes`.

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use liventix_core::ids::{EventId, TicketId};
use liventix_core::qr::Format;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::import;
use super::service::{self, Action};
use super::types::{
    ImportQuery, ImportReport, NewTicket, QrQuery, Reissue, TicketQuery, TicketView, TicketWithCode,
};
use crate::app::AppState;
use crate::operations;
use crate::platform::auth::Caller;
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::idempotency::{Csv, Idempotent, Operation as _};
use crate::platform::page::Page;
use crate::platform::problem::ApiResult;

/// The largest table, in bytes: 100 000 rows with every column filled.
const MAX_TABLE: usize = 32 * 1_024 * 1_024;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let import = OpenApiRouter::new().routes(routes!(import_table)).layer(DefaultBodyLimit::max(MAX_TABLE));
    OpenApiRouter::new()
        .routes(routes!(list, issue))
        .routes(routes!(list_with_codes))
        .routes(routes!(get))
        .routes(routes!(qr_png))
        .routes(routes!(qr_svg))
        .routes(routes!(revoke))
        .routes(routes!(unblock))
        .routes(routes!(cancel))
        .routes(routes!(mark_paid))
        .routes(routes!(reissue))
        .merge(import)
}

operations! {
    CreateTicket = "create_ticket";
    ImportTickets = "import_tickets";
}

/// Issue a ticket
#[utoipa::path(
    post, path = "/v1/events/{event_id}/tickets", tag = "tickets", security(("session" = []), ("api_key" = [])),
    request_body = NewTicket, extensions(("x-idempotent" = json!(CreateTicket::document()))),
    params(("event_id" = EventId, Path, description = "The event")),
    responses(
        (status = 201, body = TicketWithCode), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_type_not_found`"),
        (status = 409, description = "`legacy_code_taken`, `status_conflict`")
    )
)]
async fn issue(
    caller: Caller<may::IssueTickets>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    call: Idempotent<CreateTicket, Json<NewTicket>>,
) -> ApiResult<Response> {
    let who = caller.who;
    call.run(&app, who.organiser_id, async |Json(new), attempt| {
        Ok((StatusCode::CREATED, axum::Json(service::issue(&app, who, event, new, attempt).await?)))
    })
    .await
}

/// List tickets, oldest first
#[utoipa::path(
    get, path = "/v1/events/{event_id}/tickets", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), TicketQuery),
    responses(
        (status = 200, body = Page<TicketView>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list(
    caller: Caller<may::SeeTickets>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(query): Query<TicketQuery>,
) -> ApiResult<axum::Json<Page<TicketView>>> {
    Ok(axum::Json(service::list(&app, caller.who, event, query).await?))
}

/// List tickets with their codes
///
/// For printing and sending. Whoever has a code is let in: keep the answer safe.
#[utoipa::path(
    get, path = "/v1/events/{event_id}/ticket-codes", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), TicketQuery),
    responses(
        (status = 200, body = Page<TicketWithCode>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list_with_codes(
    caller: Caller<may::SeeCodes>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(query): Query<TicketQuery>,
) -> ApiResult<axum::Json<Page<TicketWithCode>>> {
    Ok(axum::Json(service::list_with_codes(&app, caller.who, event, query).await?))
}

/// One ticket with its codes
#[utoipa::path(
    get, path = "/v1/events/{event_id}/tickets/{ticket_id}", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 200, body = TicketWithCode), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_not_found`")
    )
)]
async fn get(
    caller: Caller<may::SeeCodes>,
    State(app): State<AppState>,
    Path((event, ticket)): Path<(EventId, TicketId)>,
) -> ApiResult<axum::Json<TicketWithCode>> {
    Ok(axum::Json(service::get(&app, caller.who, event, ticket).await?))
}

/// Import tickets from a table (CSV)
///
/// UTF-8, with or without a byte order mark; separated by comma, semicolon or tab. The first row names
/// the columns, in any order: `ticket_type` (name or id; required), `attendee_name`, `email`,
/// `reference` (or `order_ref`, `order`), `status` (`valid`, `unpaid`, `cancelled`, `revoked`), `admits`,
/// `valid_from`, `valid_until`, `code_expires_at` (RFC 3339 or UTC milliseconds), `legacy_code`. At most
/// 100 000 rows and 32 MiB. All of it is issued or nothing; what is wrong comes as a list of rows and
/// columns (100 at most).
#[utoipa::path(
    post, path = "/v1/events/{event_id}/tickets/import", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ImportQuery),
    request_body(content = String, content_type = "text/csv"),
    extensions(("x-idempotent" = json!(ImportTickets::document()))),
    responses(
        (status = 200, description = "With `dry_run`: what would be issued", body = ImportReport),
        (status = 201, description = "What was issued", body = ImportReport),
        (status = 400, description = "`invalid_path`, `invalid_query`"), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`"), (status = 409, description = "`status_conflict`"),
        (status = 422, description = "`invalid_csv`")
    )
)]
async fn import_table(
    caller: Caller<may::IssueTickets>,
    State(app): State<AppState>,
    Path(event): Path<EventId>,
    Query(query): Query<ImportQuery>,
    call: Idempotent<ImportTickets, Csv>,
) -> ApiResult<Response> {
    let (who, dry_run) = (caller.who, query.dry_run);
    call.run(&app, who.organiser_id, async |Csv(table), attempt| {
        let report = import::import(&app, who, event, table.to_vec(), dry_run, attempt).await?;
        let status = if dry_run { StatusCode::OK } else { StatusCode::CREATED };
        Ok((status, axum::Json(report)))
    })
    .await
}

/// Give a ticket new codes
///
/// The old signed, manual and legacy codes are refused from now on, at doors from their next sync.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/tickets/{ticket_id}/reissue", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 200, body = TicketWithCode), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_not_found`"),
        (status = 409, description = "`status_conflict`")
    )
)]
async fn reissue(
    caller: Caller<may::ChangeTickets>,
    State(app): State<AppState>,
    Path((event, ticket)): Path<(EventId, TicketId)>,
    Json(request): Json<Reissue>,
) -> ApiResult<axum::Json<TicketWithCode>> {
    Ok(axum::Json(service::reissue(&app, caller.who, event, ticket, request).await?))
}

/// Block a ticket
#[utoipa::path(
    post, path = "/v1/events/{event_id}/tickets/{ticket_id}/revoke", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 200, body = TicketView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_not_found`"),
        (status = 409, description = "`status_conflict`")
    )
)]
async fn revoke(
    caller: Caller<may::ChangeTickets>,
    State(app): State<AppState>,
    Path((event, ticket)): Path<(EventId, TicketId)>,
) -> ApiResult<axum::Json<TicketView>> {
    Ok(axum::Json(service::act(&app, caller.who, event, ticket, Action::Revoke).await?))
}

/// Unblock a ticket: it is again what it was
#[utoipa::path(
    post, path = "/v1/events/{event_id}/tickets/{ticket_id}/unblock", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 200, body = TicketView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_not_found`"),
        (status = 409, description = "`status_conflict`")
    )
)]
async fn unblock(
    caller: Caller<may::ChangeTickets>,
    State(app): State<AppState>,
    Path((event, ticket)): Path<(EventId, TicketId)>,
) -> ApiResult<axum::Json<TicketView>> {
    Ok(axum::Json(service::act(&app, caller.who, event, ticket, Action::Unblock).await?))
}

/// Cancel a ticket for good
#[utoipa::path(
    post, path = "/v1/events/{event_id}/tickets/{ticket_id}/cancel", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 200, body = TicketView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_not_found`"),
        (status = 409, description = "`status_conflict`")
    )
)]
async fn cancel(
    caller: Caller<may::ChangeTickets>,
    State(app): State<AppState>,
    Path((event, ticket)): Path<(EventId, TicketId)>,
) -> ApiResult<axum::Json<TicketView>> {
    Ok(axum::Json(service::act(&app, caller.who, event, ticket, Action::Cancel).await?))
}

/// Mark a ticket paid
#[utoipa::path(
    post, path = "/v1/events/{event_id}/tickets/{ticket_id}/mark-paid", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(("event_id" = EventId, Path, description = "The event"), ("ticket_id" = TicketId, Path, description = "The ticket")),
    responses(
        (status = 200, body = TicketView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_not_found`"),
        (status = 409, description = "`status_conflict`")
    )
)]
async fn mark_paid(
    caller: Caller<may::MarkPaid>,
    State(app): State<AppState>,
    Path((event, ticket)): Path<(EventId, TicketId)>,
) -> ApiResult<axum::Json<TicketView>> {
    Ok(axum::Json(service::act(&app, caller.who, event, ticket, Action::MarkPaid).await?))
}

/// The ticket's QR code as PNG
#[utoipa::path(
    get, path = "/v1/events/{event_id}/tickets/{ticket_id}/qr.png", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("ticket_id" = TicketId, Path, description = "The ticket"), QrQuery
    ),
    responses(
        (status = 200, content_type = "image/png", body = Vec<u8>),
        (status = 400, description = "`invalid_path`, `invalid_query`"), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_not_found`"),
        (status = 503, description = "`qr_unavailable`: the detail holds the manual code")
    )
)]
async fn qr_png(
    caller: Caller<may::SeeCodes>,
    State(app): State<AppState>,
    Path((event, ticket)): Path<(EventId, TicketId)>,
    Query(query): Query<QrQuery>,
) -> ApiResult<impl IntoResponse> {
    let bytes = service::qr(&app, caller.who, event, ticket, Format::Png, &query).await?;
    Ok(([(header::CONTENT_TYPE, Format::Png.media_type())], bytes))
}

/// The ticket's QR code as SVG
#[utoipa::path(
    get, path = "/v1/events/{event_id}/tickets/{ticket_id}/qr.svg", tag = "tickets", security(("session" = []), ("api_key" = [])),
    params(
        ("event_id" = EventId, Path, description = "The event"),
        ("ticket_id" = TicketId, Path, description = "The ticket"), QrQuery
    ),
    responses(
        (status = 200, content_type = "image/svg+xml", body = Vec<u8>),
        (status = 400, description = "`invalid_path`, `invalid_query`"), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`event_not_found`, `ticket_not_found`"),
        (status = 503, description = "`qr_unavailable`: the detail holds the manual code")
    )
)]
async fn qr_svg(
    caller: Caller<may::SeeCodes>,
    State(app): State<AppState>,
    Path((event, ticket)): Path<(EventId, TicketId)>,
    Query(query): Query<QrQuery>,
) -> ApiResult<impl IntoResponse> {
    let bytes = service::qr(&app, caller.who, event, ticket, Format::Svg, &query).await?;
    Ok(([(header::CONTENT_TYPE, Format::Svg.media_type())], bytes))
}
