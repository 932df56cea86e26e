//! What organisers do with their advertising.

use axum::http::StatusCode;
use chrono::NaiveDate;
use chrono_tz::Tz;
use liventix_core::ids::EventId;
use serde_json::json;

use super::store::{self, Creative};
use super::types::{AdCampaignView, CreativeView, Named, Spend, SpendView};
use crate::analytics;
use crate::app::AppState;
use crate::audit::{Deed, Entry, Pen, Target};
use crate::facts::{self, Fact, Measure};
use crate::params;
use crate::platform::authorize::{self, Who};
use crate::platform::idempotency::Attempt;
use crate::platform::ids::{AdCampaignId, CreativeId};
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::text;
use crate::pricing;

fn pen(app: &AppState) -> Pen {
    Pen { now: app.now(), entropy: app.entropy().clone() }
}

fn campaign_not_found() -> ApiError {
    let detail = "The event has no such campaign. List them at /v1/events/{event_id}/ad-campaigns.";
    ApiError::new(Code::AdCampaignNotFound, detail)
}

pub(super) async fn create_campaign(
    app: &AppState,
    who: Who,
    event: EventId,
    (new, attempt): (Named, Attempt),
) -> ApiResult<AdCampaignView> {
    let name = text::line("name", &new.name, 120)?;
    let ad_campaign_id = AdCampaignId::generate(app.now(), app.entropy().as_ref());
    let campaign = AdCampaignView { ad_campaign_id, event_id: event, name, created_at: app.now() };
    let (pen, db) = (pen(app), app.db_of(who.organiser_id));
    let made = db.write(move |tx| {
        Box::pin(async move {
            let organiser = authorize::event(tx, &who, event).await?.organiser_id;
            store::insert_campaign(tx, organiser, &campaign).await?;
            let entry = Entry::of(Deed::AdCampaignCreated)
                .at(event)
                .to(Target::AdCampaign, ad_campaign_id.as_bytes());
            pen.write(tx, Some(organiser), &who.by, entry.named(&campaign.name)).await?;
            attempt.finish_in(tx, StatusCode::CREATED, &campaign).await?;
            Ok::<_, ApiError>(campaign)
        })
    });
    made.await
}

pub(super) async fn campaigns(
    app: &AppState,
    who: Who,
    event: EventId,
    page: &PageQuery,
) -> ApiResult<Page<AdCampaignView>> {
    let (after, limit) = (page.after()?, page.limit()?);
    let db = app.db_of(who.organiser_id);
    let read = db.read(move |conn| {
        Box::pin(async move {
            authorize::event(conn, &who, event).await?;
            Ok::<_, ApiError>(store::campaigns(conn, event, after, limit + 1).await?)
        })
    });
    Ok(Page::of(read.await?, limit, |it| Key { at: 0, id: *it.ad_campaign_id.as_bytes() }))
}

fn view(app: &AppState, event: EventId, it: Creative) -> CreativeView {
    CreativeView {
        url: format!("{}/shop/{event}?ad={}", app.public_url(), it.creative_id),
        creative_id: it.creative_id,
        ad_campaign_id: it.ad_campaign_id,
        name: it.name,
        created_at: it.created_at,
    }
}

pub(super) async fn create_creative(
    app: &AppState,
    who: Who,
    (event, campaign): (EventId, AdCampaignId),
    (new, attempt): (Named, Attempt),
) -> ApiResult<CreativeView> {
    let name = text::line("name", &new.name, 120)?;
    let creative_id = CreativeId::generate(app.now(), app.entropy().as_ref());
    let creative = Creative { creative_id, ad_campaign_id: campaign, name, created_at: app.now() };
    let (app_in, pen, db) = (app.clone(), pen(app), app.db_of(who.organiser_id));
    let made = db.write(move |tx| {
        Box::pin(async move {
            let organiser = authorize::event(tx, &who, event).await?.organiser_id;
            if !store::has_campaign(tx, event, campaign).await? {
                return Err(campaign_not_found());
            }
            store::insert_creative(tx, (organiser, event), &creative).await?;
            let entry =
                Entry::of(Deed::CreativeCreated).at(event).to(Target::Creative, creative_id.as_bytes());
            pen.write(tx, Some(organiser), &who.by, entry.named(&creative.name)).await?;
            let view = view(&app_in, event, creative);
            attempt.finish_in(tx, StatusCode::CREATED, &view).await?;
            Ok(view)
        })
    });
    made.await
}

pub(super) async fn creatives(
    app: &AppState,
    who: Who,
    (event, campaign): (EventId, AdCampaignId),
    page: &PageQuery,
) -> ApiResult<Page<CreativeView>> {
    let (after, limit) = (page.after()?, page.limit()?);
    let db = app.db_of(who.organiser_id);
    let read = db.read(move |conn| {
        Box::pin(async move {
            authorize::event(conn, &who, event).await?;
            if !store::has_campaign(conn, event, campaign).await? {
                return Err(campaign_not_found());
            }
            Ok(store::creatives(conn, campaign, after, limit + 1).await?)
        })
    });
    let rows: Vec<CreativeView> = read.await?.into_iter().map(|it| view(app, event, it)).collect();
    Ok(Page::of(rows, limit, |it| Key { at: 0, id: *it.creative_id.as_bytes() }))
}

/// Sets what a creative cost on a day. What was known of it before is replaced, in the figures as well.
pub(super) async fn spend(
    app: &AppState,
    who: Who,
    (event, creative, day): (EventId, CreativeId, NaiveDate),
    spend: Spend,
) -> ApiResult<SpendView> {
    pricing::check_amount(spend.amount, spend.currency)
        .map_err(|error| ApiError::field("amount", error.to_string()))?;
    let (app_in, pen, db) = (app.clone(), pen(app), app.db_of(who.organiser_id));
    let set = db.write(move |tx| {
        Box::pin(async move {
            let organiser = authorize::event(tx, &who, event).await?.organiser_id;
            if !store::belongs(tx, creative, event).await? {
                let detail = "The event has no such creative. List them at its campaign.";
                return Err(ApiError::new(Code::CreativeNotFound, detail));
            }
            tx.lock("ad_spend", creative.as_bytes()).await?;
            let Spend { amount, currency } = spend;
            let text = day.to_string();
            let before = store::set_spend(tx, (creative, &text), (currency, amount), app_in.now()).await?;
            let row = tx.first("SELECT time_zone FROM events WHERE event_id = $1", params![event]).await?;
            let zone: Option<String> = row.map(|row| row.get(0)).transpose()?;
            let zone = zone.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC);
            let at = analytics::start_of(zone, day);
            let fact = Fact::new(Measure::AdSpend, at, amount - before).in_currency(currency);
            facts::append(tx, &app_in, organiser, vec![fact.of(event).by(creative)]).await?;
            if before != amount {
                let entry = Entry::of(Deed::AdSpendSet).at(event).to(Target::Creative, creative.as_bytes());
                let was = json!({"day": text, "amount": before, "currency": currency});
                let is = json!({"day": text, "amount": amount, "currency": currency});
                pen.write(tx, Some(organiser), &who.by, entry.before(was).after(is)).await?;
            }
            Ok(SpendView { creative_id: creative, day: text, amount, currency })
        })
    });
    set.await
}
