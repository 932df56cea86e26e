//! How push messages do, and which there were.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::super::super::failure::Failure;
use super::super::super::hall::Operator;
use super::super::super::layout::{self, Choice, Frame, Moment, count};
use super::super::push_row::{self, Message};
use crate::app::AppState;
use crate::platform::body::Query;
use crate::platform::page::PageQuery;
use crate::platform::problem::ApiResult;
use crate::push::desk::{self, Count, Which};
use crate::push::{PushStatus, Reason};

/// Messages on one page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/operator/push", get(show))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    show: String,
    cursor: Option<String>,
}

/// How many, and why.
#[derive(Debug, Serialize)]
struct Why {
    words: String,
    count: String,
}

#[derive(Debug, Serialize)]
struct Part {
    words: &'static str,
    counts: Vec<Why>,
}

#[derive(Debug, Serialize)]
struct Content {
    is_on: bool,
    waiting: String,
    oldest: Option<Moment>,
    last_hour: String,
    month: String,
    /// Of those of the last 30 days.
    delivered: String,
    opened: String,
    failed: String,
    has_failed: bool,
    grouped: String,
    limited: String,
    devices: String,
    inactive: String,
    parts: Vec<Part>,
    is_calm: bool,
    messages: Vec<Message>,
    show: String,
    choices: Vec<Choice>,
    next: Option<String>,
}

/// Of `all`, in whole percents.
fn share(part: i64, all: i64) -> String {
    if all == 0 { "–".to_owned() } else { format!("{} %", (part * 100 + all / 2) / all) }
}

fn sum(counts: &[Count]) -> i64 {
    counts.iter().map(|it| it.count).sum()
}

fn part(words: &'static str, counts: &[Count], name: impl Fn(&str) -> Option<&'static str>) -> Part {
    let why = |it: &Count| {
        let words = name(&it.code).map_or_else(|| it.code.clone(), str::to_owned);
        Why { words, count: count(it.count) }
    };
    Part { words, counts: counts.iter().map(why).collect() }
}

/// Why nothing is sent to a phone any more.
fn inactive(code: &str) -> Option<&'static str> {
    match code {
        "gone" => Some("the app is gone from the phone"),
        "other_app" => Some("the token is one of another app"),
        "failing" => Some("message after message did not go"),
        "stale" => Some("not heard of for 270 days"),
        _ => None,
    }
}

async fn content(app: &AppState, asked: &Asked) -> ApiResult<Content> {
    let health = desk::health(app).await?;
    let page = PageQuery { cursor: asked.cursor.clone(), limit: Some(ROWS) };
    let which = Which { status: PushStatus::from_code(&asked.show), ..Which::default() };
    let page = desk::list(app, which, &page).await?;
    let statuses =
        PushStatus::ALL.iter().map(|it| Choice { code: it.code(), words: push_row::standing(*it).words });
    let reason = |code: &str| Reason::from_code(code).map(push_row::reason);
    let parts = vec![
        part("These wait", &health.held, reason),
        part("These were not sent, in the last 30 days", &health.failed, reason),
        part("These were withheld, in the last 30 days", &health.withheld, reason),
        part("Phones that get messages", &health.devices, push_row::service),
        part("Phones that get none any more", &health.inactive, inactive),
    ];
    Ok(Content {
        is_on: app.push().is_on(),
        waiting: count(health.waiting),
        oldest: health.oldest.map(Moment::new),
        last_hour: count(health.last_hour),
        month: count(health.month),
        delivered: share(health.delivered, health.month),
        opened: share(health.opened, health.month),
        failed: count(sum(&health.failed)),
        // An app that is gone is nobody's failure.
        has_failed: health.failed.iter().any(|it| it.code != Reason::TokenGone.code()),
        grouped: count(health.grouped),
        limited: count(health.limited),
        devices: count(sum(&health.devices)),
        inactive: count(sum(&health.inactive)),
        is_calm: parts.iter().all(|part| part.counts.is_empty()),
        parts,
        messages: page.items.into_iter().map(|it| push_row::row(it, None)).collect(),
        show: asked.show.clone(),
        choices: std::iter::once(Choice { code: "", words: "All" }).chain(statuses).collect(),
        next: page.next_cursor,
    })
}

async fn show(
    operator: Operator,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let content = content(&app, &asked).await?;
    let frame = Frame::of_operator(&operator, "Push messages", "push");
    Ok(layout::render(&app, "operator_push.html", &frame, &content)?)
}
