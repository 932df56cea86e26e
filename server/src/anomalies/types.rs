//! What callers send and get.

use std::collections::BTreeMap;

use liventix_core::ids::ScanId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::finding::Finding;
use super::kinds::{Kind, State, SubjectKind};
use crate::platform::ids::AnomalyId;
use crate::platform::remark::Remark;
use crate::platform::severity::Severity;

/// Which anomalies.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AnomalyQuery {
    /// Where the last page ended: its `next_cursor`.
    pub cursor: Option<String>,
    /// Rows in the page (1 to 200; 50 unless told).
    pub limit: Option<u32>,
    /// Only those of this kind.
    pub kind: Option<Kind>,
    /// Only those in this state.
    pub state: Option<State>,
}

/// What an anomaly is about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SubjectView {
    /// What it is.
    pub kind: SubjectKind,
    /// Its id. Of an online scanner: its API key's, or the person's.
    pub id: ScanId,
    /// What people call it: the gate, the device (of a ledger: whose it is), the event, the attendee. Missing
    /// where there is no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Something that scans tell beyond their verdicts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AnomalyView {
    /// The anomaly.
    pub anomaly_id: AnomalyId,
    /// What kind it is.
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// What became of it.
    pub state: State,
    /// What it is about.
    pub subject: SubjectView,
    /// What happened, in one sentence.
    pub sentence: String,
    /// What to do next.
    pub next_step: &'static str,
    /// How often it happened.
    pub occurrences: i64,
    /// When it first happened (corrected to server time, UTC milliseconds).
    pub first_seen: i64,
    /// When it last happened.
    pub last_seen: i64,
    /// Since when the server knows (UTC milliseconds).
    pub opened_at: i64,
    /// Who looks after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Remark>,
    /// Who resolved it; Liventix itself where the cause is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Remark>,
}

/// An anomaly with its evidence.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AnomalyDetail {
    /// The anomaly.
    #[serde(flatten)]
    pub view: AnomalyView,
    /// The first findings and the latest, ten each, oldest first.
    pub evidence: Vec<Finding>,
    /// The names of gates, devices, API keys and people in the evidence, by their ids.
    pub names: BTreeMap<String, String>,
}
