//! How the queues do; pausing one, and letting it go on.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Serialize;

use super::super::super::failure::Failure;
use super::super::super::flash::Flash;
use super::super::super::forms::Form;
use super::super::super::hall::Operator;
use super::super::super::layout::{self, Frame, Moment, count};
use super::super::Done;
use crate::app::AppState;
use crate::dead_letters::DeadLetters;
use crate::platform::body::{Path, Query};
use crate::platform::queue::QueueStats;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/operator/queues", get(show))
        .route("/console/operator/queues/{queue}/pause", post(pause))
        .route("/console/operator/queues/{queue}/resume", post(resume))
}

#[derive(Debug, Serialize)]
struct Queue {
    name: String,
    ready: String,
    running: String,
    delayed: String,
    behind: String,
    dead: String,
    has_dead: bool,
    /// Since when the oldest job that could run waits.
    oldest: Option<Moment>,
    paused: Option<Moment>,
}

impl From<QueueStats> for Queue {
    fn from(stats: QueueStats) -> Self {
        Self {
            ready: count(stats.ready),
            running: count(stats.running),
            delayed: count(stats.delayed),
            behind: count(stats.behind),
            dead: count(stats.dead),
            has_dead: stats.dead > 0,
            oldest: stats.oldest_ready_at.map(Moment::new),
            paused: stats.paused_at.map(Moment::new),
            name: stats.queue,
        }
    }
}

#[derive(Debug, Serialize)]
struct Content {
    queues: Vec<Queue>,
}

async fn show(
    operator: Operator,
    State(app): State<AppState>,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    let queues = app.queue().stats().await?.into_iter().map(Queue::from).collect();
    let frame = Frame::of_operator(&operator, "Queues", "queues").after(done.done.as_deref());
    Ok(layout::render(&app, "queues.html", &frame, Content { queues })?)
}

async fn pause(
    operator: Operator,
    State(app): State<AppState>,
    Path(queue): Path<String>,
    _form: Form,
) -> Result<Response, Failure> {
    DeadLetters::of(&app, operator.by()).pause(queue).await?;
    Ok(layout::done(&Operator::path(&app, "/queues"), Flash::QueuePaused))
}

async fn resume(
    operator: Operator,
    State(app): State<AppState>,
    Path(queue): Path<String>,
    _form: Form,
) -> Result<Response, Failure> {
    DeadLetters::of(&app, operator.by()).resume(queue).await?;
    Ok(layout::done(&Operator::path(&app, "/queues"), Flash::QueueResumed))
}
