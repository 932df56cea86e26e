//! Wanting no news from an organiser. Opening the page changes nothing: programs that look at mails open links.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::{page, sorry_about};
use crate::announcements::{self, Sender};
use crate::app::AppState;

const TITLE: &str = "News by mail";

/// What is sent: by the page, or by a program that reads mails (RFC 8058, 3.1).
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    again: Option<String>,
    #[serde(default, rename = "List-Unsubscribe")]
    one_click: Option<String>,
}

#[derive(Debug, Serialize)]
struct View {
    organiser: String,
    wants_none: bool,
    here: String,
}

fn show_of(app: &AppState, token: &str, sender: Sender) -> Response {
    let here = format!("{}/shop/unsubscribe/{token}", app.base_path());
    let view = View { organiser: sender.organiser, wants_none: sender.wants_none, here };
    page(app, "unsubscribe.html", TITLE, &view).unwrap_or_else(|error| sorry_about(app, error, TITLE))
}

pub(super) async fn show(State(app): State<AppState>, Path(token): Path<String>) -> Response {
    match announcements::sender(&app, &token).await {
        Ok(sender) => show_of(&app, &token, sender),
        Err(error) => sorry_about(&app, error, TITLE),
    }
}

pub(super) async fn change(
    State(app): State<AppState>,
    Path(token): Path<String>,
    Form(wish): Form<Wish>,
) -> Response {
    match announcements::set_wants_none(&app, &token, wish.again.is_none()).await {
        // Nobody looks at what a program gets.
        Ok(_) if wish.one_click.is_some() => StatusCode::OK.into_response(),
        Ok(sender) => show_of(&app, &token, sender),
        Err(error) => sorry_about(&app, error, TITLE),
    }
}
