//! Asking: who may, which days, again where that may help, and what stands in for an answer.

use std::any::Any;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use chrono_tz::Tz;
use liventix_core::ids::{EventId, OrganiserId};
use liventix_core::resilience::{Retry, RetryPolicy};

use super::sums::Scope;
use super::{About, Answer};
use crate::analytics::calendar::{Days, RangeError};
use crate::analytics::failures;
use crate::analytics::state::State;
use crate::app::AppState;
use crate::params;
use crate::platform::authorize::{self, Events, Who};
use crate::platform::db::{Conn, DbError, StoreFuture};
use crate::platform::objectives::Sli;
use crate::platform::problem::{ApiError, ApiResult, Code};

/// Unless told.
const DAYS: i64 = 30;
/// Figures are fresh for so long: two rounds, of which one may be under way.
const FRESH_MS: i64 = 10 * 60_000;

/// What is done where the database fails for a moment.
fn policy() -> RetryPolicy {
    RetryPolicy {
        operation: "analytics question",
        max_retries: 3,
        backoff_ms: (&[50, 150, 400]).into(),
        jitter_percent: 20,
        max_retry_after_ms: 1_000,
    }
}

/// Something to be answered from the sums.
pub(crate) trait Question: Clone + Send + Sync + 'static {
    /// What it is answered with.
    type Figures: Clone + Send + Sync + 'static;
    /// Its name, for the record.
    const NAME: &'static str;

    /// What of it changes the answer, beside days and events.
    fn details(&self) -> String {
        String::new()
    }

    /// Reads the figures.
    fn figures<'a>(&'a self, conn: &'a mut Conn, of: &'a Asked) -> StoreFuture<'a, Self::Figures, ApiError>;
}

/// What figures are asked of.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(super) scope: Scope,
    pub(super) days: Days,
    /// The moment of asking (UTC milliseconds).
    pub(super) now: i64,
}

/// Answers a question for whoever may ask it.
///
/// # Errors
/// `invalid_field` for days that cannot be; what authorization refuses; `figures_unavailable` where there is no answer now
/// and was none before.
pub(crate) async fn ask<Q: Question>(
    app: &AppState,
    who: Who,
    about: About,
    question: Q,
) -> ApiResult<Answer<Q::Figures>> {
    let started = Instant::now();
    let organiser = who.organiser_id;
    let (events, zone) = granted(app, who, &about).await?;
    let of = Of { organiser, event: about.event_id, events, days: days(zone, app.now(), &about)? };
    let key = format!("{} {of:?} {}", Q::NAME, question.details());
    let mut attempt = 0;
    let failure = loop {
        attempt += 1;
        match once(app, of.clone(), question.clone()).await {
            Ok(answer) => {
                remember(app, key, &answer, started.elapsed());
                return Ok(answer);
            }
            // Their mistake is no failure of ours.
            Err(error) if error.is_the_callers() => return Err(error),
            Err(error) => match wait(app, attempt, &error, started) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => break error,
            },
        }
    };
    app.objectives().failed(Sli::Analytics);
    failures::note(app, Q::NAME, organiser, &failure);
    let last = app.answers().last::<Answer<Q::Figures>>(&key);
    last.map(|answer| Answer { degraded: true, ..(*answer).clone() }).ok_or_else(unavailable)
}

fn unavailable() -> ApiError {
    let detail = "The figures cannot be read now. Nothing is lost; try again in a moment.";
    ApiError::new(Code::FiguresUnavailable, detail).retry_after(10)
}

fn remember<T: Clone + Any + Send + Sync>(app: &AppState, key: String, answer: &Answer<T>, took: Duration) {
    app.answers().keep(key, answer.clone());
    let age = answer.freshness.complete_at.map(|at| answer.answered_at - at);
    if age.is_some_and(|age| age <= FRESH_MS) {
        app.objectives().went_well(Sli::Analytics, Some(took));
    } else {
        app.objectives().failed(Sli::Analytics);
    }
}

