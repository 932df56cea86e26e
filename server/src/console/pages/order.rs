//! One order: its tickets, what happened to it and its payment, and what can be done about it.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use liventix_core::ids::{EventId, OrganiserId, TicketId};
use serde::Serialize;
use serde_json::json;

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::hall::Hall;
use super::super::layout::{self, Frame, Moment};
use super::Done;
use super::mail_row::{self, Mail};
use super::money::disputes::{self, DisputeRow};
use super::money::refunds::{self, RefundRow};
use super::orders::{self, Row};
use crate::app::AppState;
use crate::email;
use crate::orders::{Attention, Item, OrderDetail, OrderStatus};
use crate::payments::desk::{self, Reason, Settlement};
use crate::payments::routes::Refund;
use crate::payments::{self, RefundRequest};
use crate::platform::authorize::{Action, Acts, may};
use crate::platform::body::{Json, Path, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::ids::{CallId, OrderId};
use crate::platform::page::PageQuery;
use crate::platform::problem::{ApiError, ApiResult};
use crate::pricing::{Currency, Money};

pub(super) fn routes() -> Router<AppState> {
    let at = |rest: &str| {
        format!("/console/organisers/{{organiser_id}}/events/{{event_id}}/orders/{{order_id}}{rest}")
    };
    Router::new()
        .route(&at(""), get(show))
        .route(&at("/cancel"), post(cancel))
        .route(&at("/settle"), post(settle))
        .route(&at("/check"), post(check))
        .route(&at("/refund"), post(refund))
        .route(&at("/send-tickets"), post(send_tickets))
}

/// Mails of one order that are shown.
const MAILS: u32 = 20;

/// The organiser, the event and the order of an address.
type Address = Path<(OrganiserId, EventId, OrderId)>;

#[derive(Debug, Serialize)]
struct ItemRow {
    position: u32,
    type_name: String,
    attendee_name: Option<String>,
    total: String,
    ticket_id: Option<TicketId>,
    is_refunded: bool,
}

fn item(item: Item, currency: Currency) -> ItemRow {
    ItemRow {
        position: item.position,
        type_name: item.type_name,
        attendee_name: item.attendee_name,
        total: Money { amount: item.cost.total, currency }.to_string(),
        ticket_id: item.ticket_id,
        is_refunded: item.refund_id.is_some(),
    }
}

#[derive(Debug, Serialize)]
struct StepRow {
    at: Moment,
    sentence: String,
}

#[derive(Debug, Serialize)]
struct Content {
    hall: String,
    order: Row,
    items: Vec<ItemRow>,
    subtotal: String,
    fees: String,
    tax: String,
    refunded: Option<String>,
    refunds: Vec<RefundRow>,
    disputes: Vec<DisputeRow>,
    steps: Vec<StepRow>,
    mails: Vec<Mail>,
    may_manage: bool,
    may_send: bool,
    may_cancel: bool,
    may_check: bool,
    may_refund: bool,
    open_refund: bool,
    /// Makes pressing the button twice one refund.
    refund_key: String,
    /// What an amount is typed in.
    currency: &'static str,
    wrong: Wrong,
}

async fn content<A>(app: &AppState, hall: &Hall<A>, id: OrderId, wrong: Wrong) -> ApiResult<Content> {
    let who = hall.who.asking(Action::SeeOrders);
    let (detail, given_back, disputed) = desk::all_of(app, who, id).await?;
    let OrderDetail { order, items, steps } = detail;
    if order.event_id != hall.event.summary.event_id {
        return Err(crate::orders::not_found());
    }
    let zone = &hall.event.summary.time_zone;
    let few = PageQuery { cursor: None, limit: Some(MAILS) };
    let who = hall.who.asking(Action::SeeOrders);
    let mails = email::desk::about(app, who, order.event_id, Some(id), &few).await?;
    let has_tickets = items.iter().any(|item| item.ticket_id.is_some() && item.refund_id.is_none());
    let money = |amount| Money { amount, currency: order.currency }.to_string();
    let waits = order.status == OrderStatus::AwaitingPayment;
    let has_more = order.status.has_tickets() && order.refunded < order.total && order.total > 0;
    let key = CallId::generate(app.now(), app.entropy().as_ref());
    Ok(Content {
        hall: hall.path(app, ""),
        items: items.into_iter().map(|it| item(it, order.currency)).collect(),
        subtotal: money(order.subtotal),
        fees: money(order.buyer_fees),
        tax: money(order.tax),
        refunded: (order.refunded > 0).then(|| money(order.refunded)),
        refunds: given_back.into_iter().map(|refund| refunds::row(refund, zone)).collect(),
        disputes: disputed.into_iter().map(|it| disputes::row(it, zone, String::new())).collect(),
        steps: steps
            .into_iter()
            .map(|step| StepRow { at: Moment::exact(step.at, zone), sentence: step.sentence })
            .collect(),
        mails: mails.items.into_iter().map(|it| mail_row::row(it, Some(zone))).collect(),
        may_send: has_tickets && app.emails().are_on() && hall.may(Action::ManageOrders),
        may_manage: hall.may(Action::ManageOrders),
        may_cancel: waits && order.ending.is_none() && hall.may(Action::ManageOrders),
        may_check: waits && hall.may(Action::ManageOrders),
        may_refund: (has_more || !order.attention.is_empty() && !waits) && hall.may(Action::Refund),
        open_refund: wrong.form == "refund",
        refund_key: format!("{}:console:{key}", Refund::NAME),
        currency: order.currency.code(),
        order: orders::row(&order, zone),
        wrong,
    })
}

async fn show(
    hall: Hall<may::SeeOrders>,
    State(app): State<AppState>,
    Path((_, _, id)): Address,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Failure> {
    let content = content(&app, &hall, id, Wrong::default()).await?;
    let title = format!("Order {}", content.order.reference());
    let frame = Frame::within(&hall, &title, "orders").after(done.as_deref());
    Ok(layout::render(&app, "order.html", &frame, &content)?)
}

/// To the order's page again, with what was done or what is wrong.
async fn answer<A: Acts>(
    app: &AppState,
    hall: &Hall<A>,
    id: OrderId,
    (done, flash, form): (ApiResult<()>, Flash, &str),
) -> Result<Response, Failure> {
    let error = match done {
        Ok(()) => return Ok(layout::done(&hall.path(app, &format!("/orders/{id}")), flash)),
        Err(error) => error,
    };
    let (mut wrong, error) = Wrong::of(error)?;
    form.clone_into(&mut wrong.form);
    let content = content(app, hall, id, wrong).await?;
    let title = format!("Order {}", content.order.reference());
    let page = layout::render(app, "order.html", &Frame::within(hall, &title, "orders"), &content)?;
    Ok(layout::refused(page, error))
}

fn reason(form: &Form) -> Reason {
    Reason { reason: form.text("reason").to_owned() }
}

async fn cancel(
    hall: Hall<may::ManageOrders>,
    State(app): State<AppState>,
    Path((_, _, id)): Address,
    form: Form,
) -> Result<Response, Failure> {
    let done = desk::cancel(&app, hall.who.clone(), id, &reason(&form)).await.map(drop);
    answer(&app, &hall, id, (done, Flash::OrderCancelled, "cancel")).await
}

async fn settle(
    hall: Hall<may::ManageOrders>,
    State(app): State<AppState>,
    Path((_, _, id)): Address,
    form: Form,
) -> Result<Response, Failure> {
    let attention = Some(form.all("attention").filter_map(Attention::from_code).collect());
    let settlement = Settlement { reason: form.text("reason").to_owned(), attention };
    let done = desk::settle(&app, hall.who.clone(), id, settlement).await.map(drop);
    answer(&app, &hall, id, (done, Flash::OrderSettled, "settle")).await
}

async fn check(
    hall: Hall<may::ManageOrders>,
    State(app): State<AppState>,
    Path((_, _, id)): Address,
    _form: Form,
) -> Result<Response, Failure> {
    let done = desk::check(&app, hall.who.clone(), id).await.map(drop);
    answer(&app, &hall, id, (done, Flash::OrderChecked, "check")).await
}

async fn send_tickets(
    hall: Hall<may::ManageOrders>,
    State(app): State<AppState>,
    Path((_, _, id)): Address,
    _form: Form,
) -> Result<Response, Failure> {
    let done = crate::orders::send_tickets(&app, hall.who.clone(), id).await;
    answer(&app, &hall, id, (done, Flash::TicketsSent, "send")).await
}

async fn refund(
    hall: Hall<may::Refund>,
    State(app): State<AppState>,
    Path((_, _, id)): Address,
    form: Form,
) -> Result<Response, Failure> {
    let done = give_back(&app, &hall, id, &form).await;
    answer(&app, &hall, id, (done, Flash::RefundBegun, "refund")).await
}

async fn give_back(app: &AppState, hall: &Hall<may::Refund>, id: OrderId, form: &Form) -> ApiResult<()> {
    let positions: Vec<u32> = form.all("position").filter_map(|text| text.parse().ok()).collect();
    let who = hall.who.asking(Action::SeeOrders);
    let amount = form.amount("amount", desk::currency_of(app, who, id).await?)?;
    let body = json!({"positions": positions, "amount": amount, "reason": form.text("reason")});
    let path = format!("/v1/orders/{id}/refunds");
    let call = Idempotent::<Refund, Json<RefundRequest>>::of_form(form.text("key"), &path, &body)?;
    let who = hall.who.clone();
    let organiser = who.organiser_id;
    let done = call.run(app, organiser, async |Json(request), attempt| {
        Ok(axum::Json(payments::refund(app, who, id, request, attempt).await?))
    });
    ApiError::of_answer(done.await?).await.map(drop)
}
