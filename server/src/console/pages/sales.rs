//! How an event sells: in which currency, what each ticket type costs, and how many there are.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use liventix_core::ids::{EventId, OrganiserId, TicketTypeId};
use serde::Serialize;

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::hall::Hall;
use super::super::layout::{self, Frame, Moment, count};
use super::Done;
use crate::app::AppState;
use crate::events::service as events;
use crate::platform::authorize::{Action, may};
use crate::platform::body::{Path, Query};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::pricing::{Currency, FeePayer, Money, TaxMode};
use crate::sales::{self, SalesSettings, SalesView, TypeSale, TypeSaleView};

/// Which form is meant by what is wrong, where it is the one of the event.
const SETTINGS: &str = "settings";

pub(super) fn routes() -> Router<AppState> {
    let at = |rest: &str| format!("/console/organisers/{{organiser_id}}/events/{{event_id}}/sales{rest}");
    Router::new()
        .route(&at(""), get(show).post(put))
        .route(&at("/{ticket_type_id}"), post(put_type))
        .route(&at("/{ticket_type_id}/end"), post(end_type))
}

/// The organiser, the event and the ticket type of an address.
type Address = Path<(OrganiserId, EventId, TicketTypeId)>;

/// What is typed into the form of a ticket type.
#[derive(Debug, Default, Serialize)]
struct Typed {
    price: String,
    tax: String,
    capacity: String,
    max_per_order: String,
    from: String,
    until: String,
    is_open: bool,
}

#[derive(Debug, Serialize)]
struct Type {
    id: String,
    name: String,
    is_for_sale: bool,
    /// What a buyer pays for one, fee and tax included; none: it cannot be charged.
    each: Option<String>,
    held: String,
    sold: String,
    typed: Typed,
}

