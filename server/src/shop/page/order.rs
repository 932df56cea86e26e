//! An order: paying it, and its tickets.

use axum::extract::{Form, Path, Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::super::holder;
use super::super::service;
use super::super::types::BuyerOrder;
use super::view::{self, EventView};
use super::{page, see_other, sorry};
use crate::app::AppState;
use crate::orders::OrderStatus;
use crate::payments::{PaymentStatus, ProviderKind, TryOut};
use crate::platform::auth::Client;
use crate::platform::problem::ApiError;

#[derive(Serialize)]
struct ItemView {
    type_name: String,
    attendee_name: Option<String>,
    total: String,
    is_refunded: bool,
    ticket_url: Option<String>,
}

/// What the buyer can do now, or what became of it.
#[derive(Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Shown {
    /// Give a card to Stripe.
    Stripe {
        publishable_key: String,
        client_secret: String,
        until: String,
    },
    /// Press a button.
    Test {
        until: String,
    },
    /// Wait: the money is on its way.
    Processing,
    /// Wait: it is not known whether there is a payment.
    Unknown,
    /// Wait: it is being closed.
    Ending,
    Paid,
    Refunded,
    Expired,
    Cancelled,
    Failed,
}

#[derive(Serialize)]
struct Content {
    event: EventView,
    path: String,
    reference: String,
    email: String,
    items: Vec<ItemView>,
    subtotal: String,
    fees: Option<String>,
    tax: Option<String>,
    /// Whether the tax was added to what stands above it, or is within.
    tax_is_added: bool,
    total: String,
    refunded: Option<String>,
    shown: Shown,
    /// The bank refused what was tried last.
    declined: bool,
}

fn shown(order: &BuyerOrder) -> Shown {
    let until = view::clock(order.hold_until, &order.event.time_zone);
    match order.status {
        OrderStatus::Paid | OrderStatus::PartiallyRefunded => return Shown::Paid,
        OrderStatus::Refunded => return Shown::Refunded,
        OrderStatus::Expired => return Shown::Expired,
        OrderStatus::Cancelled => return Shown::Cancelled,
        OrderStatus::Failed => return Shown::Failed,
        OrderStatus::AwaitingPayment if order.ending.is_some() => return Shown::Ending,
        OrderStatus::AwaitingPayment => {}
    }
    let Some(payment) = &order.payment else { return Shown::Unknown };
    match (payment.status, payment.provider) {
        (PaymentStatus::Processing, _) => Shown::Processing,
        (PaymentStatus::Open, ProviderKind::Test) => Shown::Test { until },
        (PaymentStatus::Open, ProviderKind::Stripe) => {
            match (payment.publishable_key.clone(), payment.client_secret.clone()) {
                (Some(publishable_key), Some(client_secret)) => {
                    Shown::Stripe { publishable_key, client_secret, until }
                }
                _ => Shown::Unknown,
            }
        }
        _ => Shown::Unknown,
    }
}

fn content(order: BuyerOrder, token: &str, declined: bool) -> Content {
    let money = |amount| view::money(amount, order.currency);
    let some = |amount| (amount > 0).then(|| money(amount));
    Content {
        event: view::event(&order.event),
        path: format!("/shop/orders/{token}"),
        shown: shown(&order),
        subtotal: money(order.subtotal),
        fees: some(order.buyer_fees),
        tax: some(order.tax),
        tax_is_added: order.subtotal + order.buyer_fees + order.tax == order.total,
        total: money(order.total),
        refunded: some(order.refunded),
        reference: order.reference,
        email: order.email,
        items: order
            .items
            .into_iter()
            .map(|item| ItemView {
                type_name: item.type_name,
                attendee_name: item.attendee_name,
                total: view::money(item.cost.total, order.currency),
                is_refunded: item.is_refunded,
                ticket_url: item.ticket_url,
            })
            .collect(),
        declined,
    }
}

/// What Stripe adds to the address when it sends a buyer back, and what we do.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    payment_intent: Option<String>,
    declined: Option<String>,
}

pub(super) async fn show(
    client: Client,
    State(app): State<AppState>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = async {
        let holder = holder::holder(&app, client, &token).await?;
        let mut order = service::view(&app, holder.order_id).await?;
        if asked.payment_intent.is_some() && order.status == OrderStatus::AwaitingPayment {
            // Whoever comes back from paying does not wait for a web hook; where this fails, it will come.
            if let Ok(fresh) = service::refresh(&app, holder.order_id).await {
                order = fresh;
            }
        }
        let title = format!("Order {}", order.reference);
        page(&app, "order.html", &title, &content(order, &token, asked.declined.is_some()))
    };
    shown.await.unwrap_or_else(|error: ApiError| sorry(&app, error))
}

pub(super) async fn cancel(
    client: Client,
    State(app): State<AppState>,
    Path(token): Path<String>,
) -> Response {
    let done = async {
        let holder = holder::holder(&app, client, &token).await?;
        service::cancel(&app, holder.order_id).await?;
        Ok(see_other(&app, &format!("/shop/orders/{token}")))
    };
    done.await.unwrap_or_else(|error: ApiError| sorry(&app, error))
}

#[derive(Debug, Deserialize)]
pub(super) struct TryOutForm {
    outcome: TryOut,
}

pub(super) async fn try_out(
    client: Client,
    State(app): State<AppState>,
    Path(token): Path<String>,
    Form(form): Form<TryOutForm>,
) -> Response {
    let done = async {
        let holder = holder::holder(&app, client, &token).await?;
        service::try_out(&app, holder.order_id, form.outcome).await?;
        let declined = if form.outcome == TryOut::Decline { "?declined=1" } else { "" };
        Ok(see_other(&app, &format!("/shop/orders/{token}{declined}")))
    };
    done.await.unwrap_or_else(|error: ApiError| sorry(&app, error))
}
