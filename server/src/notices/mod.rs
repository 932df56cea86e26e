//! What phones are told by themselves, and whose: that a ticket is ready, was handed on or goes back, that an event has changed or
//! does not take place, that the doors are open.
//!
//! Whoever causes one puts a [`Notice`] in with its transaction. A worker finds out whose phones it is for, in steps, and says it
//! in each phone's language, from what is true then.

mod gates;
mod spread;
mod words;

use liventix_core::ids::{EventId, OrganiserId, TicketId};
use serde::{Deserialize, Serialize};

use crate::app::AppState;
use crate::events::types::EventView;
use crate::mails::Facts;
use crate::platform::auth::WalletId;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::{CauseId, RefundId};
use crate::push;

pub(crate) use crate::push::wake;

/// Something that phones are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
enum Notice {
    /// An event has another name, time or place than it had.
    EventChanged { event_id: EventId, cause_id: CauseId, before: Facts },
    /// An event does not take place.
    EventCancelled { event_id: EventId },
    /// The doors are open, since then (UTC milliseconds).
    GatesOpen { event_id: EventId, at: i64 },
    /// A ticket that was not paid is good now.
    TicketReady { ticket_id: TicketId, cause_id: CauseId },
    /// Somebody else has the ticket that these had.
    TicketTransferred { ticket_id: TicketId, cause_id: CauseId, wallets: Vec<[u8; 16]> },
    /// Money goes back for a ticket.
    TicketRefunded { ticket_id: TicketId, refund_id: RefundId },
}

impl Notice {
    const fn kind(&self) -> push::Kind {
        match self {
            Self::EventChanged { .. } => push::Kind::EventChanged,
            Self::EventCancelled { .. } => push::Kind::EventCancelled,
            Self::GatesOpen { .. } => push::Kind::GatesOpen,
            Self::TicketReady { .. } => push::Kind::TicketReady,
            Self::TicketTransferred { .. } => push::Kind::TicketTransferred,
            Self::TicketRefunded { .. } => push::Kind::TicketRefunded,
        }
    }

    /// What it is told for: with one key, a phone is told once.
    fn cause(&self) -> String {
        let kind = self.kind().code();
        match self {
            Self::EventChanged { cause_id, .. } => format!("{kind}:{cause_id}"),
            Self::EventCancelled { event_id } => format!("{kind}:{event_id}"),
            Self::GatesOpen { event_id, at } => format!("{kind}:{event_id}:{at}"),
            Self::TicketReady { ticket_id, cause_id }
            | Self::TicketTransferred { ticket_id, cause_id, .. } => {
                format!("{kind}:{ticket_id}:{cause_id}")
            }
            Self::TicketRefunded { ticket_id, refund_id } => format!("{kind}:{ticket_id}:{refund_id}"),
        }
    }
}

fn cause(app: &AppState) -> CauseId {
    CauseId::generate(app.now(), app.entropy().as_ref())
}

/// Works until the server begins to shut down.
pub(crate) async fn run(app: AppState) {
    tokio::join!(spread::run(app.clone()), gates::keep(&app));
}

/// The attendees of an event hear that it has another name, time or place, if it has. [`wake`] afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn event_changed(
    tx: &mut Tx,
    app: &AppState,
    organiser: OrganiserId,
    (old, new): (&EventView, &EventView),
) -> Result<(), DbError> {
    let before = Facts::of(old);
    if before == Facts::of(new) {
        return Ok(());
    }
    let notice = Notice::EventChanged { event_id: new.info.event_id, cause_id: cause(app), before };
    spread::begin(tx, app, organiser, notice).await
}

/// The attendees of an event hear that it does not take place. [`wake`] afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn event_cancelled(
    tx: &mut Tx,
    app: &AppState,
    organiser: OrganiserId,
    event_id: EventId,
) -> Result<(), DbError> {
    spread::begin(tx, app, organiser, Notice::EventCancelled { event_id }).await
}

/// Whoever holds a ticket hears that it is good now. [`wake`] afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn ticket_ready(
    tx: &mut Tx,
    app: &AppState,
    organiser: OrganiserId,
    ticket_id: TicketId,
) -> Result<(), DbError> {
    spread::begin(tx, app, organiser, Notice::TicketReady { ticket_id, cause_id: cause(app) }).await
}

/// Those who held a ticket hear that somebody else has it now. [`wake`] afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn ticket_transferred(
    tx: &mut Tx,
    app: &AppState,
    organiser: OrganiserId,
    (ticket_id, held_by): (TicketId, &[WalletId]),
) -> Result<(), DbError> {
    if held_by.is_empty() {
        return Ok(());
    }
    let wallets = held_by.iter().map(|wallet| wallet.to_bytes()).collect();
    let notice = Notice::TicketTransferred { ticket_id, cause_id: cause(app), wallets };
    spread::begin(tx, app, organiser, notice).await
}

/// Whoever holds tickets hears that money goes back for them. [`wake`] afterwards.
///
/// # Errors
/// When the database fails.
pub(crate) async fn tickets_refunded(
    tx: &mut Tx,
    app: &AppState,
    organiser: OrganiserId,
    (tickets, refund_id): (&[TicketId], RefundId),
) -> Result<(), DbError> {
    for ticket_id in tickets.iter().copied() {
        spread::begin(tx, app, organiser, Notice::TicketRefunded { ticket_id, refund_id }).await?;
    }
    Ok(())
}
