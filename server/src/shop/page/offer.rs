//! Choosing tickets.

use std::collections::HashMap;

use axum::extract::{Form, Path, Query, State};
use axum::response::Response;
use liventix_core::ids::EventId;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::routes::Checkout;
use super::super::service;
use super::super::types::{CheckoutRequest, OfferTypeView, OfferView};
use super::view::{self, EventView};
use super::{page, refused, see_other, sorry};
use crate::app::AppState;
use crate::platform::auth::Client;
use crate::platform::body::Json;
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::ids::CreativeId;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::sales::Availability;

#[derive(Serialize)]
struct TypeView {
    /// The name of its field.
    field: String,
    name: String,
    total: String,
    /// What of it is fee and tax, in words.
    parts: Option<String>,
    /// Why it cannot be bought.
    not: Option<String>,
    most: u32,
    chosen: u32,
}

#[derive(Serialize)]
struct Content {
    event: EventView,
    is_open: bool,
    is_test: bool,
    hold_minutes: u32,
    types: Vec<TypeView>,
    /// Makes pressing the button twice one order.
    key: String,
    /// The creative that brought the buyer.
    ad: String,
    name: String,
    email: String,
    /// Why nothing was ordered.
    wrong: Option<String>,
}

type Fields = HashMap<String, String>;

fn field(kind: &OfferTypeView) -> String {
    format!("quantity-{}", kind.ticket_type_id)
}

fn type_view(offer: &OfferView, kind: &OfferTypeView, fields: &Fields) -> TypeView {
    let money = |amount| view::money(amount, offer.currency);
    let zone = &offer.event.time_zone;
    let mut parts = Vec::new();
    if kind.each.buyer_fee > 0 {
        parts.push(format!("with {} fee", money(kind.each.buyer_fee)));
    }
    if kind.each.tax > 0 {
        parts.push(format!("{} tax included", money(kind.each.tax)));
    }
    let not = match kind.availability {
        Availability::OnSale => None,
        Availability::SoldOut => Some("Sold out".to_owned()),
        Availability::Ended | Availability::Closed => Some("Not on sale any more".to_owned()),
        Availability::NotYet => kind.on_sale_from.map(|from| format!("From {}", view::moment(from, zone))),
    };
    let chosen = fields.get(&field(kind)).and_then(|text| text.parse().ok()).unwrap_or(0);
    TypeView {
        field: field(kind),
        name: kind.name.clone(),
        total: if kind.each.total == 0 { "Free".to_owned() } else { money(kind.each.total) },
        parts: (!parts.is_empty()).then(|| parts.join(", ")),
        not,
        most: kind.most,
        chosen,
    }
}

fn content(app: &AppState, offer: &OfferView, fields: &Fields, wrong: Option<String>) -> Content {
    let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let key = Some(text("key")).filter(|key| !key.is_empty()).unwrap_or_else(|| new_key(app));
    Content {
        event: view::event(&offer.event),
        is_open: offer.types.iter().any(|kind| kind.availability == Availability::OnSale),
        is_test: offer.provider == Some(crate::payments::ProviderKind::Test),
        hold_minutes: offer.hold_minutes,
        types: offer.types.iter().map(|kind| type_view(offer, kind, fields)).collect(),
        key,
        ad: text("ad"),
        name: text("name"),
        email: text("email"),
        wrong,
    }
}

/// `checkout:page:<uuid>`.
fn new_key(app: &AppState) -> String {
    let id = crate::platform::ids::CallId::generate(app.now(), app.entropy().as_ref());
    format!("{}:page:{id}", Checkout::NAME)
}

fn event_of(path: &str) -> ApiResult<EventId> {
    path.parse().map_err(|_| ApiError::new(Code::InvalidPath, "The address holds no id of an event."))
}

pub(super) async fn show(
    State(app): State<AppState>,
    Path(event): Path<String>,
    Query(query): Query<Fields>,
) -> Response {
    let shown = async {
        let offer = service::offer(&app, event_of(&event)?).await?;
        let ad = query.get_key_value("ad").map(|(name, value)| (name.clone(), value.clone()));
        page(&app, "offer.html", &offer.event.name, &content(&app, &offer, &ad.into_iter().collect(), None))
    };
    shown.await.unwrap_or_else(|error| sorry(&app, error))
}

pub(super) async fn buy(
    client: Client,
    State(app): State<AppState>,
    Path(event): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let offer = async { service::offer(&app, event_of(&event)?).await };
    let offer = match offer.await {
        Ok(offer) => offer,
        Err(error) => return sorry(&app, error),
    };
    match order(&app, client, &offer, &fields).await {
        Ok(token) => see_other(&app, &format!("/shop/orders/{token}")),
        Err(error) if error.code() == Code::RateLimited => sorry(&app, error),
        Err(error) => {
            let mut fields = fields;
            if error.code() != Code::PaymentTimeout {
                // What was refused is a new order, once it is put right.
                fields.remove("key");
            }
            // As it stands now: what is sold out by now says so.
            let offer = service::offer(&app, offer.event.event_id).await.unwrap_or(offer);
            let content = content(&app, &offer, &fields, Some(words(&error)));
            refused(&app, error, ("offer.html", &offer.event.name), &content)
        }
    }
}

/// A refusal as buyers understand it.
fn words(error: &ApiError) -> String {
    match error.issues() {
        [issue] if error.code() == Code::InvalidField => match issue.field.as_deref() {
            Some("name") => format!("Your name {}.", issue.message),
            Some("email") => format!("Your e-mail address {}.", issue.message),
            Some("items") => "Choose the tickets you want.".to_owned(),
            _ => format!("{}.", issue.message),
        },
        _ => error.detail().to_owned(),
    }
}

/// Orders as the API would, and gives the order's token.
async fn order(app: &AppState, client: Client, offer: &OfferView, fields: &Fields) -> ApiResult<String> {
    let event = offer.event.event_id;
    let quantity = |kind: &OfferTypeView| fields.get(&field(kind)).and_then(|text| text.parse::<u32>().ok());
    let items = offer.types.iter().filter_map(|kind| {
        let quantity = quantity(kind).filter(|quantity| *quantity > 0)?;
        Some(json!({"ticket_type_id": kind.ticket_type_id, "quantity": quantity}))
    });
    let body = json!({
        "items": items.collect::<Vec<Value>>(),
        "name": fields.get("name"),
        "email": fields.get("email"),
        // One that is mistyped keeps nobody from buying.
        "creative_id": fields.get("ad").and_then(|ad| ad.parse::<CreativeId>().ok()),
    });
    let key = fields.get("key").cloned().unwrap_or_else(|| new_key(app));
    let path = format!("/v1/shop/events/{event}/orders");
    let call = Idempotent::<Checkout, Json<CheckoutRequest>>::of_form(&key, &path, &body)?;
    let organiser = service::organiser_of(app, event).await?;
    let answered = call.run(app, organiser, async |Json(request), attempt| {
        Ok(axum::Json(service::checkout(app, (client, None), event, request, attempt).await?))
    });
    let answer = ApiError::of_answer(answered.await?).await?;
    answer["token"].as_str().map(str::to_owned).ok_or_else(|| ApiError::internal("an order without a token"))
}