/// How long to wait before asking again, if that may help and there is time.
fn wait(app: &AppState, attempt: u32, error: &ApiError, started: Instant) -> Option<Duration> {
    let may_pass = error.database().is_some_and(|error| {
        matches!(
            error,
            DbError::Busy(_) | DbError::Unreachable { .. } | DbError::RolledBack(_) | DbError::Statement(_)
        )
    });
    if !may_pass || started.elapsed() >= app.config().analytics_timeout {
        return None;
    }
    let wait = policy().after(attempt, Retry::Backoff, app.entropy().as_ref()).ok()?;
    Some(Duration::from_millis(wait))
}

/// Whose figures, of which events and days: who asks for the same gets the same.
#[derive(Debug, Clone)]
struct Of {
    organiser: OrganiserId,
    event: Option<EventId>,
    events: Events,
    days: Days,
}

async fn once<Q: Question>(app: &AppState, of: Of, question: Q) -> ApiResult<Answer<Q::Figures>> {
    let (now, limit) = (app.now(), app.config().analytics_timeout);
    let db = app.db_of(of.organiser);
    let read = db.read_within(limit, move |conn| {
        Box::pin(async move {
            let state = State::load(conn).await?;
            let (from, until) = of.days.bounds();
            let Of { organiser, event, events, days } = of;
            let scope = Scope { generation: state.generation, organiser, event, events, from, until };
            let asked = Asked { scope, days, now };
            let figures = question.figures(conn, &asked).await?;
            Ok::<_, ApiError>(Answer {
                from: days.first().to_string(),
                to: days.last().to_string(),
                time_zone: days.zone().name().to_owned(),
                answered_at: now,
                freshness: state.freshness(),
                degraded: false,
                figures,
            })
        })
    });
    // The engine stops its statements; this is for one that is not there any more.
    let late = |_| ApiError::from(DbError::TimedOut("nothing was heard of it".to_owned()));
    tokio::time::timeout(limit.saturating_mul(2), read).await.map_err(late)?
}

/// Which events the caller may see, and in whose days they are.
async fn granted(app: &AppState, who: Who, about: &About) -> ApiResult<(Events, Tz)> {
    let event = about.event_id;
    let db = app.db_of(who.organiser_id);
    let read = db.read_within(app.config().analytics_timeout, move |conn| {
        Box::pin(async move {
            let (events, sql, id) = match event {
                Some(event) => {
                    authorize::event(conn, &who, event).await?;
                    (Events::All, "SELECT time_zone FROM events WHERE event_id = $1", params![event].to_vec())
                }
                None => {
                    let granted = authorize::organiser(conn, &who).await?;
                    let sql = "SELECT time_zone FROM organisers WHERE organiser_id = $1";
                    (granted.events, sql, params![granted.organiser_id].to_vec())
                }
            };
            let row = conn.first(sql, &id).await?;
            let zone: Option<String> = row.map(|row| row.get(0)).transpose()?;
            Ok::<_, ApiError>((events, zone))
        })
    });
    let (events, zone) = read.await?;
    Ok((events, zone.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC)))
}

fn days(zone: Tz, now: i64, about: &About) -> ApiResult<Days> {
    let read = |name: &'static str, text: &Option<String>| {
        let read = |text: &String| {
            text.parse::<NaiveDate>().map_err(|_| ApiError::field(name, "must be a day like 2026-08-01"))
        };
        text.as_ref().map(read).transpose()
    };
    let wrong = |error: RangeError| ApiError::field("to", error.to_string());
    let to = read("to", &about.to)?.unwrap_or_else(|| crate::analytics::calendar::date_at(zone, now));
    match read("from", &about.from)? {
        Some(from) => Days::new(zone, from, to),
        None => Days::ending(zone, to, DAYS),
    }
    .map_err(wrong)
}
