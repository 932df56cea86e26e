//! What advertising is made of.

use liventix_core::ids::{EventId, LedgerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::coded::coded;
use crate::platform::ids::{AdCampaignId, CreativeId};
use crate::pricing::Currency;

/// What brings people to an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdCampaignView {
    /// Its id.
    pub ad_campaign_id: AdCampaignId,
    /// The event.
    pub event_id: EventId,
    /// Its name.
    pub name: String,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
}

/// One of the things that a campaign shows: a picture, a text, a link in a newsletter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CreativeView {
    /// Its id.
    pub creative_id: CreativeId,
    /// The campaign.
    pub ad_campaign_id: AdCampaignId,
    /// Its name.
    pub name: String,
    /// Where it leads: the shop's page, which remembers what brought the buyer.
    pub url: String,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
}

/// A request for a campaign or a creative.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its name (1 to 120 characters).
    pub name: String,
}

/// What a creative cost on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Spend {
    /// How much, in minor units: what was told of this day before is replaced.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

/// What a creative cost on a day, as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpendView {
    /// The creative.
    pub creative_id: CreativeId,
    /// The day, in the event's time zone.
    pub day: String,
    /// How much, in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

coded! {
    /// What somebody did.
    AdEventKind {
        /// They saw it.
        Impression = "impression",
        /// They followed it.
        Click = "click",
    }
}

/// Somebody saw a creative, or followed it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdEvent {
    /// Its id (UUID), the same each time that it is told: it counts once.
    #[schema(value_type = String, format = "uuid")]
    pub id: LedgerId,
    /// What they did.
    pub kind: AdEventKind,
    /// What they saw.
    pub creative_id: CreativeId,
    /// When (UTC milliseconds): in the last seven days.
    pub at: i64,
    /// Who it was, in any form that is no name (up to 200 characters): they count once in a minute. Kept as a hash only.
    #[serde(default)]
    pub visitor: Option<String>,
    /// The browser's `User-Agent`: programs do not count. Not kept.
    #[serde(default)]
    pub user_agent: Option<String>,
}

/// Several of them.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdEvents {
    /// 1 to 500.
    pub events: Vec<AdEvent>,
}

/// What came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdEventsTaken {
    /// These count.
    pub counted: u32,
    /// These were told before.
    pub duplicates: u32,
    /// These were the same visitor's in the same minute.
    pub repeated: u32,
    /// These were programs'.
    pub bots: u32,
    /// These are of more than seven days ago, or of the future.
    pub out_of_time: u32,
    /// These are of no creative of yours.
    pub unknown: u32,
}
