//! Why a wallet could not do something, and what the attendee can do about it.

use std::time::Duration;

use super::link::ClaimLinkError;
use crate::ids::TicketId;
use crate::rules::TicketStatus;
use crate::sync::call::CallError;
use crate::sync::secrets::SecretError;
use crate::sync::transport::TransportError;

/// Why a wallet could not do something. No ticket is lost by any of these.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The text is not a ticket link.
    #[error(transparent)]
    Link(#[from] ClaimLinkError),
    /// The name of the phone cannot be used.
    #[error("the phone's name must be one line of 1 to 80 characters")]
    PhoneName,
    /// The server was not reached.
    #[error(
        "the server was not reached ({detail}). Tickets on this phone stay good; try again with a network"
    )]
    Offline {
        /// The cause, for the log.
        detail: String,
    },
    /// The server did not answer in time.
    #[error("the server did not answer in time. Tickets on this phone stay good; try again")]
    Timeout,
    /// The connection broke off in the middle.
    #[error("the connection broke off: {detail}. Try again: nothing is done twice")]
    Interrupted {
        /// The cause, for the log.
        detail: String,
    },
    /// Something between the phone and the server answered in its place.
    #[error(
        "the network answered with a page of its own: sign in to the Wi-Fi, or use mobile data, and try again"
    )]
    Intercepted,
    /// The server's certificate was not accepted.
    #[error("no secure connection ({detail}): check the phone's date and the network")]
    Tls {
        /// The cause, for the log.
        detail: String,
    },
    /// The server asks to slow down.
    #[error("the server is busy: try again in a moment")]
    Busy {
        /// When it will listen again.
        retry_after: Option<Duration>,
    },
    /// The server failed.
    #[error("the server failed (status {status}, {code}). Tickets on this phone stay good; try again later")]
    Server {
        /// The HTTP status.
        status: u16,
        /// The server's code.
        code: String,
        /// When it will listen again.
        retry_after: Option<Duration>,
    },
    /// The server does not know the link.
    #[error(
        "the server does not know this link: copy the whole link from the mail, or ask the organiser for it"
    )]
    LinkUnknown,
    /// A transfer link that somebody used or took back, or a link of earlier codes of the ticket.
    #[error("this link was used, taken back or replaced: ask whoever sent it for a new one")]
    LinkUsed,
    /// A transfer link that came too late.
    #[error("this link has expired: ask for a new one")]
    LinkExpired,
    /// The ticket is on as many phones as it may be.
    #[error("the ticket is on another phone: release it there, or ask the organiser to free it")]
    AlreadyClaimed,
    /// The server says that this phone does not hold the ticket.
    #[error("this phone does not hold the ticket any more: open its link again, or ask the organiser")]
    NotHeld,
    /// The organiser does not let tickets of this event change hands.
    #[error("the organiser does not allow transfers of this ticket: ask them")]
    TransferRefused,
    /// Somebody entered with the ticket.
    #[error("somebody has entered with this ticket: it can no longer change hands")]
    TicketUsed,
    /// The ticket is cancelled, revoked, or not paid.
    #[error("the ticket is not good ({}): ask the organiser", status_words(*.status))]
    TicketNotValid {
        /// Where it stands, if this phone knows.
        status: Option<TicketStatus>,
    },
    /// There is no such ticket in this wallet.
    #[error("this wallet does not hold ticket {ticket_id}: claim it by its link first")]
    TicketUnknown {
        /// The ticket.
        ticket_id: TicketId,
    },
    /// The ticket's entry in the secret store cannot be read.
    #[error("ticket {ticket_id} is damaged on this phone: refresh the wallet with a network to get it again")]
    TicketDamaged {
        /// The ticket.
        ticket_id: TicketId,
    },
    /// Another server claims to have issued a ticket that is in the wallet.
    #[error(
        "this wallet holds the ticket from {server_url}: forget that one first, if this link is the right one"
    )]
    OtherServer {
        /// The server that the ticket in the wallet is from.
        server_url: String,
    },
    /// Live codes were not activated on this phone.
    #[error("live codes are not active for this ticket: activate them once, with a network")]
    NotActivated,
    /// The wallet's own token is gone from the secret store.
    #[error(
        "this phone has lost its wallet identity at that server: tickets on it stay good. To change them, have the organiser \
         free them and open their links again"
    )]
    IdentityLost,
    /// The server does not know this wallet's token.
    #[error("the server does not know this wallet ({code}): open the ticket's link again")]
    Unauthorized {
        /// The server's code.
        code: String,
    },
    /// The server refused the request.
    #[error("the server refused ({code}): {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's code.
        code: String,
        /// The server's words.
        detail: String,
    },
    /// The answer is not what the protocol says.
    #[error(
        "the server's answer to {call} is not understood: {detail}. Try again; if it stays, update this app"
    )]
    Protocol {
        /// Which call.
        call: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The server wants a newer app.
    #[error("the server speaks a newer protocol: update this app. Tickets on this phone stay good")]
    NewerProtocol,
    /// The secret store failed.
    #[error(transparent)]
    Secrets(#[from] SecretError),
}

const fn status_words(status: Option<TicketStatus>) -> &'static str {
    match status {
        Some(TicketStatus::Unpaid) => "not paid",
        Some(TicketStatus::Cancelled) => "cancelled",
        Some(TicketStatus::Revoked) => "revoked",
        Some(TicketStatus::Valid) | None => "see its status",
    }
}

