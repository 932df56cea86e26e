//! The next part of a campaign: the job.

use liventix_core::ids::PushMessageId;
use serde_json::{Value, json};

use super::store;
use super::types::{Campaign, CampaignStatus};
use crate::app::AppState;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::CampaignId;
use crate::platform::queue::{Claimed, Failure, NewJob};
use crate::push::{self, Kind, NewMessage, STEPS, outbox, recipients};

/// The kind of the job.
pub(crate) const STEP: &str = "campaign.1";
/// Phones in one step.
const AT_ONCE: usize = 500;
const HOUR_MS: i64 = 3_600_000;

/// The next part goes at `run_at` (UTC milliseconds).
pub(super) async fn put(
    tx: &mut Tx,
    app: &AppState,
    campaign: &Campaign,
    run_at: i64,
) -> Result<(), DbError> {
    let after = campaign.after.map(|wallet| wallet.hex());
    let job = NewJob {
        organiser: Some(campaign.organiser_id),
        run_at,
        // One that is paused and goes on may have its next part twice; it takes its turn, and finds nothing to do.
        unique_key: Some(format!("{STEP} {} {after:?} {run_at}", campaign.campaign_id)),
        ..NewJob::new(STEPS.name, STEP, json!({ "campaign_id": campaign.campaign_id, "after": after }))
    };
    app.queue().enqueue(tx, &job).await.map(drop)
}

/// # Errors
/// When the database fails.
pub(crate) async fn step(app: &AppState, job: &Claimed) -> Result<(), Failure> {
    let id: Option<CampaignId> =
        job.payload.get("campaign_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Failure::permanent("payload", "The job has no campaign_id."))?;
    let after = job.payload.get("after").and_then(Value::as_str).map(str::to_owned);
    let app_in = app.clone();
    let gone = app.db().write(move |tx| Box::pin(async move { go_on(tx, &app_in, id, after).await }));
    let gone: Result<(), DbError> = gone.await;
    gone?;
    push::wake(app);
    Ok(())
}

/// How many may go now, and when the next one may.
fn room(times: &[i64], per_hour: u32, now: i64) -> (usize, i64) {
    let most = usize::try_from(per_hour).unwrap_or(usize::MAX);
    let room = most.saturating_sub(times.len());
    // The oldest of them leaves the hour then.
    let next = times.first().map_or(now, |oldest| oldest + HOUR_MS);
    (room, next)
}

async fn go_on(tx: &mut Tx, app: &AppState, id: CampaignId, after: Option<String>) -> Result<(), DbError> {
    store::lock(tx, id).await?;
    let Some(mut campaign) = store::by_id(tx, id).await? else { return Ok(()) };
    let now = app.now();
    // Another job has gone on from there, or it does not go on.
    if campaign.status != CampaignStatus::Running || campaign.after.map(|wallet| wallet.hex()) != after {
        return Ok(());
    }
    if campaign.expires_at <= now {
        return end(tx, &mut campaign, now).await;
    }
    let per_hour = app.config().limits.push_campaign.count;
    let times = store::put_since(tx, id, (now - HOUR_MS, per_hour)).await?;
    let (room, next) = room(&times, per_hour, now);
    if room == 0 {
        campaign.waits_until = Some(next);
        store::update(tx, &campaign).await?;
        return put(tx, app, &campaign, next).await;
    }
    let count = room.min(AT_ONCE);
    let of = (campaign.event_id, &campaign.segment);
    let phones = recipients::of_event(tx, of, (campaign.after, count)).await?;
    let new = phones.iter().map(|phone| {
        let message = NewMessage {
            organiser_id: Some(campaign.organiser_id),
            event_id: Some(campaign.event_id),
            ticket_id: None,
            campaign_id: Some(id),
            wallet_id: phone.wallet_id,
            device_id: phone.device_id,
            kind: Kind::News,
            title: campaign.title.clone(),
            body: campaign.body.clone(),
            dedupe_key: format!("{}:{id}:{}", Kind::News.code(), phone.wallet_id.hex()),
            expires_at: campaign.expires_at,
        };
        (PushMessageId::generate(now, app.entropy().as_ref()), message)
    });
    let new = new.collect();
    outbox::put(tx, app, new).await?;
    if phones.len() < count {
        return end(tx, &mut campaign, now).await;
    }
    campaign.after = phones.last().map(|phone| phone.wallet_id);
    campaign.waits_until = None;
    store::update(tx, &campaign).await?;
    put(tx, app, &campaign, 0).await
}

/// It has come to everybody, or its time is over.
async fn end(tx: &mut Tx, campaign: &mut Campaign, now: i64) -> Result<(), DbError> {
    campaign.status = CampaignStatus::Done;
    campaign.waits_until = None;
    campaign.ended_at = Some(now);
    store::update(tx, campaign).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_has_room_for_so_many() {
        assert_eq!(room(&[], 100, 5), (100, 5));
        assert_eq!(room(&[10, 20], 3, 30), (1, 10 + HOUR_MS));
        assert_eq!(room(&[10, 20, 20], 3, 30), (0, 10 + HOUR_MS));
    }
}
