//! The pages.

mod account;
mod analytics;
mod anomalies;
mod audit;
mod campaigns;
mod conflicts;
mod devices;
mod doors;
mod events;
mod invitation;
mod keys;
mod mail_row;
mod mail_texts;
mod mails;
mod members;
mod money;
mod operator;
mod order;
mod orders;
mod organisers;
mod push_row;
mod remark;
mod sales;
mod sign_in;
mod sign_in_link;
mod ticket;
mod tickets;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::failure::Failure;
use super::layout;
use crate::app::AppState;
use crate::platform::problem::{ApiError, Code};

/// What a page is told of the one before it.
#[derive(Debug, Default, Deserialize)]
struct Done {
    /// A name of [`Flash`](super::flash::Flash).
    done: Option<String>,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .merge(sign_in::routes())
        .merge(sign_in_link::routes())
        .merge(invitation::routes())
        .merge(organisers::routes())
        .merge(events::routes())
        .merge(doors::routes())
        .merge(conflicts::routes())
        .merge(anomalies::routes())
        .merge(devices::routes())
        .merge(tickets::routes())
        .merge(ticket::routes())
        .merge(orders::routes())
        .merge(order::routes())
        .merge(sales::routes())
        .merge(mails::routes())
        .merge(campaigns::routes())
        .merge(mail_texts::routes())
        .merge(money::routes())
        .merge(analytics::routes())
        .merge(keys::routes())
        .merge(operator::routes())
        .merge(account::routes())
        .merge(members::routes())
        .merge(audit::routes())
        .route("/console/", axum::routing::get(start))
        .route("/console/{*rest}", axum::routing::any(nothing))
}

async fn start(State(app): State<AppState>) -> Response {
    layout::see_other(&format!("{}/console", layout::base(&app)))
}

async fn nothing() -> Failure {
    ApiError::new(Code::NotFound, "There is no such page.").into()
}
