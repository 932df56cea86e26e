//! Who said what about an anomaly.

use liventix_core::ids::ScanId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::authorize::By;

/// Who acts for the organiser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Author {
    /// `user`, `api_key`, or `liventix` where the cause is gone by itself.
    pub kind: String,
    /// The person's or the key's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What people called them at that time.
    pub name: String,
}

/// What somebody said, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Remark {
    /// Who.
    pub by: Author,
    /// When (UTC milliseconds).
    pub at: i64,
    /// What.
    pub note: String,
}

impl Remark {
    /// What somebody says now.
    pub(crate) fn of(by: &By, at: i64, note: String) -> Self {
        let id = by.actor.id().map(|id| ScanId::from_bytes(id).to_string());
        Self { by: Author { kind: by.actor.kind().to_owned(), id, name: by.name.clone() }, at, note }
    }

    /// What is said when a cause is gone.
    pub(super) fn over(at: i64) -> Self {
        let by = Author { kind: "liventix".to_owned(), id: None, name: "Liventix".to_owned() };
        Self { by, at, note: "What was found is no longer so.".to_owned() }
    }

    /// Whether somebody said it.
    pub(super) fn is_of_a_person(&self) -> bool {
        self.by.kind != "liventix"
    }
}
