//! Whether figures are counted, and which questions had no answer.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::super::super::failure::Failure;
use super::super::super::flash::Flash;
use super::super::super::forms::Form;
use super::super::super::hall::Operator;
use super::super::super::layout::{self, Frame, Moment, count};
use crate::analytics::{self, Health, RoundKind};
use crate::app::AppState;
use crate::platform::body::Query;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/operator/analytics", get(show))
        .route("/console/operator/analytics/rebuild", post(rebuild))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    done: Option<String>,
}

#[derive(Debug, Serialize)]
struct Round {
    at: Moment,
    what: &'static str,
    standing: &'static str,
    class: &'static str,
    facts: String,
    failure: Option<String>,
}

#[derive(Debug, Serialize)]
struct Failed {
    at: Moment,
    question: String,
    organiser: String,
    kind: String,
    detail: String,
    request_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct Content {
    counted: Option<Moment>,
    facts: String,
    waiting: String,
    oldest: Option<Moment>,
    failures_in_a_row: String,
    is_failing: bool,
    built: Option<String>,
    rounds: Vec<Round>,
    failures: Vec<Failed>,
}

fn content(health: Health) -> Content {
    let round = |it: analytics::RoundView| {
        let (standing, class) = match (&it.failure, it.ended_at) {
            (Some(_), _) => ("Failed", "bad"),
            (None, Some(_)) => ("Done", "good"),
            (None, None) => ("Under way", "warn"),
        };
        Round {
            at: Moment::new(it.started_at),
            what: match it.kind {
                RoundKind::Refresh => "What had happened since",
                RoundKind::Rebuild => "Everything anew",
            },
            standing,
            class,
            facts: count(it.facts),
            failure: it.failure,
        }
    };
    let failed = |it: analytics::FailureView| Failed {
        at: Moment::new(it.at),
        question: it.question,
        organiser: it.organiser_id.to_string(),
        kind: it.kind,
        detail: it.detail,
        request_id: it.request_id,
    };
    Content {
        counted: health.freshness.complete_at.map(Moment::new),
        facts: count(health.freshness.version),
        waiting: count(health.waiting),
        oldest: health.oldest_waiting_at.map(Moment::new),
        is_failing: health.failures_in_a_row > 0,
        failures_in_a_row: count(health.failures_in_a_row),
        built: health.built.map(count),
        rounds: health.rounds.into_iter().map(round).collect(),
        failures: health.failures.into_iter().map(failed).collect(),
    }
}

async fn show(
    operator: Operator,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let content = content(analytics::health(&app).await?);
    let frame = Frame::of_operator(&operator, "Figures", "analytics").after(asked.done.as_deref());
    Ok(layout::render(&app, "operator_analytics.html", &frame, &content)?)
}

async fn rebuild(_operator: Operator, State(app): State<AppState>, _form: Form) -> Result<Response, Failure> {
    analytics::rebuild_soon(&app).await?;
    Ok(layout::done(&Operator::path(&app, "/analytics"), Flash::FiguresAnew))
}
