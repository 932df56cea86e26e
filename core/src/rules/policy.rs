//! What the organiser decided: the settings that the rules read.

use serde::{Deserialize, Serialize};

use crate::ids::{EventId, GateId, TicketTypeId};

/// What happens to unsigned codes of the system that Liventix replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LegacyStage {
    /// Admitted like a signed code.
    Accept,
    /// Admitted, but amber and counted, so that the organiser sees who still carries one.
    Flag,
    /// Refused.
    #[default]
    Refuse,
}

/// Whether a printed (not minted on the phone) code may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PrintedPolicy {
    /// Always.
    #[default]
    Allowed,
    /// Until the attendee's phone has activated live codes for the ticket.
    UntilLiveActivated,
    /// Never: only live codes enter.
    Refused,
}

/// What a live code older than its time to live does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TtlEffect {
    /// It is refused.
    #[default]
    Hard,
    /// It is admitted, but amber.
    Soft,
}

/// What a code with a good signature does whose ticket is not in the manifest, for example one
/// bought after the last sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UnlistedPolicy {
    /// Admitted, amber, and flagged for the organiser.
    #[default]
    AdmitAndFlag,
    /// Not admitted by the scan: the door asks a supervisor.
    AskSupervisor,
    /// Refused.
    Refuse,
}

/// The door rules of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct EventPolicy {
    /// Unsigned codes of an older system.
    pub legacy: LegacyStage,
    /// Printed codes.
    pub printed: PrintedPolicy,
    /// How long a live code is good after it was minted, in seconds (1 to 86 400).
    pub live_ttl_seconds: u32,
    /// What happens to a live code after that.
    pub live_ttl_effect: TtlEffect,
    /// Good signature, ticket not in the manifest.
    pub unlisted: UnlistedPolicy,
    /// A second scan of the same ticket at the same door within this many seconds is called a
    /// repeat of the first, not a second guest (0 to 3 600; 0 switches it off).
    pub rapid_rescan_seconds: u32,
    /// A passage may be taken back at the device that made it for this many seconds (0 to 3 600; 0
    /// switches it off).
    pub undo_seconds: u32,
    /// A manifest not refreshed for this many minutes turns green verdicts amber (1 to 10 080).
    pub list_max_age_minutes: u32,
    /// A clock whose error may exceed this many milliseconds turns green verdicts amber
    /// (1 000 to 3 600 000).
    pub clock_max_error_ms: u32,
}

impl Default for EventPolicy {
    fn default() -> Self {
        Self {
            legacy: LegacyStage::default(),
            printed: PrintedPolicy::default(),
            live_ttl_seconds: 300,
            live_ttl_effect: TtlEffect::default(),
            unlisted: UnlistedPolicy::default(),
            rapid_rescan_seconds: 15,
            undo_seconds: 120,
            list_max_age_minutes: 12 * 60,
            clock_max_error_ms: 60_000,
        }
    }
}

/// A policy value outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}, but must be between {min} and {max}")]
pub struct PolicyError {
    /// The name of the field.
    pub field: &'static str,
    /// What it was set to.
    pub value: u32,
    /// The least allowed value.
    pub min: u32,
    /// The greatest allowed value.
    pub max: u32,
}

impl EventPolicy {
    /// Checks every number against its range.
    ///
    /// # Errors
    /// The first field that is out of range.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let fields = [
            ("live_ttl_seconds", self.live_ttl_seconds, 1, 86_400),
            ("rapid_rescan_seconds", self.rapid_rescan_seconds, 0, 3_600),
            ("undo_seconds", self.undo_seconds, 0, 3_600),
            ("list_max_age_minutes", self.list_max_age_minutes, 1, 10_080),
            ("clock_max_error_ms", self.clock_max_error_ms, 1_000, 3_600_000),
        ];
        for (field, value, min, max) in fields {
            if !(min..=max).contains(&value) {
                return Err(PolicyError { field, value, min, max });
            }
        }
        Ok(())
    }
}

/// Whether going out gives the right to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reentry {
    /// An exit is counted, but gives nothing back.
    #[default]
    Never,
    /// Who was scanned out may come in again without using up another entry.
    AfterExit,
}

/// How often a ticket may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct EntryPolicy {
    /// Entries per person on the ticket: 1 is single entry, more a multi-entry pass, none unlimited.
    pub max_entries: Option<u16>,
    /// What an exit gives back.
    pub reentry: Reentry,
}

impl Default for EntryPolicy {
    fn default() -> Self {
        Self { max_entries: Some(1), reentry: Reentry::Never }
    }
}

/// A place where tickets are scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gate {
    /// Its id.
    pub gate_id: GateId,
    /// What people call it, e.g. `North gate`.
    pub name: String,
}

/// A kind of ticket with its own rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicketType {
    /// Its id.
    pub ticket_type_id: TicketTypeId,
    /// What people call it, e.g. `Weekend pass`.
    pub name: String,
    /// The gates it may use; empty means every gate.
    #[serde(default)]
    pub gate_ids: Vec<GateId>,
    /// How many people one ticket admits (1 to 1 000).
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

/// Everything a door needs to know of an event besides its tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventInfo {
    /// The event.
    pub event_id: EventId,
    /// Its name.
    pub name: String,
    /// When it starts (UTC milliseconds).
    pub starts_at: i64,
    /// When it ends (UTC milliseconds).
    pub ends_at: i64,
    /// IANA time zone name in which people read its times, e.g. `Europe/Paris`.
    pub time_zone: String,
    /// The door rules.
    pub policy: EventPolicy,
    /// Its gates.
    pub gates: Vec<Gate>,
    /// Its ticket types.
    pub ticket_types: Vec<TicketType>,
    /// Grows whenever the event's keys change: a device with an older number fetches them again.
    pub key_version: i64,
}

impl EventInfo {
    /// The ticket type with this id.
    #[must_use]
    pub fn ticket_type(&self, id: TicketTypeId) -> Option<&TicketType> {
        self.ticket_types.iter().find(|kind| kind.ticket_type_id == id)
    }

    /// The gate with this id.
    #[must_use]
    pub fn gate(&self, id: GateId) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.gate_id == id)
    }
}
