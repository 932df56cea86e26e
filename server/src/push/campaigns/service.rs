//! Campaigns: started, looked at, stopped.

use axum::http::StatusCode;
use liventix_core::ids::EventId;
use serde_json::json;

use super::types::{Campaign, CampaignStatus, CampaignView, NewCampaign};
use super::{step, store};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::events;
use crate::platform::authorize::{self, Who};
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::idempotency::Attempt;
use crate::platform::ids::CampaignId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::text;
use crate::push::{self, MAX_BODY, MAX_TITLE, outbox, recipients};

const DAY_MS: i64 = 24 * 3_600_000;
/// As long as a service keeps a message for a phone that is off.
const MAX_LIFE_MS: i64 = 28 * DAY_MS;

fn not_found() -> ApiError {
    ApiError::new(Code::CampaignNotFound, "The event has no campaign with this id.")
}

/// Tells the phones of an event's attendees, as fast as the limit allows.
///
/// # Errors
/// `invalid_field`, `push_off`, and what [`authorize::event`] refuses.
pub(crate) async fn start(
    app: &AppState,
    who: Who,
    event: EventId,
    new: NewCampaign,
    attempt: Attempt,
) -> ApiResult<CampaignView> {
    let (title, body) =
        (text::line("title", &new.title, MAX_TITLE)?, text::block("body", &new.body, MAX_BODY)?);
    if new.segment.ticket_type_ids.len() > 200 {
        return Err(ApiError::field("segment.ticket_type_ids", "must have 200 at most"));
    }
    if !app.push().is_on() {
        let detail = "The server sends no push messages. Whoever runs it sets apns_key_file or fcm_service_account_file.";
        return Err(ApiError::new(Code::PushOff, detail));
    }
    // Whose phones they are is not for organisers to see: counted in nobody's name.
    let counted = new.segment.clone();
    let recipients =
        app.db().read(move |conn| Box::pin(async move { recipients::count(conn, event, &counted).await }));
    let (db, app_in) = (app.db_of(who.organiser_id), app.clone());
    let recipients: Result<i64, DbError> = recipients.await;
    let recipients = recipients?;
    let started = db.write(move |tx| {
        Box::pin(async move {
            authorize::event(tx, &who, event).await?;
            let expires_at = expiry(tx, &app_in, event, new.expires_at).await?;
            let campaign = Campaign {
                campaign_id: CampaignId::generate(app_in.now(), app_in.entropy().as_ref()),
                organiser_id: who.organiser_id,
                event_id: event,
                title,
                body,
                segment: new.segment,
                status: CampaignStatus::Running,
                recipients,
                after: None,
                written_by: who.by.name.clone(),
                created_at: app_in.now(),
                expires_at,
                waits_until: None,
                ended_at: None,
            };
            store::insert(tx, &campaign).await?;
            step::put(tx, &app_in, &campaign, 0).await?;
            record(tx, &app_in, (&who, &campaign), Deed::CampaignStarted).await?;
            let view = view(tx, &app_in, campaign).await?;
            attempt.finish_in(tx, StatusCode::CREATED, &view).await?;
            Ok::<_, ApiError>(view)
        })
    });
    let view = started.await?;
    push::wake(app);
    Ok(view)
}

async fn record(
    tx: &mut Tx,
    app: &AppState,
    (who, campaign): (&Who, &Campaign),
    deed: Deed,
) -> ApiResult<()> {
    let entry = Entry::of(deed).at(campaign.event_id).to(Target::Event, campaign.event_id.as_bytes());
    let entry =
        entry.named(&campaign.title).after(json!({ "body": campaign.body, "segment": campaign.segment }));
    audit::record(tx, app, who, entry).await
}

async fn expiry(conn: &mut Conn, app: &AppState, event: EventId, wish: Option<i64>) -> ApiResult<i64> {
    let now = app.now();
    if let Some(at) = wish {
        if at <= now || at > now + MAX_LIFE_MS {
            return Err(ApiError::field("expires_at", "must be within the next 28 days (UTC milliseconds)"));
        }
        return Ok(at);
    }
    let ends_at = events::summary(conn, event).await?.map_or(now, |event| event.ends_at);
    Ok(ends_at.clamp(now + DAY_MS, now + MAX_LIFE_MS))
}

async fn view(conn: &mut Conn, app: &AppState, campaign: Campaign) -> Result<CampaignView, DbError> {
    let progress = store::progress(conn, std::slice::from_ref(&campaign)).await?;
    let progress = progress.into_iter().next().map(|(_, progress)| progress).unwrap_or_default();
    Ok(campaign.view(progress, app.config().limits.push_campaign.count))
}

