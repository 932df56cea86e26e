//! What wallets and server say to each other. One definition, compiled into both.
//!
//! JSON over HTTP like the sync protocol: times are UTC milliseconds, ids UUID text, unknown fields ignored.
//! Every call carries the wallet's own token, `lxw_<wallet id>_<secret>`, as bearer; the phone makes it.

use serde::{Deserialize, Serialize};

use crate::ids::{EventId, TicketId};
use crate::rules::{PrintedPolicy, TicketStatus, TtlEffect};
use crate::ticket::LiveBase;

/// The longest name of a phone, in characters.
pub const MAX_PHONE_NAME: usize = 80;

/// How many phones may hold a ticket at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClaimPolicy {
    /// One. It may claim again; another may once this one let go of it.
    #[default]
    Once,
    /// Several, for families that share a ticket.
    Several {
        /// How many (2 to 10).
        max_phones: u8,
    },
}

impl ClaimPolicy {
    /// The most phones.
    #[must_use]
    pub const fn max_phones(self) -> u8 {
        match self {
            Self::Once => 1,
            Self::Several { max_phones } => max_phones,
        }
    }
}

/// Whether attendees may hand their ticket on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TransferPolicy {
    /// They may, until it was used.
    #[default]
    Allowed,
    /// They may not.
    Refused,
}

/// What attendees may do with the tickets of one event on their phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct WalletPolicy {
    /// How many phones may hold a ticket.
    pub claims: ClaimPolicy,
    /// Whether it may be handed on.
    pub transfer: TransferPolicy,
}

/// `POST /v1/wallet/claim`: a link becomes a ticket on this phone. The same wallet may ask again and gets
/// the same answer, so that a lost answer loses nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// The token of the link.
    pub token: String,
    /// What its owner calls the phone, e.g. `Ada's phone` (1 to 80 characters): for the organiser to tell
    /// them apart.
    pub phone_name: String,
}

impl std::fmt::Debug for ClaimRequest {
    /// Without the token, which is the ticket.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClaimRequest").field("phone_name", &self.phone_name).finish_non_exhaustive()
    }
}

/// The event of a ticket, as its holder sees it.
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

/// How a ticket's codes work at the doors.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WalletLive {
    /// Whether live codes were activated, on this phone or another.
    pub activated: bool,
    /// How long a live code is good after it was minted, in seconds.
    pub ttl_seconds: u32,
    /// What happens to it after that.
    pub ttl_effect: TtlEffect,
    /// Whether the doors take the printed code.
    pub printed: PrintedPolicy,
    /// What live codes are minted from, once activated. Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<LiveBase>,
}

/// A ticket as its holder's phone gets it: the answer to `POST /v1/wallet/claim`,
/// `POST /v1/wallet/tickets/{ticket_id}/activate` and `DELETE …/transfer`. Secret as a whole.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WalletTicket {
    /// The ticket.
    pub ticket_id: TicketId,
    /// Its event.
    pub event: WalletEvent,
    /// What people call its type.
    pub type_name: String,
    /// Who holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendee_name: Option<String>,
    /// Where it stands.
    pub status: TicketStatus,
    /// How many people it admits.
    pub admits: u16,
    /// Not before this time (UTC milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<i64>,
    /// Not from this time on (UTC milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<i64>,
    /// The text of its printed QR code.
    pub code: String,
    /// For typing in where a QR code cannot be read.
    pub manual_code: String,
    /// When the code stops being good (UTC milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_expires_at: Option<i64>,
    /// Its live codes.
    pub live: WalletLive,
    /// Whether its holder may hand it on.
    pub transfer: TransferPolicy,
    /// Until when somebody may claim the transfer that was offered (UTC milliseconds); none was offered if
    /// this is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_pending_until: Option<i64>,
}

impl std::fmt::Debug for WalletTicket {
    /// Without its codes and its holder.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WalletTicket")
            .field("ticket_id", &self.ticket_id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The answer to `GET /v1/wallet/tickets`: every ticket this wallet holds. One that is no longer in it was
/// handed on, freed by the organiser, or reissued to somebody else.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WalletTickets {
    /// The tickets, oldest claim first.
    pub tickets: Vec<WalletTicket>,
    /// The server's clock (UTC milliseconds).
    pub server_ms: i64,
}

/// The answer to `POST /v1/wallet/tickets/{ticket_id}/transfer`: a link for another person. Secret.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransferOffer {
    /// The link: whoever claims it first has the ticket, and the giver's codes stop working.
    pub url: String,
    /// Until when it can be claimed (UTC milliseconds).
    pub expires_at: i64,
}

impl std::fmt::Debug for TransferOffer {
    /// Without the link.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransferOffer").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
