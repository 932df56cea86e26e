//! What phones and server say to each other about push messages. One definition, compiled into both.
//!
//! JSON over HTTP like the rest of the wallet's calls, with the wallet's own token as bearer: whoever holds tickets at a
//! server may be written to by it, and nobody else.

use serde::{Deserialize, Serialize};

use super::token::PushService;
use crate::ids::{EventId, PushDeviceId, PushMessageId, TicketId};

/// `PUT /v1/wallet/push`: messages for this wallet go to this token from now on. May be repeated.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterPush {
    /// The service that gave the token.
    pub service: PushService,
    /// The token, as the service gave it.
    pub token: String,
    /// The language the app speaks, as a BCP 47 tag, e.g. `de-CH`; the event's if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Where the phone is, as an IANA time zone name: quiet hours are by its time. The event's if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

impl std::fmt::Debug for RegisterPush {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisterPush").field("service", &self.service).finish_non_exhaustive()
    }
}

/// The answer: where messages for this wallet go, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushDevice {
    /// What the server calls the phone.
    pub device_id: PushDeviceId,
    /// The service that carries its messages.
    pub service: PushService,
    /// Whether it gets any. Not, if its service said that the token is no longer good: register another.
    pub is_active: bool,
    /// Which messages it gets, and when.
    pub preferences: PushPreferences,
}

/// What a message is about. People choose by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PushCategory {
    /// Their own tickets: ready, handed on, given back.
    Tickets,
    /// What happens to their event: moved, called off.
    Changes,
    /// The doors open.
    Gates,
    /// What the organiser has to tell.
    News,
}

impl PushCategory {
    /// Every category.
    pub const ALL: [Self; 4] = [Self::Tickets, Self::Changes, Self::Gates, Self::News];

    /// Its stable name, as in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Tickets => "tickets",
            Self::Changes => "changes",
            Self::Gates => "gates",
            Self::News => "news",
        }
    }
}

/// When nothing is to make a sound, each day, by the phone's time. Over midnight where the end is before the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// From this minute of the day on (0 to 1439).
    pub from_minute: u16,
    /// Until this one (0 to 1439), another one.
    pub until_minute: u16,
}

impl QuietHours {
    /// From ten in the evening to eight in the morning.
    pub const NIGHT: Self = Self { from_minute: 22 * 60, until_minute: 8 * 60 };

    /// Whether both are minutes of a day, and not the same one.
    #[must_use]
    pub const fn is_possible(self) -> bool {
        self.from_minute < 1_440 && self.until_minute < 1_440 && self.from_minute != self.until_minute
    }

    /// For how many minutes longer it is quiet at this minute of the day; 0 if it is not.
    #[must_use]
    pub const fn minutes_left(self, minute: u16) -> u16 {
        let (from, until) = (self.from_minute % 1_440, self.until_minute % 1_440);
        let length = (until + 1_440 - from) % 1_440;
        let since = (minute % 1_440 + 1_440 - from) % 1_440;
        length.saturating_sub(since)
    }
}

/// What somebody wants of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CategoryPreference {
    /// Whether they come at all.
    pub is_on: bool,
    /// When they wait: those of these hours come when the hours are over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
}

impl CategoryPreference {
    /// At any time.
    pub const ON: Self = Self { is_on: true, quiet_hours: None };
}

/// Which messages somebody wants, and when. `PUT /v1/wallet/push/preferences` takes all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PushPreferences {
    /// Their own tickets.
    pub tickets: CategoryPreference,
    /// What happens to their event.
    pub changes: CategoryPreference,
    /// The doors open.
    pub gates: CategoryPreference,
    /// What the organiser has to tell.
    pub news: CategoryPreference,
}

impl Default for PushPreferences {
    /// Everything, and news not at night.
    fn default() -> Self {
        let night = CategoryPreference { is_on: true, quiet_hours: Some(QuietHours::NIGHT) };
        let on = CategoryPreference::ON;
        Self { tickets: on, changes: on, gates: on, news: night }
    }
}

impl PushPreferences {
    /// Those of one category.
    #[must_use]
    pub const fn of(&self, category: PushCategory) -> CategoryPreference {
        match category {
            PushCategory::Tickets => self.tickets,
            PushCategory::Changes => self.changes,
            PushCategory::Gates => self.gates,
            PushCategory::News => self.news,
        }
    }

    /// The first category whose quiet hours cannot be, if there is one.
    #[must_use]
    pub fn impossible(&self) -> Option<PushCategory> {
        let is_possible = |it: CategoryPreference| it.quiet_hours.is_none_or(|hours| hours.is_possible());
        PushCategory::ALL.into_iter().find(|category| !is_possible(self.of(*category)))
    }
}

/// The answer to `POST /v1/wallet/push/test`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TestSent {
    /// The message that is on its way.
    pub message_id: PushMessageId,
}

/// What became of a message on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// It arrived.
    Delivered,
    /// Somebody opened it.
    Opened,
}

/// One receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The message.
    pub message_id: PushMessageId,
    /// What became of it.
    pub kind: ReceiptKind,
    /// How long ago that was when the receipt was sent, in milliseconds (0 and more): phones have clocks of their own.
    pub age_ms: u64,
}

/// The most receipts in one call.
pub const MAX_RECEIPTS: usize = 100;

/// `POST /v1/wallet/push/receipts`. What was told before changes nothing, nor does what is not this wallet's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Receipts {
    /// 1 to 100 of them.
    pub receipts: Vec<Receipt>,
}

/// What a message carries for the app, beside its words: the JSON text under the key [`PAYLOAD_KEY`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushPayload {
    /// The message; receipts name it.
    pub message_id: PushMessageId,
    /// The server that sent it, as its links name it.
    pub server_url: String,
    /// What it tells, such as `event_changed`. There may be more of them in time.
    pub kind: String,
    /// What it is about; none for a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<PushCategory>,
    /// The event that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// The ticket that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_id: Option<TicketId>,
}

/// Where the payload is: in `userInfo` on iOS, in the data of a message on Android.
pub const PAYLOAD_KEY: &str = "liventix";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        let night = QuietHours::NIGHT;
        for (minute, left) in [(0, 480), (479, 1), (480, 0), (720, 0), (1_319, 0), (1_320, 600), (1_439, 481)]
        {
            assert_eq!(night.minutes_left(minute), left, "{minute}");
        }
        let noon = QuietHours { from_minute: 720, until_minute: 780 };
        for (minute, left) in [(719, 0), (720, 60), (779, 1), (780, 0)] {
            assert_eq!(noon.minutes_left(minute), left, "{minute}");
        }
        assert!(!QuietHours { from_minute: 60, until_minute: 60 }.is_possible());
        assert!(!QuietHours { from_minute: 60, until_minute: 1_440 }.is_possible());
        assert!(night.is_possible());
        // Whatever somebody sends, nothing overflows.
        let impossible = QuietHours { from_minute: u16::MAX, until_minute: u16::MAX - 1 };
        assert!(impossible.minutes_left(u16::MAX) < 1_440);
    }
}
