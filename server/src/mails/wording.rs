//! What mails say in the same way: when and where an event is, and how much something costs.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::attachments::{self, Entry};
use super::texts::{self, Version};
use super::{Kind, render};
use crate::app::AppState;
use crate::email::{Content, Email, Part};
use crate::events::{self, types::EventView};
use crate::orders::{self, Order};
use crate::platform::db::Conn;
use crate::platform::ids::OrderId;
use crate::platform::locale::Locale;
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::Failure;
use crate::pricing::Money;
use crate::sales;

/// An order and its event, as a mail to its buyer tells of them.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) order: Order,
    pub(super) event: EventView,
    pub(super) organiser: String,
    /// How often the event has changed: it only grows.
    changes: i64,
    /// The mail, and the organiser's own text of it, if there is one.
    kind: Kind,
    own: Option<Version>,
}

impl About {
    /// The language that its buyer is written to in.
    pub(super) const fn locale(&self) -> Locale {
        self.event.locale
    }

    /// The mail about it, with what every mail may name and `more`.
    ///
    /// # Errors
    /// When its text cannot be made.
    pub(super) fn render(&self, more: Value, parts: Vec<Part>) -> Result<Content, Failure> {
        let (values, locale) = (self.values(more), self.locale());
        match &self.own {
            Some(own) => render::render_own(own, (self.kind, locale), values, parts),
            None => render::render(self.kind, locale, values, parts),
        }
    }

    fn values(&self, more: Value) -> Value {
        let (info, locale) = (&self.event.info, self.locale());
        let mut values = json!({
            "name": self.order.buyer.name, "reference": self.order.reference, "event": info.name,
            "organiser": self.organiser, "starts": locale.moment(info.starts_at, &info.time_zone),
            "time_zone": info.time_zone, "venue": self.event.venue,
        });
        if let (Some(values), Value::Object(more)) = (values.as_object_mut(), more) {
            values.extend(more);
        }
        values
    }

    /// The event in the buyer's calendar, in the place of what was there before. Without a link: who sees the calendar
    /// would have the ticket.
    pub(super) fn calendar(&self, app: &AppState) -> Part {
        let EventView { info, venue, cancelled_at, .. } = &self.event;
        attachments::calendar(&Entry {
            order_id: self.order.order_id,
            event_id: self.order.event_id,
            sequence: u32::try_from(self.changes).unwrap_or(u32::MAX),
            is_cancelled: cancelled_at.is_some(),
            written_at: app.now(),
            starts_at: info.starts_at,
            ends_at: info.ends_at,
            name: info.name.clone(),
            venue: venue.clone(),
            description: format!("{} · {}", self.order.reference, self.organiser),
            url: None,
        })
    }

    /// An amount of its order.
    pub(super) fn money(&self, amount: i64) -> String {
        let text = Money { amount, currency: self.order.currency }.to_string();
        match self.locale() {
            Locale::En => text,
            Locale::De => text.replace('.', ","),
        }
    }
}

/// Reads it.
///
/// # Errors
/// When it is not there, or the database fails.
pub(super) async fn about(conn: &mut Conn, kind: Kind, id: OrderId) -> ApiResult<About> {
    let missing = || ApiError::internal("an order that is not there");
    let order = orders::by_id(conn, id).await?.ok_or_else(missing)?;
    let event = events::view_of(conn, order.event_id).await?.ok_or_else(missing)?;
    let (_, changes) = events::change_seqs(conn, order.event_id).await?;
    let offer = sales::offer(conn, order.event_id).await?.ok_or_else(missing)?;
    let own = texts::newest(conn, (order.organiser_id, kind, event.locale)).await?;
    Ok(About { order, event, organiser: offer.organiser_name, changes, kind, own })
}

/// The order that a mail is about.
///
/// # Errors
/// When it is about none.
pub(super) fn order_of(email: &Email) -> Result<OrderId, Failure> {
    // A version before this one had it in the payload.
    let named = || email.payload["order_id"].as_str().and_then(|id| id.parse().ok());
    email.order_id.or_else(named).ok_or_else(|| Failure::permanent("payload", "The mail is about no order."))
}

/// A moment for those who work with it, wherever they are.
pub(super) fn in_utc(ms: i64) -> String {
    let at = DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or_default();
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}
