//! From a wish to an order: what it costs, and the tickets held for it.

use std::collections::BTreeMap;

use liventix_core::entropy::Entropy;
use liventix_core::ids::TicketTypeId;
use serde_json::json;

use super::steps::{self, Step};
use super::store;
use super::types::{Buyer, Item, Order, OrderStatus, Wish, WishLine};
use crate::ads;
use crate::app::AppState;
use crate::facts::{self, Fact, Measure};
use crate::platform::auth::{Kind, Token};
use crate::platform::db::Tx;
use crate::platform::ids::OrderId;
use crate::platform::problem::{ApiError, ApiResult, Code, Issue};
use crate::platform::text;
use crate::pricing::{PricingError, Quote, QuoteLine};
use crate::sales::{Availability, Offer, OfferType, stock};

/// The most types in one order.
const MAX_LINES: usize = 20;
/// Without letters that are taken for others.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const REFERENCE: usize = 8;

/// An order that was just placed, with what only its buyer gets.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) order: Order,
    pub(crate) token: Token,
}

/// What the wish costs at `now`, by the type.
///
/// # Errors
/// `invalid_field`, `ticket_type_not_found`, `not_on_sale`, `sold_out`, `price_changed`.
pub(crate) fn quote(offer: &Offer, wish: &Wish, now: i64) -> ApiResult<Quote> {
    if wish.items.is_empty() || wish.items.len() > MAX_LINES {
        return Err(ApiError::field("items", format!("must name 1 to {MAX_LINES} types")));
    }
    let mut lines: BTreeMap<TicketTypeId, QuoteLine> = BTreeMap::new();
    for line in &wish.items {
        let kind = check_line(offer, line, now)?;
        let each = offer.each(kind).map_err(|error| too_much(&error))?;
        let new = QuoteLine {
            ticket_type_id: kind.ticket_type_id,
            name: kind.name.clone(),
            quantity: line.quantity,
            each,
        };
        if lines.insert(kind.ticket_type_id, new).is_some() {
            return Err(ApiError::field("items", "must name each type once"));
        }
    }
    let quote = Quote::of(offer.settings.currency, lines.into_values().collect())
        .map_err(|error| too_much(&error))?;
    if quote.tickets() > offer.settings.max_per_order {
        let most = offer.settings.max_per_order;
        return Err(ApiError::field("items", format!("must be {most} tickets at most")));
    }
    match wish.expected_total {
        Some(expected) if expected != quote.total => {
            let detail = format!(
                "It costs {} minor units now, not {expected}. Nothing was ordered: show the buyer the new price.",
                quote.total
            );
            Err(ApiError::new(Code::PriceChanged, detail))
        }
        _ => Ok(quote),
    }
}

fn too_much(error: &PricingError) -> ApiError {
    ApiError::field("items", error.to_string())
}

fn check_line<'a>(offer: &'a Offer, line: &WishLine, now: i64) -> ApiResult<&'a OfferType> {
    let kind = offer.types.iter().find(|kind| kind.ticket_type_id == line.ticket_type_id);
    let kind = kind.ok_or_else(|| {
        ApiError::new(Code::TicketTypeNotFound, "The event does not sell this ticket type. See its offer.")
    })?;
    match offer.availability(kind, now) {
        Availability::OnSale => {}
        Availability::SoldOut => return Err(sold_out(kind)),
        Availability::NotYet => return Err(not_on_sale(kind, "is not on sale yet")),
        Availability::Ended => return Err(not_on_sale(kind, "is not on sale any more")),
        Availability::Closed => return Err(not_on_sale(kind, "is not on sale at the moment")),
    }
    let most = offer.settings.max_per_order.min(kind.sale.max_per_order.unwrap_or(u32::MAX));
    if !(1..=most).contains(&line.quantity) {
        return Err(ApiError::field("quantity", format!("must be 1 to {most} of `{}`", kind.name)));
    }
    if line.attendee_names.len() > usize::try_from(line.quantity).unwrap_or(usize::MAX) {
        return Err(ApiError::field("attendee_names", "must be at most one for each ticket"));
    }
    Ok(kind)
}

