//! What advertising brings: by creative, with its campaign.

use liventix_core::ids::EventId;
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{Asked, Question};
use super::sums::{self, Totals};
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

/// What a creative cost and brought, in minor units of one currency.
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

/// Asks for them.
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
            let scope = &of.scope;
            let whose = (scope.organiser, scope.event, &scope.events);
            let after = CreativeId::from_bytes(self.after.id);
            let mut names = ads::names(conn, whose, (after, self.limit + 1)).await?;
            let is_more = names.len() > usize::try_from(self.limit).unwrap_or(usize::MAX);
            if is_more {
                names.pop_last();
            }
            let next = names.keys().next_back().filter(|_| is_more);
            let next_cursor = next.map(|id| Key { at: 0, id: *id.as_bytes() }.text());
            let totals = sums::totals(conn, scope, &MEASURES).await?;
            let currencies = totals.currencies();
            let figures = |(id, names)| creative(&totals, &currencies, id, names);
            Ok(Creatives { creatives: names.into_iter().map(figures).collect(), next_cursor })
        })
    }
}

fn creative(
    totals: &Totals,
    currencies: &[Currency],
    creative_id: CreativeId,
    names: ads::Names,
) -> CreativeFigures {
    let subject = SubjectId::from_bytes(*creative_id.as_bytes());
    let count = |measure| totals.count_of(measure, subject);
    let (impressions, clicks, orders) =
        (count(Measure::Impressions), count(Measure::Clicks), count(Measure::AdOrders));
    let money = |currency: &Currency| {
        let sum = |measure| totals.money_of(measure, subject, *currency);
        let (spend, revenue) = (sum(Measure::AdSpend), sum(Measure::AdRevenue) - sum(Measure::AdRefunds));
        AdMoney {
            currency: *currency,
            spend,
            revenue,
            cost_per_order: if spend > 0 {
                Metric::share(spend, orders, WhyNone::NoOrders)
            } else {
                Metric::none(WhyNone::NoSpend)
            },
            return_on_spend: Metric::share(revenue, spend, WhyNone::NoSpend),
        }
    };
    let mut money: Vec<AdMoney> = currencies.iter().map(money).collect();
    money.retain(|it| it.spend != 0 || it.revenue != 0);
    CreativeFigures {
        creative_id,
        name: names.creative,
        ad_campaign_id: names.ad_campaign_id,
        campaign: names.campaign,
        event_id: names.event_id,
        impressions,
        clicks,
        ctr: Metric::share(clicks, impressions, WhyNone::NoImpressions),
        orders,
        tickets: count(Measure::AdTickets),
        conversion: Metric::share(orders, clicks, WhyNone::NoClicks),
        money,
    }
}
