//! Dead letters: what is among them, one of them with its tries, trying again, throwing away.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::super::super::failure::Failure;
use super::super::super::flash::Flash;
use super::super::super::forms::{Form, Wrong};
use super::super::super::hall::Operator;
use super::super::super::layout::{self, Frame, Moment, count};
use crate::app::AppState;
use crate::dead_letters::{self, DeadLetters};
use crate::platform::body::{Path, Query};
use crate::platform::ids::JobId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::{AttemptView, DeadGroup, DeadLetter, DeadLetterView, Filter};

/// Letters on one page.
const ROWS: u32 = 50;
const DAY_MS: i64 = 86_400_000;
/// How old "old" may be, in days.
const AGES: [i64; 4] = [1, 7, 30, 60];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/operator/dead-letters", get(list))
        .route("/console/operator/dead-letters/retry", post(replay_all))
        .route("/console/operator/dead-letters/purge", post(purge))
        .route("/console/operator/dead-letters/{job_id}", get(show))
        .route("/console/operator/dead-letters/{job_id}/retry", post(replay))
        .route("/console/operator/dead-letters/{job_id}/discard", post(discard))
}

/// Which of them, from where on. An empty field is none.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    queue: Option<String>,
    kind: Option<String>,
    code: Option<String>,
    cursor: Option<String>,
    done: Option<String>,
}

