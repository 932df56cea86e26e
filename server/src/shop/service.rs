//! What buyers can do.

use std::time::Instant;

use liventix_core::ids::{EventId, OrganiserId, TicketId};
use secrecy::ExposeSecret as _;

use super::types::{
    BuyerItem, BuyerOrder, CheckoutRequest, CheckoutView, OfferTypeView, OfferView, ShopEvent,
};
use crate::app::AppState;
use crate::orders::{self, Buyer, Order, Wish};
use crate::payments::{self, Begun, TryOut};
use crate::platform::auth::{Client, Person};
use crate::platform::db::{Conn, Tx};
use crate::platform::idempotency::Attempt;
use crate::platform::ids::OrderId;
use crate::platform::objectives::Sli;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::rate_limit::Key;
use crate::platform::text;
use crate::pricing::Quote;
use crate::sales::{self, Availability, Offer};
use crate::wallet;

async fn offer_of(app: &AppState, event: EventId) -> ApiResult<Offer> {
    let offer = app.db().read(move |conn| Box::pin(async move { sales::offer(conn, event).await })).await?;
    offer.ok_or_else(payments::nothing_on_sale)
}

/// Whose event it is.
pub(super) async fn organiser_of(app: &AppState, event: EventId) -> ApiResult<OrganiserId> {
    let seller = app.db().read(move |conn| Box::pin(async move { sales::seller(conn, event).await })).await?;
    seller.ok_or_else(payments::nothing_on_sale)
}

fn event_of(offer: &Offer) -> ShopEvent {
    ShopEvent {
        event_id: offer.event_id,
        name: offer.event_name.clone(),
        organiser: offer.organiser_name.clone(),
        starts_at: offer.starts_at,
        ends_at: offer.ends_at,
        time_zone: offer.time_zone.clone(),
    }
}

pub(super) async fn offer(app: &AppState, event: EventId) -> ApiResult<OfferView> {
    let (offer, now) = (offer_of(app, event).await?, app.now());
    let types = offer.types.iter().filter_map(|kind| {
        let availability = offer.availability(kind, now);
        // What the organiser closed is not shown; if all is closed, what there was is.
        let is_shown = availability != Availability::Closed || (!offer.settings.is_open && kind.sale.is_open);
        let each = offer.each(kind).ok().filter(|_| is_shown)?;
        let most = if availability == Availability::OnSale { offer.most(kind) } else { 0 };
        Some(OfferTypeView {
            ticket_type_id: kind.ticket_type_id,
            name: kind.name.clone(),
            each,
            availability,
            most,
            on_sale_from: kind.sale.on_sale_from,
            on_sale_until: kind.sale.on_sale_until,
        })
    });
    Ok(OfferView {
        types: types.collect(),
        currency: offer.settings.currency,
        is_open: offer.settings.is_open,
        hold_minutes: offer.settings.hold_minutes,
        max_per_order: offer.settings.max_per_order,
        provider: app.payments().provider().map(payments::Provider::kind),
        event: event_of(&offer),
    })
}

pub(super) async fn quote(app: &AppState, event: EventId, wish: &Wish) -> ApiResult<Quote> {
    orders::quote(&offer_of(app, event).await?, wish, app.now())
}

/// Who buys: a guest as they say, somebody signed in as their account says unless they say otherwise.
fn buyer(person: Option<&Person>, request: &CheckoutRequest) -> ApiResult<Buyer> {
    let account = person.map(|person| &person.signed_in);
    let name = request.name.as_deref().or(account.map(|account| account.name.as_str()));
    let email = request.email.as_deref().or(account.map(|account| account.email.as_str()));
    let needed = |field: &str| ApiError::field(field, "is needed of whoever buys without an account");
    Ok(Buyer {
        user_id: account.map(|account| account.user_id),
        name: text::line("name", name.ok_or_else(|| needed("name"))?, 120)?,
        email: text::email("email", email)?.ok_or_else(|| needed("email"))?,
    })
}

/// Holds the tickets and begins the payment, and counts how that went.
pub(super) async fn checkout(
    app: &AppState,
    who: (Client, Option<Person>),
    event: EventId,
    request: CheckoutRequest,
    attempt: Attempt,
) -> ApiResult<CheckoutView> {
    let started = Instant::now();
    let done = order(app, who, event, request, attempt).await;
    match &done {
        Ok(_) => app.objectives().went_well(Sli::Checkout, Some(started.elapsed())),
        // What is sold out, typed wrong or refused by a bank is nobody's failure.
        Err(error) if error.is_the_callers() || error.code() == Code::PaymentsOff => {}
        Err(_) => app.objectives().failed(Sli::Checkout),
    }
    done
}

async fn order(
    app: &AppState,
    (client, person): (Client, Option<Person>),
    event: EventId,
    request: CheckoutRequest,
    attempt: Attempt,
) -> ApiResult<CheckoutView> {
    let buyer = buyer(person.as_ref(), &request)?;
    if !attempt.is_resumed() {
        limit(app, client, &buyer).await?;
    }
    let Begun { order, token } = payments::checkout(app, event, (request.wish(), buyer), &attempt).await?;
    let token = token.text().expose_secret().to_owned();
    let app_in = app.clone();
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                let view = CheckoutView { token, order: view_in(tx, &app_in, order).await? };
                attempt.finish_in(tx, axum::http::StatusCode::CREATED, &view).await?;
                Ok(view)
            })
        })
        .await
}

