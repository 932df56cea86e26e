//! What callers send and get.

use liventix_core::ids::{EventId, GateId};
use liventix_core::rules::{EntryPolicy, EventInfo, EventPolicy};
use liventix_core::ticket::keys::Algorithm;
use liventix_core::wallet::wire::WalletPolicy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::anomalies::AnomalySettings;
use crate::platform::locale::Locale;

/// An event with everything doors need to know of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventView {
    /// The event.
    #[serde(flatten)]
    pub info: EventInfo,
    /// Where it takes place, as people find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// When the doors open (UTC milliseconds), for phones that ask to be told; when it starts, if this is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gates_open_at: Option<i64>,
    /// The language that its buyers are written to in.
    pub locale: Locale,
    /// Since when it is called off (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<i64>,
    /// Why it is called off, as its buyers read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    /// How its codes are signed; fixed at creation.
    pub algorithm: Algorithm,
    /// What attendees may do on their phones.
    pub wallet: WalletPolicy,
    /// When its scans are worth a look.
    pub anomaly: AnomalySettings,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
}

/// An event in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventSummary {
    /// The event.
    pub event_id: EventId,
    /// Its name.
    pub name: String,
    /// When it starts (UTC milliseconds).
    pub starts_at: i64,
    /// When it ends (UTC milliseconds).
    pub ends_at: i64,
    /// IANA time zone name.
    pub time_zone: String,
    /// Since when it is called off (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<i64>,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
}

/// A request for an event.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// Its name (1 to 160 characters).
    pub name: String,
    /// When it starts (UTC milliseconds).
    pub starts_at: i64,
    /// When it ends (UTC milliseconds), after it starts.
    pub ends_at: i64,
    /// IANA time zone name, e.g. `Europe/Paris`.
    pub time_zone: String,
    /// Where it takes place, as people find it (up to 200 characters).
    #[serde(default)]
    pub venue: Option<String>,
    /// When the doors open (UTC milliseconds), not after it ends: attendees' phones are told then. When it starts, if this
    /// is not there.
    #[serde(default)]
    pub gates_open_at: Option<i64>,
    /// The language that its buyers are written to in.
    #[serde(default)]
    pub locale: Locale,
    /// How its codes are signed. Cannot be changed later.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// The door rules.
    #[serde(default)]
    pub policy: EventPolicy,
    /// What attendees may do on their phones.
    #[serde(default)]
    pub wallet: WalletPolicy,
    /// When its scans are worth a look.
    #[serde(default)]
    pub anomaly: AnomalySettings,
}

/// A change of an event: what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventChange {
    /// Its name (1 to 160 characters).
    pub name: Option<String>,
    /// When it starts (UTC milliseconds).
    pub starts_at: Option<i64>,
    /// When it ends (UTC milliseconds).
    pub ends_at: Option<i64>,
    /// IANA time zone name.
    pub time_zone: Option<String>,
    /// Where it takes place (up to 200 characters); nothing between the quotes: nowhere in particular.
    pub venue: Option<String>,
    /// When the doors open (UTC milliseconds), not after it ends; 0: when it starts.
    pub gates_open_at: Option<i64>,
    /// The language that its buyers are written to in.
    pub locale: Option<Locale>,
    /// Whether its buyers get a mail, and its attendees' phones a message, if the name, the times or the place have changed.
    pub tell_buyers: bool,
    /// The door rules, whole: a rule left out gets its default.
    pub policy: Option<EventPolicy>,
    /// What attendees may do on their phones, whole.
    pub wallet: Option<WalletPolicy>,
    /// When its scans are worth a look, whole. Holds for scans that come from now on.
    pub anomaly: Option<AnomalySettings>,
}

/// That an event does not take place.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// Why, as its buyers read it (1 to 500 characters).
    pub reason: String,
    /// Whether its buyers get a mail, and its attendees' phones a message.
    #[serde(default = "yes")]
    pub tell_buyers: bool,
}

const fn yes() -> bool {
    true
}

/// A gate's name.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GateName {
    /// What people call it (1 to 80 characters), once per event.
    pub name: String,
}

/// A ticket type, to create or to replace one.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketTypeRules {
    /// What people call it (1 to 80 characters), once per event.
    pub name: String,
    /// The gates it may use; empty means every gate.
    #[serde(default)]
    pub gate_ids: Vec<GateId>,
    /// How many people one ticket admits (1 to 1 000).
    #[serde(default = "one")]
    pub admits: u16,
    /// How often it may enter.
    #[serde(default)]
    pub entry: EntryPolicy,
    /// Not before this time (UTC milliseconds).
    #[serde(default)]
    pub valid_from: Option<i64>,
    /// Not from this time on (UTC milliseconds).
    #[serde(default)]
    pub valid_until: Option<i64>,
}

const fn one() -> u16 {
    1
}
