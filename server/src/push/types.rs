//! What push messages are made of.

use liventix_core::ids::{EventId, OrganiserId, PushDeviceId, PushMessageId, TicketId};
use liventix_core::push::wire::PushCategory;

use crate::platform::auth::WalletId;
use crate::platform::coded::coded;
use crate::platform::ids::CampaignId;

coded! {
    /// What a message tells.
    Kind {
        /// That messages arrive.
        Test = "test",
        /// That somebody's ticket is good now.
        TicketReady = "ticket_ready",
        /// That somebody else has their ticket now.
        TicketTransferred = "ticket_transferred",
        /// That money goes back for their ticket.
        TicketRefunded = "ticket_refunded",
        /// That an event has another name, time or place.
        EventChanged = "event_changed",
        /// That an event does not take place.
        EventCancelled = "event_cancelled",
        /// That the doors open.
        GatesOpen = "gates_open",
        /// What an organiser has to tell.
        News = "news",
    }
}

impl Kind {
    /// What people choose by. A test is what somebody asked for: it always comes.
    pub(crate) const fn category(self) -> Option<PushCategory> {
        match self {
            Self::Test => None,
            Self::TicketReady | Self::TicketTransferred | Self::TicketRefunded => Some(PushCategory::Tickets),
            Self::EventChanged | Self::EventCancelled => Some(PushCategory::Changes),
            Self::GatesOpen => Some(PushCategory::Gates),
            Self::News => Some(PushCategory::News),
        }
    }

    /// Whether it may wake a phone: not what nobody waits for.
    pub(super) const fn is_urgent(self) -> bool {
        !matches!(self, Self::News)
    }
}

coded! {
    /// Where a message stands.
    PushStatus {
        /// It waits to be sent, for the first time or again.
        Queued = "queued",
        /// Its service is being asked to take it.
        Sending = "sending",
        /// Its service has taken it.
        Sent = "sent",
        /// Its service did not take it.
        Failed = "failed",
        /// It does not go, and nobody has failed.
        Withheld = "withheld",
        /// Another message tells what it would have told.
        Grouped = "grouped",
    }
}

coded! {
    /// Why a message waits, or does not go.
    Reason {
        /// It is quiet where the phone is.
        QuietHours = "quiet_hours",
        /// Its person has had as many as may come for now.
        Limited = "limited",
        /// As many of its campaign have gone as may for now.
        CampaignLimited = "campaign_limited",
        /// Its service has failed too often of late.
        ProviderDown = "provider_down",
        /// The server is not set up for its service.
        PushOff = "push_off",
        /// Its campaign is paused.
        Paused = "paused",
        /// Its campaign was called off.
        Cancelled = "cancelled",
        /// Its person wants none of these.
        Unwanted = "unwanted",
        /// The phone has no token any more.
        NoDevice = "no_device",
        /// Its time is over.
        Expired = "expired",
        /// Its service says that the token is no longer good.
        TokenGone = "token_gone",
        /// Its service refused it.
        Refused = "refused",
        /// Its service did not take it, and is asked again.
        Unanswered = "unanswered",
    }
}

/// A message to be sent.
#[derive(Debug, Clone)]
pub(crate) struct NewMessage {
    pub(crate) organiser_id: Option<OrganiserId>,
    pub(crate) event_id: Option<EventId>,
    pub(crate) ticket_id: Option<TicketId>,
    pub(crate) campaign_id: Option<CampaignId>,
    pub(crate) wallet_id: WalletId,
    pub(crate) device_id: PushDeviceId,
    pub(crate) kind: Kind,
    /// One line of up to 100 characters.
    pub(crate) title: String,
    /// Up to [`MAX_BODY`] characters.
    pub(crate) body: String,
    /// What it is written for: with one key, one message.
    pub(crate) dedupe_key: String,
    /// Nothing of it goes from this time on (UTC milliseconds).
    pub(crate) expires_at: i64,
}

/// So many characters what stands below the title has at most: with the rest, it fits into the 4096 bytes that both services
/// take, in any script.
pub(crate) const MAX_BODY: usize = 500;
/// So many characters a title has at most.
pub(crate) const MAX_TITLE: usize = 100;

/// A message.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) message_id: PushMessageId,
    pub(super) organiser_id: Option<OrganiserId>,
    pub(super) event_id: Option<EventId>,
    pub(super) ticket_id: Option<TicketId>,
    pub(super) campaign_id: Option<CampaignId>,
    pub(super) wallet_id: WalletId,
    pub(super) device_id: PushDeviceId,
    pub(super) kind: Kind,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) group_key: String,
    pub(super) tries: i64,
    pub(super) expires_at: i64,
    pub(super) created_at: i64,
    /// Where its event is.
    pub(super) event_zone: Option<String>,
    /// Whether its campaign still goes on; true also if it has none.
    pub(super) campaign: CampaignState,
}

/// Whether a campaign's messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CampaignState {
    /// They do.
    GoesOn,
    /// Not now.
    Paused,
    /// Not any more.
    Cancelled,
}

/// Messages with one key that wait for one person become one: those about one event and of one category.
pub(super) fn group_key(message: &NewMessage) -> String {
    match (message.kind.category(), message.event_id) {
        (Some(category), Some(event)) => format!("{}:{event}", category.code()),
        // Nothing is like it.
        _ => message.dedupe_key.clone(),
    }
}