impl WalletError {
    /// The stable code that programs branch on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Link(error) => error.code(),
            Self::PhoneName => "phone_name_invalid",
            Self::Offline { .. } => "offline",
            Self::Timeout => "timeout",
            Self::Interrupted { .. } => "interrupted",
            Self::Intercepted => "intercepted",
            Self::Tls { .. } => "tls",
            Self::Busy { .. } => "busy",
            Self::Server { .. } => "server_error",
            Self::LinkUnknown => "link_unknown",
            Self::LinkUsed => "link_used",
            Self::LinkExpired => "link_expired",
            Self::AlreadyClaimed => "already_claimed",
            Self::NotHeld => "not_held",
            Self::TransferRefused => "transfer_refused",
            Self::TicketUsed => "ticket_used",
            Self::TicketNotValid { .. } => "ticket_not_valid",
            Self::TicketUnknown { .. } => "ticket_unknown",
            Self::TicketDamaged { .. } => "ticket_damaged",
            Self::OtherServer { .. } => "other_server",
            Self::NotActivated => "not_activated",
            Self::IdentityLost => "identity_lost",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Refused { .. } => "refused",
            Self::Protocol { .. } => "protocol",
            Self::NewerProtocol => "newer_protocol",
            Self::Secrets(_) => "secrets",
        }
    }

    /// Whether trying again later, unattended, makes sense: everything that a better network or a
    /// repaired server cures. The rest needs a person.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Offline { .. }
                | Self::Timeout
                | Self::Interrupted { .. }
                | Self::Intercepted
                | Self::Tls { .. }
                | Self::Busy { .. }
                | Self::Server { .. }
                | Self::Protocol { .. }
        )
    }

    /// What a refusal of the server means.
    fn of_refusal(status: u16, code: String, detail: String) -> Self {
        match code.as_str() {
            "link_unknown" => Self::LinkUnknown,
            "link_used" => Self::LinkUsed,
            "link_expired" => Self::LinkExpired,
            "already_claimed" => Self::AlreadyClaimed,
            "ticket_not_found" => Self::NotHeld,
            "transfer_refused" => Self::TransferRefused,
            "ticket_used" => Self::TicketUsed,
            "ticket_not_valid" => Self::TicketNotValid { status: None },
            _ if status == 401 => Self::Unauthorized { code },
            _ => Self::Refused { status, code, detail },
        }
    }
}

impl From<CallError> for WalletError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Offline { detail } => Self::Offline { detail },
            CallError::Timeout => Self::Timeout,
            CallError::Interrupted { detail } => Self::Interrupted { detail },
            CallError::Intercepted => Self::Intercepted,
            CallError::Tls { detail } => Self::Tls { detail },
            CallError::Refused { status, code, detail } => Self::of_refusal(status, code, detail),
            CallError::Busy { retry_after } => Self::Busy { retry_after },
            CallError::Server { status, code, retry_after } => Self::Server { status, code, retry_after },
            CallError::Protocol { call, detail } => Self::Protocol { call, detail },
            CallError::NewerProtocol => Self::NewerProtocol,
        }
    }
}

impl From<TransportError> for WalletError {
    fn from(error: TransportError) -> Self {
        CallError::from(error).into()
    }
}
