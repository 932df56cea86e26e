//! Rows of campaigns, creatives and what they cost.

use std::collections::{BTreeMap, HashMap};

use liventix_core::ids::{EventId, OrganiserId};

use super::types::AdCampaignView;
use crate::params;
use crate::platform::authorize::Events;
use crate::platform::db::{Conn, DbError, Row, Tx, Value, in_list, padded};
use crate::platform::ids::{AdCampaignId, CreativeId};
use crate::platform::page::Key;
use crate::pricing::Currency;

pub(super) async fn insert_campaign(
    tx: &mut Tx,
    organiser: OrganiserId,
    campaign: &AdCampaignView,
) -> Result<(), DbError> {
    let sql = "INSERT INTO ad_campaigns (ad_campaign_id, organiser_id, event_id, name, created_at) \
               VALUES ($1, $2, $3, $4, $5)";
    let AdCampaignView { ad_campaign_id, event_id, name, created_at } = campaign;
    tx.execute(sql, params![*ad_campaign_id, organiser, *event_id, name, *created_at]).await.map(drop)
}

fn campaign(row: &Row) -> Result<AdCampaignView, DbError> {
    Ok(AdCampaignView {
        ad_campaign_id: row.get(0)?,
        event_id: row.get(1)?,
        name: row.get(2)?,
        created_at: row.get(3)?,
    })
}

/// Campaigns of an event, oldest first.
pub(super) async fn campaigns(
    conn: &mut Conn,
    event: EventId,
    after: Key,
    limit: u32,
) -> Result<Vec<AdCampaignView>, DbError> {
    let sql = "SELECT ad_campaign_id, event_id, name, created_at FROM ad_campaigns \
               WHERE event_id = $1 AND ad_campaign_id > $2 ORDER BY ad_campaign_id LIMIT $3";
    conn.query(sql, params![event, after.id, limit]).await?.iter().map(campaign).collect()
}

/// Whether an event has such a campaign.
pub(super) async fn has_campaign(conn: &mut Conn, event: EventId, id: AdCampaignId) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM ad_campaigns WHERE ad_campaign_id = $1 AND event_id = $2";
    Ok(conn.first(sql, params![id, event]).await?.is_some())
}

/// A creative, as its table has it.
#[derive(Debug, Clone)]
pub(super) struct Creative {
    pub(super) creative_id: CreativeId,
    pub(super) ad_campaign_id: AdCampaignId,
    pub(super) name: String,
    pub(super) created_at: i64,
}

pub(super) async fn insert_creative(
    tx: &mut Tx,
    (organiser, event): (OrganiserId, EventId),
    it: &Creative,
) -> Result<(), DbError> {
    let sql = "INSERT INTO creatives (creative_id, ad_campaign_id, organiser_id, event_id, name, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let values = params![it.creative_id, it.ad_campaign_id, organiser, event, &it.name, it.created_at];
    tx.execute(sql, values).await.map(drop)
}

/// Creatives of a campaign, oldest first.
pub(super) async fn creatives(
    conn: &mut Conn,
    campaign: AdCampaignId,
    after: Key,
    limit: u32,
) -> Result<Vec<Creative>, DbError> {
    let sql = "SELECT creative_id, ad_campaign_id, name, created_at FROM creatives \
               WHERE ad_campaign_id = $1 AND creative_id > $2 ORDER BY creative_id LIMIT $3";
    let read = |row: &Row| {
        Ok(Creative {
            creative_id: row.get(0)?,
            ad_campaign_id: row.get(1)?,
            name: row.get(2)?,
            created_at: row.get(3)?,
        })
    };
    conn.query(sql, params![campaign, after.id, limit]).await?.iter().map(read).collect()
}

/// Whether a creative is one of this event's.
///
/// # Errors
/// When the database fails.
pub(crate) async fn belongs(conn: &mut Conn, id: CreativeId, event: EventId) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM creatives WHERE creative_id = $1 AND event_id = $2";
    Ok(conn.first(sql, params![id, event]).await?.is_some())
}

/// Those of `ids` that are an organiser's, with their events.
pub(super) async fn events_of(
    conn: &mut Conn,
    organiser: OrganiserId,
    ids: &[CreativeId],
) -> Result<HashMap<CreativeId, EventId>, DbError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(200) {
        let mut values = params![organiser].to_vec();
        values.extend(padded(chunk.iter().map(|id| Value::from(*id)).collect()));
        let sql = format!(
            "SELECT creative_id, event_id FROM creatives WHERE organiser_id = $1 AND creative_id IN ({})",
            in_list(2, values.len() - 1)
        );
        for row in conn.query(&sql, &values).await? {
            found.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(found)
}

/// A creative and its campaign, by name.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) creative: String,
    pub(crate) ad_campaign_id: AdCampaignId,
    pub(crate) campaign: String,
    pub(crate) event_id: EventId,
}

