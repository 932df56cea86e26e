//! A buyer's tickets.

use chrono::{DateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use liventix_core::qr::Format;
use serde_json::{Value, json};

use super::{ORDER_PAID, templates};
use crate::app::AppState;
use crate::email::{Content, Part};
use crate::events::snapshot;
use crate::orders::{self, Item, Order};
use crate::platform::db::Tx;
use crate::platform::ids::OrderId;
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::Failure;
use crate::pricing::Money;
use crate::sales::{self, Offer};
use crate::tickets::types::{QrQuery, TicketWithCode};
use crate::tickets::{self, Issuer, service};
use crate::wallet;

/// A ticket of the order.
struct Ticket {
    type_name: String,
    code: TicketWithCode,
    link: String,
}

pub(super) async fn compose(app: &AppState, payload: &Value) -> Result<Content, Failure> {
    let id: Option<OrderId> = payload["order_id"].as_str().and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Failure::permanent("payload", "The mail has no order_id."))?;
    let app_in = app.clone();
    // Writing, since a ticket's link is made when it is asked for first.
    let found = app.db().write(move |tx| Box::pin(async move { read(tx, &app_in, id).await }));
    let (order, offer, tickets) = found.await?;
    let (mut shown, mut parts) = (Vec::new(), Vec::new());
    for (place, ticket) in tickets.into_iter().enumerate() {
        let (number, manual_code) = (place + 1, ticket.code.manual_code.clone());
        let name = ticket.code.ticket.attendee_name.clone();
        let picture = picture(app, ticket.code, number).await?;
        shown.push(json!({
            "number": number, "type": ticket.type_name, "name": name, "manual_code": manual_code,
            "link": ticket.link, "cid": picture.as_ref().and_then(|part| part.cid.clone()),
        }));
        parts.extend(picture);
    }
    let values = json!({
        "name": order.buyer.name, "event": offer.event_name, "organiser": offer.organiser_name,
        "starts": local(offer.starts_at, &offer.time_zone), "time_zone": offer.time_zone,
        "reference": order.reference, "tickets": shown,
        "total": (order.total > 0).then(|| Money { amount: order.total, currency: order.currency }.to_string()),
    });
    templates::render(ORDER_PAID, &values, parts)
}

async fn read(tx: &mut Tx, app: &AppState, id: OrderId) -> ApiResult<(Order, Offer, Vec<Ticket>)> {
    let missing = || ApiError::internal("an order that is not there");
    let order = orders::by_id(tx, id).await?.ok_or_else(missing)?;
    let offer = sales::offer(tx, order.event_id).await?.ok_or_else(missing)?;
    let snapshot = snapshot::load(app, tx, order.organiser_id, order.event_id).await?;
    let issuer = Issuer::new(&snapshot, app.vault(), app.entropy().as_ref(), app.now());
    let mut found = Vec::new();
    for Item { type_name, ticket_id, refund_id, .. } in orders::items(tx, id).await? {
        // What was given back since opens no door.
        let Some(ticket_id) = ticket_id.filter(|_| refund_id.is_none()) else { continue };
        let row = tickets::get(tx, order.event_id, ticket_id).await?.ok_or_else(missing)?;
        let code = issuer.with_code(&row)?;
        let link = wallet::ticket_link(tx, app, ticket_id).await?;
        found.push(Ticket { type_name, code, link });
    }
    Ok((order, offer, found))
}

/// The ticket's code, to be shown at the door; none where it cannot be drawn: its manual code opens the door as well.
async fn picture(app: &AppState, code: TicketWithCode, number: usize) -> ApiResult<Option<Part>> {
    let options = service::qr_options(&QrQuery::default())?;
    let drawn = service::draw(app, code, options, Format::Png).await?;
    Ok(match drawn {
        liventix_core::qr::QrOrManual::Qr(image) => Some(Part {
            name: format!("ticket-{number}.png"),
            kind: "image/png".to_owned(),
            bytes: image.bytes,
            cid: Some(format!("ticket-{number}")),
        }),
        liventix_core::qr::QrOrManual::Manual(_) => None,
    })
}

/// As clocks at the event show it.
fn local(ms: i64, time_zone: &str) -> String {
    let zone: Tz = time_zone.parse().unwrap_or(Tz::UTC);
    let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
    at.with_timezone(&zone).format("%A %-d %B %Y, %H:%M").to_string()
}
