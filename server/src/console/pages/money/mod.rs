//! An organiser's money, over all events: their balance and payouts, refunds, disputes, and what went wrong.

pub(super) mod disputes;
mod failures;
mod payouts;
pub(super) mod refunds;

use axum::Router;

use super::super::forms::capital;
use crate::app::AppState;

/// Their pages are one to the navigation.
const HERE: &str = "money";

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .merge(payouts::routes())
        .merge(refunds::routes())
        .merge(disputes::routes())
        .merge(failures::routes())
}

/// What the provider says, which is a code now and then: `needs_response` → `Needs response`.
fn words(said: &str) -> String {
    if said.contains(' ') { said.to_owned() } else { capital(&said.replace('_', " ")) }
}
