//! One ticket: what it is, where it was seen, and what can be done about it.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use data_encoding::BASE64;
use liventix_core::ids::{EventId, OrganiserId, TicketId};
use liventix_core::qr::Format;
use liventix_core::rules::{Direction, Outcome, TicketStatus};
use serde::Serialize;

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::hall::Hall;
use super::super::layout::{self, Frame, Moment};
use super::Done;
use super::tickets::{Standing, standing};
use crate::app::AppState;
use crate::events;
use crate::platform::authorize::{Action, Acts, may};
use crate::platform::body::{Path, Query};
use crate::platform::problem::{ApiError, ApiResult};
use crate::scanning::types::SideView;
use crate::scanning::views;
use crate::tickets::service::{self, Action as Change};
use crate::tickets::types::{QrQuery, Reissue, TicketWithCode};

pub(super) fn routes() -> Router<AppState> {
    let at = |rest: &str| {
        format!("/console/organisers/{{organiser_id}}/events/{{event_id}}/tickets/{{ticket_id}}{rest}")
    };
    Router::new()
        .route(&at(""), get(show))
        .route(&at("/reissue"), post(reissue))
        .route(&at("/block"), post(block))
        .route(&at("/unblock"), post(unblock))
        .route(&at("/cancel"), post(cancel))
        .route(&at("/mark-paid"), post(mark_paid))
}

/// The organiser, the event and the ticket of an address.
type Address = Path<(OrganiserId, EventId, TicketId)>;

/// Where it was seen.
#[derive(Debug, Serialize)]
struct Scan {
    at: Moment,
    what: String,
    admitted: bool,
    gate: String,
    device: String,
    note: Option<String>,
}

fn scan(side: SideView, zone: &str) -> Scan {
    let SideView { scan, gate_name, device_name } = side;
    let people = if scan.people > 1 { format!(", {} people", scan.people) } else { String::new() };
    let what = match (scan.outcome, scan.direction) {
        _ if scan.undoes.is_some() => "Taken back".to_owned(),
        (Outcome::Admit, Direction::Entry) => format!("In{people}"),
        (Outcome::Admit, Direction::Exit) => format!("Out{people}"),
        _ => scan.reason.line().to_owned(),
    };
    Scan {
        at: Moment::exact(scan.at, zone),
        what,
        admitted: scan.outcome == Outcome::Admit && scan.undoes.is_none(),
        gate: gate_name,
        device: device_name,
        note: scan.note,
    }
}

/// What lets its holder in.
#[derive(Debug, Serialize)]
struct Codes {
    manual: String,
    qr_png: String,
}

#[derive(Debug, Serialize)]
struct Content {
    hall: String,
    ticket_id: TicketId,
    name: Option<String>,
    email: Option<String>,
    reference: Option<String>,
    kind: String,
    standing: Standing,
    admits: u16,
    from: Option<Moment>,
    until: Option<Moment>,
    issued: Moment,
    expires: Option<Moment>,
    key: u8,
    live: bool,
    codes: Option<Codes>,
    /// None: not for this visitor.
    scans: Option<Vec<Scan>>,
    may_change: bool,
    may_block: bool,
    may_unblock: bool,
    may_mark_paid: bool,
    wrong: Wrong,
}

