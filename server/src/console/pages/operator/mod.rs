//! The operator's pages: how the installation does, whoever's events it carries.

mod addresses;
mod alerts;
mod analytics;
mod dead_letters;
mod mail;
mod money;
mod objectives;
mod push;
mod queues;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::super::failure::Failure;
use super::super::hall::Operator;
use super::super::layout;
use crate::app::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/operator", get(start))
        .merge(alerts::routes())
        .merge(objectives::routes())
        .merge(money::routes())
        .merge(mail::routes())
        .merge(addresses::routes())
        .merge(push::routes())
        .merge(analytics::routes())
        .merge(queues::routes())
        .merge(dead_letters::routes())
}

async fn start(_operator: Operator, State(app): State<AppState>) -> Result<Response, Failure> {
    Ok(layout::see_other(&Operator::path(&app, "/alerts")))
}