fn some(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Letters that are alike.
#[derive(Debug, Serialize)]
struct Group {
    queue: String,
    kind: String,
    code: String,
    jobs: String,
    since: Moment,
}

impl From<DeadGroup> for Group {
    fn from(group: DeadGroup) -> Self {
        let (jobs, since) = (count(group.jobs), Moment::new(group.first_died_at));
        Self { queue: group.queue, kind: group.kind, code: group.code, jobs, since }
    }
}

#[derive(Debug, Serialize)]
struct Letter {
    job_id: JobId,
    queue: String,
    kind: String,
    code: String,
    organiser: Option<String>,
    attempts: i64,
    crashes: i64,
    replays: i64,
    wanted: Moment,
    died: Moment,
    request_id: Option<String>,
}

impl From<DeadLetter> for Letter {
    fn from(letter: DeadLetter) -> Self {
        Self {
            job_id: letter.job_id,
            queue: letter.queue,
            kind: letter.kind,
            code: letter.code,
            organiser: letter.organiser_id.map(|id| id.to_string()),
            attempts: letter.attempts,
            crashes: letter.crashes,
            replays: letter.replays,
            wanted: Moment::new(letter.created_at),
            died: Moment::new(letter.died_at),
            request_id: letter.request_id,
        }
    }
}

#[derive(Debug, Serialize)]
struct List {
    home: String,
    groups: Vec<Group>,
    letters: Vec<Letter>,
    /// What was asked for; empty is all.
    queue: String,
    kind: String,
    code: String,
    is_filtered: bool,
    ages: [i64; 4],
    next: Option<String>,
}

async fn list(
    operator: Operator,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let page = PageQuery { cursor: some(asked.cursor), limit: Some(ROWS) };
    let filter = Filter { queue: some(asked.queue), kind: some(asked.kind), code: some(asked.code) };
    let letters = app.queue().dead(filter.clone(), page.after()?, ROWS + 1).await?;
    let key = |letter: &DeadLetter| Key { at: letter.died_at, id: *letter.job_id.as_bytes() };
    let page = Page::of(letters, ROWS, key);
    let content = List {
        home: Operator::path(&app, "/dead-letters"),
        groups: app.queue().dead_groups().await?.into_iter().map(Group::from).collect(),
        letters: page.items.into_iter().map(Letter::from).collect(),
        is_filtered: filter != Filter::default(),
        queue: filter.queue.unwrap_or_default(),
        kind: filter.kind.unwrap_or_default(),
        code: filter.code.unwrap_or_default(),
        ages: AGES,
        next: page.next_cursor,
    };
    let frame = Frame::of_operator(&operator, "Dead letters", "dead-letters").after(asked.done.as_deref());
    Ok(layout::render(&app, "dead_letters.html", &frame, &content)?)
}

/// A try that did not end well.
#[derive(Debug, Serialize)]
struct Attempt {
    began: Moment,
    /// How long it took, in milliseconds.
    took: String,
    worker: String,
    crashed: bool,
    code: String,
    detail: String,
}

impl From<AttemptView> for Attempt {
    fn from(view: AttemptView) -> Self {
        Self {
            began: Moment::exact(view.started_at, "UTC"),
            took: count(view.ended_at - view.started_at),
            worker: view.worker,
            crashed: view.outcome == "crashed",
            code: view.code,
            detail: view.detail,
        }
    }
}

#[derive(Debug, Serialize)]
struct One {
    home: String,
    letter: Letter,
    payload: String,
    history: Vec<Attempt>,
    wrong: Wrong,
}

async fn one(app: &AppState, job: JobId) -> ApiResult<One> {
    let found = app.queue().dead_letter(job).await?.ok_or_else(dead_letters::not_found)?;
    let DeadLetterView { letter, payload, history } = found;
    Ok(One {
        home: Operator::path(app, "/dead-letters"),
        letter: letter.into(),
        payload: serde_json::to_string_pretty(&payload).map_err(ApiError::internal)?,
        history: history.into_iter().map(Attempt::from).collect(),
        wrong: Wrong::default(),
    })
}

fn page(app: &AppState, operator: &Operator, content: &One) -> ApiResult<Response> {
    layout::render(
        app,
        "dead_letter.html",
        &Frame::of_operator(operator, "A dead letter", "dead-letters"),
        content,
    )
}

async fn show(
    operator: Operator,
    State(app): State<AppState>,
    Path(job): Path<JobId>,
) -> Result<Response, Failure> {
    Ok(page(&app, &operator, &one(&app, job).await?)?)
}

async fn replay(
    operator: Operator,
    State(app): State<AppState>,
    Path(job): Path<JobId>,
    _form: Form,
) -> Result<Response, Failure> {
    match DeadLetters::of(&app, operator.by()).replay(job).await {
        Ok(()) => Ok(layout::done(&Operator::path(&app, "/dead-letters"), Flash::LetterReplayed)),
        Err(error) => {
            let (wrong, error) = Wrong::of(error)?;
            let content = One { wrong, ..one(&app, job).await? };
            Ok(layout::refused(page(&app, &operator, &content)?, error))
        }
    }
}

async fn discard(
    operator: Operator,
    State(app): State<AppState>,
    Path(job): Path<JobId>,
    _form: Form,
) -> Result<Response, Failure> {
    DeadLetters::of(&app, operator.by()).discard(job).await?;
    Ok(layout::done(&Operator::path(&app, "/dead-letters"), Flash::LetterDiscarded))
}

/// What the filter of the page was when its form was sent.
fn filter(form: &Form) -> Filter {
    let field = |name| some(Some(form.text(name).to_owned()));
    Filter { queue: field("queue"), kind: field("kind"), code: field("code") }
}

async fn replay_all(
    operator: Operator,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    DeadLetters::of(&app, operator.by()).replay_all(filter(&form)).await?;
    Ok(layout::done(&Operator::path(&app, "/dead-letters"), Flash::LettersReplayed))
}

async fn purge(operator: Operator, State(app): State<AppState>, form: Form) -> Result<Response, Failure> {
    let days = form.text("days").parse().ok().filter(|days| AGES.contains(days));
    let days = days.ok_or_else(|| ApiError::field("days", "choose from these ages"))?;
    let before = app.now() - days * DAY_MS;
    DeadLetters::of(&app, operator.by()).purge(filter(&form).queue, before).await?;
    Ok(layout::done(&Operator::path(&app, "/dead-letters"), Flash::LettersPurged))
}
