//! What whoever runs the installation sees of mails, and does about them.

use serde_json::json;

use super::types::{EmailStatus, EmailView, NewEmail};
use super::{QUEUE, outbox, store};
use crate::app::AppState;
use crate::params;
use crate::platform::db::{Conn, DbError};
use crate::platform::ids::EmailId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// How mails do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Health {
    /// Those that are not sent yet.
    pub(crate) waiting: i64,
    /// Since when the oldest of them waits (UTC milliseconds).
    pub(crate) oldest: Option<i64>,
    /// Those that went in the last minute.
    pub(crate) last_minute: i64,
    /// And in the last hour.
    pub(crate) last_hour: i64,
    /// How long nine of ten of those waited at most (milliseconds).
    pub(crate) waited_ms: Option<i64>,
    /// Those that nobody took.
    pub(crate) failed: i64,
    /// Those of the last hour that may have come twice.
    pub(crate) twice: i64,
}

/// How mails do.
///
/// # Errors
/// When the database fails.
pub(crate) async fn health(app: &AppState) -> Result<Health, DbError> {
    let now = app.now();
    app.db().read(move |conn| Box::pin(async move { look(conn, now).await })).await
}

async fn look(conn: &mut Conn, now: i64) -> Result<Health, DbError> {
    let sql = "SELECT (SELECT COUNT(*) FROM emails WHERE status IN ('queued', 'sending')), \
               (SELECT MIN(created_at) FROM emails WHERE status IN ('queued', 'sending')), \
               (SELECT COUNT(*) FROM emails WHERE sent_at > $1), (SELECT COUNT(*) FROM emails WHERE sent_at > $2), \
               (SELECT COUNT(*) FROM emails WHERE status = 'failed'), \
               (SELECT COUNT(*) FROM emails WHERE sent_at > $2 AND may_have_come_twice = 1)";
    let row = conn.first(sql, params![now - MINUTE_MS, now - HOUR_MS]).await?;
    let Some(row) = row else { return Err(DbError::Statement("no counts".to_owned())) };
    let last_hour: i64 = row.get(3)?;
    let longest = "SELECT sent_at - created_at FROM emails WHERE sent_at > $1 \
                   ORDER BY sent_at - created_at LIMIT 1 OFFSET $2";
    let waited = conn.first(longest, params![now - HOUR_MS, (last_hour * 9 - 1).max(0) / 10]).await?;
    Ok(Health {
        waiting: row.get(0)?,
        oldest: row.get(1)?,
        last_minute: row.get(2)?,
        last_hour,
        waited_ms: waited.map(|row| row.get(0)).transpose()?,
        failed: row.get(4)?,
        twice: row.get(5)?,
    })
}

/// Mails, newest first; those of one status, if that is asked for.
///
/// # Errors
/// `invalid_query`, `unknown_cursor`.
pub(crate) async fn list(
    app: &AppState,
    status: Option<EmailStatus>,
    page: PageQuery,
) -> ApiResult<Page<EmailView>> {
    let (before, limit) = (page.before()?, page.limit()?);
    let read = app
        .db()
        .read(move |conn| Box::pin(async move { store::list(conn, status, before, limit + 1).await }));
    let rows = read.await?.into_iter().map(EmailView::from).collect();
    let key = |email: &EmailView| Key { at: email.created_at, id: *email.email_id.as_bytes() };
    Ok(Page::of(rows, limit, key))
}

/// Sends a mail that says that mails work.
///
/// # Errors
/// `mails_off`, `invalid_field`.
pub(crate) async fn test(app: &AppState, to: String) -> ApiResult<()> {
    if to.parse::<lettre::Address>().is_err() {
        return Err(ApiError::field("to", "must be an e-mail address"));
    }
    if !app.emails().are_on() {
        let detail = "No mail is sent here yet: set mail_from, and resend_api_key, smtp_url or mail_folder.";
        return Err(ApiError::new(Code::MailsOff, detail));
    }
    let app_in = app.clone();
    let put = app.db().write(move |tx| {
        Box::pin(async move {
            let id = EmailId::generate(app_in.now(), app_in.entropy().as_ref());
            let email = NewEmail {
                organiser_id: None,
                kind: "test",
                payload: json!({}),
                dedupe_key: format!("test:{id}"),
                to_name: String::new(),
                to_address: to,
            };
            outbox::put(tx, &app_in, &email).await.map(drop)
        })
    });
    let put: Result<(), DbError> = put.await;
    put?;
    app.queue().wake(QUEUE.name);
    Ok(())
}
