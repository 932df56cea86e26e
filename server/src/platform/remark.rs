//! Who said what about an anomaly, a conflict or an alert.

use liventix_core::ids::ScanId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::authorize::By;
use super::problem::ApiResult;
use super::text;

/// The longest note.
const MAX_NOTE: usize = 500;

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

/// What somebody says.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Why (one line of 1 to 500 characters).
    pub note: String,
}

impl Note {
    /// Checks it.
    ///
    /// # Errors
    /// 422 when it is empty, too long, or more than a line.
    pub(crate) fn checked(&self) -> ApiResult<String> {
        text::line("note", &self.note, MAX_NOTE)
    }
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
    pub(crate) fn over(at: i64) -> Self {
        let by = Author { kind: "liventix".to_owned(), id: None, name: "Liventix".to_owned() };
        Self { by, at, note: "What was found is no longer so.".to_owned() }
    }

    /// Whether somebody said it.
    pub(crate) fn is_of_a_person(&self) -> bool {
        self.by.kind != "liventix"
    }
}
