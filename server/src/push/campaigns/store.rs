//! Rows of campaigns.

use liventix_core::ids::{EventId, PushMessageId};

use super::types::{Campaign, CampaignStatus, Progress};
use crate::params;
use crate::platform::auth::WalletId;
use crate::platform::db::{Conn, DbError, Row, Tx, Value, in_list};
use crate::platform::ids::CampaignId;
use crate::platform::page::Key;

const COLUMNS: &str = "campaign_id, organiser_id, event_id, title, body, segment, status, recipients, after_wallet, \
    written_by, created_at, expires_at, waits_until, ended_at";

fn read(row: &Row) -> Result<Campaign, DbError> {
    Ok(Campaign {
        campaign_id: row.get(0)?,
        organiser_id: row.get(1)?,
        event_id: row.get(2)?,
        title: row.get(3)?,
        body: row.get(4)?,
        segment: row.json(5)?,
        status: row.coded(6, CampaignStatus::from_code)?,
        recipients: row.get(7)?,
        after: row.get::<Option<[u8; 16]>>(8)?.map(WalletId::from_bytes),
        written_by: row.get(9)?,
        created_at: row.get(10)?,
        expires_at: row.get(11)?,
        waits_until: row.get(12)?,
        ended_at: row.get(13)?,
    })
}

pub(super) async fn insert(tx: &mut Tx, it: &Campaign) -> Result<(), DbError> {
    let segment =
        serde_json::to_string(&it.segment).map_err(|error| DbError::Statement(error.to_string()))?;
    let sql = format!(
        "INSERT INTO push_campaigns ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, $9, $10, $11, NULL, NULL)"
    );
    let values = params![
        it.campaign_id,
        it.organiser_id,
        it.event_id,
        &it.title,
        &it.body,
        segment,
        it.status.code(),
        it.recipients,
        &it.written_by,
        it.created_at,
        it.expires_at,
    ];
    tx.execute(&sql, values).await.map(drop)
}

pub(super) async fn by_id(conn: &mut Conn, id: CampaignId) -> Result<Option<Campaign>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM push_campaigns WHERE campaign_id = $1");
    conn.first(&sql, params![id]).await?.as_ref().map(read).transpose()
}

/// Holds a campaign until the transaction ends: what is read of it from now on stays true.
pub(super) async fn lock(tx: &mut Tx, id: CampaignId) -> Result<(), DbError> {
    tx.lock("push_campaign", id.as_bytes()).await
}

/// Those of an event, newest first.
pub(super) async fn list(
    conn: &mut Conn,
    event: EventId,
    before: Key,
    limit: u32,
) -> Result<Vec<Campaign>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM push_campaigns WHERE event_id = $1 AND (created_at, campaign_id) < ($2, $3) \
         ORDER BY created_at DESC, campaign_id DESC LIMIT $4"
    );
    conn.query(&sql, params![event, before.at, before.id, limit]).await?.iter().map(read).collect()
}

/// What became of the messages of each of these.
pub(super) async fn progress(
    conn: &mut Conn,
    campaigns: &[Campaign],
) -> Result<Vec<(CampaignId, Progress)>, DbError> {
    if campaigns.is_empty() {
        return Ok(Vec::new());
    }
    let values: Vec<Value> = campaigns.iter().map(|it| it.campaign_id.into()).collect();
    let sql = format!(
        "SELECT campaign_id, status, COUNT(*), COUNT(delivered_at), COUNT(opened_at) FROM push_messages \
         WHERE campaign_id IN ({}) GROUP BY campaign_id, status",
        in_list(1, values.len())
    );
    let rows = conn.query(&sql, &values).await?;
    let mut all: Vec<_> = campaigns.iter().map(|it| (it.campaign_id, Progress::default())).collect();
    for row in &rows {
        let id: CampaignId = row.get(0)?;
        let Some((_, progress)) = all.iter_mut().find(|(campaign, _)| *campaign == id) else { continue };
        let count: i64 = row.get(2)?;
        match row.get::<String>(1)?.as_str() {
            "sent" => progress.sent += count,
            "failed" => progress.failed += count,
            "withheld" => progress.withheld += count,
            "grouped" => progress.grouped += count,
            _ => progress.waiting += count,
        }
        progress.delivered += row.get::<i64>(3)?;
        progress.opened += row.get::<i64>(4)?;
    }
    Ok(all)
}

/// Writes back what can change of a campaign.
pub(super) async fn update(tx: &mut Tx, it: &Campaign) -> Result<(), DbError> {
    let sql = "UPDATE push_campaigns SET status = $2, after_wallet = $3, waits_until = $4, ended_at = $5 \
               WHERE campaign_id = $1";
    let after = it.after.map(|wallet| wallet.to_bytes());
    let values = params![it.campaign_id, it.status.code(), after, it.waits_until, it.ended_at];
    tx.execute(sql, values).await.map(drop)
}

/// When the messages of the last hour were put in, the oldest first, `most` of them at most.
pub(super) async fn put_since(
    conn: &mut Conn,
    id: CampaignId,
    (since, most): (i64, u32),
) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT created_at FROM push_messages WHERE campaign_id = $1 AND created_at > $2 \
               ORDER BY created_at DESC LIMIT $3";
    let rows = conn.query(sql, params![id, since, most]).await?;
    let mut times: Vec<i64> = rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    times.reverse();
    Ok(times)
}

/// What waits of a campaign that was called off does not go. How many that are.
pub(super) async fn withhold(tx: &mut Tx, id: CampaignId, now: i64) -> Result<u64, DbError> {
    let sql = "UPDATE push_messages SET status = 'withheld', reason = 'cancelled', ended_at = $2 \
               WHERE campaign_id = $1 AND status = 'queued'";
    tx.execute(sql, params![id, now]).await
}

/// What waits because a campaign was paused.
pub(super) async fn paused(conn: &mut Conn, id: CampaignId) -> Result<Vec<PushMessageId>, DbError> {
    let sql = "SELECT message_id FROM push_messages WHERE campaign_id = $1 AND status = 'queued' AND reason = 'paused'";
    conn.query(sql, params![id]).await?.iter().map(|row| row.get(0)).collect()
}
