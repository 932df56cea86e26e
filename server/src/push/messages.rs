//! Rows of messages and their tries.

use liventix_core::ids::{EventId, OrganiserId, PushMessageId};
use liventix_core::push::PushService;
use liventix_core::push::wire::ReceiptKind;

use super::types::{CampaignState, Kind, Message, NewMessage, PushStatus, Reason, group_key};
use crate::params;
use crate::platform::auth::WalletId;
use crate::platform::call::CallFailure;
use crate::platform::db::{Conn, DbError, Row, Tx, Value, in_list, padded, values_rows};

const INSERTED: &str = "message_id, organiser_id, event_id, ticket_id, campaign_id, wallet_id, device_id, kind, title, \
    body, dedupe_key, group_key, status, was_limited, tries, due_at, expires_at, created_at";
const WIDTH: usize = 18;

/// Writes messages, but for those whose key has one already. Gives the ids of those it wrote.
pub(super) async fn insert(
    tx: &mut Tx,
    new: &[(PushMessageId, NewMessage)],
    now: i64,
) -> Result<Vec<PushMessageId>, DbError> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "INSERT INTO push_messages ({INSERTED}) VALUES {} ON CONFLICT (dedupe_key) DO NOTHING RETURNING message_id",
        values_rows(WIDTH, new.len())
    );
    let mut values: Vec<Value> = Vec::with_capacity(new.len() * WIDTH);
    for (id, it) in new {
        values.extend_from_slice(params![
            *id,
            it.organiser_id,
            it.event_id,
            it.ticket_id,
            it.campaign_id,
            it.wallet_id.to_bytes(),
            it.device_id,
            it.kind.code(),
            &it.title,
            &it.body,
            &it.dedupe_key,
            group_key(it),
            PushStatus::Queued.code(),
            false,
            0_i64,
            now,
            it.expires_at,
            now,
        ]);
    }
    tx.query(&sql, &values).await?.iter().map(|row| row.get(0)).collect()
}

fn read(row: &Row) -> Result<Message, DbError> {
    let campaign = match row.get::<Option<String>>(14)?.as_deref() {
        Some("paused") => CampaignState::Paused,
        Some("cancelled") => CampaignState::Cancelled,
        _ => CampaignState::GoesOn,
    };
    Ok(Message {
        message_id: row.get(0)?,
        organiser_id: row.get(1)?,
        event_id: row.get(2)?,
        ticket_id: row.get(3)?,
        wallet_id: WalletId::from_bytes(row.get(4)?),
        device_id: row.get(5)?,
        kind: row.coded(6, Kind::from_code)?,
        title: row.get(7)?,
        body: row.get(8)?,
        group_key: row.get(9)?,
        tries: row.get(10)?,
        expires_at: row.get(11)?,
        created_at: row.get(12)?,
        event_zone: row.get(13)?,
        campaign,
        campaign_id: row.get(15)?,
    })
}

/// Those among these that are to go still, in the one order in which their persons' limits are counted.
pub(super) async fn open(conn: &mut Conn, ids: &[PushMessageId]) -> Result<Vec<Message>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let values = padded(ids.iter().copied().map(Into::into).collect());
    let sql = format!(
        "SELECT m.message_id, m.organiser_id, m.event_id, m.ticket_id, m.wallet_id, m.device_id, m.kind, m.title, m.body, \
         m.group_key, m.tries, m.expires_at, m.created_at, e.time_zone, c.status, m.campaign_id FROM push_messages m \
         LEFT JOIN events e ON e.event_id = m.event_id LEFT JOIN push_campaigns c ON c.campaign_id = m.campaign_id \
         WHERE m.message_id IN ({}) AND m.status IN ('queued', 'sending', 'failed') ORDER BY m.wallet_id, m.message_id",
        in_list(1, values.len())
    );
    conn.query(&sql, &values).await?.iter().map(read).collect()
}

/// Those of the same kind that were held back for the same person.
pub(super) async fn held_back_with(conn: &mut Conn, it: &Message, now: i64) -> Result<Vec<Message>, DbError> {
    let sql = "SELECT message_id FROM push_messages WHERE wallet_id = $1 AND group_key = $2 AND status = 'queued' \
               AND message_id <> $3 AND device_id = $4 AND due_at > created_at AND expires_at > $5 \
               AND reason IN ('quiet_hours', 'limited', 'campaign_limited')";
    let values = params![it.wallet_id.to_bytes(), &it.group_key, it.message_id, it.device_id, now];
    let ids: Vec<PushMessageId> =
        conn.query(sql, values).await?.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    let mut found = open(conn, &ids).await?;
    found.retain(|message| message.campaign == CampaignState::GoesOn);
    Ok(found)
}

/// Another message tells it. Says whether it was still to be told.
pub(super) async fn group(
    tx: &mut Tx,
    it: PushMessageId,
    into: PushMessageId,
    now: i64,
) -> Result<bool, DbError> {
    let sql = "UPDATE push_messages SET status = 'grouped', grouped_into = $2, ended_at = $3, reason = NULL \
               WHERE message_id = $1 AND status = 'queued'";
    Ok(tx.execute(sql, params![it, into, now]).await? == 1)
}

