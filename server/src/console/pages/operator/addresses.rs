//! Addresses that take no mail, and the way back.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::super::super::failure::Failure;
use super::super::super::flash::Flash;
use super::super::super::forms::Form;
use super::super::super::hall::Operator;
use super::super::super::layout::{self, Frame, Moment};
use crate::app::AppState;
use crate::email::suppressions::{self, Reason, SuppressionView};
use crate::platform::body::{Path, Query};
use crate::platform::ids::SuppressionId;
use crate::platform::page::PageQuery;

/// Addresses on one page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/operator/mail/addresses", get(show))
        .route("/console/operator/mail/addresses/{suppression_id}/lift", post(lift))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    cursor: Option<String>,
    done: Option<String>,
}

#[derive(Debug, Serialize)]
struct Address {
    id: SuppressionId,
    address: String,
    words: &'static str,
    detail: Option<String>,
    since: Moment,
    until: Moment,
    is_active: bool,
    lifted: Option<Moment>,
    lifted_by: Option<String>,
    provider: Option<&'static str>,
    provider_failed: bool,
}

fn address(view: SuppressionView) -> Address {
    let provider = match view.provider.as_deref() {
        Some("asking") => Some("Resend is being asked to forget it."),
        Some("done") => Some("Resend has forgotten it as well."),
        Some("refused") => Some("Resend did not let us take it from its list: do it there."),
        Some("failed") => Some("Resend could not be asked yet to forget it; it is tried again."),
        _ => None,
    };
    Address {
        id: view.suppression_id,
        address: view.address,
        words: match view.reason {
            Reason::Bounced => "Came back",
            Reason::Complained => "Called spam",
        },
        detail: view.detail,
        since: Moment::new(view.since),
        until: Moment::new(view.until),
        is_active: view.is_active,
        lifted: view.lifted_at.map(Moment::new),
        lifted_by: view.lifted_by,
        provider,
        provider_failed: matches!(view.provider.as_deref(), Some("refused" | "failed")),
    }
}

#[derive(Debug, Serialize)]
struct Content {
    addresses: Vec<Address>,
    next: Option<String>,
}

async fn show(
    operator: Operator,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let page = PageQuery { cursor: asked.cursor, limit: Some(ROWS) };
    let page = suppressions::list(&app, &page).await?;
    let content =
        Content { addresses: page.items.into_iter().map(address).collect(), next: page.next_cursor };
    let frame = Frame::of_operator(&operator, "Mail", "mail").after(asked.done.as_deref());
    Ok(layout::render(&app, "operator_addresses.html", &frame, &content)?)
}

async fn lift(
    operator: Operator,
    State(app): State<AppState>,
    Path(id): Path<SuppressionId>,
    _form: Form,
) -> Result<Response, Failure> {
    suppressions::lift(&app, operator.by(), id).await?;
    Ok(layout::done(&Operator::path(&app, "/mail/addresses"), Flash::MailGoesAgain))
}