/// Whose advertising, of one event or of those that they may see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) organiser: OrganiserId,
    pub(crate) event: Option<EventId>,
    pub(crate) events: &'a Events,
}

impl Whose<'_> {
    /// The condition for it on the columns of `table`, its values added to a statement's.
    fn condition(&self, table: &str, values: &mut Vec<Value>) -> String {
        let place = values.len() + 1;
        match self.event {
            Some(event) => {
                values.push(event.into());
                format!("{table}.event_id = ${place}")
            }
            None => {
                values.push(self.organiser.into());
                let events = self.events.condition(&format!("{table}.event_id"), values);
                format!("{table}.organiser_id = ${place}{events}")
            }
        }
    }
}

/// Creatives after `after`, by id.
///
/// # Errors
/// When the database fails.
pub(crate) async fn names(
    conn: &mut Conn,
    whose: Whose<'_>,
    (after, limit): (CreativeId, u32),
) -> Result<BTreeMap<CreativeId, Names>, DbError> {
    let mut values = params![after, limit].to_vec();
    let condition = whose.condition("c", &mut values);
    let sql = format!(
        "SELECT c.creative_id, c.name, c.ad_campaign_id, a.name, c.event_id FROM creatives c \
         JOIN ad_campaigns a ON a.ad_campaign_id = c.ad_campaign_id \
         WHERE {condition} AND c.creative_id > $1 ORDER BY c.creative_id LIMIT $2"
    );
    let mut names = BTreeMap::new();
    for row in conn.query(&sql, &values).await? {
        let found = Names {
            creative: row.get(1)?,
            ad_campaign_id: row.get(2)?,
            campaign: row.get(3)?,
            event_id: row.get(4)?,
        };
        names.insert(row.get(0)?, found);
    }
    Ok(names)
}

/// A campaign by name, and what it shows.
#[derive(Debug, Clone)]
pub(crate) struct CampaignNames {
    pub(crate) name: String,
    pub(crate) event_id: EventId,
    pub(crate) creatives: Vec<CreativeId>,
}

/// Campaigns after `after`, by id.
///
/// # Errors
/// When the database fails.
pub(crate) async fn campaign_names(
    conn: &mut Conn,
    whose: Whose<'_>,
    (after, limit): (AdCampaignId, u32),
) -> Result<BTreeMap<AdCampaignId, CampaignNames>, DbError> {
    let mut values = params![after, limit].to_vec();
    let condition = whose.condition("a", &mut values);
    let sql = format!(
        "SELECT a.ad_campaign_id, a.name, a.event_id FROM ad_campaigns a \
         WHERE {condition} AND a.ad_campaign_id > $1 ORDER BY a.ad_campaign_id LIMIT $2"
    );
    let mut campaigns = BTreeMap::new();
    for row in conn.query(&sql, &values).await? {
        let (name, event_id) = (row.get(1)?, row.get(2)?);
        campaigns.insert(row.get(0)?, CampaignNames { name, event_id, creatives: Vec::new() });
    }
    let ids: Vec<AdCampaignId> = campaigns.keys().copied().collect();
    for chunk in ids.chunks(200) {
        let ids = padded(chunk.iter().map(|id| Value::from(*id)).collect());
        let sql = format!(
            "SELECT creative_id, ad_campaign_id FROM creatives WHERE ad_campaign_id IN ({})",
            in_list(1, ids.len())
        );
        for row in conn.query(&sql, &ids).await? {
            if let Some(campaign) = campaigns.get_mut(&row.get(1)?) {
                campaign.creatives.push(row.get(0)?);
            }
        }
    }
    Ok(campaigns)
}

/// Sets what a creative cost on a day. Gives what was known of it before.
pub(super) async fn set_spend(
    tx: &mut Tx,
    (creative, day): (CreativeId, &str),
    (currency, amount): (Currency, i64),
    now: i64,
) -> Result<i64, DbError> {
    let sql = "SELECT amount FROM ad_spend WHERE creative_id = $1 AND day = $2 AND currency = $3";
    let row = tx.first(sql, params![creative, day, currency.code()]).await?;
    let before = row.map_or(Ok(0), |row| row.get(0))?;
    let sql = "INSERT INTO ad_spend (creative_id, day, currency, amount, updated_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (creative_id, day, currency) DO UPDATE SET amount = excluded.amount, \
               updated_at = excluded.updated_at";
    tx.execute(sql, params![creative, day, currency.code(), amount, now]).await?;
    Ok(before)
}