/// A try begins, the one after those it had: unless somebody else has begun it, or it is sent. Says whether it is ours.
pub(super) async fn take(tx: &mut Tx, it: &Message, service: PushService, now: i64) -> Result<bool, DbError> {
    let sql = "UPDATE push_messages SET status = 'sending', tries = $2, title = $3, body = $4, service = $5, \
               reason = NULL, detail = NULL, ended_at = NULL \
               WHERE message_id = $1 AND tries = $6 AND status IN ('queued', 'sending', 'failed')";
    let (tries, service) = (it.tries + 1, service.code());
    let values = params![it.message_id, tries, &it.title, &it.body, service, it.tries];
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    let sql = "INSERT INTO push_attempts (message_id, attempt, service, started_at) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, params![it.message_id, tries, service, now]).await?;
    Ok(true)
}

/// It waits until `due_at`.
pub(super) async fn hold(
    tx: &mut Tx,
    it: PushMessageId,
    (reason, detail): (Reason, Option<&str>),
    due_at: i64,
) -> Result<(), DbError> {
    let sql = "UPDATE push_messages SET status = 'queued', reason = $2, detail = $3, due_at = $4, ended_at = NULL, \
               was_limited = CASE WHEN $2 IN ('limited', 'campaign_limited') THEN 1 ELSE was_limited END \
               WHERE message_id = $1 AND status IN ('queued', 'sending', 'failed')";
    tx.execute(sql, params![it, reason.code(), detail.map(str::to_owned), due_at]).await.map(drop)
}

/// It does not go.
pub(super) async fn end(
    tx: &mut Tx,
    it: PushMessageId,
    (status, reason): (PushStatus, Reason),
    detail: Option<&str>,
    now: i64,
) -> Result<(), DbError> {
    let sql = "UPDATE push_messages SET status = $2, reason = $3, detail = $4, ended_at = $5 \
               WHERE message_id = $1 AND status IN ('queued', 'sending', 'failed')";
    let values = params![it, status.code(), reason.code(), detail.map(str::to_owned), now];
    tx.execute(sql, values).await.map(drop)
}

/// Its service has it. Whoever was given up on still says so. Says whether that is news.
pub(super) async fn sent(
    tx: &mut Tx,
    it: PushMessageId,
    provider_id: Option<&str>,
    now: i64,
) -> Result<bool, DbError> {
    let sql = "UPDATE push_messages SET status = 'sent', reason = NULL, detail = NULL, provider_id = $2, sent_at = $3, \
               ended_at = $3 WHERE message_id = $1 AND status IN ('queued', 'sending', 'failed')";
    Ok(tx.execute(sql, params![it, provider_id.map(str::to_owned), now]).await? == 1)
}

/// Whether this is still the message's last try, and it is not sent.
pub(super) async fn is_at(conn: &mut Conn, it: PushMessageId, tries: i64) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM push_messages WHERE message_id = $1 AND tries = $2 AND status = 'sending'";
    Ok(conn.first(sql, params![it, tries]).await?.is_some())
}

/// How a try ended.
pub(super) async fn end_try(
    tx: &mut Tx,
    (it, attempt): (PushMessageId, i64),
    failure: Option<&CallFailure>,
    now: i64,
) -> Result<(), DbError> {
    let sql = "UPDATE push_attempts SET ended_at = $3, outcome = $4, status = $5, code = $6, detail = $7 \
               WHERE message_id = $1 AND attempt = $2";
    let outcome = failure.map_or("done", |failure| failure.outcome.code());
    let values = params![
        it,
        attempt,
        now,
        outcome,
        failure.and_then(|failure| failure.status),
        failure.and_then(|failure| failure.code.clone()),
        failure.map(|failure| failure.detail.clone()),
    ];
    tx.execute(sql, values).await.map(drop)
}

/// A phone says that it has a message, or that somebody opened it, at `at` by our clock. Told again, the first counts. Says
/// whose message it is and which of both is news.
pub(super) async fn received(
    tx: &mut Tx,
    (it, wallet): (PushMessageId, WalletId),
    kind: ReceiptKind,
    at: i64,
) -> Result<Received, DbError> {
    let mut received = Received::default();
    let known = "message_id = $1 AND wallet_id = $2 AND status IN ('queued', 'sending', 'sent')";
    // Not before it was written.
    let then = "CASE WHEN created_at > $3 THEN created_at ELSE $3 END";
    let values = params![it, wallet.to_bytes(), at].to_vec();
    // What was opened has arrived, whether or not that was told.
    let sql =
        format!("UPDATE push_messages SET delivered_at = {then} WHERE {known} AND delivered_at IS NULL");
    received.is_delivered = tx.execute(&sql, &values).await? == 1;
    if kind == ReceiptKind::Opened {
        let sql = format!("UPDATE push_messages SET opened_at = {then} WHERE {known} AND opened_at IS NULL");
        received.is_opened = tx.execute(&sql, &values).await? == 1;
    }
    if received.is_delivered || received.is_opened {
        let sql = "SELECT organiser_id, event_id FROM push_messages WHERE message_id = $1";
        if let Some(row) = tx.first(sql, params![it]).await? {
            received.whose = (row.get(0)?, row.get(1)?);
        }
    }
    Ok(received)
}

/// What a receipt told.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) whose: (Option<OrganiserId>, Option<EventId>),
    pub(super) is_delivered: bool,
    pub(super) is_opened: bool,
}

/// Forgets messages that were written before `before`, and are over.
pub(super) async fn forget(tx: &mut Tx, before: i64) -> Result<u64, DbError> {
    let sql = "DELETE FROM push_messages WHERE message_id IN (SELECT message_id FROM push_messages \
               WHERE created_at < $1 AND status NOT IN ('queued', 'sending') ORDER BY created_at LIMIT 5000)";
    tx.execute(sql, params![before]).await
}
