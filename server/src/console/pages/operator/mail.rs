//! How mails do, which there were, and one that says that they work.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::super::super::failure::Failure;
use super::super::super::flash::Flash;
use super::super::super::forms::{Form, Wrong};
use super::super::super::hall::Operator;
use super::super::super::layout::{self, Frame, Moment, count};
use super::super::orders::Standing;
use crate::app::AppState;
use crate::email::{EmailStatus, EmailView, desk};
use crate::platform::body::Query;
use crate::platform::page::PageQuery;
use crate::platform::problem::ApiResult;

/// Mails on one page.
const ROWS: u32 = 50;
/// Nine of ten mails go within this, as the objective has it.
const LATE_MS: i64 = 30_000;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/operator/mail", get(show).post(test))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    show: String,
    cursor: Option<String>,
    done: Option<String>,
}

#[derive(Debug, Serialize)]
struct Mail {
    to: String,
    subject: String,
    standing: Standing,
    provider: Option<String>,
    tries: i64,
    failure: Option<String>,
    twice: bool,
    at: Moment,
}

const fn standing(status: EmailStatus) -> Standing {
    let (words, class) = match status {
        EmailStatus::Queued => ("Waits", "warn"),
        EmailStatus::Sending => ("Being sent", "warn"),
        EmailStatus::Sent => ("Sent", "good"),
        EmailStatus::Failed => ("Not sent", "bad"),
    };
    Standing { words, class }
}

fn mail(view: EmailView) -> Mail {
    Mail {
        to: view.to_address,
        subject: view.subject.unwrap_or(view.kind),
        standing: standing(view.status),
        provider: view.provider,
        tries: view.tries,
        failure: view.failure,
        twice: view.may_have_come_twice,
        at: Moment::new(view.created_at),
    }
}

#[derive(Debug, Serialize)]
struct Choice {
    code: &'static str,
    words: &'static str,
}

#[derive(Debug, Serialize)]
struct Content {
    are_on: bool,
    waiting: String,
    oldest: Option<Moment>,
    last_minute: String,
    per_minute: String,
    last_hour: String,
    /// Seconds.
    waited: Option<String>,
    is_late: bool,
    failed: String,
    has_failed: bool,
    twice: String,
    mails: Vec<Mail>,
    show: String,
    choices: Vec<Choice>,
    next: Option<String>,
    typed: String,
    wrong: Wrong,
}

async fn content(app: &AppState, asked: &Asked, wrong: Wrong) -> ApiResult<Content> {
    let health = desk::health(app).await?;
    let page = PageQuery { cursor: asked.cursor.clone(), limit: Some(ROWS) };
    let page = desk::list(app, EmailStatus::from_code(&asked.show), page).await?;
    let statuses = EmailStatus::ALL.iter().map(|it| Choice { code: it.code(), words: standing(*it).words });
    Ok(Content {
        are_on: app.emails().are_on(),
        waiting: count(health.waiting),
        oldest: health.oldest.map(Moment::new),
        last_minute: count(health.last_minute),
        per_minute: count(i64::from(app.config().limits.email.count)),
        last_hour: count(health.last_hour),
        waited: health.waited_ms.map(|ms| format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)),
        is_late: health.waited_ms.is_some_and(|ms| ms > LATE_MS),
        failed: count(health.failed),
        has_failed: health.failed > 0,
        twice: count(health.twice),
        mails: page.items.into_iter().map(mail).collect(),
        show: asked.show.clone(),
        choices: std::iter::once(Choice { code: "", words: "All" }).chain(statuses).collect(),
        next: page.next_cursor,
        typed: String::new(),
        wrong,
    })
}

async fn show(
    operator: Operator,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let content = content(&app, &asked, Wrong::default()).await?;
    let frame = Frame::of_operator(&operator, "Mail", "mail").after(asked.done.as_deref());
    Ok(layout::render(&app, "operator_mail.html", &frame, &content)?)
}

async fn test(operator: Operator, State(app): State<AppState>, form: Form) -> Result<Response, Failure> {
    let to = form.text("to").trim().to_owned();
    let error = match desk::test(&app, to.clone()).await {
        Ok(()) => return Ok(layout::done(&Operator::path(&app, "/mail"), Flash::MailTested)),
        Err(error) => error,
    };
    let (wrong, error) = Wrong::of(error)?;
    let content = Content { typed: to, ..content(&app, &Asked::default(), wrong).await? };
    let frame = Frame::of_operator(&operator, "Mail", "mail");
    Ok(layout::refused(layout::render(&app, "operator_mail.html", &frame, &content)?, error))
}
