//! `/console`: the organiser's pages, made on the server. They work without a script; one small script keeps
//! the live view up to date.
//!
//! A page is a handler under [`pages`] with extractors of [`visitor`], a template that extends
//! `templates/layout.html`, and [`layout::render`]. What it does, it does through the same services as the API.
//!
//! **Invariant:** a form changes something only if it came from our own page: the [`forms::Form`] extractor
//! checks where the browser says it comes from, and a token bound to the visitor's cookie.

mod assets;
mod board;
mod chart;
mod cookies;
mod csrf;
mod failure;
mod flash;
mod forms;
mod hall;
mod layout;
mod pages;
mod visitor;

use axum::Router;
use axum::middleware;

use crate::app::AppState;

/// Every page.
pub fn routes() -> Router<AppState> {
    pages::routes().layer(middleware::map_response(layout::protect)).merge(assets::routes())
}
