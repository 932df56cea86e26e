//! What advertising brings: by creative, and by campaign.

use std::collections::BTreeMap;

use liventix_core::ids::EventId;
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{Asked, Question};
use super::sums::{self, Scope, Totals};
use crate::ads;
use crate::analytics::metric::{Metric, WhyNone};
use crate::facts::Measure;
use crate::platform::db::{Conn, StoreFuture};
use crate::platform::ids::{AdCampaignId, CreativeId, SubjectId};
use crate::platform::page::Key;
use crate::platform::problem::ApiError;
use crate::pricing::Currency;

const MEASURES: [Measure; 7] = [
    Measure::Impressions,
    Measure::Clicks,
    Measure::AdSpend,
    Measure::AdOrders,
    Measure::AdTickets,
    Measure::AdRevenue,
    Measure::AdRefunds,
];

/// Creatives, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Creatives {
    /// The creatives, also those of which nothing happened on these days.
    pub creatives: Vec<CreativeFigures>,
    /// Where the next page begins; none: this was the last one.
    pub next_cursor: Option<String>,
}

/// What a creative brings.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CreativeFigures {
    /// The creative.
    pub creative_id: CreativeId,
    /// Its name.
    pub name: String,
    /// Its campaign.
    pub ad_campaign_id: AdCampaignId,
    /// The campaign's name.
    pub campaign: String,
    /// The event.
    pub event_id: EventId,
    /// What it brings.
    #[serde(flatten)]
    pub figures: AdFigures,
}

/// Campaigns, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AdCampaigns {
    /// The campaigns, also those of which nothing happened on these days.
    pub ad_campaigns: Vec<AdCampaignFigures>,
    /// Where the next page begins; none: this was the last one.
    pub next_cursor: Option<String>,
}

/// What a campaign brings, with all that it shows.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AdCampaignFigures {
    /// The campaign.
    pub ad_campaign_id: AdCampaignId,
    /// Its name.
    pub name: String,
    /// The event.
    pub event_id: EventId,
    /// What it brings.
    #[serde(flatten)]
    pub figures: AdFigures,
}

/// What advertising brings.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AdFigures {
    /// How often it was seen.
    pub impressions: i64,
    /// How often it was followed.
    pub clicks: i64,
    /// Click-through rate: clicks to an impression.
    pub ctr: Metric,
    /// Paid orders that it brought.
    pub orders: i64,
    /// Their tickets.
    pub tickets: i64,
    /// Paid orders to a click.
    pub conversion: Metric,
    /// What it cost and brought, by currency.
    pub money: Vec<AdMoney>,
}

/// What advertising cost and brought, in minor units of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct AdMoney {
    /// The currency.
    pub currency: Currency,
    /// What it cost.
    pub spend: i64,
    /// What was paid for orders that it brought, less what went back.
    pub revenue: i64,
    /// What an order that it brought cost.
    pub cost_per_order: Metric,
    /// Return on spend: what was paid to one unit of what it cost.
    pub return_on_spend: Metric,
}

/// Asks for creatives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskCreatives {
    pub(crate) after: Key,
    pub(crate) limit: u32,
}

impl Question for AskCreatives {
    type Figures = Creatives;
    const NAME: &'static str = "creatives";

    fn details(&self) -> String {
        format!("{:?} {}", self.after, self.limit)
    }

    fn figures<'a>(&'a self, conn: &'a mut Conn, of: &'a Asked) -> StoreFuture<'a, Creatives, ApiError> {
        Box::pin(async move {
            let after = CreativeId::from_bytes(self.after.id);
            let mut names = ads::names(conn, whose(&of.scope), (after, self.limit + 1)).await?;
            let next_cursor = cut(&mut names, self.limit, CreativeId::as_bytes);
            let totals = sums::totals_by_subject(conn, &of.scope, &MEASURES).await?;
            let creative = |(creative_id, it): (CreativeId, ads::Names)| CreativeFigures {
                creative_id,
                name: it.creative,
                ad_campaign_id: it.ad_campaign_id,
                campaign: it.campaign,
                event_id: it.event_id,
                figures: figures(&totals, &[creative_id]),
            };
            Ok(Creatives { creatives: names.into_iter().map(creative).collect(), next_cursor })
        })
    }
}

