//! What a registrar hands out.

use std::time::SystemTime;

use liventix_core::push::wire::{PushCategory, PushPayload};
use liventix_core::push::{self, RefusalReason, RegistrationState, Trouble};

use super::PermissionAsk;
use crate::convert::time;

/// Where it stands, at every server that tickets on this phone are from.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PushStatus {
    /// The worst of all servers: failed, then pending, then refresh needed. Unregistered if no messages are
    /// wanted, or there is nobody to get them from.
    pub state: RegistrationState,
    /// Each server.
    pub servers: Vec<ServerRegistration>,
    /// When [`super::PushRegistrar::run`] has something to do next (the phone's clock): for the app's background
    /// task. None if there is nothing to do.
    pub due_at: Option<SystemTime>,
    /// How many receipts wait for a network.
    pub receipts_waiting: u64,
}

impl From<push::PushStatus> for PushStatus {
    fn from(status: push::PushStatus) -> Self {
        Self {
            state: status.state,
            servers: status.servers.into_iter().map(Into::into).collect(),
            due_at: status.due_at.map(time),
            receipts_waiting: u64::try_from(status.receipts_waiting).unwrap_or(u64::MAX),
        }
    }
}

/// Where it stands with one server.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ServerRegistration {
    /// The server.
    pub server_url: String,
    /// Where it stands.
    pub state: RegistrationState,
    /// Why the last round failed, if it did.
    pub trouble: Option<RegistrationTrouble>,
    /// Trying again cannot help: the token was refused.
    pub is_given_up: bool,
    /// When the next round is due (the phone's clock); none if there is nothing to do.
    pub due_at: Option<SystemTime>,
}

impl From<push::ServerRegistration> for ServerRegistration {
    fn from(server: push::ServerRegistration) -> Self {
        Self {
            server_url: server.server_url,
            state: server.state,
            trouble: server.trouble.map(Into::into),
            is_given_up: server.is_given_up,
            due_at: server.due_at.map(time),
        }
    }
}

/// Why a round failed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RegistrationTrouble {
    /// The stable code of the cause, e.g. `offline`.
    pub code: String,
    /// For people.
    pub detail: String,
    /// When it failed (the phone's clock).
    pub at: SystemTime,
}

impl From<Trouble> for RegistrationTrouble {
    fn from(trouble: Trouble) -> Self {
        Self { code: trouble.code, detail: trouble.detail, at: time(trouble.at) }
    }
}

/// What the app shows of notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct PermissionAdvice {
    /// Whether messages are shown at all; where not, the app shows *Enable notifications*.
    pub is_on: bool,
    /// What happens where somebody taps *Enable notifications*, however long ago they were asked; none where all
    /// is on.
    pub on_tap: Option<PermissionAsk>,
    /// How the app may ask by itself now; not at all if this is none.
    pub prompt: Option<PermissionAsk>,
    /// When it may ask by itself again (the phone's clock), if it may not now and ever would.
    pub prompt_at: Option<SystemTime>,
}

impl From<push::PermissionAdvice> for PermissionAdvice {
    fn from(advice: push::PermissionAdvice) -> Self {
        Self {
            is_on: advice.is_on,
            on_tap: advice.on_tap,
            prompt: advice.prompt,
            prompt_at: advice.prompt_at.map(time),
        }
    }
}

/// What happened when the app asked.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PromptHistory {
    /// When the app last asked by itself (the phone's clock); none if it never did.
    pub prompted_at: Option<SystemTime>,
    /// Refusals, the oldest first; the newest 24 of them.
    pub refusals: Vec<Refusal>,
}

impl From<push::PromptHistory> for PromptHistory {
    fn from(history: push::PromptHistory) -> Self {
        Self {
            prompted_at: history.prompted_at.map(time),
            refusals: history.refusals.into_iter().map(Into::into).collect(),
        }
    }
}

/// Somebody said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Refusal {
    /// When (the phone's clock).
    pub at: SystemTime,
    /// Why.
    pub reason: RefusalReason,
}

impl From<push::Refusal> for Refusal {
    fn from(refusal: push::Refusal) -> Self {
        Self { at: time(refusal.at), reason: refusal.reason }
    }
}

/// What a message carries for the app, beside its words.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PushMessage {
    /// The message.
    pub message_id: String,
    /// The server that sent it.
    pub server_url: String,
    /// What it tells, such as `event_changed`. There may be more of them in time.
    pub kind: String,
    /// What it is about; none for a test.
    pub category: Option<PushCategory>,
    /// The event that it is about.
    pub event_id: Option<String>,
    /// The ticket that it is about.
    pub ticket_id: Option<String>,
}

impl From<PushPayload> for PushMessage {
    fn from(payload: PushPayload) -> Self {
        Self {
            message_id: payload.message_id.to_string(),
            server_url: payload.server_url,
            kind: payload.kind,
            category: payload.category,
            event_id: payload.event_id.map(|id| id.to_string()),
            ticket_id: payload.ticket_id.map(|id| id.to_string()),
        }
    }
}
