//! Tickets that let more people in than they may: both sides, and what the organiser says about it.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use liventix_core::ids::{EventId, OrganiserId, ScanId, TicketId};
use liventix_core::ledger::record::Medium;
use liventix_core::rules::Flag;
use serde::{Deserialize, Serialize};

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::hall::Hall;
use super::super::layout::{self, Frame, Moment};
use super::remark::{Said, note};
use crate::app::AppState;
use crate::platform::authorize::{Action, Acts, may};
use crate::platform::body::{Path, Query};
use crate::platform::problem::{ApiError, ApiResult};
use crate::scanning::types::{ConflictQuery, ConflictState, ConflictView, SideView};
use crate::scanning::{resolve, views};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/organisers/{organiser_id}/events/{event_id}/conflicts", get(show)).route(
        "/console/organisers/{organiser_id}/events/{event_id}/conflicts/{scan_id}/resolve",
        post(settle),
    )
}

/// Which of them, from where on.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    settled: bool,
    cursor: Option<String>,
    done: Option<String>,
}

/// One of the two scans.
#[derive(Debug, Serialize)]
struct Side {
    at: Moment,
    /// How far the time may be off, in seconds, where that matters.
    give_or_take: Option<i64>,
    gate: String,
    device: String,
    people: u16,
    by: &'static str,
    remarks: Vec<&'static str>,
    /// What the door was told by the person who forced it.
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Conflict {
    scan_id: ScanId,
    ticket_id: TicketId,
    attendee: Option<String>,
    people: u32,
    standing: Side,
    excess: Side,
    said: Option<Said>,
}

#[derive(Debug, Serialize)]
struct Content {
    hall: String,
    conflicts: Vec<Conflict>,
    settled: bool,
    next: Option<String>,
    may_settle: bool,
    may_see_tickets: bool,
    typed: String,
    wrong: Wrong,
}

const fn medium(medium: Medium) -> &'static str {
    match medium {
        Medium::Printed => "printed code",
        Medium::Live => "live code on a phone",
        Medium::Legacy => "code of an older system",
        Medium::Manual => "typed code",
        Medium::Listed => "picked from the list",
        Medium::Unreadable => "unreadable code",
    }
}

const fn flag(flag: Flag) -> &'static str {
    match flag {
        Flag::Unlisted => "was not on the door's list",
        Flag::ListStale => "the door's list was old",
        Flag::ClockUncertain => "the door's clock was uncertain",
        Flag::LegacyCode => "unsigned code",
        Flag::LiveStale => "the live code was old",
        Flag::ExitWithoutEntry => "left without an entry",
        Flag::Forced => "forced by a supervisor",
    }
}

fn side(side: SideView, zone: &str) -> Side {
    let SideView { scan, gate_name, device_name } = side;
    Side {
        at: Moment::exact(scan.at, zone),
        give_or_take: scan.error_ms.filter(|error| *error >= 1_000).map(|error| error / 1_000),
        gate: gate_name,
        device: device_name,
        people: scan.people,
        by: medium(scan.medium),
        remarks: scan.flags.into_iter().map(flag).collect(),
        note: scan.note,
    }
}

fn conflict(view: ConflictView, zone: &str) -> Conflict {
    Conflict {
        scan_id: view.excess.scan.scan_id,
        ticket_id: view.ticket_id,
        attendee: view.attendee_name,
        people: view.people,
        standing: side(view.standing, zone),
        excess: side(view.excess, zone),
        said: view.resolution.map(|remark| Said::new(remark, zone)),
    }
}

async fn content<A: Acts>(app: &AppState, hall: &Hall<A>, asked: Asked) -> ApiResult<Content> {
    let state = if asked.settled { ConflictState::Resolved } else { ConflictState::Open };
    let query = ConflictQuery { cursor: asked.cursor, limit: Some(20), state: Some(state) };
    let event = &hall.event.summary;
    let page = views::conflicts(app, hall.who.asking(Action::SeeScans), event.event_id, query).await?;
    Ok(Content {
        hall: hall.path(app, ""),
        conflicts: page.items.into_iter().map(|view| conflict(view, &event.time_zone)).collect(),
        settled: asked.settled,
        next: page.next_cursor,
        may_settle: hall.may(Action::Settle),
        may_see_tickets: hall.may(Action::SeeTickets),
        typed: String::new(),
        wrong: Wrong::default(),
    })
}

fn page<A: Acts>(
    app: &AppState,
    hall: &Hall<A>,
    done: Option<&str>,
    content: &Content,
) -> ApiResult<Response> {
    let frame = Frame::within(hall, "Conflicts", "conflicts").after(done);
    layout::render(app, "conflicts.html", &frame, content)
}

async fn show(
    hall: Hall<may::SeeScans>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let done = asked.done.clone();
    let content = content(&app, &hall, asked).await?;
    Ok(page(&app, &hall, done.as_deref(), &content)?)
}

async fn settle(
    hall: Hall<may::Settle>,
    State(app): State<AppState>,
    Path((_organiser, event, scan)): Path<(OrganiserId, EventId, ScanId)>,
    form: Form,
) -> Result<Response, Failure> {
    let refused: ApiError = match resolve::resolve(&app, hall.who.clone(), (event, scan), &note(&form)).await
    {
        Ok(_) => return Ok(layout::done(&hall.path(&app, "/conflicts"), Flash::ConflictSettled)),
        Err(error) => error,
    };
    let (mut wrong, error) = Wrong::of(refused)?;
    wrong.form = scan.to_string();
    let typed = form.text("note").to_owned();
    let content = Content { typed, wrong, ..content(&app, &hall, Asked::default()).await? };
    Ok(layout::refused(page(&app, &hall, None, &content)?, error))
}
