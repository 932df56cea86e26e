//! The keys that sign an event's codes, and a new one.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use liventix_core::ticket::keys::Algorithm;
use serde::Serialize;

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::hall::Hall;
use super::super::layout::{self, Frame, Moment, count};
use super::Done;
use crate::app::AppState;
use crate::events::{KeyView, RotateMode, RotateRequest, keys};
use crate::platform::authorize::{Action, may};
use crate::platform::body::Query;
use crate::platform::problem::{ApiError, ApiResult};

const DAY_MS: i64 = 86_400_000;
/// How long old codes may stay good, in days; 0 is without end.
const STAYS: [i64; 4] = [0, 1, 7, 30];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/organisers/{organiser_id}/events/{event_id}/keys", get(show))
        .route("/console/organisers/{organiser_id}/events/{event_id}/keys/rotate", post(rotate))
}

#[derive(Debug, Serialize)]
struct Key {
    id: u8,
    algorithm: &'static str,
    signs: bool,
    /// Whether codes signed with it are refused.
    over: bool,
    until: Option<Moment>,
    codes: String,
    has_codes: bool,
}

fn key(view: &KeyView, now: i64, zone: &str) -> Key {
    let until = view.state.accept_until;
    Key {
        id: view.state.key_id.0,
        algorithm: match view.state.algorithm {
            Algorithm::HmacSha256 => "HMAC: the smallest codes",
            Algorithm::Ed25519 => "Ed25519: doors hold no secret",
        },
        signs: view.signs,
        over: until.is_some_and(|until| until <= now),
        until: until.map(|at| Moment::local(at, zone)),
        codes: count(view.codes),
        has_codes: view.codes > 0,
    }
}

#[derive(Debug, Serialize)]
struct Content {
    hall: String,
    keys: Vec<Key>,
    stays: [i64; 4],
    wrong: Wrong,
}

async fn content(app: &AppState, hall: &Hall<may::RotateKeys>) -> ApiResult<Content> {
    let event = &hall.event.summary;
    let mut keys = keys::list(app, hall.who.asking(Action::SeeEvents), event.event_id).await?;
    // The one that signs comes first.
    keys.reverse();
    Ok(Content {
        hall: hall.path(app, ""),
        keys: keys.iter().map(|view| key(view, app.now(), &event.time_zone)).collect(),
        stays: STAYS,
        wrong: Wrong::default(),
    })
}

fn page(
    app: &AppState,
    hall: &Hall<may::RotateKeys>,
    done: Option<&str>,
    content: &Content,
) -> ApiResult<Response> {
    layout::render(app, "keys.html", &Frame::within(hall, "Keys", "keys").after(done), content)
}

async fn show(
    hall: Hall<may::RotateKeys>,
    State(app): State<AppState>,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    let content = content(&app, &hall).await?;
    Ok(page(&app, &hall, done.done.as_deref(), &content)?)
}

/// What a form asks for, and what is said when it is done.
fn request(form: &Form, now: i64) -> ApiResult<(RotateRequest, Flash)> {
    match form.text("mode") {
        "overlap" => {
            let days = form.text("days").parse().ok().filter(|days| STAYS.contains(days));
            let days = days.ok_or_else(|| ApiError::field("days", "choose from these"))?;
            let accept_until = (days > 0).then(|| now + days * DAY_MS);
            Ok((RotateRequest { mode: RotateMode::Overlap, accept_until }, Flash::KeysRotated))
        }
        "withdraw" if !form.ticked("sure") => Err(ApiError::field("sure", "say that you know what it does")),
        "withdraw" => {
            let request = RotateRequest { mode: RotateMode::Withdraw, accept_until: None };
            Ok((request, Flash::KeysWithdrawn))
        }
        _ => Err(ApiError::field("mode", "is overlap or withdraw")),
    }
}

async fn rotate(
    hall: Hall<may::RotateKeys>,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    let event = hall.event.summary.event_id;
    let rotated = match request(&form, app.now()) {
        Ok((request, flash)) => keys::rotate(&app, hall.who.clone(), event, &request).await.map(|_| flash),
        Err(error) => Err(error),
    };
    match rotated {
        Ok(flash) => Ok(layout::done(&hall.path(&app, "/keys"), flash)),
        Err(error) => {
            let (wrong, error) = Wrong::of(error)?;
            let content = Content { wrong, ..content(&app, &hall).await? };
            Ok(layout::refused(page(&app, &hall, None, &content)?, error))
        }
    }
}
