//! What buyers' banks dispute.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::super::super::failure::Failure;
use super::super::super::layout::{self, Frame, Moment};
use super::super::super::visitor::Office;
use super::{HERE, words};
use crate::app::AppState;
use crate::payments::DisputeView;
use crate::payments::desk;
use crate::platform::authorize::may;
use crate::pricing::Money;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/organisers/{organiser_id}/disputes", get(show))
}

/// A dispute, as lists show it.
#[derive(Debug, Serialize)]
pub(in super::super) struct DisputeRow {
    dispute_id: String,
    reference: String,
    amount: String,
    reason: String,
    status: String,
    class: &'static str,
    at: Moment,
    due: Option<Moment>,
    path: String,
}

pub(in super::super) fn row(dispute: DisputeView, zone: &str, path: String) -> DisputeRow {
    let class = match dispute.status.as_str() {
        "won" | "warning_closed" => "good",
        "lost" | "needs_response" | "warning_needs_response" => "bad",
        _ => "warn",
    };
    let is_open = dispute.closed_at.is_none();
    DisputeRow {
        reference: dispute.reference,
        amount: Money { amount: dispute.amount, currency: dispute.currency }.to_string(),
        reason: words(&dispute.reason),
        status: words(&dispute.status),
        class,
        at: Moment::local(dispute.opened_at, zone),
        due: dispute.due_by.filter(|_| is_open).map(|due| Moment::local(due, zone)),
        dispute_id: dispute.dispute_id,
        path,
    }
}

#[derive(Debug, Serialize)]
struct Content {
    office: String,
    disputes: Vec<DisputeRow>,
}

async fn show(office: Office<may::SeeMoney>, State(app): State<AppState>) -> Result<Response, Failure> {
    let all = desk::disputes(&app, office.who.clone(), false).await?;
    let disputes = all.into_iter().map(|dispute| {
        let path =
            office.place.path(&app, &format!("/events/{}/orders/{}", dispute.event_id, dispute.order_id));
        row(dispute, "UTC", path)
    });
    let content = Content { office: office.place.path(&app, ""), disputes: disputes.collect() };
    Ok(layout::render(&app, "disputes.html", &Frame::at(&office, "Disputes", HERE), &content)?)
}
