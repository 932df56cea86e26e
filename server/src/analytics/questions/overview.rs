//! Everything at a glance.

use liventix_core::ids::EventId;
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{Asked, Question};
use super::sums::{self, Totals};
use crate::analytics::metric::{Metric, WhyNone};
use crate::facts::Measure;
use crate::params;
use crate::platform::db::{Conn, DbError, StoreFuture};
use crate::platform::problem::ApiError;
use crate::pricing::Currency;

/// Everything at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Overview {
    /// What was sold.
    pub sales: SalesFigures,
    /// What that brought, by currency.
    pub money: Vec<MoneyFigures>,
    /// What happened at the doors.
    pub doors: DoorFigures,
    /// Who did not come: of one event only.
    pub no_shows: Option<NoShows>,
    /// What became of mails.
    pub emails: EmailFigures,
    /// What became of push messages.
    pub pushes: PushFigures,
}

/// What was sold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct SalesFigures {
    /// Orders that were begun.
    pub orders_placed: i64,
    /// Orders that were paid.
    pub orders_paid: i64,
    /// The share of those that were begun.
    pub conversion: Metric,
    /// Tickets of paid orders.
    pub tickets_sold: i64,
    /// Tickets whose money went back.
    pub tickets_refunded: i64,
    /// Tickets of one order, on the average.
    pub tickets_per_order: Metric,
}

/// What sales brought, in minor units of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct MoneyFigures {
    /// The currency.
    pub currency: Currency,
    /// What was paid.
    pub gross: i64,
    /// What of it is tax.
    pub tax: i64,
    /// What went back.
    pub refunds: i64,
    /// What was charged for selling, less what went back with refunds.
    pub fees: i64,
    /// What disputes took, with their fees, less what they gave back.
    pub disputes: i64,
    /// What is the organiser's, taxes included: `gross` less `refunds`, `fees` and `disputes`.
    pub net: i64,
    /// What a paid order came to, on the average.
    pub per_order: Metric,
}

/// What happened at the doors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct DoorFigures {
    /// Scans, whatever came of them.
    pub scans: i64,
    /// Those that were refused.
    pub refusals: i64,
    /// Their share.
    pub refused: Metric,
    /// People who went in; whoever comes back counts again.
    pub people_in: i64,
    /// People who went out.
    pub people_out: i64,
    /// Tickets that somebody came with.
    pub arrivals: i64,
}

/// Who did not come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct NoShows {
    /// Tickets that are valid.
    pub expected: i64,
    /// Tickets that somebody came with, ever.
    pub arrived: i64,
    /// The share of valid tickets that nobody came with, once the event is over.
    pub rate: Metric,
}

/// What became of mails.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct EmailFigures {
    /// Taken by a provider.
    pub sent: i64,
    /// Arrived.
    pub delivered: i64,
    /// Their share.
    pub delivery: Metric,
    /// Came back.
    pub bounced: i64,
    /// Called spam.
    pub complained: i64,
}

/// What became of push messages.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct PushFigures {
    /// Taken by a service.
    pub sent: i64,
    /// On the phone, as far as phones say so.
    pub delivered: i64,
    /// Opened.
    pub opened: i64,
    /// The share of those sent that were opened.
    pub opening: Metric,
}

/// Asks for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskOverview;

impl Question for AskOverview {
    type Figures = Overview;
    const NAME: &'static str = "overview";

    fn figures<'a>(&'a self, conn: &'a mut Conn, of: &'a Asked) -> StoreFuture<'a, Overview, ApiError> {
        Box::pin(async move {
            let totals = sums::totals(conn, &of.scope, Measure::ALL).await?;
            let no_shows = match of.scope.event {
                Some(event) => Some(no_shows(conn, of, event).await?),
                None => None,
            };
            Ok(overview(&totals, no_shows))
        })
    }
}

fn overview(totals: &Totals, no_shows: Option<NoShows>) -> Overview {
    let count = |measure| totals.count(measure);
    let (placed, paid) = (count(Measure::OrdersPlaced), count(Measure::OrdersPaid));
    let (scans, refusals) = (count(Measure::Scans), count(Measure::Refusals));
    let (emails, arrived) = (count(Measure::EmailsSent), count(Measure::EmailsDelivered));
    let (pushes, opened) = (count(Measure::PushesSent), count(Measure::PushesOpened));
    let sold = count(Measure::TicketsSold);
    let currencies = totals.currencies();
    // Orders are counted without their currency, so of several there is no average.
    let orders = if currencies.len() == 1 { paid } else { 0 };
    Overview {
        sales: SalesFigures {
            orders_placed: placed,
            orders_paid: paid,
            conversion: Metric::share(paid, placed, WhyNone::NoOrdersPlaced),
            tickets_sold: sold,
            tickets_refunded: count(Measure::TicketsRefunded),
            tickets_per_order: Metric::share(sold, paid, WhyNone::NoOrders),
        },
        money: currencies.into_iter().map(|currency| money(totals, currency, orders)).collect(),
        doors: DoorFigures {
            scans,
            refusals,
            refused: Metric::share(refusals, scans, WhyNone::NoScans),
            people_in: count(Measure::PeopleIn),
            people_out: count(Measure::PeopleOut),
            arrivals: count(Measure::Arrivals),
        },
        no_shows,
        emails: EmailFigures {
            sent: emails,
            delivered: arrived,
            delivery: Metric::share(arrived, emails, WhyNone::NoEmails),
            bounced: count(Measure::EmailsBounced),
            complained: count(Measure::EmailsComplained),
        },
        pushes: PushFigures {
            sent: pushes,
            delivered: count(Measure::PushesDelivered),
            opened,
            opening: Metric::share(opened, pushes, WhyNone::NoPushes),
        },
    }
}

fn money(totals: &Totals, currency: Currency, orders: i64) -> MoneyFigures {
    let sum = |measure| totals.money(measure, currency);
    let (gross, refunds, disputes) = (sum(Measure::Gross), sum(Measure::Refunds), sum(Measure::Disputes));
    let fees = sum(Measure::Fees) - sum(Measure::FeesBack);
    MoneyFigures {
        currency,
        gross,
        tax: sum(Measure::Tax),
        refunds,
        fees,
        disputes,
        net: gross - refunds - fees - disputes,
        per_order: Metric::share(gross, orders, WhyNone::NoOrders),
    }
}

/// Who did not come, of all that were ever expected: days are no matter of this.
async fn no_shows(conn: &mut Conn, of: &Asked, event: EventId) -> Result<NoShows, DbError> {
    let sql = "SELECT COUNT(*) FROM tickets WHERE event_id = $1 AND status = 'valid'";
    let expected = conn.first(sql, params![event]).await?.map_or(Ok(0), |row| row.get(0))?;
    let (from, until) = sums::EVER;
    let ever = sums::Scope { from, until, ..of.scope.clone() };
    let arrived = sums::totals(conn, &ever, &[Measure::Arrivals]).await?.count(Measure::Arrivals);
    let sql = "SELECT ends_at FROM events WHERE event_id = $1";
    let ends_at: i64 = conn.first(sql, params![event]).await?.map_or(Ok(0), |row| row.get(0))?;
    let rate = if of.now < ends_at {
        Metric::none(WhyNone::EventNotOver)
    } else {
        // Tickets that were blocked after somebody came with them are no longer valid.
        Metric::share((expected - arrived).max(0), expected, WhyNone::NoTickets)
    };
    Ok(NoShows { expected, arrived, rate })
}
