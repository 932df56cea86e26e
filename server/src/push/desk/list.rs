//! Messages, one by one: what became of each, and trying one again.

use liventix_core::ids::{EventId, PushDeviceId, PushMessageId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::params;
use crate::platform::authorize::{self, Who};
use crate::platform::db::{Conn, DbError, Row, Value};
use crate::platform::ids::CampaignId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::push::outbox;
use crate::push::types::{Kind, PushStatus, Reason};

/// A message to one phone, and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MessageView {
    /// Its id.
    pub message_id: PushMessageId,
    /// The phone.
    pub device_id: PushDeviceId,
    /// The event that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// The campaign that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<CampaignId>,
    /// What it tells.
    pub kind: Kind,
    /// Its first line.
    pub title: String,
    /// What stands below it.
    pub body: String,
    /// Where it stands.
    pub status: PushStatus,
    /// Why it waits, did not go, or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What its service said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How often its service was asked to take it.
    pub tries: i64,
    /// The service that was asked: `apns`, `apns_sandbox`, `fcm`, `fcm_installation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// When it goes, where it waits for its time (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
    /// The message that tells what this one would have told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouped_into: Option<PushMessageId>,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// When its service took it (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<i64>,
    /// When the phone had it (UTC milliseconds), if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<i64>,
    /// When somebody opened it (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<i64>,
}

const COLUMNS: &str = "message_id, device_id, event_id, campaign_id, kind, title, body, status, reason, detail, tries, \
    service, due_at, grouped_into, created_at, sent_at, delivered_at, opened_at";

fn read(row: &Row) -> Result<MessageView, DbError> {
    let status = row.coded(7, PushStatus::from_code)?;
    Ok(MessageView {
        message_id: row.get(0)?,
        device_id: row.get(1)?,
        event_id: row.get(2)?,
        campaign_id: row.get(3)?,
        kind: row.coded(4, Kind::from_code)?,
        title: row.get(5)?,
        body: row.get(6)?,
        status,
        reason: row.maybe_coded(8, Reason::from_code)?,
        detail: row.get(9)?,
        tries: row.get(10)?,
        service: row.get(11)?,
        due_at: Some(row.get(12)?).filter(|_| status == PushStatus::Queued),
        grouped_into: row.get(13)?,
        created_at: row.get(14)?,
        sent_at: row.get(15)?,
        delivered_at: row.get(16)?,
        opened_at: row.get(17)?,
    })
}

/// Which messages; all, where it does not say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Which {
    pub(crate) event: Option<EventId>,
    pub(crate) campaign: Option<CampaignId>,
    pub(crate) status: Option<PushStatus>,
}

async fn select(conn: &mut Conn, which: Which, before: Key, limit: u32) -> Result<Vec<MessageView>, DbError> {
    let mut values = params![before.at, before.id, limit].to_vec();
    let mut narrowed = String::new();
    let of: [(&str, Option<Value>); 3] = [
        ("event_id", which.event.map(Into::into)),
        ("campaign_id", which.campaign.map(Into::into)),
        ("status", which.status.map(|status| status.code().into())),
    ];
    for (column, value) in of {
        if let Some(value) = value {
            values.push(value);
            narrowed.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM push_messages WHERE (created_at, message_id) < ($1, $2){narrowed} \
         ORDER BY created_at DESC, message_id DESC LIMIT $3"
    );
    conn.query(&sql, &values).await?.iter().map(read).collect()
}

fn page_of(rows: Vec<MessageView>, limit: u32) -> Page<MessageView> {
    Page::of(rows, limit, |it| Key { at: it.created_at, id: *it.message_id.as_bytes() })
}

/// Messages, newest first.
///
/// # Errors
/// `invalid_query`, `unknown_cursor`.
pub(crate) async fn list(app: &AppState, which: Which, page: &PageQuery) -> ApiResult<Page<MessageView>> {
    let (before, limit) = (page.before()?, page.limit()?);
    let rows =
        app.db().read(move |conn| Box::pin(async move { select(conn, which, before, limit + 1).await }));
    let rows: Result<_, DbError> = rows.await;
    Ok(page_of(rows?, limit))
}

/// Messages about an event, newest first.
///
/// # Errors
/// `invalid_query`, `unknown_cursor`, and what [`authorize::event`] refuses.
pub(crate) async fn of_event(
    app: &AppState,
    who: Who,
    event: EventId,
    (which, page): (Which, &PageQuery),
) -> ApiResult<Page<MessageView>> {
    let (before, limit) = (page.before()?, page.limit()?);
    let which = Which { event: Some(event), ..which };
    let db = app.db_of(who.organiser_id);
    let rows = db.read(move |conn| {
        Box::pin(async move {
            authorize::event(conn, &who, event).await?;
            Ok::<_, ApiError>(select(conn, which, before, limit + 1).await?)
        })
    });
    Ok(page_of(rows.await?, limit))
}

/// Tries a message again that no service took. One that its service took, or that somebody decided against, does not go.
///
/// # Errors
/// `message_not_found`, `message_ended`.
pub(crate) async fn again(app: &AppState, id: PushMessageId) -> ApiResult<()> {
    let app_in = app.clone();
    let put = app.db().write(move |tx| {
        Box::pin(async move {
            let row = tx.first("SELECT status FROM push_messages WHERE message_id = $1", params![id]).await?;
            let status: PushStatus = match row {
                Some(row) => row.coded(0, PushStatus::from_code)?,
                None => {
                    return Err(ApiError::new(Code::MessageNotFound, "No push message has this id."));
                }
            };
            if status != PushStatus::Failed {
                let detail = "Only a message that no service took can be tried again.";
                return Err(ApiError::new(Code::MessageEnded, detail));
            }
            Ok::<_, ApiError>(outbox::enqueue(tx, &app_in, None, (&[id], 0)).await?)
        })
    });
    put.await?;
    outbox::wake(app);
    Ok(())
}
