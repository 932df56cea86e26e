//! What callers send and get.

use liventix_core::ids::{EventId, OrganiserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::auth::WalletId;
use crate::platform::coded::coded;
use crate::platform::ids::CampaignId;
use crate::push::recipients::Segment;

coded! {
    /// Where a campaign stands.
    CampaignStatus {
        /// It goes through its attendees, as fast as its limit allows.
        Running = "running",
        /// Nothing more goes until it is told to go on.
        Paused = "paused",
        /// It was called off: nothing more goes.
        Cancelled = "cancelled",
        /// It has come to everybody.
        Done = "done",
    }
}

impl CampaignStatus {
    /// Whether nothing changes any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Cancelled | Self::Done)
    }
}

/// Something to tell the phones of an event's attendees.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCampaign {
    /// One line (1 to 100 characters).
    pub title: String,
    /// What stands below it (1 to 500 characters).
    pub body: String,
    /// Whom it is for; everybody, if it does not say.
    #[serde(default)]
    pub segment: Segment,
    /// Nothing of it goes from this time on (UTC milliseconds), within 28 days; by default when the event is over, or a day from
    /// now.
    #[serde(default)]
    pub expires_at: Option<i64>,
}

/// A campaign.
#[derive(Debug, Clone)]
pub(super) struct Campaign {
    pub(super) campaign_id: CampaignId,
    pub(super) organiser_id: OrganiserId,
    pub(super) event_id: EventId,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) segment: Segment,
    pub(super) status: CampaignStatus,
    pub(super) recipients: i64,
    pub(super) after: Option<WalletId>,
    pub(super) written_by: String,
    pub(super) created_at: i64,
    pub(super) expires_at: i64,
    pub(super) waits_until: Option<i64>,
    pub(super) ended_at: Option<i64>,
}

/// What became of a campaign's messages so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Progress {
    /// Those that wait: for quiet hours to end, for their person's limit, or to be tried again.
    pub waiting: i64,
    /// Those that a service took.
    pub sent: i64,
    /// Of these, the ones that phones say they have.
    pub delivered: i64,
    /// And the ones that somebody opened.
    pub opened: i64,
    /// Those that no service took.
    pub failed: i64,
    /// Those that do not go: nobody wants them, or there is no phone any more, or the campaign was called off.
    pub withheld: i64,
    /// Those that another message told together with itself.
    pub grouped: i64,
}

/// A campaign, as its organiser sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CampaignView {
    /// Its id.
    pub campaign_id: CampaignId,
    /// The event whose attendees it is for.
    pub event_id: EventId,
    /// Its first line.
    pub title: String,
    /// What stands below it.
    pub body: String,
    /// Whom it is for.
    pub segment: Segment,
    /// Where it stands.
    pub status: CampaignStatus,
    /// How many phones it was for when it began.
    pub recipients: i64,
    /// What became of its messages so far.
    pub progress: Progress,
    /// When it goes on, where its limit makes it wait (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<i64>,
    /// How many of it go in any hour.
    pub per_hour: u32,
    /// Who wrote it.
    pub written_by: String,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// Nothing of it goes from this time on (UTC milliseconds).
    pub expires_at: i64,
    /// When it was over (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<i64>,
}

impl Campaign {
    pub(super) fn view(self, progress: Progress, per_hour: u32) -> CampaignView {
        CampaignView {
            campaign_id: self.campaign_id,
            event_id: self.event_id,
            title: self.title,
            body: self.body,
            segment: self.segment,
            status: self.status,
            recipients: self.recipients,
            progress,
            waits_until: self.waits_until.filter(|_| self.status == CampaignStatus::Running),
            per_hour,
            written_by: self.written_by,
            created_at: self.created_at,
            expires_at: self.expires_at,
            ended_at: self.ended_at,
        }
    }
}
