//! Sales over time.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{Asked, Question};
use super::sums::{self, OfBucket};
use crate::analytics::calendar::{Slot, Step};
use crate::analytics::series::{self, Window};
use crate::facts::Measure;
use crate::platform::db::{Conn, StoreFuture};
use crate::platform::problem::ApiError;
use crate::pricing::Currency;

const MEASURES: [Measure; 8] = [
    Measure::OrdersPaid,
    Measure::TicketsSold,
    Measure::TicketsRefunded,
    Measure::Gross,
    Measure::Fees,
    Measure::FeesBack,
    Measure::Refunds,
    Measure::Disputes,
];

/// Sales over time.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Sales {
    /// One after the other, without a gap.
    pub slots: Vec<SalesSlot>,
    /// Where the next page begins; none: this was the last one. It stays good whatever is sold meanwhile.
    pub next_cursor: Option<String>,
}

/// What was sold in a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SalesSlot {
    /// From (UTC milliseconds).
    pub starts_at: i64,
    /// Before (UTC milliseconds).
    pub ends_at: i64,
    /// Orders that were paid.
    pub orders_paid: i64,
    /// Tickets of paid orders.
    pub tickets_sold: i64,
    /// Tickets whose money went back.
    pub tickets_refunded: i64,
    /// What that brought: every currency that there is anything in on these days.
    pub money: Vec<SlotMoney>,
}

/// What was taken in a time, in minor units of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SlotMoney {
    /// The currency.
    pub currency: Currency,
    /// What was paid.
    pub gross: i64,
    /// What went back.
    pub refunds: i64,
    /// What is the organiser's of what moved then: less refunds, fees and disputes.
    pub net: i64,
}

/// Asks for them.
#[derive(Debug, Clone)]
pub(crate) struct AskSales {
    pub(crate) step: Step,
    pub(crate) window: Window,
}

impl Question for AskSales {
    type Figures = Sales;
    const NAME: &'static str = "sales";

    fn details(&self) -> String {
        format!("{} {:?}", self.step.code(), self.window)
    }

    fn figures<'a>(&'a self, conn: &'a mut Conn, of: &'a Asked) -> StoreFuture<'a, Sales, ApiError> {
        Box::pin(async move {
            let slots = of.days.slots(self.step);
            let sums = sums::by_bucket(conn, &of.scope, &MEASURES, &slots).await?;
            let mut currencies: Vec<Currency> = sums.iter().filter_map(|sum| sum.currency).collect();
            currencies.sort_by_key(|currency| currency.code());
            currencies.dedup();
            let by_slot = series::by_slot(&slots, sums, |sum| sum.bucket);
            let (page, next_cursor) = self.window.cut(&slots)?;
            let none = Vec::new();
            let slot = |at: &Slot| slot(*at, by_slot.get(&at.starts_at).unwrap_or(&none), &currencies);
            Ok(Sales { slots: page.iter().map(slot).collect(), next_cursor })
        })
    }
}

fn slot(at: Slot, sums: &[OfBucket], currencies: &[Currency]) -> SalesSlot {
    let mut totals: BTreeMap<(&str, Option<&str>), i64> = BTreeMap::new();
    for sum in sums {
        *totals.entry((&sum.measure, sum.currency.map(|it| it.code()))).or_default() += sum.value;
    }
    let of = |measure: Measure, currency: Option<Currency>| {
        totals.get(&(measure.code(), currency.map(|it| it.code()))).copied().unwrap_or_default()
    };
    let money = |currency: &Currency| {
        let sum = |measure| of(measure, Some(*currency));
        let (gross, refunds) = (sum(Measure::Gross), sum(Measure::Refunds));
        let fees = sum(Measure::Fees) - sum(Measure::FeesBack);
        let net = gross - refunds - fees - sum(Measure::Disputes);
        SlotMoney { currency: *currency, gross, refunds, net }
    };
    SalesSlot {
        starts_at: at.starts_at,
        ends_at: at.ends_at,
        orders_paid: of(Measure::OrdersPaid, None),
        tickets_sold: of(Measure::TicketsSold, None),
        tickets_refunded: of(Measure::TicketsRefunded, None),
        money: currencies.iter().map(money).collect(),
    }
}
