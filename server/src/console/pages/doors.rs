//! An event's first page: how its doors do, kept up to date by server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::time::Instant;

use super::super::assets::SCRIPT_PATH;
use super::super::board::Board;
use super::super::failure::Failure;
use super::super::hall::Hall;
use super::super::layout::{self, Frame, Moment, count};
use super::Done;
use crate::app::AppState;
use crate::platform::authorize::{self, Action, may};
use crate::platform::body::Query;
use crate::platform::problem::ApiResult;
use crate::scanning::{live, views};

/// A stream ends after this long: the browser comes back, and is asked anew who it is.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Between two signs of life, for proxies that close what is silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/organisers/{organiser_id}/events/{event_id}", get(show))
        .route("/console/organisers/{organiser_id}/events/{event_id}/live", get(follow))
}

#[derive(Debug, Serialize)]
struct Content {
    /// The address of the event's pages.
    hall: String,
    script: &'static str,
    starts: Moment,
    ends: Moment,
    may_see_devices: bool,
    tickets: String,
    /// For those who may see scans.
    board: Option<Board>,
}

async fn show(
    hall: Hall<may::SeeEvents>,
    State(app): State<AppState>,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    let event = &hall.event.summary;
    let counts = views::counts(&app, hall.who.clone(), event.event_id).await?;
    let board = if hall.may(Action::SeeScans) {
        let view = live::get(&app, hall.who.asking(Action::SeeScans), event.event_id).await?;
        Some(Board::new(&view, event))
    } else {
        None
    };
    let content = Content {
        hall: hall.path(&app, ""),
        script: SCRIPT_PATH.as_str(),
        starts: Moment::local(event.starts_at, &event.time_zone),
        ends: Moment::local(event.ends_at, &event.time_zone),
        may_see_devices: hall.may(Action::SeeDevices),
        tickets: count(counts.tickets.valid),
        board,
    };
    let frame = Frame::within(&hall, "Doors", "doors").after(done.done.as_deref());
    Ok(layout::render(&app, "doors.html", &frame, &content)?)
}

/// What a fragment of the page needs.
#[derive(Debug, Serialize)]
struct Fragment {
    hall: String,
    may_see_devices: bool,
    board: Board,
}

async fn follow(hall: Hall<may::SeeScans>, State(app): State<AppState>) -> Response {
    let events = Sse::new(boards(app, hall)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    let mut response = events.into_response();
    // A proxy that gathers an answer before it passes it on would keep it for ever.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response.headers_mut().insert(unbuffered, HeaderValue::from_static("no"));
    response
}

fn boards(app: AppState, hall: Hall<may::SeeScans>) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut views = app.boards().follow(&app, hall.who.organiser_id, hall.event.summary.event_id);
    // What is there already is news to this browser.
    views.mark_changed();
    let until = Instant::now() + LONGEST;
    stream::unfold((app, hall, views), move |(app, hall, mut views)| async move {
        loop {
            tokio::select! {
                changed = views.changed() => changed.ok()?,
                () = tokio::time::sleep_until(until) => return None,
                () = app.closing() => return None,
            }
            let Some(view) = views.borrow_and_update().clone() else { continue };
            // Whoever was signed out or sent away meanwhile sees no more of it.
            still_may(&app, &hall).await.ok()?;
            let board = Board::new(&view, &hall.event.summary);
            let may_see_devices = hall.may(Action::SeeDevices);
            let fragment = Fragment { hall: hall.path(&app, ""), may_see_devices, board };
            let html = layout::fragment(&app, "board.html", &fragment).ok()?;
            return Some((Ok(Event::default().event("board").data(html)), (app, hall, views)));
        }
    })
}

async fn still_may(app: &AppState, hall: &Hall<may::SeeScans>) -> ApiResult<()> {
    let (who, event) = (hall.who.clone(), hall.event.summary.event_id);
    app.db()
        .read(move |conn| Box::pin(async move { authorize::event(conn, &who, event).await.map(drop) }))
        .await
}