fn not_on_sale(kind: &OfferType, how: &str) -> ApiError {
    ApiError::new(Code::NotOnSale, format!("`{}` {how}. See the offer for when it is.", kind.name))
}

fn sold_out(kind: &OfferType) -> ApiError {
    let detail =
        format!("There are not as many of `{}` left. Nothing was ordered: take fewer, or others.", kind.name);
    let issue =
        Issue { row: None, field: Some(kind.ticket_type_id.to_string()), message: "sold out".to_owned() };
    ApiError::new(Code::SoldOut, detail).with_issues(vec![issue])
}

/// Holds the tickets and writes the order. If any of them is taken, nothing is.
///
/// # Errors
/// As [`quote`]; `sold_out` where others were faster.
pub(crate) async fn place(
    tx: &mut Tx,
    app: &AppState,
    offer: &Offer,
    wish: &Wish,
    buyer: Buyer,
) -> ApiResult<Placed> {
    let now = app.now();
    let quote = quote(offer, wish, now)?;
    // By type, as `quote` has them: see `stock`.
    for line in &quote.lines {
        if !stock::hold(tx, line.ticket_type_id, line.quantity).await? {
            let kind = offer.types.iter().find(|kind| kind.ticket_type_id == line.ticket_type_id);
            return Err(kind.map_or_else(|| ApiError::internal("a quote of no type"), sold_out));
        }
    }
    let creative_id = match wish.creative_id {
        Some(id) if ads::belongs(tx, id, offer.event_id).await? => Some(id),
        // A link that is old or mistyped keeps nobody from buying.
        _ => None,
    };
    let order_id = OrderId::generate(now, app.entropy().as_ref());
    let token = Token::generate(Kind::Order, *order_id.as_bytes(), app.entropy().as_ref());
    let order = Order {
        order_id,
        organiser_id: offer.organiser_id,
        event_id: offer.event_id,
        reference: reference(app.entropy().as_ref()),
        secret_hash: token.secret_hash(),
        buyer,
        status: OrderStatus::AwaitingPayment,
        ending: None,
        attention: Vec::new(),
        creative_id,
        currency: quote.currency,
        subtotal: quote.subtotal,
        buyer_fees: quote.buyer_fees,
        fees: quote.fees,
        tax: quote.tax,
        total: quote.total,
        created_at: now,
        hold_until: now + i64::from(offer.settings.hold_minutes) * 60_000,
        paid_at: None,
        ended_at: None,
        refunded: 0,
    };
    let items = items(&quote, wish)?;
    store::insert(tx, &order, &items).await?;
    let detail = json!({"tickets": items.len(), "total": order.total});
    steps::note(tx, order_id, now, Step::Placed, detail).await?;
    let placed = Fact::new(Measure::OrdersPlaced, now, 1).of(order.event_id);
    facts::append(tx, app, order.organiser_id, vec![placed]).await?;
    Ok(Placed { order, token })
}

fn items(quote: &Quote, wish: &Wish) -> ApiResult<Vec<Item>> {
    let mut items = Vec::new();
    for line in &quote.lines {
        let wished = wish.items.iter().find(|wished| wished.ticket_type_id == line.ticket_type_id);
        let mut names = wished.into_iter().flat_map(|wished| &wished.attendee_names);
        for _ in 0..line.quantity {
            let name = names.next().map(String::as_str);
            items.push(Item {
                position: u32::try_from(items.len() + 1).map_err(ApiError::internal)?,
                ticket_type_id: line.ticket_type_id,
                type_name: line.name.clone(),
                attendee_name: text::optional_line("attendee_names", name, 120)?,
                cost: line.each,
                ticket_id: None,
                refund_id: None,
            });
        }
    }
    Ok(items)
}

/// Eight characters that can be said on the phone: one of 2^40. That one comes twice at an organiser is caught by
/// the table, and the buyer tries again.
fn reference(entropy: &dyn Entropy) -> String {
    let mut bytes = [0_u8; REFERENCE];
    entropy.fill(&mut bytes);
    let letter = |byte: &u8| char::from(ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'0'));
    bytes.iter().map(letter).collect()
}
