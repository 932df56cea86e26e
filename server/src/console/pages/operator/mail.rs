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
use super::super::super::layout::{self, Choice, Frame, Moment, count};
use super::super::mail_row::{self, Mail};
use crate::app::AppState;
use crate::email::{EmailStatus, desk};
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

/// How many of those that were sent.
#[derive(Debug, Serialize)]
struct Share {
    text: String,
    /// More than large mail services put up with.
    is_bad: bool,
}

/// Of `sent`, in hundredths of a percent; bad from `bad` on.
fn share(count: i64, sent: i64, bad: i64) -> Share {
    if sent == 0 {
        return Share { text: "–".to_owned(), is_bad: false };
    }
    let parts = (count * 10_000 + sent / 2) / sent;
    Share { text: format!("{}.{:02} %", parts / 100, parts % 100), is_bad: count > 0 && parts >= bad }
}

/// Above 5 %, providers of mail stop sending. <https://resend.com/docs/knowledge-base/what-counts-as-email-bounced>
const BAD_BOUNCES: i64 = 400;
/// Above 0.1 %, large mailboxes put mails aside. <https://support.google.com/a/answer/81126>
const BAD_COMPLAINTS: i64 = 8;

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
    /// Of those of the last 30 days.
    bounced: Share,
    complained: Share,
    suppressed: String,
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
    let statuses =
        EmailStatus::ALL.iter().map(|it| Choice { code: it.code(), words: mail_row::standing(*it).words });
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
        bounced: share(health.bounced, health.month, BAD_BOUNCES),
        complained: share(health.complained, health.month, BAD_COMPLAINTS),
        suppressed: count(health.suppressed),
        mails: page.items.into_iter().map(|it| mail_row::row(it, None)).collect(),
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
