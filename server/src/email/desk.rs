//! What whoever runs the installation sees of mails, and does about them.

use liventix_core::ids::EventId;
use serde_json::json;

use super::types::{Class, EmailStatus, EmailView, NewEmail};
use super::{outbox, store};
use crate::app::AppState;
use crate::params;
use crate::platform::authorize::{self, Who};
use crate::platform::db::{Conn, DbError};
use crate::platform::ids::{EmailId, OrderId};
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::smtp;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const WEEK_MS: i64 = 7 * 24 * HOUR_MS;
const MONTH_MS: i64 = 30 * 24 * HOUR_MS;

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
    /// Those that went in the last 30 days.
    pub(crate) month: i64,
    /// Of those, the ones that came back.
    pub(crate) bounced: i64,
    /// Of those, the ones that were called spam.
    pub(crate) complained: i64,
    /// Addresses that take no mail now.
    pub(crate) suppressed: i64,
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
               (SELECT COUNT(*) FROM emails WHERE sent_at > $2 AND may_have_come_twice = 1), \
               (SELECT COUNT(*) FROM email_suppressions WHERE lifted_at IS NULL AND until > $3)";
    let row = conn.first(sql, params![now - MINUTE_MS, now - HOUR_MS, now]).await?;
    let Some(row) = row else { return Err(DbError::Statement("no counts".to_owned())) };
    let last_hour: i64 = row.get(3)?;
    let Reputation { sent, bounced, complained } = told_since(conn, now - MONTH_MS).await?;
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
        month: sent,
        bounced,
        complained,
        suppressed: row.get(6)?,
    })
}

/// What mail servers think of us goes by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reputation {
    /// Mails that went.
    pub(crate) sent: i64,
    /// Those that came back.
    pub(crate) bounced: i64,
    /// Those that were called spam.
    pub(crate) complained: i64,
}

/// What mail servers hold for or against us, over the last seven days.
///
/// # Errors
/// When the database fails.
pub(crate) async fn reputation(app: &AppState) -> Result<Reputation, DbError> {
    let since = app.now() - WEEK_MS;
    app.db().read(move |conn| Box::pin(async move { told_since(conn, since).await })).await
}

/// Each by an index: it is asked for every minute.
async fn told_since(conn: &mut Conn, since: i64) -> Result<Reputation, DbError> {
    let sql = "SELECT (SELECT COUNT(*) FROM emails WHERE sent_at > $1), \
               (SELECT COUNT(*) FROM emails WHERE delivery = 'bounced' AND delivery_at > $1), \
               (SELECT COUNT(*) FROM emails WHERE delivery = 'complained' AND delivery_at > $1)";
    let row = conn.first(sql, params![since]).await?;
    let Some(row) = row else { return Err(DbError::Statement("no counts".to_owned())) };
    Ok(Reputation { sent: row.get(0)?, bounced: row.get(1)?, complained: row.get(2)? })
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

/// Refuses, where no mail is sent.
///
/// # Errors
/// `mails_off`.
pub(crate) fn require(app: &AppState) -> ApiResult<()> {
    if app.emails().are_on() {
        return Ok(());
    }
    let detail = "No mail is sent here yet: set mail_from, and resend_api_key, smtp_url or mail_folder.";
    Err(ApiError::new(Code::MailsOff, detail))
}

/// Mails about an event, newest first; those about one order, if that is asked for.
///
/// # Errors
/// `invalid_query`, `unknown_cursor`, and what [`authorize::event`] refuses.
pub(crate) async fn about(
    app: &AppState,
    who: Who,
    event: EventId,
    order: Option<OrderId>,
    page: &PageQuery,
) -> ApiResult<Page<EmailView>> {
    let (before, limit) = (page.before()?, page.limit()?);
    let db = app.db_of(who.organiser_id);
    let read = db.read(move |conn| {
        Box::pin(async move {
            authorize::event(conn, &who, event).await?;
            Ok::<_, ApiError>(store::about(conn, (event, order), before, limit + 1).await?)
        })
    });
    let rows = read.await?.into_iter().map(EmailView::from).collect();
    let key = |email: &EmailView| Key { at: email.created_at, id: *email.email_id.as_bytes() };
    Ok(Page::of(rows, limit, key))
}

/// Sends a mail that says that mails work.
///
/// # Errors
/// `mails_off`, `invalid_field`.
pub(crate) async fn test(app: &AppState, to: String) -> ApiResult<()> {
    if smtp::address(&to).is_err() {
        return Err(ApiError::field("to", "must be an e-mail address"));
    }
    require(app)?;
    let app_in = app.clone();
    let put = app.db().write(move |tx| {
        Box::pin(async move {
            let id = EmailId::generate(app_in.now(), app_in.entropy().as_ref());
            let email = NewEmail {
                organiser_id: None,
                kind: "test",
                class: Class::Transactional,
                event_id: None,
                order_id: None,
                cause_id: None,
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
    outbox::wake(app);
    Ok(())
}
