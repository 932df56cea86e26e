//! What an organiser decides about anomalies of one event.

use liventix_core::ids::GateId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::problem::{ApiError, ApiResult};

const MAX_WALKS: usize = 500;
const MAX_SECONDS: u32 = 3_600;

/// When an event's scans are worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AnomalySettings {
    /// Bursts of codes that are not authentic.
    pub forged: ForgedSettings,
    /// One ticket at two gates.
    pub travel: TravelSettings,
    /// A device's wall clock that moved by more than this is reported (2 to 3 600 seconds; 0: never). A phone
    /// that corrects itself moves by less than the default of 5.
    pub clock_jump_seconds: u32,
}

impl Default for AnomalySettings {
    fn default() -> Self {
        Self { forged: ForgedSettings::default(), travel: TravelSettings::default(), clock_jump_seconds: 5 }
    }
}

/// How many different codes with a bad signature or an unknown key are a burst. Dirty prints and codes of
/// other systems happen, one in some hundred scans; a door scans about a hundred people in five minutes. So
/// several different ones within that time, at one device, are no accident; at a whole gate or event, where
/// more people pass, it takes more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ForgedSettings {
    /// Within this time (10 to 3 600 seconds).
    pub window_seconds: u32,
    /// At one device (2 to 1 000; 0: never).
    pub per_device: u32,
    /// At one gate, by several devices (2 to 1 000; 0: never).
    pub per_gate: u32,
    /// At the event, at several gates (2 to 1 000; 0: never).
    pub per_event: u32,
}

impl Default for ForgedSettings {
    fn default() -> Self {
        Self { window_seconds: 300, per_device: 5, per_gate: 10, per_event: 20 }
    }
}

/// How long people need from gate to gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TravelSettings {
    /// The least between two different gates that `walks` does not name (0 to 3 600 seconds). The default of
    /// 20 is some 30 metres at a brisk walk: gates nearer to each other belong into `walks`.
    pub min_seconds: u32,
    /// Pairs of gates, each at most once, either way round.
    pub walks: Vec<Walk>,
}

impl Default for TravelSettings {
    fn default() -> Self {
        Self { min_seconds: 20, walks: Vec::new() }
    }
}

/// The way between two gates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Walk {
    /// Two different gates of the event.
    pub gate_ids: [GateId; 2],
    /// The least that it takes a person in a hurry (0 to 3 600 seconds; 0: they are side by side).
    pub seconds: u32,
}

impl AnomalySettings {
    /// Whether they make sense for an event with the gates that `has_gate` knows.
    ///
    /// # Errors
    /// 422 `invalid_field` that names the field.
    pub fn check(&self, has_gate: impl Fn(GateId) -> bool) -> ApiResult<()> {
        within("anomaly.forged.window_seconds", self.forged.window_seconds, 10, MAX_SECONDS)?;
        for (field, value) in [
            ("anomaly.forged.per_device", self.forged.per_device),
            ("anomaly.forged.per_gate", self.forged.per_gate),
            ("anomaly.forged.per_event", self.forged.per_event),
        ] {
            zero_or_within(field, value, 1_000)?;
        }
        within("anomaly.travel.min_seconds", self.travel.min_seconds, 0, MAX_SECONDS)?;
        zero_or_within("anomaly.clock_jump_seconds", self.clock_jump_seconds, MAX_SECONDS)?;
        self.travel.check(has_gate)
    }
}

impl TravelSettings {
    fn check(&self, has_gate: impl Fn(GateId) -> bool) -> ApiResult<()> {
        if self.walks.len() > MAX_WALKS {
            return Err(ApiError::field(
                "anomaly.travel.walks",
                format!("must have at most {MAX_WALKS} pairs"),
            ));
        }
        let mut seen = std::collections::HashSet::new();
        for (place, walk) in self.walks.iter().enumerate() {
            let field = format!("anomaly.travel.walks[{place}]");
            let [from, to] = walk.gate_ids;
            if from == to || !has_gate(from) || !has_gate(to) {
                return Err(ApiError::field(&field, "must name two different gates of the event"));
            }
            if !seen.insert((from.min(to), from.max(to))) {
                return Err(ApiError::field(&field, "names a pair of gates that was named before"));
            }
            within(&format!("{field}.seconds"), walk.seconds, 0, MAX_SECONDS)?;
        }
        Ok(())
    }

    /// The least time between two gates (milliseconds); 0 within one.
    #[must_use]
    pub fn walk_ms(&self, from: GateId, to: GateId) -> i64 {
        if from == to {
            return 0;
        }
        let named = |walk: &&Walk| walk.gate_ids == [from, to] || walk.gate_ids == [to, from];
        let seconds = self.walks.iter().find(named).map_or(self.min_seconds, |walk| walk.seconds);
        i64::from(seconds) * 1_000
    }

    /// The longest of all ways (milliseconds).
    #[must_use]
    pub fn longest_ms(&self) -> i64 {
        let longest = self.walks.iter().map(|walk| walk.seconds).max().unwrap_or(0);
        i64::from(longest.max(self.min_seconds)) * 1_000
    }
}

fn within(field: &str, value: u32, least: u32, most: u32) -> ApiResult<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ApiError::field(field, format!("must be between {least} and {most}")))
}

fn zero_or_within(field: &str, value: u32, most: u32) -> ApiResult<()> {
    if value == 0 { Ok(()) } else { within(field, value, 2, most) }
}
