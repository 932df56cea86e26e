//! Choosing an organiser.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::super::failure::Failure;
use super::super::layout::{self, Frame};
use super::super::visitor::Visitor;
use crate::accounts::Accounts;
use crate::app::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console", get(choose)).route("/console/organisers", get(list))
}

#[derive(Debug, Serialize)]
struct Organiser {
    path: String,
    name: String,
    role: &'static str,
    limited: bool,
}

async fn organisers(app: &AppState, visitor: &Visitor) -> Result<Vec<Organiser>, Failure> {
    let myself = Accounts::of(app).myself(&visitor.person).await?;
    let organiser = |one: crate::accounts::Membership| Organiser {
        path: format!("{}/console/organisers/{}", layout::base(app), one.organiser_id),
        name: one.name,
        role: layout::role_words(one.role),
        limited: one.limited,
    };
    Ok(myself.organisers.into_iter().map(organiser).collect())
}

/// Who has one organiser needs not choose.
async fn choose(visitor: Visitor, State(app): State<AppState>) -> Result<Response, Failure> {
    match organisers(&app, &visitor).await?.as_slice() {
        [only] => Ok(layout::see_other(&only.path)),
        all => show(&app, &visitor, all),
    }
}

async fn list(visitor: Visitor, State(app): State<AppState>) -> Result<Response, Failure> {
    show(&app, &visitor, &organisers(&app, &visitor).await?)
}

fn show(app: &AppState, visitor: &Visitor, organisers: &[Organiser]) -> Result<Response, Failure> {
    let frame = Frame { title: "Your organisers", visitor: Some(visitor), ..Frame::default() };
    Ok(layout::render(app, "organisers.html", &frame, organisers)?)
}
