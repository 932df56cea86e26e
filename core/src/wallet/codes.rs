//! What a phone shows at the door.

use std::fmt;

use super::error::WalletError;
use super::store::HeldTicket;
use super::wire::WalletTicket;
use crate::clock::TimeReading;
use crate::rules::{PrintedPolicy, TicketStatus};

/// A live code is renewed at least this often (milliseconds), however long it would be good: a
/// photograph of it is worth little by then.
const MAX_REFRESH_MS: i64 = 60_000;

/// A live code, to be shown as a QR code until it is renewed.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveCode {
    /// The text of the QR code.
    pub text: String,
    /// When it was minted (server time, UTC milliseconds, whole seconds).
    pub minted_at: i64,
    /// When to show the next one (server time, UTC milliseconds).
    pub refresh_at: i64,
    /// The same as a pause from now (milliseconds, at least 250): for phones whose own clock is wrong.
    pub refresh_in_ms: i64,
    /// Doors take it until then (server time, UTC milliseconds).
    pub good_until: i64,
    /// How far the time it was minted by may be off, either way (milliseconds). None: the server's time
    /// is not known here, and the phone's own clock was used. If that is wrong, doors refuse the code:
    /// refresh with a network.
    pub error_ms: Option<i64>,
}

impl fmt::Debug for LiveCode {
    /// Without the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveCode")
            .field("minted_at", &self.minted_at)
            .field("refresh_at", &self.refresh_at)
            .field("good_until", &self.good_until)
            .field("error_ms", &self.error_ms)
            .finish_non_exhaustive()
    }
}

/// The code that stays the same: for paper, and for sharing a screen. There is no live key in it.
#[derive(Clone, PartialEq, Eq)]
pub struct PrintedCode {
    /// The text of the QR code.
    pub text: String,
    /// For typing in where no QR code can be read.
    pub manual_code: String,
    /// Whether doors take it, as far as this phone knows: not where they want live codes, and not for a
    /// ticket that is not good.
    pub accepted: bool,
}

impl fmt::Debug for PrintedCode {
    /// Without the codes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrintedCode").field("accepted", &self.accepted).finish_non_exhaustive()
    }
}

/// Mints a live code at `time`.
pub(super) fn live(held: &HeldTicket, time: &TimeReading) -> Result<LiveCode, WalletError> {
    let ticket = &held.ticket;
    if matches!(ticket.status, TicketStatus::Cancelled | TicketStatus::Revoked) {
        return Err(WalletError::TicketNotValid { status: Some(ticket.status) });
    }
    let base = ticket.live.base.as_ref().ok_or(WalletError::NotActivated)?;
    let now = time.now();
    let minted_at = now.max(0) / 1_000 * 1_000;
    let ttl_ms = i64::from(ticket.live.ttl_seconds) * 1_000;
    let refresh_at = minted_at + (ttl_ms / 2).min(MAX_REFRESH_MS);
    Ok(LiveCode {
        text: base.mint(minted_at).text(),
        minted_at,
        refresh_at,
        refresh_in_ms: refresh_at.saturating_sub(now).clamp(250, MAX_REFRESH_MS),
        good_until: minted_at + ttl_ms,
        error_ms: time.error_ms,
    })
}

/// The printed code, and whether doors take it at `now` (server time, UTC milliseconds).
pub(super) fn printed(ticket: &WalletTicket, now: i64) -> PrintedCode {
    let live_only = match ticket.live.printed {
        PrintedPolicy::Allowed => false,
        PrintedPolicy::UntilLiveActivated => ticket.live.activated,
        PrintedPolicy::Refused => true,
    };
    let expired = ticket.code_expires_at.is_some_and(|at| at <= now);
    PrintedCode {
        text: ticket.code.clone(),
        manual_code: ticket.manual_code.clone(),
        accepted: ticket.status == TicketStatus::Valid && !live_only && !expired,
    }
}
