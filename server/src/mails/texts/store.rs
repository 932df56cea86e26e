//! Rows of texts.

use liventix_core::ids::OrganiserId;

use super::types::VersionView;
use crate::mails::Kind;
use crate::params;
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::locale::Locale;

/// A version of a text.
#[derive(Debug, Clone)]
pub(in crate::mails) struct Version {
    pub(in crate::mails) version: i64,
    /// The templates; none: ours.
    pub(in crate::mails) templates: Option<(String, String)>,
    pub(super) saved_by: String,
    pub(super) saved_at: i64,
}

/// Which text.
pub(super) type Which = (OrganiserId, Kind, Locale);

/// The newest version, if there ever was one.
pub(in crate::mails) async fn newest(conn: &mut Conn, which: Which) -> Result<Option<Version>, DbError> {
    Ok(versions(conn, which, 1).await?.pop())
}

/// The newest versions, newest first.
pub(super) async fn versions(
    conn: &mut Conn,
    (organiser, kind, locale): Which,
    limit: u32,
) -> Result<Vec<Version>, DbError> {
    let sql = "SELECT version, body_text, body_html, saved_by, saved_at FROM mail_texts \
               WHERE organiser_id = $1 AND kind = $2 AND locale = $3 ORDER BY version DESC LIMIT $4";
    let rows = conn.query(sql, params![organiser, kind.code(), locale.code(), limit]).await?;
    let read = |row: &crate::platform::db::Row| {
        let (text, html): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        Ok(Version {
            version: row.get(0)?,
            templates: text.zip(html),
            saved_by: row.get(3)?,
            saved_at: row.get(4)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Saves the next version. Says which it is.
pub(super) async fn save(
    tx: &mut Tx,
    (organiser, kind, locale): Which,
    templates: Option<(&str, &str)>,
    (by, at): (&str, i64),
) -> Result<i64, DbError> {
    // Two who save at once save one after the other.
    tx.lock("mail_texts", organiser.as_bytes()).await?;
    let last = newest(tx, (organiser, kind, locale)).await?.map_or(0, |version| version.version);
    let sql = "INSERT INTO mail_texts (organiser_id, kind, locale, version, body_text, body_html, saved_by, saved_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let (text, html) = templates.unzip();
    let values = params![organiser, kind.code(), locale.code(), last + 1, text, html, by, at];
    tx.execute(sql, values).await.map(|_| last + 1)
}

impl From<&Version> for VersionView {
    fn from(version: &Version) -> Self {
        Self {
            version: version.version,
            is_built_in: version.templates.is_none(),
            saved_by: version.saved_by.clone(),
            saved_at: version.saved_at,
        }
    }
}
