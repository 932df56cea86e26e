//! The orders of an event.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::super::failure::Failure;
use super::super::hall::Hall;
use super::super::layout::{self, Choice, Frame, Moment};
use crate::app::AppState;
use crate::orders::{self, Attention, OrderQuery, OrderStatus, OrderSummary};
use crate::platform::authorize::may;
use crate::platform::body::Query;
use crate::platform::ids::OrderId;
use crate::platform::text;
use crate::pricing::Money;

/// Orders on one page.
const ROWS: u32 = 50;
/// The choice that is no status.
const NEEDS_A_PERSON: &str = "attention";

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/organisers/{organiser_id}/events/{event_id}/orders", get(show))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    search: String,
    #[serde(default)]
    show: String,
    cursor: Option<String>,
}

/// Where something stands, in words, and whether that is well.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Standing {
    pub(super) words: &'static str,
    pub(super) class: &'static str,
}

const fn standing(status: OrderStatus, is_ending: bool) -> Standing {
    let (words, class) = match status {
        OrderStatus::AwaitingPayment if is_ending => ("Being closed", "warn"),
        OrderStatus::AwaitingPayment => ("Not paid yet", "warn"),
        OrderStatus::Paid => ("Paid", "good"),
        OrderStatus::PartiallyRefunded => ("Partly given back", "warn"),
        OrderStatus::Refunded => ("Given back", "bad"),
        OrderStatus::Expired => ("Expired", "bad"),
        OrderStatus::Cancelled => ("Given up", "bad"),
        OrderStatus::Failed => ("Not payable", "bad"),
    };
    Standing { words, class }
}

const fn attention(attention: Attention) -> &'static str {
    match attention {
        Attention::PaidTooLate => {
            "It was paid after it had ended, and its tickets were sold meanwhile. Give the money back, or find tickets."
        }
        Attention::AmountDiffers => {
            "What was paid is not what it costs. No tickets were issued: give the money back."
        }
        Attention::RefundedElsewhere => {
            "Money was given back at the payment provider itself. Decide which tickets that was for, and block them."
        }
        Attention::RefundFailed => {
            "A refund came back from the bank. The buyer has to be paid in another way."
        }
        Attention::Disputed => {
            "The buyer's bank disputes the payment. Hand in evidence at Stripe before it is due."
        }
        Attention::SecondPayment => {
            "It was paid a second time. Give one of the payments back at the provider."
        }
    }
}

/// Why an order needs a person.
#[derive(Debug, Serialize)]
struct Why {
    code: &'static str,
    words: &'static str,
}

/// An order, as lists and its own page show it.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    order_id: OrderId,
    reference: String,
    name: String,
    email: String,
    standing: Standing,
    attention: Vec<Why>,
    total: String,
    at: Moment,
}

impl Row {
    /// What people say on the phone.
    pub(super) fn reference(&self) -> &str {
        &self.reference
    }
}

pub(super) fn row(order: &OrderSummary, zone: &str) -> Row {
    Row {
        order_id: order.order_id,
        reference: order.reference.clone(),
        name: order.buyer_name.clone(),
        email: order.buyer_email.clone(),
        standing: standing(order.status, order.ending.is_some()),
        attention: order.attention.iter().map(|it| Why { code: it.code(), words: attention(*it) }).collect(),
        total: Money { amount: order.total, currency: order.currency }.to_string(),
        at: Moment::local(order.created_at, zone),
    }
}

#[derive(Debug, Serialize)]
struct Content {
    hall: String,
    shop: String,
    orders: Vec<Row>,
    search: String,
    /// It was too short, or too long, to search for.
    odd: bool,
    show: String,
    choices: Vec<Choice>,
    next: Option<String>,
}

fn choices() -> Vec<Choice> {
    let statuses = OrderStatus::ALL
        .iter()
        .map(|status| Choice { code: status.code(), words: standing(*status, false).words });
    let first = [Choice { code: "", words: "All" }, Choice { code: NEEDS_A_PERSON, words: "Need a person" }];
    first.into_iter().chain(statuses).collect()
}

async fn show(
    hall: Hall<may::SeeOrders>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let event = hall.event.summary.event_id;
    let search = asked.search.trim().to_owned();
    let odd = !search.is_empty() && !text::can_be_searched(&search);
    let query = OrderQuery {
        cursor: asked.cursor,
        limit: Some(ROWS),
        status: OrderStatus::from_code(&asked.show),
        needs_attention: asked.show == NEEDS_A_PERSON,
        search: Some(search.clone()).filter(|text| !text.is_empty() && !odd),
    };
    let page = orders::list(&app, hall.who.clone(), event, query).await?;
    let zone = &hall.event.summary.time_zone;
    let content = Content {
        hall: hall.path(&app, ""),
        shop: format!("{}/shop/{event}", app.public_url()),
        orders: page.items.iter().map(|order| row(order, zone)).collect(),
        search,
        odd,
        show: asked.show,
        choices: choices(),
        next: page.next_cursor,
    };
    Ok(layout::render(&app, "orders.html", &Frame::within(&hall, "Orders", "orders"), &content)?)
}
