//! What mails say, and who gets them: composed when they are sent, from what is true then.

mod alert;
mod attachments;
mod event_notice;
mod invitation;
mod news;
mod order_paid;
mod order_refunded;
mod render;
mod sign_in_link;
mod spread;
pub mod texts;
mod wording;

use std::pin::Pin;

use lettre::message::Mailbox;
use liventix_core::ids::{EventId, OrganiserId};
use serde_json::{Value, json};

use crate::alerts;
use crate::announcements::Announcement;
use crate::app::AppState;
use crate::email::{self, Class, Composed, Email, NewEmail};
use crate::events::types::EventView;
use crate::orders::Order;
use crate::platform::coded::coded;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::{CauseId, RefundId};
use crate::platform::locale::Locale;
use crate::platform::queue::Failure;
pub(crate) use event_notice::{Facts, changes};
pub(crate) use invitation::put as invitation;
pub(crate) use sign_in_link::put as sign_in_link;
use spread::Spread;

coded! {
    /// What a mail tells.
    Kind {
        /// A buyer's tickets.
        OrderPaid = "order_paid",
        /// That money goes back to a buyer.
        OrderRefunded = "order_refunded",
        /// That an event has another name, time or place.
        EventChanged = "event_changed",
        /// That an event does not take place.
        EventCancelled = "event_cancelled",
        /// What an organiser writes to the buyers of an event.
        News = "news",
        /// That somebody is to become a member of an organiser.
        Invitation = "invitation",
        /// What signs somebody in.
        SignInLink = "sign_in_link",
        /// What is wrong, to whoever runs the installation.
        Alert = "alert",
        /// That mails work.
        Test = "test",
    }
}

/// Sends mails until the server begins to shut down.
pub(crate) async fn run(app: AppState) {
    tokio::join!(email::run(app.clone(), compose), spread::run(app));
}

/// Sends what may go now, and says how many that were. For whoever decides what comes when, where no worker runs
/// ([`has_workers`](crate::platform::config::Config::has_workers)).
///
/// # Errors
/// When the database fails.
pub async fn work(app: &AppState) -> Result<u64, DbError> {
    email::work(app, compose).await
}

/// What was put in goes at once, now that it is committed.
pub(crate) fn wake(app: &AppState) {
    spread::wake(app);
    email::wake(app);
}

/// Says what a mail tells.
fn compose(app: AppState, email: Email) -> Pin<Box<dyn Future<Output = Result<Composed, Failure>> + Send>> {
    Box::pin(async move {
        match Kind::from_code(&email.kind) {
            Some(Kind::OrderPaid) => order_paid::compose(&app, &email).await,
            Some(Kind::OrderRefunded) => order_refunded::compose(&app, &email).await,
            Some(kind @ (Kind::EventChanged | Kind::EventCancelled)) => {
                event_notice::compose(&app, kind, &email).await
            }
            Some(Kind::News) => news::compose(&app, &email).await,
            Some(Kind::Invitation) => invitation::compose(&app, &email).await,
            Some(Kind::SignInLink) => sign_in_link::compose(&app, &email).await,
            Some(Kind::Alert) => alert::compose(&app, &email),
            Some(Kind::Test) => {
                let values = json!({ "server": app.public_url() });
                Ok(render::render(Kind::Test, Locale::En, values, Vec::new())?.into())
            }
            // A newer version put it in: a process of that version may send it.
            None => {
                let detail = format!("This version knows no mail `{}`.", email.kind);
                Err(Failure::retry("unknown_kind", detail))
            }
        }
    })
}

/// A mail to the buyer of an order.
fn to_buyer(order: &Order, kind: Kind, dedupe_key: String, payload: Value) -> NewEmail {
    NewEmail {
        organiser_id: Some(order.organiser_id),
        kind: kind.code(),
        class: Class::Transactional,
        event_id: Some(order.event_id),
        order_id: Some(order.order_id),
        cause_id: None,
        payload,
        dedupe_key,
        to_name: order.buyer.name.clone(),
        to_address: order.buyer.email.clone(),
    }
}

