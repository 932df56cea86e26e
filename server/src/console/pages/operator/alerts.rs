//! What is wrong with the installation, who was told, and whether the channels work.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::super::super::failure::Failure;
use super::super::super::flash::Flash;
use super::super::super::forms::{Form, Wrong};
use super::super::super::hall::Operator;
use super::super::super::layout::{self, Frame, Moment};
use super::super::remark::{Said, note};
use crate::alerts::{self, AlertView, ChannelView, Desk, NoticeView, Turn};
use crate::app::AppState;
use crate::platform::body::{Path, Query};
use crate::platform::ids::AlertId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::ApiResult;
use crate::platform::severity::Severity;

/// Alerts that are over, in one page.
const ROWS: u32 = 25;
/// More open alerts than this are not shown: there are not so many things to look after.
const OPEN: u32 = 200;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/operator/alerts", get(show))
        .route("/console/operator/alerts/test", post(test))
        .route("/console/operator/alerts/{alert_id}/acknowledge", post(acknowledge))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    cursor: Option<String>,
    done: Option<String>,
}

/// A message to a channel.
#[derive(Debug, Serialize)]
struct Told {
    what: &'static str,
    channel: String,
    state: String,
    when: Moment,
    tries: i64,
    detail: Option<String>,
}

impl From<NoticeView> for Told {
    fn from(view: NoticeView) -> Self {
        Self {
            what: match view.turn {
                Turn::Opened => "that it began",
                Turn::Open => "that it goes on",
                Turn::Resolved => "that it is over",
                Turn::Test => "a test",
            },
            when: Moment::new(view.ended_at.unwrap_or(view.created_at)),
            channel: channel_words(&view.channel).to_owned(),
            state: view.state,
            tries: view.tries,
            detail: view.detail,
        }
    }
}

fn channel_words(channel: &str) -> &str {
    match channel {
        "log" => "Log",
        "email" => "E-mail",
        "webhook" => "Web hook",
        other => other,
    }
}

#[derive(Debug, Serialize)]
struct Alert {
    path: String,
    sentence: String,
    next_step: &'static str,
    severity: Severity,
    since: Moment,
    over: Option<Moment>,
    acknowledged: Option<Said>,
    page: String,
    told: Vec<Told>,
    /// What was wrong with the form of this one.
    wrong: Wrong,
    typed: String,
}

fn alert(app: &AppState, view: AlertView) -> Alert {
    Alert {
        path: Operator::path(app, &format!("/alerts/{}", view.alert_id)),
        sentence: view.sentence,
        next_step: view.next_step,
        severity: view.severity,
        since: Moment::new(view.opened_at),
        over: view.resolved_at.map(Moment::new),
        acknowledged: view.acknowledged.map(|remark| Said::new(remark, "UTC")),
        page: format!("{}{}", layout::base(app), view.rule.page()),
        told: view.notices.into_iter().map(Told::from).collect(),
        wrong: Wrong::default(),
        typed: String::new(),
    }
}

#[derive(Debug, Serialize)]
struct Channel {
    name: String,
    least: Severity,
    last: Option<Told>,
}

impl From<ChannelView> for Channel {
    fn from(view: ChannelView) -> Self {
        let name = channel_words(&view.channel).to_owned();
        Self { name, least: view.min_severity, last: view.last.map(Told::from) }
    }
}

#[derive(Debug, Serialize)]
struct Content {
    home: String,
    open: Vec<Alert>,
    over: Vec<Alert>,
    channels: Vec<Channel>,
    next: Option<String>,
    /// Whether this is not the first page of those that are over.
    later: bool,
}

async fn content(app: &AppState, cursor: Option<String>) -> ApiResult<Content> {
    let page = PageQuery { cursor, limit: Some(ROWS) };
    let open = alerts::list(app, true, Key::LAST, OPEN).await?;
    let over = alerts::list(app, false, page.before()?, ROWS + 1).await?;
    let over = Page::of(over, ROWS, alerts::key);
    Ok(Content {
        home: Operator::path(app, "/alerts"),
        open: open.into_iter().map(|view| alert(app, view)).collect(),
        over: over.items.into_iter().map(|view| alert(app, view)).collect(),
        channels: alerts::channels(app).await?.into_iter().map(Channel::from).collect(),
        next: over.next_cursor,
        later: page.cursor.is_some(),
    })
}

fn page(app: &AppState, operator: &Operator, done: Option<&str>, content: &Content) -> ApiResult<Response> {
    let frame = Frame::of_operator(operator, "Alerts", "alerts").after(done);
    layout::render(app, "alerts.html", &frame, content)
}

async fn show(
    operator: Operator,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let content = content(&app, asked.cursor).await?;
    Ok(page(&app, &operator, asked.done.as_deref(), &content)?)
}

async fn test(operator: Operator, State(app): State<AppState>, _form: Form) -> Result<Response, Failure> {
    Desk { app: &app, by: operator.by() }.test().await?;
    Ok(layout::done(&Operator::path(&app, "/alerts"), Flash::AlertsTested))
}

async fn acknowledge(
    operator: Operator,
    State(app): State<AppState>,
    Path(id): Path<AlertId>,
    form: Form,
) -> Result<Response, Failure> {
    match (Desk { app: &app, by: operator.by() }).acknowledge(id, &note(&form)).await {
        Ok(_) => Ok(layout::done(&Operator::path(&app, "/alerts"), Flash::AlertAcknowledged)),
        Err(error) => {
            let (wrong, error) = Wrong::of(error)?;
            let mut content = content(&app, None).await?;
            let path = Operator::path(&app, &format!("/alerts/{id}"));
            if let Some(alert) = content.open.iter_mut().find(|alert| alert.path == path) {
                alert.wrong = wrong;
                form.text("note").clone_into(&mut alert.typed);
            }
            Ok(layout::refused(page(&app, &operator, None, &content)?, error))
        }
    }
}
