//! From seeing to coming: how many are left at each stage.

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{Asked, Question};
use super::sums;
use crate::analytics::metric::{Metric, WhyNone};
use crate::facts::Measure;
use crate::platform::coded::coded;
use crate::platform::db::{Conn, StoreFuture};
use crate::platform::problem::ApiError;

coded! {
    /// A stage on the way to the event.
    Stage {
        /// Creatives that somebody saw.
        Impressions = "impressions",
        /// Creatives that somebody followed.
        Clicks = "clicks",
        /// Orders that were begun.
        OrdersPlaced = "orders_placed",
        /// Orders that were paid.
        OrdersPaid = "orders_paid",
        /// Tickets of paid orders.
        Tickets = "tickets",
        /// Tickets that somebody came with.
        Admissions = "admissions",
    }
}

impl Stage {
    const fn measure(self) -> Measure {
        match self {
            Self::Impressions => Measure::Impressions,
            Self::Clicks => Measure::Clicks,
            Self::OrdersPlaced => Measure::OrdersPlaced,
            Self::OrdersPaid => Measure::OrdersPaid,
            Self::Tickets => Measure::TicketsSold,
            Self::Admissions => Measure::Arrivals,
        }
    }

    /// Why there is no share of it.
    const fn none(self) -> WhyNone {
        match self {
            Self::Impressions => WhyNone::NoImpressions,
            Self::Clicks => WhyNone::NoClicks,
            Self::OrdersPlaced => WhyNone::NoOrdersPlaced,
            Self::OrdersPaid => WhyNone::NoOrders,
            Self::Tickets | Self::Admissions => WhyNone::NoTicketsSold,
        }
    }
}

/// The stages, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Funnel {
    /// What happened on these days: who came may have bought before them, and whoever was not brought by a creative bought
    /// all the same. So a stage may have more than the one before it.
    pub steps: Vec<FunnelStep>,
}

/// One stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct FunnelStep {
    /// Which.
    pub stage: Stage,
    /// How many.
    pub count: i64,
    /// To one of the stage before: click-through of clicks, conversion of orders. None of the first.
    pub of_previous: Option<Metric>,
}

/// Asks for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskFunnel;

impl Question for AskFunnel {
    type Figures = Funnel;
    const NAME: &'static str = "funnel";

    fn figures<'a>(&'a self, conn: &'a mut Conn, of: &'a Asked) -> StoreFuture<'a, Funnel, ApiError> {
        Box::pin(async move {
            let measures: Vec<Measure> = Stage::ALL.iter().map(|stage| stage.measure()).collect();
            let totals = sums::totals(conn, &of.scope, &measures).await?;
            let (mut steps, mut previous): (Vec<FunnelStep>, Option<(Stage, i64)>) = (Vec::new(), None);
            for stage in Stage::ALL.iter().copied() {
                let count = totals.count(stage.measure());
                let of_previous = previous.map(|(before, all)| Metric::share(count, all, before.none()));
                steps.push(FunnelStep { stage, count, of_previous });
                previous = Some((stage, count));
            }
            Ok(Funnel { steps })
        })
    }
}