/// Each checkout takes tickets away from others for a while.
async fn limit(app: &AppState, Client(address): Client, buyer: &Buyer) -> ApiResult<()> {
    let limits = &app.config().limits;
    app.limiter().require(Key::of_address("checkout_address", address), limits.checkout_address).await?;
    let key = match &buyer.user_id {
        Some(user) => Key::new("checkout", user.as_bytes()),
        None => Key::new("checkout", buyer.email.to_lowercase().as_bytes()),
    };
    app.limiter().require(key, limits.checkout).await
}

pub(super) async fn view(app: &AppState, order: OrderId) -> ApiResult<BuyerOrder> {
    let (app_in, app_of_links) = (app.clone(), app.clone());
    let seen = app.db().read(move |conn| Box::pin(async move { without_links(conn, &app_in, order).await }));
    let (view, tickets) = seen.await?;
    if tickets.iter().all(Option::is_none) {
        return Ok(view);
    }
    // Writing, since a ticket's link is made when it is asked for first.
    app.db().write(move |tx| Box::pin(async move { view_in(tx, &app_of_links, order).await })).await
}

async fn view_in(tx: &mut Tx, app: &AppState, id: OrderId) -> ApiResult<BuyerOrder> {
    let (mut view, tickets) = without_links(tx, app, id).await?;
    for (item, ticket) in view.items.iter_mut().zip(tickets) {
        if let Some(ticket) = ticket {
            item.ticket_url = Some(wallet::ticket_link(tx, app, ticket).await?);
        }
    }
    Ok(view)
}

/// The order, and of each of its items the ticket that a link leads to, if one does.
async fn without_links(
    conn: &mut Conn,
    app: &AppState,
    id: OrderId,
) -> ApiResult<(BuyerOrder, Vec<Option<TicketId>>)> {
    let order =
        orders::by_id(conn, id).await?.ok_or_else(|| ApiError::internal("an order that is not there"))?;
    let offer = sales::offer(conn, order.event_id).await?.ok_or_else(payments::nothing_on_sale)?;
    let read = orders::items(conn, id).await?.into_iter().map(|item| {
        let ticket = item.ticket_id.filter(|_| order.status.has_tickets() && item.refund_id.is_none());
        let (type_name, attendee_name, cost) = (item.type_name, item.attendee_name, item.cost);
        let is_refunded = item.refund_id.is_some();
        (BuyerItem { type_name, attendee_name, cost, is_refunded, ticket_url: None }, ticket)
    });
    let (items, tickets) = read.unzip();
    let payment = payments::pay_view(app, conn, &order).await?;
    let view = BuyerOrder {
        order_id: order.order_id,
        reference: order.reference,
        event: event_of(&offer),
        name: order.buyer.name,
        email: order.buyer.email,
        status: order.status,
        ending: order.ending,
        currency: order.currency,
        subtotal: order.subtotal,
        buyer_fees: order.buyer_fees,
        tax: order.tax,
        total: order.total,
        refunded: order.refunded,
        created_at: order.created_at,
        hold_until: order.hold_until,
        paid_at: order.paid_at,
        items,
        payment,
    };
    Ok((view, tickets))
}

pub(super) async fn refresh(app: &AppState, order: OrderId) -> ApiResult<BuyerOrder> {
    let limits = &app.config().limits;
    app.limiter().require(Key::new("order_refresh", order.as_bytes()), limits.manual_code).await?;
    payments::refresh(app, order).await?;
    view(app, order).await
}

/// Does something with the order, which is held meanwhile.
async fn with<F>(app: &AppState, id: OrderId, work: F) -> ApiResult<()>
where
    F: for<'t> FnOnce(&'t mut Tx, &'t AppState, &'t mut Order) -> WorkFuture<'t> + Send + 'static,
{
    let app_in = app.clone();
    let doors = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                let order = orders::hold(tx, id).await?;
                let mut order = order.ok_or_else(|| ApiError::internal("an order that is not there"))?;
                work(tx, &app_in, &mut order).await?;
                Ok::<_, ApiError>(order.at_doors())
            })
        })
        .await?;
    doors.into_iter().for_each(|event| app.ring(event));
    payments::jobs::wake(app);
    Ok(())
}

type WorkFuture<'t> = std::pin::Pin<Box<dyn Future<Output = ApiResult<()>> + Send + 't>>;

pub(super) async fn cancel(app: &AppState, id: OrderId) -> ApiResult<BuyerOrder> {
    with(app, id, |tx, app, order| Box::pin(payments::cancel(tx, app, order, Some("by the buyer")))).await?;
    payments::close_now(app, id).await;
    view(app, id).await
}

pub(super) async fn try_out(app: &AppState, id: OrderId, how: TryOut) -> ApiResult<BuyerOrder> {
    with(app, id, move |tx, app, order| Box::pin(payments::try_out(tx, app, order, how))).await?;
    view(app, id).await
}
