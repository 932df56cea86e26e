//! Who said what about an anomaly.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::params;
use crate::platform::auth::ApiKeyId;
use crate::platform::db::{Conn, DbError};

/// Who acts for the organiser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Author {
    /// `api_key`, or `liventix` where the cause is gone by itself.
    pub kind: String,
    /// The key's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What people called it at that time.
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

impl Author {
    /// An organiser's program.
    pub(crate) async fn api_key(conn: &mut Conn, key: ApiKeyId) -> Result<Self, DbError> {
        let row = conn.first("SELECT name FROM api_keys WHERE api_key_id = $1", params![key.0]).await?;
        let name = row.map_or_else(|| Ok(String::new()), |row| row.get(0))?;
        Ok(Self { kind: "api_key".to_owned(), id: Some(key.0.to_string()), name })
    }
}

impl Remark {
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
