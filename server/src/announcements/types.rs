//! What callers send and get.

use liventix_core::ids::{EventId, OrganiserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::ids::AnnouncementId;

/// Something to be written to the buyers of an event.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAnnouncement {
    /// What it is about (1 to 150 characters).
    pub subject: String,
    /// What it says, as plain text (1 to 10,000 characters).
    pub body: String,
}

/// Something that was written to them.
#[derive(Debug, Clone)]
pub(crate) struct Announcement {
    pub(crate) announcement_id: AnnouncementId,
    pub(crate) organiser_id: OrganiserId,
    pub(crate) event_id: EventId,
    pub(crate) subject: String,
    pub(crate) body: String,
    pub(crate) written_by: String,
    pub(crate) created_at: i64,
}

/// Something that was written to the buyers of an event, and how far it has come.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AnnouncementView {
    /// Its id.
    pub announcement_id: AnnouncementId,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub body: String,
    /// Who wrote it.
    pub written_by: String,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// Mails that wait to be sent.
    pub waiting: i64,
    /// Mails that were sent.
    pub sent: i64,
    /// Mails that nobody took.
    pub failed: i64,
    /// Mails that do not go: to addresses that take none, or that want none.
    pub withheld: i64,
}
