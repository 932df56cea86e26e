//! What mails are made of.

use liventix_core::ids::OrganiserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::coded::coded;
use crate::platform::ids::EmailId;

coded! {
    /// Where a mail stands.
    EmailStatus {
        /// It waits to be sent, for the first time or again.
        Queued = "queued",
        /// A provider is being asked to take it.
        Sending = "sending",
        /// A provider has taken it.
        Sent = "sent",
        /// No provider took it: it is a dead letter.
        Failed = "failed",
    }
}

/// A mail to be sent.
#[derive(Debug, Clone)]
pub(crate) struct NewEmail {
    /// Whose buyers get it; none: it is the installation's own.
    pub(crate) organiser_id: Option<OrganiserId>,
    /// What it tells.
    pub(crate) kind: &'static str,
    /// Of what: ids rather than copies, no secrets.
    pub(crate) payload: serde_json::Value,
    /// What it is written for: with one key, one mail.
    pub(crate) dedupe_key: String,
    pub(crate) to_name: String,
    pub(crate) to_address: String,
}

/// A mail.
#[derive(Debug, Clone)]
pub(crate) struct Email {
    pub(crate) email_id: EmailId,
    pub(crate) kind: String,
    pub(crate) payload: serde_json::Value,
    pub(crate) to_name: String,
    pub(crate) to_address: String,
    pub(crate) status: EmailStatus,
    pub(crate) subject: Option<String>,
    pub(crate) sealed_content: Option<Vec<u8>>,
    pub(crate) tries: i64,
    pub(crate) provider: Option<String>,
    pub(crate) provider_id: Option<String>,
    pub(crate) failure: Option<String>,
    pub(crate) may_have_come_twice: bool,
    pub(crate) created_at: i64,
    pub(crate) sent_at: Option<i64>,
}

/// A mail, as whoever runs the installation sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EmailView {
    /// Its id.
    pub email_id: EmailId,
    /// What it tells: `order_paid`, `test`.
    pub kind: String,
    /// To whom.
    pub to_address: String,
    /// Where it stands.
    pub status: EmailStatus,
    /// Its subject, once it was composed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How often a provider was asked to take it.
    pub tries: i64,
    /// Who was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// What they call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Why the last try did not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Whether it may have come twice: a try ended without an answer at a provider that cannot tell whether it has it.
    pub may_have_come_twice: bool,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// When a provider took it (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<i64>,
}

impl From<Email> for EmailView {
    fn from(email: Email) -> Self {
        Self {
            email_id: email.email_id,
            kind: email.kind,
            to_address: email.to_address,
            status: email.status,
            subject: email.subject,
            tries: email.tries,
            provider: email.provider,
            provider_id: email.provider_id,
            failure: email.failure,
            may_have_come_twice: email.may_have_come_twice,
            created_at: email.created_at,
            sent_at: email.sent_at,
        }
    }
}

/// A wish for a mail that says that mails work.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestRequest {
    /// To whom.
    pub to: String,
}
