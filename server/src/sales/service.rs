//! Setting what an event sells.

use liventix_core::ids::{EventId, OrganiserId, TicketTypeId};
use serde_json::json;

use super::offer::Offer;
use super::store;
use super::types::{FeeView, SalesSettings, SalesView, TypeSale, TypeSaleView};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::events::snapshot;
use crate::platform::authorize::{By, Who, organiser_not_found};
use crate::platform::db::{Conn, DbError};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::pricing::{Currency, Fee, PricingError};

/// The most tickets of a type.
const MAX_CAPACITY: u32 = 10_000_000;
const HOLD_MINUTES: std::ops::RangeInclusive<u32> = 5..=120;
const PER_ORDER: std::ops::RangeInclusive<u32> = 1..=50;

/// What the event sells; none if it never sold anything.
pub(crate) async fn offer(conn: &mut Conn, event: EventId) -> Result<Option<Offer>, DbError> {
    store::offer(conn, event).await
}

/// Whose event it is; none if it never sold anything.
pub(crate) async fn seller(conn: &mut Conn, event: EventId) -> Result<Option<OrganiserId>, DbError> {
    store::seller(conn, event).await
}

fn not_set_up() -> ApiError {
    let detail = "The event sells nothing yet: say how, by PUT /v1/events/{event_id}/sales.";
    ApiError::new(Code::SalesNotSetUp, detail)
}

fn wrong(field: &str, error: PricingError) -> ApiError {
    ApiError::field(field, error.to_string())
}

fn view(offer: Offer) -> SalesView {
    let types = offer.types.iter().map(|kind| TypeSaleView {
        ticket_type_id: kind.ticket_type_id,
        name: kind.name.clone(),
        sale: kind.sale.clone(),
        each: offer.each(kind).ok(),
        held: kind.held,
        sold: kind.sold,
    });
    SalesView { types: types.collect(), settings: offer.settings, fee: offer.fee }
}

/// How an event sells.
///
/// # Errors
/// `event_not_found`, `sales_not_set_up`.
pub(crate) async fn get(app: &AppState, who: Who, event: EventId) -> ApiResult<SalesView> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                snapshot::of(&app_in, conn, &who, event).await?;
                Ok(view(store::offer(conn, event).await?.ok_or_else(not_set_up)?))
            })
        })
        .await
}

fn check(settings: &SalesSettings) -> ApiResult<()> {
    if !HOLD_MINUTES.contains(&settings.hold_minutes) {
        return Err(ApiError::field("hold_minutes", "must be between 5 and 120"));
    }
    check_per_order(settings.max_per_order)
}

fn check_per_order(most: u32) -> ApiResult<()> {
    if PER_ORDER.contains(&most) {
        return Ok(());
    }
    Err(ApiError::field("max_per_order", "must be between 1 and 50"))
}

/// Says how an event sells.
///
/// # Errors
/// `event_not_found`, `in_use`, `invalid_field`.
pub(crate) async fn put(
    app: &AppState,
    who: Who,
    event: EventId,
    settings: SalesSettings,
) -> ApiResult<SalesView> {
    check(&settings)?;
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                snapshot::hold_for(&app_in, tx, &who, event).await?;
                let before = store::offer(tx, event).await?.map(|offer| offer.settings);
                let changes = before.as_ref().is_some_and(|before| before.currency != settings.currency);
                if changes && store::has_orders(tx, event).await? {
                    let detail =
                        "There are orders in the currency the event has. Make another event for another.";
                    return Err(ApiError::new(Code::InUse, detail));
                }
                store::put(tx, event, &settings, app_in.now()).await?;
                let offer = store::offer(tx, event).await?.ok_or_else(not_set_up)?;
                let wrong_in = |kind| offer.each(kind).err().map(|error| wrong("currency", error));
                // What was chargeable in one currency may not be in another.
                if let Some(error) = offer.types.iter().find_map(wrong_in) {
                    return Err(error);
                }
                let entry = Entry::of(Deed::SalesChanged).at(event).to(Target::Event, event.as_bytes());
                audit::record(tx, &app_in, &who, entry.before(before).after(&settings)).await?;
                Ok(view(offer))
            })
        })
        .await
}

fn check_type(sale: &TypeSale) -> ApiResult<()> {
    if let (Some(from), Some(until)) = (sale.on_sale_from, sale.on_sale_until)
        && until <= from
    {
        return Err(ApiError::field("on_sale_until", "must be after on_sale_from"));
    }
    if sale.capacity.is_some_and(|capacity| capacity > MAX_CAPACITY) {
        return Err(ApiError::field("capacity", "must be between 0 and 10 000 000"));
    }
    sale.max_per_order.map_or(Ok(()), check_per_order)
}