/// Asks for campaigns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskAdCampaigns {
    pub(crate) after: Key,
    pub(crate) limit: u32,
}

impl Question for AskAdCampaigns {
    type Figures = AdCampaigns;
    const NAME: &'static str = "ad_campaigns";

    fn details(&self) -> String {
        format!("{:?} {}", self.after, self.limit)
    }

    fn figures<'a>(&'a self, conn: &'a mut Conn, of: &'a Asked) -> StoreFuture<'a, AdCampaigns, ApiError> {
        Box::pin(async move {
            let after = AdCampaignId::from_bytes(self.after.id);
            let mut names = ads::campaign_names(conn, whose(&of.scope), (after, self.limit + 1)).await?;
            let next_cursor = cut(&mut names, self.limit, AdCampaignId::as_bytes);
            let totals = sums::totals_by_subject(conn, &of.scope, &MEASURES).await?;
            let campaign = |(ad_campaign_id, it): (AdCampaignId, ads::CampaignNames)| AdCampaignFigures {
                ad_campaign_id,
                name: it.name,
                event_id: it.event_id,
                figures: figures(&totals, &it.creatives),
            };
            Ok(AdCampaigns { ad_campaigns: names.into_iter().map(campaign).collect(), next_cursor })
        })
    }
}

const fn whose(scope: &Scope) -> ads::Whose<'_> {
    ads::Whose { organiser: scope.organiser, event: scope.event, events: &scope.events }
}

/// Leaves a page of `limit`, of which one more was read; says where the next one begins, if there is one.
fn cut<K: Ord, V>(rows: &mut BTreeMap<K, V>, limit: u32, bytes: fn(&K) -> &[u8; 16]) -> Option<String> {
    if rows.len() <= usize::try_from(limit).unwrap_or(usize::MAX) {
        return None;
    }
    rows.pop_last();
    rows.keys().next_back().map(|id| Key { at: 0, id: *bytes(id) }.text())
}

/// What creatives bring together.
fn figures(totals: &Totals, creatives: &[CreativeId]) -> AdFigures {
    let subjects: Vec<SubjectId> = creatives.iter().map(|id| SubjectId::from_bytes(*id.as_bytes())).collect();
    let count = |measure| subjects.iter().map(|it| totals.count_of(measure, *it)).sum();
    let (impressions, clicks): (i64, i64) = (count(Measure::Impressions), count(Measure::Clicks));
    let orders: i64 = count(Measure::AdOrders);
    let money = |currency: Currency| {
        let sum =
            |measure| -> i64 { subjects.iter().map(|it| totals.money_of(measure, *it, currency)).sum() };
        let (spend, revenue) = (sum(Measure::AdSpend), sum(Measure::AdRevenue) - sum(Measure::AdRefunds));
        let cost_per_order = match spend {
            ..=0 => Metric::none(WhyNone::NoSpend),
            spend => Metric::share(spend, orders, WhyNone::NoOrders),
        };
        let return_on_spend = Metric::share(revenue, spend, WhyNone::NoSpend);
        AdMoney { currency, spend, revenue, cost_per_order, return_on_spend }
    };
    let mut money: Vec<AdMoney> = totals.currencies().into_iter().map(money).collect();
    money.retain(|it| it.spend != 0 || it.revenue != 0);
    AdFigures {
        impressions,
        clicks,
        ctr: Metric::share(clicks, impressions, WhyNone::NoImpressions),
        orders,
        tickets: count(Measure::AdTickets),
        conversion: Metric::share(orders, clicks, WhyNone::NoClicks),
        money,
    }
}