/// The buyer of an order gets their tickets, once.
///
/// # Errors
/// When the database fails.
pub(crate) async fn order_paid(tx: &mut Tx, app: &AppState, order: &Order) -> Result<(), DbError> {
    let key = format!("{}:{}", Kind::OrderPaid.code(), order.order_id);
    email::put(tx, app, &to_buyer(order, Kind::OrderPaid, key, json!({}))).await.map(drop)
}

/// They get them again, because somebody asks for it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn tickets_again(tx: &mut Tx, app: &AppState, order: &Order) -> Result<(), DbError> {
    let cause = CauseId::generate(app.now(), app.entropy().as_ref());
    let key = format!("{}:{}:{cause}", Kind::OrderPaid.code(), order.order_id);
    email::put(tx, app, &to_buyer(order, Kind::OrderPaid, key, json!({}))).await.map(drop)
}

/// The buyer of an order hears of money that goes back to them, once for each refund.
///
/// # Errors
/// When the database fails.
pub(crate) async fn order_refunded(
    tx: &mut Tx,
    app: &AppState,
    order: &Order,
    (refund, amount): (RefundId, i64),
) -> Result<(), DbError> {
    let key = format!("{}:{refund}", Kind::OrderRefunded.code());
    let payload = json!({ "refund_id": refund, "amount": amount });
    email::put(tx, app, &to_buyer(order, Kind::OrderRefunded, key, payload)).await.map(drop)
}

/// The buyers of an event hear that it has another name, time or place, if it has. [`wake`] afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn event_changed(
    tx: &mut Tx,
    app: &AppState,
    organiser: OrganiserId,
    (old, new): (&EventView, &EventView),
) -> Result<(), DbError> {
    let (before, after) = (event_notice::Facts::of(old), event_notice::Facts::of(new));
    if before == after {
        return Ok(());
    }
    let payload = serde_json::to_value(&before).map_err(|error| DbError::Statement(error.to_string()))?;
    spread::begin(tx, app, &Spread::new(app, Kind::EventChanged, organiser, new.info.event_id, payload)).await
}

/// The buyers of an event hear that it does not take place. [`wake`] afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn event_cancelled(
    tx: &mut Tx,
    app: &AppState,
    organiser: OrganiserId,
    event: EventId,
) -> Result<(), DbError> {
    spread::begin(tx, app, &Spread::new(app, Kind::EventCancelled, organiser, event, json!({}))).await
}

/// The buyers of an event get what their organiser writes, once each. [`wake`] afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn announce(tx: &mut Tx, app: &AppState, it: &Announcement) -> Result<(), DbError> {
    let payload = json!({ "announcement_id": it.announcement_id });
    let spread = Spread::new(app, Kind::News, it.organiser_id, it.event_id, payload);
    let cause = CauseId::from_bytes(*it.announcement_id.as_bytes());
    spread::begin(tx, app, &spread.because_of(cause)).await
}

/// Somebody who runs the installation hears what is wrong, once for a cause. [`wake`] afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn alert(
    tx: &mut Tx,
    app: &AppState,
    to: &Mailbox,
    (cause, messages): (CauseId, &[alerts::Message]),
) -> Result<(), DbError> {
    let email = NewEmail {
        organiser_id: None,
        kind: Kind::Alert.code(),
        class: Class::Transactional,
        event_id: None,
        order_id: None,
        cause_id: Some(cause),
        payload: json!({ "messages": messages }),
        dedupe_key: format!("{}:{cause}:{}", Kind::Alert.code(), to.email),
        to_name: to.name.clone().unwrap_or_default(),
        to_address: to.email.to_string(),
    };
    email::put(tx, app, &email).await.map(drop)
}