/// Sells tickets of a type, or changes how.
///
/// # Errors
/// `ticket_type_not_found`, `sales_not_set_up`, `capacity_taken`, `invalid_field`.
pub(crate) async fn put_type(
    app: &AppState,
    who: Who,
    event: EventId,
    kind: TicketTypeId,
    sale: TypeSale,
) -> ApiResult<SalesView> {
    check_type(&sale)?;
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let snapshot = snapshot::hold_for(&app_in, tx, &who, event).await?;
                let ticket_type = snapshot.info.ticket_type(kind).ok_or_else(type_not_found)?;
                let offer = store::offer(tx, event).await?.ok_or_else(not_set_up)?;
                offer.terms().price(sale.price, sale.tax_rate_bp).map_err(|error| {
                    let is_rate = matches!(error, PricingError::Rate(_));
                    wrong(if is_rate { "tax_rate_bp" } else { "price" }, error)
                })?;
                let before = offer.types.iter().find(|other| other.ticket_type_id == kind);
                if !store::put_type(tx, event, kind, &sale).await? {
                    let detail = "More than that are sold or held by orders that wait for their payment.";
                    return Err(ApiError::new(Code::CapacityTaken, detail));
                }
                let entry =
                    Entry::of(Deed::TypeSaleChanged).at(event).to(Target::TicketType, kind.as_bytes());
                let entry = entry.named(&ticket_type.name).before(before.map(|kind| &kind.sale)).after(&sale);
                audit::record(tx, &app_in, &who, entry).await?;
                Ok(view(store::offer(tx, event).await?.ok_or_else(not_set_up)?))
            })
        })
        .await
}

fn type_not_found() -> ApiError {
    ApiError::new(Code::TicketTypeNotFound, "The event has no ticket type with this id.")
}

/// Takes a type off sale.
///
/// # Errors
/// `ticket_type_not_found`, `in_use`.
pub(crate) async fn delete_type(
    app: &AppState,
    who: Who,
    event: EventId,
    kind: TicketTypeId,
) -> ApiResult<()> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                snapshot::hold_for(&app_in, tx, &who, event).await?;
                let offer = store::offer(tx, event).await?;
                let found = offer.iter().flat_map(|offer| &offer.types).find(|it| it.ticket_type_id == kind);
                let found = found.ok_or_else(type_not_found)?;
                if store::was_ordered(tx, kind).await? {
                    let detail = "There are orders of it. Close it with is_open instead.";
                    return Err(ApiError::new(Code::InUse, detail));
                }
                store::delete_type(tx, kind).await?;
                let entry = Entry::of(Deed::TypeSaleEnded).at(event).to(Target::TicketType, kind.as_bytes());
                audit::record(tx, &app_in, &who, entry.named(&found.name).before(&found.sale)).await
            })
        })
        .await
}

/// What selling tickets costs an organiser, by currency.
///
/// # Errors
/// When the database fails.
pub(crate) async fn fees(app: &AppState, organiser: OrganiserId) -> ApiResult<Vec<FeeView>> {
    Ok(app.db().read(move |conn| Box::pin(async move { store::fees(conn, organiser).await })).await?)
}

/// Sets what selling a ticket costs an organiser: done by whoever runs the installation, who live on it.
///
/// # Errors
/// `organiser_not_found`, `invalid_field`.
pub(crate) async fn put_fee(
    app: &AppState,
    by: By,
    organiser: OrganiserId,
    currency: Currency,
    fee: Fee,
) -> ApiResult<FeeView> {
    fee.check(currency).map_err(|error| {
        let is_rate = matches!(error, PricingError::Rate(_));
        wrong(if is_rate { "percent_bp" } else { "fixed" }, error)
    })?;
    let (pen, now) = (audit::pen(app), app.now());
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                let known = "SELECT 1 FROM organisers WHERE organiser_id = $1";
                tx.first(known, crate::params![organiser]).await?.ok_or_else(organiser_not_found)?;
                let before = store::fee_of(tx, organiser, currency).await?;
                store::put_fee(tx, organiser, (currency, fee), now).await?;
                let of = |fee: Fee| json!({"currency": currency, "fee": fee});
                let entry = Entry::of(Deed::FeeSet).to(Target::Organiser, organiser.as_bytes());
                pen.write(tx, Some(organiser), &by, entry.before(before.map(of)).after(of(fee))).await?;
                Ok(FeeView { currency, fee })
            })
        })
        .await
}
