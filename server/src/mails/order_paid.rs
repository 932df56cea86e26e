//! A buyer's tickets.

use liventix_core::qr::{Format, QrOrManual};
use serde_json::json;

use super::Kind;
use super::attachments::{PrintedOrder, PrintedTicket, printable};
use super::wording::{self, About};
use crate::app::AppState;
use crate::email::{Composed, Email, Part};
use crate::events::snapshot;
use crate::orders::{self, Item};
use crate::platform::db::Tx;
use crate::platform::ids::OrderId;
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::Failure;
use crate::tickets::types::{QrQuery, TicketWithCode};
use crate::tickets::{self, Issuer, service};
use crate::wallet;

/// A ticket of the order.
struct Ticket {
    type_name: String,
    code: TicketWithCode,
    link: String,
}

pub(super) async fn compose(app: &AppState, email: &Email) -> Result<Composed, Failure> {
    let (id, app_in) = (wording::order_of(email)?, app.clone());
    // Writing, since a ticket's link is made when it is asked for first.
    let found = app.db().write(move |tx| Box::pin(async move { read(tx, &app_in, id).await }));
    let (about, tickets) = found.await?;
    if tickets.is_empty() {
        return Ok(Composed::Nothing("Every ticket of the order was given back before the mail went."));
    }
    let (mut shown, mut parts, mut printed) = (Vec::new(), Vec::new(), Vec::new());
    for (place, ticket) in tickets.into_iter().enumerate() {
        let (number, manual_code) = (place + 1, ticket.code.manual_code.clone());
        let name = ticket.code.ticket.attendee_name.clone();
        printed.push(PrintedTicket {
            type_name: ticket.type_name.clone(),
            attendee_name: name.clone(),
            code: ticket.code.code.clone(),
            manual_code: manual_code.clone(),
        });
        let picture = picture(app, ticket.code, number).await?;
        shown.push(json!({
            "number": number, "type": ticket.type_name, "name": name, "manual_code": manual_code,
            "link": ticket.link, "cid": picture.as_ref().and_then(|part| part.cid.clone()),
        }));
        parts.extend(picture);
    }
    parts.extend(print(app, &about, printed).await);
    parts.push(about.calendar(app));
    let total = (about.order.total > 0).then(|| about.money(about.order.total));
    Ok(about.render(json!({ "tickets": shown, "total": total }), parts)?.into())
}

async fn read(tx: &mut Tx, app: &AppState, id: OrderId) -> ApiResult<(About, Vec<Ticket>)> {
    let missing = || ApiError::internal("a ticket that is not there");
    let about = wording::about(tx, Kind::OrderPaid, id).await?;
    let (organiser, event) = (about.order.organiser_id, about.order.event_id);
    let snapshot = snapshot::load(app, tx, organiser, event).await?;
    let issuer = Issuer::new(&snapshot, app.vault(), app.entropy().as_ref(), app.now());
    let mut found = Vec::new();
    for Item { type_name, ticket_id, refund_id, .. } in orders::items(tx, id).await? {
        // What was given back since opens no door.
        let Some(ticket_id) = ticket_id.filter(|_| refund_id.is_none()) else { continue };
        let row = tickets::get(tx, event, ticket_id).await?.ok_or_else(missing)?;
        let code = issuer.with_code(&row)?;
        let link = wallet::ticket_link(tx, app, ticket_id).await?;
        found.push(Ticket { type_name, code, link });
    }
    Ok((about, found))
}

/// The ticket's code, to be shown at the door; none where it cannot be drawn: its manual code opens the door as well.
async fn picture(app: &AppState, code: TicketWithCode, number: usize) -> ApiResult<Option<Part>> {
    let options = service::qr_options(&QrQuery::default())?;
    let drawn = service::draw(app, code, options, Format::Png).await?;
    Ok(match drawn {
        QrOrManual::Qr(image) => Some(Part {
            name: format!("ticket-{number}.png"),
            kind: "image/png".to_owned(),
            bytes: image.bytes,
            cid: Some(format!("ticket-{number}")),
        }),
        QrOrManual::Manual(_) => None,
    })
}

/// The tickets to be printed. Where that fails, the mail goes without them: it has the codes.
async fn print(app: &AppState, about: &About, tickets: Vec<PrintedTicket>) -> Option<Part> {
    let (order_id, info) = (about.order.order_id, &about.event.info);
    let printed = PrintedOrder {
        locale: about.locale(),
        event: info.name.clone(),
        starts: about.locale().moment(info.starts_at, &info.time_zone),
        time_zone: info.time_zone.clone(),
        venue: about.event.venue.clone(),
        organiser: about.organiser.clone(),
        reference: about.order.reference.clone(),
        made_at: app.now(),
        tickets,
    };
    let made = tokio::task::spawn_blocking(move || printable(&printed)).await;
    let cause = match made {
        Ok(Ok(part)) => return Some(part),
        Ok(Err(error)) => error.to_string(),
        Err(error) if error.is_panic() => "a panic".to_owned(),
        Err(_) => "it was stopped".to_owned(),
    };
    tracing::error!(%order_id, cause, "a mail is sent without tickets to print");
    None
}