async fn content<A: Acts>(app: &AppState, hall: &Hall<A>, id: TicketId) -> ApiResult<Content> {
    let event_id = hall.event.summary.event_id;
    let zone = &hall.event.summary.time_zone;
    let event = events::service::get(app, hall.who.asking(Action::SeeEvents), event_id).await?;
    let found = service::get(app, hall.who.asking(Action::SeeTickets), event_id, id).await?;
    let TicketWithCode { ticket, manual_code: manual, .. } = found;
    let codes = if hall.may(Action::SeeCodes) && ticket.status != TicketStatus::Cancelled {
        let who = hall.who.asking(Action::SeeCodes);
        let png = service::qr(app, who, event_id, id, Format::Png, &QrQuery::default()).await?;
        Some(Codes { manual, qr_png: BASE64.encode(&png) })
    } else {
        None
    };
    let scans = if hall.may(Action::SeeScans) {
        let sides = views::of_ticket(app, hall.who.asking(Action::SeeScans), event_id, id).await?;
        Some(sides.into_iter().map(|side| scan(side, zone)).collect())
    } else {
        None
    };
    let kind = event.info.ticket_type(ticket.ticket_type_id);
    let alive = ticket.status != TicketStatus::Cancelled;
    let may_change = alive && hall.may(Action::ChangeTickets);
    Ok(Content {
        hall: hall.path(app, ""),
        ticket_id: id,
        kind: kind.map(|kind| kind.name.clone()).unwrap_or_default(),
        standing: standing(ticket.status),
        admits: ticket.admits.or(kind.map(|kind| kind.admits)).unwrap_or(1),
        from: ticket.valid_from.map(|at| Moment::local(at, zone)),
        until: ticket.valid_until.map(|at| Moment::local(at, zone)),
        issued: Moment::local(ticket.code_issued_at, zone),
        expires: ticket.code_expires_at.map(|at| Moment::local(at, zone)),
        key: ticket.code_key_id,
        live: ticket.live_activated,
        name: ticket.attendee_name,
        email: ticket.email,
        reference: ticket.reference,
        codes,
        scans,
        may_change,
        may_block: may_change && ticket.status != TicketStatus::Revoked,
        may_unblock: may_change && ticket.status == TicketStatus::Revoked,
        may_mark_paid: ticket.status == TicketStatus::Unpaid && hall.may(Action::MarkPaid),
        wrong: Wrong::default(),
    })
}

fn page<A: Acts>(
    app: &AppState,
    hall: &Hall<A>,
    done: Option<&str>,
    content: &Content,
) -> ApiResult<Response> {
    let title = content.name.as_deref().unwrap_or("A ticket without a name");
    layout::render(app, "ticket.html", &Frame::within(hall, title, "tickets").after(done), content)
}

async fn show(
    hall: Hall<may::SeeTickets>,
    State(app): State<AppState>,
    Path((_, _, ticket)): Address,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    let content = content(&app, &hall, ticket).await?;
    Ok(page(&app, &hall, done.done.as_deref(), &content)?)
}

/// Back to the ticket: with what was done, or with why not.
async fn answer<A: Acts, T>(
    app: &AppState,
    hall: &Hall<A>,
    ticket: TicketId,
    (result, flash): (Result<T, ApiError>, Flash),
) -> Result<Response, Failure> {
    match result {
        Ok(_) => Ok(layout::done(&hall.path(app, &format!("/tickets/{ticket}")), flash)),
        Err(error) => {
            let (wrong, error) = Wrong::of(error)?;
            let content = Content { wrong, ..content(app, hall, ticket).await? };
            Ok(layout::refused(page(app, hall, None, &content)?, error))
        }
    }
}

async fn reissue(
    hall: Hall<may::ChangeTickets>,
    State(app): State<AppState>,
    Path((_, event, ticket)): Address,
    _form: Form,
) -> Result<Response, Failure> {
    let made = service::reissue(&app, hall.who.clone(), event, ticket, Reissue::default()).await;
    answer(&app, &hall, ticket, (made, Flash::TicketReissued)).await
}

async fn block(
    hall: Hall<may::ChangeTickets>,
    State(app): State<AppState>,
    Path((_, event, ticket)): Address,
    _form: Form,
) -> Result<Response, Failure> {
    let done = service::act(&app, hall.who.clone(), event, ticket, Change::Revoke).await;
    answer(&app, &hall, ticket, (done, Flash::TicketBlocked)).await
}

async fn unblock(
    hall: Hall<may::ChangeTickets>,
    State(app): State<AppState>,
    Path((_, event, ticket)): Address,
    _form: Form,
) -> Result<Response, Failure> {
    let done = service::act(&app, hall.who.clone(), event, ticket, Change::Unblock).await;
    answer(&app, &hall, ticket, (done, Flash::TicketUnblocked)).await
}

async fn cancel(
    hall: Hall<may::ChangeTickets>,
    State(app): State<AppState>,
    Path((_, event, ticket)): Address,
    _form: Form,
) -> Result<Response, Failure> {
    let done = service::act(&app, hall.who.clone(), event, ticket, Change::Cancel).await;
    answer(&app, &hall, ticket, (done, Flash::TicketCancelled)).await
}

async fn mark_paid(
    hall: Hall<may::MarkPaid>,
    State(app): State<AppState>,
    Path((_, event, ticket)): Address,
    _form: Form,
) -> Result<Response, Failure> {
    let done = service::act(&app, hall.who.clone(), event, ticket, Change::MarkPaid).await;
    answer(&app, &hall, ticket, (done, Flash::TicketPaid)).await
}
