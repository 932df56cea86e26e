//! The mails of an event: what its buyers got, writing to them all, and calling the event off.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::hall::Hall;
use super::super::layout::{self, Frame, Moment, count};
use super::mail_row::{self, Mail};
use crate::announcements::routes::WriteToBuyers;
use crate::announcements::{self, AnnouncementView, NewAnnouncement};
use crate::app::AppState;
use crate::email;
use crate::events::service as events;
use crate::events::types::CancelRequest;
use crate::platform::authorize::{Action, may};
use crate::platform::body::{Json, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::ids::CallId;
use crate::platform::page::PageQuery;
use crate::platform::problem::{ApiError, ApiResult};

/// Mails on one page, and announcements.
const ROWS: u32 = 50;

pub(super) fn routes() -> Router<AppState> {
    let at = |rest: &str| format!("/console/organisers/{{organiser_id}}/events/{{event_id}}/mails{rest}");
    Router::new().route(&at(""), get(show).post(write)).route(&at("/call-off"), post(call_off))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    cursor: Option<String>,
    done: Option<String>,
}

#[derive(Debug, Serialize)]
struct Announcement {
    subject: String,
    body: String,
    by: String,
    at: Moment,
    waiting: String,
    sent: String,
    lost: i64,
}

fn announcement(view: AnnouncementView, zone: &str) -> Announcement {
    Announcement {
        subject: view.subject,
        body: view.body,
        by: view.written_by,
        at: Moment::exact(view.created_at, zone),
        waiting: count(view.waiting),
        sent: count(view.sent),
        lost: view.failed + view.withheld,
    }
}

/// What is typed.
#[derive(Debug, Default, Serialize)]
struct Typed {
    subject: String,
    body: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct Content {
    hall: String,
    are_on: bool,
    cancelled: Option<Moment>,
    announcements: Vec<Announcement>,
    mails: Vec<Mail>,
    next: Option<String>,
    may_write: bool,
    may_call_off: bool,
    /// Makes pressing the button twice one mail.
    key: String,
    typed: Typed,
    wrong: Wrong,
}

async fn content<A>(
    app: &AppState,
    hall: &Hall<A>,
    cursor: Option<String>,
    (typed, wrong): (Typed, Wrong),
) -> ApiResult<Content> {
    let (event, who) = (&hall.event.summary, hall.who.asking(Action::SeeOrders));
    let first = PageQuery { cursor: None, limit: Some(ROWS) };
    let written = announcements::list(app, who.clone(), event.event_id, &first).await?;
    let page = PageQuery { cursor, limit: Some(ROWS) };
    let mails = email::desk::about(app, who, event.event_id, None, &page).await?;
    let (zone, key) = (&event.time_zone, CallId::generate(app.now(), app.entropy().as_ref()));
    let may_edit = hall.may(Action::EditEvent);
    Ok(Content {
        hall: hall.path(app, ""),
        are_on: app.emails().are_on(),
        cancelled: event.cancelled_at.map(|at| Moment::exact(at, zone)),
        announcements: written.items.into_iter().map(|it| announcement(it, zone)).collect(),
        mails: mails.items.into_iter().map(|it| mail_row::row(it, Some(zone))).collect(),
        next: mails.next_cursor,
        may_write: may_edit,
        may_call_off: may_edit && event.cancelled_at.is_none() && event.ends_at > app.now(),
        key: format!("{}:console:{key}", WriteToBuyers::NAME),
        typed,
        wrong,
    })
}

async fn show(
    hall: Hall<may::SeeOrders>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let content = content(&app, &hall, asked.cursor, (Typed::default(), Wrong::default())).await?;
    let frame = Frame::within(&hall, "Mails", "mails").after(asked.done.as_deref());
    Ok(layout::render(&app, "mails.html", &frame, &content)?)
}

/// To the page again, with what was done or what is wrong.
async fn answer(
    app: &AppState,
    hall: &Hall<may::EditEvent>,
    typed: Typed,
    (done, flash): (ApiResult<()>, Flash),
) -> Result<Response, Failure> {
    let error = match done {
        Ok(()) => return Ok(layout::done(&hall.path(app, "/mails"), flash)),
        Err(error) => error,
    };
    let (wrong, error) = Wrong::of(error)?;
    let content = content(app, hall, None, (typed, wrong)).await?;
    let page = layout::render(app, "mails.html", &Frame::within(hall, "Mails", "mails"), &content)?;
    Ok(layout::refused(page, error))
}

async fn write(
    hall: Hall<may::EditEvent>,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    let typed = Typed {
        subject: form.text("subject").to_owned(),
        body: form.text("body").to_owned(),
        ..Typed::default()
    };
    let done = announce(&app, &hall, &typed, form.text("key")).await;
    answer(&app, &hall, typed, (done, Flash::BuyersWritten)).await
}

async fn announce(app: &AppState, hall: &Hall<may::EditEvent>, typed: &Typed, key: &str) -> ApiResult<()> {
    let event = hall.event.summary.event_id;
    let (path, body) = (
        format!("/v1/events/{event}/announcements"),
        json!({ "subject": typed.subject, "body": typed.body }),
    );
    let call = Idempotent::<WriteToBuyers, Json<NewAnnouncement>>::of_form(key, &path, &body)?;
    let who = hall.who.clone();
    let done = call.run(app, who.organiser_id, async |Json(new), attempt| {
        Ok(axum::Json(announcements::write(app, who, event, new, attempt).await?))
    });
    ApiError::of_answer(done.await?).await.map(drop)
}

async fn call_off(
    hall: Hall<may::EditEvent>,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    let reason = form.text("reason").to_owned();
    let request = CancelRequest { reason: reason.clone(), tell_buyers: form.ticked("tell_buyers") };
    let done = events::cancel(&app, hall.who.clone(), hall.event.summary.event_id, request).await.map(drop);
    answer(&app, &hall, Typed { reason, ..Typed::default() }, (done, Flash::EventCalledOff)).await
}
