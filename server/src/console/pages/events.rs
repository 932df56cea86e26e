//! An organiser's first page: its events.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::super::failure::Failure;
use super::super::layout::{self, Frame, Moment};
use super::super::visitor::Office;
use super::Done;
use crate::app::AppState;
use crate::events;
use crate::events::types::EventSummary;
use crate::platform::authorize::{Action, may};
use crate::platform::body::Query;
use crate::platform::page::{MAX_ROWS, PageQuery};
use crate::platform::problem::ApiResult;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/organisers/{organiser_id}", get(show))
}

/// Where an event stands in time; the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Now,
    Ahead,
    Over,
}

#[derive(Debug, Serialize)]
struct Event {
    path: String,
    name: String,
    phase: Phase,
    starts: Moment,
    ends: Moment,
    #[serde(skip)]
    order: i64,
}

#[derive(Debug, Serialize)]
struct Content {
    events: Vec<Event>,
    /// Whether there are more than the page has.
    more: bool,
}

fn event(summary: EventSummary, home: &str, now: i64) -> Event {
    let EventSummary { starts_at, ends_at, .. } = summary;
    // What runs and what comes, the nearest first; what is over, the latest first.
    let (phase, order) = match () {
        () if now >= ends_at => (Phase::Over, -ends_at),
        () if now >= starts_at => (Phase::Now, ends_at),
        () => (Phase::Ahead, starts_at),
    };
    Event {
        path: format!("{home}/events/{}", summary.event_id),
        name: summary.name,
        phase,
        starts: Moment::local(starts_at, &summary.time_zone),
        ends: Moment::local(ends_at, &summary.time_zone),
        order,
    }
}

async fn content(app: &AppState, office: &Office<may::SeeOrganiser>) -> ApiResult<Content> {
    let all = PageQuery { cursor: None, limit: Some(MAX_ROWS) };
    let found = events::service::list(app, office.who.asking(Action::SeeEvents), &all).await?;
    let (home, now) = (office.place.path(app, ""), app.now());
    let more = found.next_cursor.is_some();
    let mut events: Vec<Event> = found.items.into_iter().map(|summary| event(summary, &home, now)).collect();
    events.sort_by_key(|event| (event.phase, event.order));
    Ok(Content { events, more })
}

async fn show(
    office: Office<may::SeeOrganiser>,
    State(app): State<AppState>,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    let content = content(&app, &office).await?;
    let frame = Frame::at(&office, "Events", "events").after(done.done.as_deref());
    Ok(layout::render(&app, "events.html", &frame, &content)?)
}
