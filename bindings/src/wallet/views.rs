//! What a wallet hands out.

use std::time::{Duration, SystemTime};

use liventix_core::rules::TicketStatus;
use liventix_core::wallet::wire::TransferPolicy;
use liventix_core::wallet::{self, HeldTicket};

use super::{Tickets, WalletError};
use crate::convert::{duration, time};

/// A ticket on this phone. Its codes come from [`super::Wallet::live_code`] and
/// [`super::Wallet::printed_code`].
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WalletTicket {
    /// The ticket.
    pub ticket_id: String,
    /// The server that it is from.
    pub server_url: String,
    /// The event.
    pub event_id: String,
    /// Its name.
    pub event_name: String,
    /// When it starts.
    pub starts_at: SystemTime,
    /// When it ends.
    pub ends_at: SystemTime,
    /// IANA name of the time zone in which people read its times.
    pub time_zone: String,
    /// What kind of ticket it is, e.g. `Weekend pass`.
    pub type_name: String,
    /// Who holds it.
    pub attendee_name: Option<String>,
    /// Where it stands.
    pub status: TicketStatus,
    /// How many people it admits.
    pub admits: u16,
    /// Not good before this moment.
    pub valid_from: Option<SystemTime>,
    /// Not good from this moment on.
    pub valid_until: Option<SystemTime>,
    /// When its codes stop being good; none if never by themselves.
    pub code_expires_at: Option<SystemTime>,
    /// Whether a phone has activated live codes for it, this one or another.
    pub live_activated: bool,
    /// Whether this phone can mint live codes, with or without a network.
    pub can_mint: bool,
    /// Whether doors take the printed code, as far as this phone knows.
    pub printed_accepted: bool,
    /// How long a live code is good after it was minted.
    pub live_ttl: Duration,
    /// Whether its holder may hand it on, as far as the organiser's rules go.
    pub transferable: bool,
    /// A transfer link is out and can be claimed until then.
    pub transfer_until: Option<SystemTime>,
    /// The server no longer counts this phone as its holder: it was reissued, handed on, or freed. Its codes
    /// may be refused.
    pub gone: bool,
    /// When the server last told of it (server time).
    pub refreshed_at: SystemTime,
}

impl WalletTicket {
    pub(super) fn of(tickets: &Tickets, held: HeldTicket) -> Result<Self, WalletError> {
        let ticket = held.ticket;
        let printed = tickets.printed_code(ticket.ticket_id)?;
        Ok(Self {
            ticket_id: ticket.ticket_id.to_string(),
            server_url: held.server_url,
            event_id: ticket.event.event_id.to_string(),
            event_name: ticket.event.name,
            starts_at: time(ticket.event.starts_at),
            ends_at: time(ticket.event.ends_at),
            time_zone: ticket.event.time_zone,
            type_name: ticket.type_name,
            attendee_name: ticket.attendee_name,
            status: ticket.status,
            admits: ticket.admits,
            valid_from: ticket.valid_from.map(time),
            valid_until: ticket.valid_until.map(time),
            code_expires_at: ticket.code_expires_at.map(time),
            live_activated: ticket.live.activated,
            can_mint: ticket.live.base.is_some(),
            printed_accepted: printed.accepted,
            live_ttl: Duration::from_secs(u64::from(ticket.live.ttl_seconds)),
            transferable: ticket.transfer == TransferPolicy::Allowed,
            transfer_until: ticket.transfer_pending_until.map(time),
            gone: held.gone,
            refreshed_at: time(held.refreshed_at),
        })
    }
}

/// A live code, to be shown as a QR code until it is renewed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LiveCode {
    /// The text of the QR code.
    pub text: String,
    /// When it was minted (server time).
    pub minted_at: SystemTime,
    /// When to show the next one (server time).
    pub refresh_at: SystemTime,
    /// The same as a pause from now: for phones whose own clock is wrong.
    pub refresh_in: Duration,
    /// Doors take it until then (server time).
    pub good_until: SystemTime,
    /// How far the time it was minted by may be off, either way. None: the server's time is not known here,
    /// and the phone's own clock was used; if that is wrong, doors refuse the code until a refresh.
    pub clock_error: Option<Duration>,
}

impl From<wallet::LiveCode> for LiveCode {
    fn from(code: wallet::LiveCode) -> Self {
        Self {
            text: code.text,
            minted_at: time(code.minted_at),
            refresh_at: time(code.refresh_at),
            refresh_in: duration(code.refresh_in_ms),
            good_until: time(code.good_until),
            clock_error: code.error_ms.map(duration),
        }
    }
}

/// The code that stays the same: for paper, and for sharing a screen.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PrintedCode {
    /// The text of the QR code.
    pub text: String,
    /// For typing in where no QR code can be read.
    pub manual_code: String,
    /// Whether doors take it, as far as this phone knows.
    pub accepted: bool,
}

impl From<wallet::PrintedCode> for PrintedCode {
    fn from(code: wallet::PrintedCode) -> Self {
        Self { text: code.text, manual_code: code.manual_code, accepted: code.accepted }
    }
}

/// What a refresh found.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RefreshReport {
    /// Tickets that are new or have changed.
    pub updated: Vec<String>,
    /// Tickets that their server no longer counts as this phone's, found out now.
    pub gone: Vec<String>,
    /// Servers that could not be asked. Their tickets are as they were.
    pub failed: Vec<RefreshFailure>,
}

/// A server that could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RefreshFailure {
    /// The server.
    pub server_url: String,
    /// The stable code of the cause, e.g. `offline`.
    pub code: String,
    /// For people.
    pub detail: String,
}

impl From<wallet::RefreshReport> for RefreshReport {
    fn from(report: wallet::RefreshReport) -> Self {
        let failed = report.failed.into_iter().map(|failure| RefreshFailure {
            server_url: failure.server_url,
            code: failure.error.code().to_owned(),
            detail: failure.error.to_string(),
        });
        Self {
            updated: report.updated.iter().map(ToString::to_string).collect(),
            gone: report.gone.iter().map(ToString::to_string).collect(),
            failed: failed.collect(),
        }
    }
}

/// A link that hands a ticket to another person. Secret until it is claimed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TransferOffer {
    /// The link, to share.
    pub link: String,
    /// Until when it can be claimed.
    pub expires_at: SystemTime,
}

impl From<wallet::TransferOffer> for TransferOffer {
    fn from(offer: wallet::TransferOffer) -> Self {
        Self { link: offer.url, expires_at: time(offer.expires_at) }
    }
}
