//! One finding: what a rule found, with the scans that show it.

use liventix_core::ids::{GateId, ScanId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::kinds::Kind;
use crate::platform::severity::Severity;
use crate::scanning::seen::Seen;

/// Findings kept of an anomaly: the first ones and the latest ones, as many each.
pub(super) const KEPT: usize = 10;

/// How a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakKind {
    /// Scans are missing; they may still come.
    Gap,
    /// Two scans are at one place: the ledger was copied, or set back.
    Fork,
    /// A scan follows another one than the one before it: something was changed.
    WrongPredecessor,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum Facts {
    /// A code that is not authentic.
    ForgedCode,
    /// The first scan admitted, the second should not have.
    ExcessAdmission {
        /// How many people were too many.
        people: u32,
    },
    /// The second scan was too soon after the first.
    TooFast {
        /// Between both at most, whatever the clocks' errors (milliseconds).
        apart_ms: i64,
        /// What the way takes at least (milliseconds).
        walk_ms: i64,
    },
    /// Between both scans, the wall clock was set.
    ClockSet {
        /// By how much: forwards is positive (milliseconds).
        moved_ms: i64,
        /// What errors and drift explain (milliseconds).
        allowed_ms: i64,
    },
    /// The scans around a break.
    Break {
        /// How it is broken.
        broken: BreakKind,
        /// The place in the ledger after the break.
        seq: i64,
        /// Of a gap: the first place that is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missing_from: Option<i64>,
    },
    /// Requests that were refused.
    OverLimit {
        /// How many, since the finding before.
        requests: i64,
        /// At which gate, as the request said.
        gate_id: GateId,
    },
    /// A scan made after the device was revoked.
    AfterRevocation {
        /// When it was revoked (UTC milliseconds).
        revoked_at: i64,
    },
    /// A scan dated later than it came, or long before the event.
    Misdated {
        /// By how much it is after its arrival, or (negative) before the year before the event (milliseconds).
        off_ms: i64,
    },
}

impl Facts {
    /// What was found, in one sentence; `gate` gives a gate's name.
    pub(crate) fn sentence(&self, gate: impl Fn(GateId) -> String) -> String {
        let seconds = |ms: i64| ms / 1_000;
        match self {
            Self::ForgedCode => "A code that is not authentic.".to_owned(),
            Self::ExcessAdmission { people: 1 } => "One person too many was let in.".to_owned(),
            Self::ExcessAdmission { people } => format!("{people} people too many were let in."),
            Self::TooFast { apart_ms, walk_ms } => format!(
                "At two gates within {} s; the way takes {} s.",
                seconds(*apart_ms),
                seconds(*walk_ms)
            ),
            Self::ClockSet { moved_ms, .. } => {
                let way = if *moved_ms < 0 { "back" } else { "forward" };
                format!("The clock was set {way} by {} s.", seconds(moved_ms.saturating_abs()))
            }
            Self::Break { broken: BreakKind::Gap, seq, missing_from: Some(from) } => {
                format!("Scans {from} to {} are missing. They may still come.", seq.saturating_sub(1))
            }
            Self::Break { broken: BreakKind::Gap, seq, missing_from: None } => {
                format!("Scans before number {seq} are missing. They may still come.")
            }
            Self::Break { broken: BreakKind::Fork, seq, .. } => {
                format!("There are two scans number {seq}: the ledger was copied, or set back.")
            }
            Self::Break { broken: BreakKind::WrongPredecessor, seq, .. } => {
                format!("Scan number {seq} does not follow from the one before: something was changed.")
            }
            Self::OverLimit { requests: 1, gate_id } => format!("One request refused at {}.", gate(*gate_id)),
            Self::OverLimit { requests, gate_id } => {
                format!("{requests} requests refused at {}.", gate(*gate_id))
            }
            Self::AfterRevocation { .. } => "A scan made after the device was revoked.".to_owned(),
            Self::Misdated { off_ms } if *off_ms >= 0 => {
                format!("A scan dated {} s after it came.", seconds(*off_ms))
            }
            Self::Misdated { .. } => "A scan dated long before the event.".to_owned(),
        }
    }
}

/// Something found, at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// When (corrected to server time, UTC milliseconds).
    pub at: i64,
    /// What.
    #[serde(flatten)]
    pub facts: Facts,
    /// The scans that show it, earlier ones first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scans: Vec<Seen>,
}

impl Finding {
    /// The same for the same facts about the same scans.
    pub(super) fn id(&self) -> [u8; 16] {
        let mut hasher = Sha256::new();
        hasher.update(self.at.to_be_bytes());
        hasher.update(serde_json::to_vec(&self.facts).unwrap_or_default());
        for scan in &self.scans {
            hasher.update(scan.scan_id.as_bytes());
        }
        let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = <[u8; 32]>::from(hasher.finalize());
        id
    }

    pub(super) fn severity(&self, kind: Kind) -> Severity {
        match self.facts {
            Facts::Break { broken: BreakKind::Gap, .. } => Severity::Notice,
            Facts::Break { .. } => Severity::Critical,
            _ => kind.severity(),
        }
    }
}

/// Sorts findings as they happened, each once.
pub(super) fn sort(findings: &mut Vec<Finding>) {
    let key = |finding: &Finding| {
        let scans: Vec<ScanId> = finding.scans.iter().map(|scan| scan.scan_id).collect();
        (finding.at, scans, finding.id())
    };
    findings.sort_by_cached_key(key);
    findings.dedup_by_key(|finding| finding.id());
}

/// The first and the latest of sorted findings: of those kept of two halves the same as of the whole.
pub(super) fn ends(findings: Vec<Finding>) -> Vec<Finding> {
    if findings.len() <= 2 * KEPT {
        return findings;
    }
    let last = findings.len() - KEPT;
    let kept = |(place, finding): (usize, Finding)| (place < KEPT || place >= last).then_some(finding);
    findings.into_iter().enumerate().filter_map(kept).collect()
}

/// One hash of all of them.
pub(super) fn digest(findings: &[Finding]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for finding in findings {
        hasher.update(finding.id());
    }
    hasher.finalize().into()
}
