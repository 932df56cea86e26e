//! What mails are made of.

use liventix_core::ids::{EventId, OrganiserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::coded::coded;
use crate::platform::ids::{CauseId, EmailId, OrderId};

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
        /// It does not go: the address takes no mail, or there is nothing to tell any more.
        Withheld = "withheld",
    }
}

coded! {
    /// What became of a mail that a provider took, as the provider tells. It only moves forward: to one further down.
    Delivery {
        /// It is on its way.
        Sent = "sent",
        /// The address's mail server does not take it now. The provider tries again.
        Delayed = "delayed",
        /// The address's mail server has it.
        Delivered = "delivered",
        /// The provider gave it up before it tried.
        Failed = "failed",
        /// The address's mail server refused it, or sent it back.
        Bounced = "bounced",
        /// Whoever got it called it spam.
        Complained = "complained",
    }
}

coded! {
    /// How soon a mail goes.
    Class {
        /// Somebody waits for it.
        Transactional = "transactional",
        /// It goes to many, when nobody waits for another one.
        Bulk = "bulk",
    }
}

/// A mail to be sent.
#[derive(Debug, Clone)]
pub(crate) struct NewEmail {
    /// Whose buyers get it; none: it is the installation's own.
    pub(crate) organiser_id: Option<OrganiserId>,
    /// What it tells.
    pub(crate) kind: &'static str,
    /// How soon it goes.
    pub(crate) class: Class,
    /// The event that it is about.
    pub(crate) event_id: Option<EventId>,
    /// The order that it is about.
    pub(crate) order_id: Option<OrderId>,
    /// What it is written for, together with others.
    pub(crate) cause_id: Option<CauseId>,
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
    pub(crate) delivery: Option<Delivery>,
    pub(crate) delivery_at: Option<i64>,
    pub(crate) delivery_detail: Option<String>,
    pub(crate) organiser_id: Option<OrganiserId>,
    pub(crate) class: Class,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) event_id: Option<EventId>,
    pub(crate) template: Option<String>,
}

/// A mail, as whoever runs the installation sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EmailView {
    /// Its id.
    pub email_id: EmailId,
    /// What it tells, such as `order_paid`.
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
    /// What became of it then, as far as the provider tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Since when (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_at: Option<i64>,
    /// What the address's mail server said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_detail: Option<String>,
    /// How soon it goes.
    pub class: Class,
    /// What it was written with, where an organiser has a text of their own: `version 3`, or why it was not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
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
            delivery: email.delivery,
            delivery_at: email.delivery_at,
            delivery_detail: email.delivery_detail,
            class: email.class,
            template: email.template,
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