/// Those of an event, newest first.
///
/// # Errors
/// `invalid_query`, `unknown_cursor`, and what [`authorize::event`] refuses.
pub(crate) async fn list(
    app: &AppState,
    who: Who,
    event: EventId,
    page: &PageQuery,
) -> ApiResult<Page<CampaignView>> {
    let (before, limit) = (page.before()?, page.limit()?);
    let (db, per_hour) = (app.db_of(who.organiser_id), app.config().limits.push_campaign.count);
    let views = db.read(move |conn| {
        Box::pin(async move {
            authorize::event(conn, &who, event).await?;
            let campaigns = store::list(conn, event, before, limit + 1).await?;
            let progress = store::progress(conn, &campaigns).await?;
            let views =
                campaigns.into_iter().zip(progress).map(|(it, (_, progress))| it.view(progress, per_hour));
            Ok::<_, ApiError>(views.collect::<Vec<_>>())
        })
    });
    let key = |it: &CampaignView| Key { at: it.created_at, id: *it.campaign_id.as_bytes() };
    Ok(Page::of(views.await?, limit, key))
}

/// One of them.
///
/// # Errors
/// `campaign_not_found`, and what [`authorize::event`] refuses.
pub(crate) async fn get(app: &AppState, who: Who, event: EventId, id: CampaignId) -> ApiResult<CampaignView> {
    let (db, app_in) = (app.db_of(who.organiser_id), app.clone());
    let view = db.read(move |conn| {
        Box::pin(async move {
            authorize::event(conn, &who, event).await?;
            let campaign = store::by_id(conn, id).await?.filter(|it| it.event_id == event);
            Ok::<_, ApiError>(view(conn, &app_in, campaign.ok_or_else(not_found)?).await?)
        })
    });
    view.await
}

/// What is done with a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Pause,
    Resume,
    Cancel,
}

impl Wish {
    const fn deed(self) -> Deed {
        match self {
            Self::Pause => Deed::CampaignPaused,
            Self::Resume => Deed::CampaignResumed,
            Self::Cancel => Deed::CampaignCancelled,
        }
    }
}

/// Pauses a campaign, lets it go on, or calls it off. Doing it twice changes nothing more.
///
/// # Errors
/// `campaign_not_found`, `campaign_ended`, and what [`authorize::event`] refuses.
pub(crate) async fn act(
    app: &AppState,
    who: Who,
    event: EventId,
    (id, wish): (CampaignId, Wish),
) -> ApiResult<CampaignView> {
    let (db, app_in) = (app.db_of(who.organiser_id), app.clone());
    let view = db.write(move |tx| {
        Box::pin(async move {
            authorize::event(tx, &who, event).await?;
            store::lock(tx, id).await?;
            let campaign = store::by_id(tx, id).await?.filter(|it| it.event_id == event);
            let mut campaign = campaign.ok_or_else(not_found)?;
            if apply(tx, &app_in, &mut campaign, wish).await? {
                record(tx, &app_in, (&who, &campaign), wish.deed()).await?;
            }
            Ok::<_, ApiError>(view(tx, &app_in, campaign).await?)
        })
    });
    let view = view.await?;
    push::wake(app);
    Ok(view)
}

/// Says whether anything changed.
async fn apply(tx: &mut Tx, app: &AppState, campaign: &mut Campaign, wish: Wish) -> ApiResult<bool> {
    use CampaignStatus::{Cancelled, Done, Paused, Running};
    let id = campaign.campaign_id;
    let withheld = match (wish, campaign.status) {
        (Wish::Cancel, Running | Paused | Done) => store::withhold(tx, id, app.now()).await?,
        _ => 0,
    };
    campaign.status = match (wish, campaign.status) {
        (Wish::Pause, Running) => Paused,
        (Wish::Resume, Paused) => Running,
        (Wish::Cancel, Running | Paused) => Cancelled,
        // It has come to everybody, and some of it waits still.
        (Wish::Cancel, Done) if withheld > 0 => Cancelled,
        (Wish::Pause, Paused) | (Wish::Resume, Running) | (Wish::Cancel, Cancelled) => return Ok(false),
        _ => {
            let detail = "It has come to everybody, or was called off. Start another one.";
            return Err(ApiError::new(Code::CampaignEnded, detail));
        }
    };
    match wish {
        Wish::Pause => {}
        Wish::Resume => {
            step::put(tx, app, campaign, 0).await?;
            let waiting = store::paused(tx, id).await?;
            for batch in waiting.chunks(outbox::BATCH) {
                outbox::enqueue(tx, app, Some(campaign.organiser_id), (batch, 0)).await?;
            }
        }
        Wish::Cancel => {
            campaign.ended_at.get_or_insert(app.now());
        }
    }
    campaign.waits_until = None;
    store::update(tx, campaign).await?;
    Ok(true)
}
