//! What callers send and get.

use liventix_core::ids::{EventId, GateId};
use liventix_core::rules::{EntryPolicy, EventInfo, EventPolicy};
use liventix_core::ticket::keys::Algorithm;
use liventix_core::wallet::wire::WalletPolicy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::anomalies::AnomalySettings;

/// An event with everything doors need to know of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventView {
    /// The event.
    #[serde(flatten)]
    pub info: EventInfo,
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
    /// The door rules, whole: a rule left out gets its default.
    pub policy: Option<EventPolicy>,
    /// What attendees may do on their phones, whole.
    pub wallet: Option<WalletPolicy>,
    /// When its scans are worth a look, whole. Holds for scans that come from now on.
    pub anomaly: Option<AnomalySettings>,
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
