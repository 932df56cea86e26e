//! `/t/{token}`: a ticket's link in a browser. Looking at it claims nothing.

use axum::Router;

use crate::app::AppState;

/// The page.
pub fn routes() -> Router<AppState> {
    Router::new()
}