fn percent(rate_bp: u32) -> String {
    let text = format!("{}.{:02}", rate_bp / 100, rate_bp % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn typed(sale: &TypeSale, currency: Currency, zone: &str) -> Typed {
    let at = |ms: Option<i64>| ms.map(|ms| Moment::typed(ms, zone)).unwrap_or_default();
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    Typed {
        price: Money { amount: sale.price, currency }.digits(),
        tax: percent(sale.tax_rate_bp),
        capacity: number(sale.capacity),
        max_per_order: number(sale.max_per_order),
        from: at(sale.on_sale_from),
        until: at(sale.on_sale_until),
        is_open: sale.is_open,
    }
}

/// What was typed, to be shown again with what is wrong with it.
fn retyped(form: &Form) -> Typed {
    let text = |name: &str| form.text(name).to_owned();
    Typed {
        price: text("price"),
        tax: text("tax_rate_bp"),
        capacity: text("capacity"),
        max_per_order: text("max_per_order"),
        from: text("on_sale_from"),
        until: text("on_sale_until"),
        is_open: form.ticked("is_open"),
    }
}

#[derive(Debug, Serialize)]
struct Settings {
    currency: String,
    is_open: bool,
    buyer_pays_fee: bool,
    tax_included: bool,
    hold_minutes: String,
    max_per_order: String,
}

#[derive(Debug, Serialize)]
struct Content {
    hall: String,
    shop: String,
    is_set_up: bool,
    settings: Settings,
    fee: Option<String>,
    time_zone: String,
    types: Vec<Type>,
    wrong: Wrong,
}

fn fee(view: &SalesView) -> Option<String> {
    let money = |amount| Money { amount, currency: view.settings.currency }.to_string();
    let parts = [
        (view.fee.fixed > 0).then(|| money(view.fee.fixed)),
        (view.fee.percent_bp > 0).then(|| format!("{} % of the price", percent(view.fee.percent_bp))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let most = view.fee.cap.map(|cap| format!(", {} at most", money(cap))).unwrap_or_default();
    (!parts.is_empty()).then(|| format!("{}{most}", parts.join(" and ")))
}

fn settings(view: Option<&SalesView>) -> Settings {
    let Some(SalesView { settings, .. }) = view else {
        return Settings {
            currency: String::new(),
            is_open: false,
            buyer_pays_fee: true,
            tax_included: true,
            hold_minutes: "15".to_owned(),
            max_per_order: "10".to_owned(),
        };
    };
    Settings {
        currency: settings.currency.code().to_owned(),
        is_open: settings.is_open,
        buyer_pays_fee: settings.fee_payer == FeePayer::Buyer,
        tax_included: settings.tax_mode == TaxMode::Included,
        hold_minutes: settings.hold_minutes.to_string(),
        max_per_order: settings.max_per_order.to_string(),
    }
}

fn ticket_type(
    (id, name): (TicketTypeId, String),
    sale: Option<&TypeSaleView>,
    currency: Option<Currency>,
    zone: &str,
) -> Type {
    let money = |amount| currency.map(|currency| Money { amount, currency }.to_string());
    Type {
        id: id.to_string(),
        name,
        is_for_sale: sale.is_some(),
        each: sale.and_then(|sale| sale.each).and_then(|price| money(price.total)),
        held: count(sale.map_or(0, |sale| sale.held)),
        sold: count(sale.map_or(0, |sale| sale.sold)),
        typed: match (sale, currency) {
            (Some(sale), Some(currency)) => typed(&sale.sale, currency, zone),
            _ => Typed { is_open: true, ..Typed::default() },
        },
    }
}

async fn content(app: &AppState, hall: &Hall<may::EditEvent>, wrong: Wrong) -> ApiResult<Content> {
    let event = &hall.event.summary;
    let who = hall.who.asking(Action::SeeEvents);
    let types = events::get(app, who.clone(), event.event_id).await?.info.ticket_types;
    let view = match sales::get(app, who, event.event_id).await {
        Ok(view) => Some(view),
        Err(error) if error.code() == Code::SalesNotSetUp => None,
        Err(error) => return Err(error),
    };
    let currency = view.as_ref().map(|view| view.settings.currency);
    let sale_of = |id| view.as_ref()?.types.iter().find(|sale| sale.ticket_type_id == id);
    let types = types.into_iter().map(|kind| {
        let id = kind.ticket_type_id;
        ticket_type((id, kind.name), sale_of(id), currency, &event.time_zone)
    });
    Ok(Content {
        hall: hall.path(app, ""),
        shop: format!("{}/shop/{}", app.public_url(), event.event_id),
        is_set_up: view.is_some(),
        settings: settings(view.as_ref()),
        fee: view.as_ref().and_then(fee),
        time_zone: event.time_zone.clone(),
        types: types.collect(),
        wrong,
    })
}

async fn show(
    hall: Hall<may::EditEvent>,
    State(app): State<AppState>,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    let content = content(&app, &hall, Wrong::default()).await?;
    let frame = Frame::within(&hall, "Selling", "sales").after(done.done.as_deref());
    Ok(layout::render(&app, "sales.html", &frame, &content)?)
}

/// To the page again, with what was done or what is wrong, and what was typed.
async fn answer(
    app: &AppState,
    hall: &Hall<may::EditEvent>,
    form: &Form,
    (done, flash, which): (ApiResult<()>, Flash, &str),
) -> Result<Response, Failure> {
    let error = match done {
        Ok(()) => return Ok(layout::done(&hall.path(app, "/sales"), flash)),
        Err(error) => error,
    };
    let (mut wrong, error) = Wrong::of(error)?;
    which.clone_into(&mut wrong.form);
    let mut content = content(app, hall, wrong).await?;
    if which == SETTINGS {
        content.settings = Settings {
            currency: form.text("currency").to_owned(),
            is_open: form.ticked("is_open"),
            buyer_pays_fee: form.text("fee_payer") == FeePayer::Buyer.code(),
            tax_included: form.text("tax_mode") == TaxMode::Included.code(),
            hold_minutes: form.text("hold_minutes").to_owned(),
            max_per_order: form.text("max_per_order").to_owned(),
        };
    } else if let Some(kind) = content.types.iter_mut().find(|kind| kind.id == which) {
        kind.typed = retyped(form);
    }
    let page = layout::render(app, "sales.html", &Frame::within(hall, "Selling", "sales"), &content)?;
    Ok(layout::refused(page, error))
}

fn read_settings(form: &Form) -> ApiResult<SalesSettings> {
    let choose = |name| ApiError::field(name, "choose from these");
    let currency = form.text("currency").trim().to_ascii_uppercase();
    Ok(SalesSettings {
        currency: Currency::from_code(&currency)
            .ok_or_else(|| ApiError::field("currency", "must be the code of a currency, such as EUR"))?,
        is_open: form.ticked("is_open"),
        fee_payer: FeePayer::from_code(form.text("fee_payer")).ok_or_else(|| choose("fee_payer"))?,
        tax_mode: TaxMode::from_code(form.text("tax_mode")).ok_or_else(|| choose("tax_mode"))?,
        hold_minutes: form.number("hold_minutes")?.unwrap_or_default(),
        max_per_order: form.number("max_per_order")?.unwrap_or_default(),
    })
}

async fn put(
    hall: Hall<may::EditEvent>,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    let event = hall.event.summary.event_id;
    let done = match read_settings(&form) {
        Ok(settings) => sales::put(&app, hall.who.clone(), event, settings).await.map(drop),
        Err(error) => Err(error),
    };
    answer(&app, &hall, &form, (done, Flash::SalesChanged, SETTINGS)).await
}

fn read_sale(form: &Form, currency: Currency, zone: &str) -> ApiResult<TypeSale> {
    let needed = || ApiError::field("price", "say what it costs; 0 gives it away");
    Ok(TypeSale {
        price: form.amount("price", currency)?.ok_or_else(needed)?,
        tax_rate_bp: form.rate("tax_rate_bp")?.unwrap_or_default(),
        is_open: form.ticked("is_open"),
        on_sale_from: form.moment("on_sale_from", zone)?,
        on_sale_until: form.moment("on_sale_until", zone)?,
        max_per_order: form.number("max_per_order")?,
        capacity: form.number("capacity")?,
    })
}

async fn put_type(
    hall: Hall<may::EditEvent>,
    State(app): State<AppState>,
    Path((_, event, kind)): Address,
    form: Form,
) -> Result<Response, Failure> {
    let done = set_type(&app, &hall, (event, kind), &form).await;
    answer(&app, &hall, &form, (done, Flash::SalesChanged, &kind.to_string())).await
}

async fn set_type(
    app: &AppState,
    hall: &Hall<may::EditEvent>,
    (event, kind): (EventId, TicketTypeId),
    form: &Form,
) -> ApiResult<()> {
    let view = sales::get(app, hall.who.asking(Action::SeeEvents), event).await?;
    let sale = read_sale(form, view.settings.currency, &hall.event.summary.time_zone)?;
    sales::put_type(app, hall.who.clone(), event, kind, sale).await.map(drop)
}

async fn end_type(
    hall: Hall<may::EditEvent>,
    State(app): State<AppState>,
    Path((_, event, kind)): Address,
    form: Form,
) -> Result<Response, Failure> {
    let done = sales::delete_type(&app, hall.who.clone(), event, kind).await;
    answer(&app, &hall, &form, (done, Flash::TypeOffSale, &kind.to_string())).await
}
