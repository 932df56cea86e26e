//! The tickets of an event: found by name, reference or id.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use liventix_core::ids::TicketId;
use liventix_core::rules::{EventInfo, TicketStatus};
use serde::{Deserialize, Serialize};

use super::super::failure::Failure;
use super::super::hall::Hall;
use super::super::layout::{self, Frame};
use crate::app::AppState;
use crate::events;
use crate::platform::authorize::{Action, may};
use crate::platform::body::Query;
use crate::platform::text;
use crate::tickets::service;
use crate::tickets::types::{TicketQuery, TicketView};

/// Tickets on one page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/organisers/{organiser_id}/events/{event_id}/tickets", get(show))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    search: String,
    cursor: Option<String>,
}

/// Where a ticket stands, in words, and whether that is well.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Standing {
    pub(super) words: &'static str,
    class: &'static str,
}

pub(super) const fn standing(status: TicketStatus) -> Standing {
    let (words, class) = match status {
        TicketStatus::Valid => ("Valid", "good"),
        TicketStatus::Unpaid => ("Not paid", "warn"),
        TicketStatus::Cancelled => ("Cancelled", "bad"),
        TicketStatus::Revoked => ("Blocked", "bad"),
    };
    Standing { words, class }
}

#[derive(Debug, Serialize)]
struct Row {
    ticket_id: TicketId,
    name: Option<String>,
    reference: Option<String>,
    kind: String,
    standing: Standing,
}

fn row(view: TicketView, info: &EventInfo) -> Row {
    Row {
        ticket_id: view.ticket_id,
        kind: info.ticket_type(view.ticket_type_id).map(|kind| kind.name.clone()).unwrap_or_default(),
        standing: standing(view.status),
        name: view.attendee_name,
        reference: view.reference,
    }
}

#[derive(Debug, Serialize)]
struct Content {
    hall: String,
    tickets: Vec<Row>,
    search: String,
    /// It was too short, or too long, to search for.
    odd: bool,
    next: Option<String>,
    is_first: bool,
}

async fn show(
    hall: Hall<may::SeeTickets>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let event_id = hall.event.summary.event_id;
    let event = events::service::get(&app, hall.who.asking(Action::SeeEvents), event_id).await?;
    let search = asked.search.trim().to_owned();
    if let Ok(id) = search.parse::<TicketId>() {
        return Ok(layout::see_other(&hall.path(&app, &format!("/tickets/{id}"))));
    }
    let odd = !search.is_empty() && !text::can_be_searched(&search);
    let wanted = Some(search.clone()).filter(|text| !text.is_empty() && !odd);
    let is_first = asked.cursor.is_none();
    let query = TicketQuery { cursor: asked.cursor, limit: Some(ROWS), search: wanted };
    let page = service::list(&app, hall.who.clone(), event_id, query).await?;
    let content = Content {
        hall: hall.path(&app, ""),
        tickets: page.items.into_iter().map(|view| row(view, &event.info)).collect(),
        search,
        odd,
        next: page.next_cursor,
        is_first,
    };
    Ok(layout::render(&app, "tickets.html", &Frame::within(&hall, "Tickets", "tickets"), &content)?)
}
