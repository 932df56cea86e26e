//! The operator's pages.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::super::failure::Failure;
use super::super::hall::Operator;
use super::super::layout;
use crate::app::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/operator", get(start))
}

async fn start(_operator: Operator, State(app): State<AppState>) -> Result<Response, Failure> {
    Ok(layout::see_other(&Operator::path(&app, "/queues")))
}
