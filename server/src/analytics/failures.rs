//! Questions that had no answer, for whoever looks after the server.

use liventix_core::ids::OrganiserId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::params;
use crate::platform::db::{Conn, DbError, Row};
use crate::platform::ids::FailureId;
use crate::platform::problem::ApiError;
use crate::platform::request_id;

/// How long they are kept.
const KEEP_MS: i64 = 30 * 86_400_000;

/// A question that had no answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FailureView {
    /// When (UTC milliseconds).
    pub at: i64,
    /// What was asked.
    pub question: String,
    /// Whose figures.
    pub organiser_id: OrganiserId,
    /// What kind of failure: `busy`, `timed_out`, `statement` and the like.
    pub kind: String,
    /// What the database said.
    pub detail: String,
    /// The request, as the log has it.
    pub request_id: Option<String>,
}

/// Writes one down, if that can be: what failed may be the database.
pub(super) fn note(app: &AppState, question: &'static str, organiser: OrganiserId, error: &ApiError) {
    let cause = error.database();
    let (kind, detail) =
        cause.map_or(("other", error.to_string()), |error| (error.kind(), error.to_string()));
    let request = request_id::current();
    tracing::error!(question, kind, cause = detail, "a question about figures had no answer");
    let (app, now) = (app.clone(), app.now());
    let id = FailureId::generate(now, app.entropy().as_ref());
    // Whoever asked does not wait for it.
    tokio::spawn(async move {
        let written = app.db().write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO question_failures (failure_id, at, question, organiser_id, kind, detail, \
                           request_id) VALUES ($1, $2, $3, $4, $5, $6, $7)";
                tx.execute(sql, params![id, now, question, organiser, kind, detail, request]).await?;
                let old = params![now - KEEP_MS];
                tx.execute("DELETE FROM question_failures WHERE at < $1", old).await.map(drop)
            })
        });
        let written: Result<(), DbError> = written.await;
        if let Err(error) = written {
            tracing::warn!(cause = error.to_string(), "that a question failed was not written down");
        }
    });
}

/// The last ones, newest first.
pub(super) async fn last(conn: &mut Conn, limit: u32) -> Result<Vec<FailureView>, DbError> {
    let sql = "SELECT at, question, organiser_id, kind, detail, request_id FROM question_failures \
               ORDER BY at DESC, failure_id DESC LIMIT $1";
    let read = |row: &Row| {
        Ok(FailureView {
            at: row.get(0)?,
            question: row.get(1)?,
            organiser_id: row.get(2)?,
            kind: row.get(3)?,
            detail: row.get(4)?,
            request_id: row.get(5)?,
        })
    };
    conn.query(sql, params![limit]).await?.iter().map(read).collect()
}
