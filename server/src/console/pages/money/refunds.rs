//! What went back to buyers.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::super::super::failure::Failure;
use super::super::super::layout::{self, Frame, Moment};
use super::super::super::visitor::Office;
use super::super::orders::Standing;
use super::{HERE, words};
use crate::app::AppState;
use crate::payments::{self, RefundItem, RefundQuery, RefundStatus, RefundView};
use crate::platform::authorize::may;
use crate::platform::body::Query;
use crate::pricing::Money;

/// Refunds on one page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/organisers/{organiser_id}/refunds", get(show))
}

/// A refund, as lists and the page of its order show it.
#[derive(Debug, Serialize)]
pub(in super::super) struct RefundRow {
    amount: String,
    standing: Standing,
    reason: String,
    asked_by: String,
    failure: Option<String>,
    at: Moment,
}

pub(in super::super) fn row(refund: RefundView, zone: &str) -> RefundRow {
    let (standing, class) = match refund.status {
        RefundStatus::Asking | RefundStatus::Unknown => ("Not known yet", "warn"),
        RefundStatus::Pending => ("On its way", "warn"),
        RefundStatus::Succeeded => ("Given back", "good"),
        RefundStatus::Failed => ("Came back", "bad"),
        RefundStatus::Refused => ("Refused", "bad"),
    };
    RefundRow {
        amount: Money { amount: refund.amount, currency: refund.currency }.to_string(),
        standing: Standing { words: standing, class },
        reason: refund.reason,
        asked_by: refund.asked_by,
        failure: refund.failure.as_deref().map(words),
        at: Moment::local(refund.created_at, zone),
    }
}

/// A refund in a list over all orders.
#[derive(Debug, Serialize)]
pub(super) struct Item {
    #[serde(flatten)]
    row: RefundRow,
    reference: String,
    tickets: usize,
    path: String,
}

pub(super) fn item<A>(app: &AppState, office: &Office<A>, item: RefundItem) -> Item {
    let path = format!("/events/{}/orders/{}", item.event_id, item.refund.order_id);
    Item {
        tickets: item.refund.positions.len(),
        reference: item.reference,
        path: office.place.path(app, &path),
        row: row(item.refund, "UTC"),
    }
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    show: String,
    cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct Content {
    office: String,
    refunds: Vec<Item>,
    only_failed: bool,
    next: Option<String>,
}

async fn show(
    office: Office<may::SeeMoney>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let failed = asked.show == "failed";
    let query = RefundQuery { cursor: asked.cursor, limit: Some(ROWS), failed };
    let page = payments::list_refunds(&app, office.who.clone(), query).await?;
    let content = Content {
        office: office.place.path(&app, ""),
        refunds: page.items.into_iter().map(|it| item(&app, &office, it)).collect(),
        only_failed: failed,
        next: page.next_cursor,
    };
    Ok(layout::render(&app, "refunds.html", &Frame::at(&office, "Refunds", HERE), &content)?)
}
