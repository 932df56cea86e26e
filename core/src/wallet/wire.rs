//! What phones and server say to each other about tickets. One definition, compiled into both.
//!
//! The same conventions as [`crate::sync::wire`]: JSON over HTTP, times as UTC milliseconds, unknown
//! fields ignored. Every call carries the wallet's own token as bearer, `lxw_<wallet id>_<secret>`; the
//! phone makes one for each server, which knows it from the first claim on.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{EventId, TicketId};
use crate::rules::{PrintedPolicy, TicketStatus, TtlEffect};
use crate::ticket::LiveBase;

/// `POST /v1/wallet/claim`: this phone wants to hold a ticket. Answered with the [`WalletTicket`];
/// repeated by the same phone, with the same.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimRequest {
    /// The token of the ticket's link, `lxt_…`.
    pub token: String,
    /// What the organiser shall see this phone as, e.g. `Zoë's phone` (1 to 80 characters).
    pub phone_name: String,
}

impl fmt::Debug for ClaimRequest {
    /// Without the token, which is the ticket.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimRequest").finish_non_exhaustive()
    }
}

/// A ticket as its holder's phone knows it. Secret as a whole: whoever has it is let in.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WalletTicket {
    /// The ticket.
    pub ticket_id: TicketId,
    /// What it is for.
    pub event: WalletEvent,
    /// What kind of ticket it is, e.g. `Weekend pass`.
    pub type_name: String,
    /// Who holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendee_name: Option<String>,
    /// Where it stands.
    #[serde(default)]
    pub status: TicketStatus,
    /// How many people it admits.
    pub admits: u16,
    /// Not good before this moment (UTC milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<i64>,
    /// Not good from this moment on (UTC milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<i64>,
    /// The text of its printed QR code.
    pub code: String,
    /// For typing in where no QR code can be read.
    pub manual_code: String,
    /// When the printed and the live code stop being good (UTC milliseconds); none if never by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_expires_at: Option<i64>,
    /// Live codes.
    pub live: WalletLive,
    /// A transfer link is out and can be used until then (UTC milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_pending_until: Option<i64>,
}

impl fmt::Debug for WalletTicket {
    /// Without codes, keys and the holder's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WalletTicket")
            .field("ticket_id", &self.ticket_id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The event of a ticket, as its holder needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WalletEvent {
    /// The event.
    pub event_id: EventId,
    /// Its name.
    pub name: String,
    /// When it starts (UTC milliseconds).
    pub starts_at: i64,
    /// When it ends (UTC milliseconds).
    pub ends_at: i64,
    /// IANA time zone name in which people read its times.
    pub time_zone: String,
}

/// What a phone needs to know to show live codes of a ticket.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WalletLive {
    /// Whether a phone has activated live codes for the ticket.
    pub activated: bool,
    /// How long a live code is good after it was minted, in seconds (1 to 86 400).
    pub ttl_seconds: u32,
    /// What happens to it after that.
    #[serde(default)]
    pub ttl_effect: TtlEffect,
    /// Whether doors take the printed code.
    #[serde(default)]
    pub printed: PrintedPolicy,
    /// What live codes are minted from. Only once they are activated, and not for a ticket that is
    /// cancelled or revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<LiveBase>,
}

/// The answer to `GET /v1/wallet/tickets`: everything this phone holds at this server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WalletTickets {
    /// The tickets, at most [`MAX_TICKETS`].
    pub tickets: Vec<WalletTicket>,
    /// When the server answered (UTC milliseconds).
    pub server_ms: i64,
}

/// The most tickets of one server that one phone can hold.
pub const MAX_TICKETS: usize = 200;

/// The answer to `POST /v1/wallet/tickets/{ticket_id}/transfer`: the link for the other person. It works
/// once. While it is good, the same call answers with the same link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransferLink {
    /// The link. Secret until it is used: whoever opens it first gets the ticket.
    pub url: String,
    /// Until when it can be used (UTC milliseconds).
    pub expires_at: i64,
}

impl fmt::Debug for TransferLink {
    /// Without the link.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransferLink").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The answer to `DELETE /v1/wallet/tickets/{ticket_id}`: this phone no longer holds the ticket, whether
/// or not it did before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Released {
    /// The ticket.
    pub ticket_id: TicketId,
}
