//! What happened, written down to be counted: by the feature in which it happens, in its transaction, so that there is
//! neither a fact without its cause nor a cause without its fact.
//!
//! A fact is never taken back. What turns out otherwise (a scan undone, an upload that shows an earlier arrival) is
//! one more fact, with the opposite sign, of the moment at which the first one happened. `analytics` sums them up; see
//! `docs/analytics.md`.

use liventix_core::ids::{EventId, GateId, OrganiserId, ScanId, TicketTypeId};
use serde::{Deserialize, Serialize};

use crate::app::AppState;
use crate::params;
use crate::platform::coded::coded;
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::{CreativeId, InboxId, SubjectId};
use crate::pricing::Currency;

/// In one row at most: few enough for whoever counts them to take rows whole.
const TOGETHER: usize = 500;

coded! {
    /// What is counted. Amounts are in minor units of the fact's currency.
    Measure {
        /// Orders that were begun.
        OrdersPlaced = "orders_placed",
        /// Orders that were paid.
        OrdersPaid = "orders_paid",
        /// Tickets of paid orders, by type.
        TicketsSold = "tickets_sold",
        /// What was paid for them, with fees and taxes, by type.
        Gross = "gross",
        /// What of it is whoever runs the server's, by type.
        Fees = "fees",
        /// What of it is tax, by type.
        Tax = "tax",
        /// Tickets whose money went back, by type.
        TicketsRefunded = "tickets_refunded",
        /// Money that went back.
        Refunds = "refunds",
        /// Fees that went back with it.
        FeesBack = "fees_back",
        /// What disputes took, with their fees, less what they gave back.
        Disputes = "disputes",
        /// Scans that were tried, whatever came of them, by gate.
        Scans = "scans",
        /// Those of them that were refused, by gate.
        Refusals = "refusals",
        /// People who went in, by gate.
        PeopleIn = "people_in",
        /// People who went out, by gate.
        PeopleOut = "people_out",
        /// Tickets that somebody came with, at their first entry, by type.
        Arrivals = "arrivals",
        /// Creatives that somebody saw, by creative.
        Impressions = "impressions",
        /// Creatives that somebody followed, by creative.
        Clicks = "clicks",
        /// What creatives cost, by creative.
        AdSpend = "ad_spend",
        /// Paid orders that a creative brought, by creative.
        AdOrders = "ad_orders",
        /// Their tickets, by creative.
        AdTickets = "ad_tickets",
        /// What was paid for them, by creative.
        AdRevenue = "ad_revenue",
        /// What of it went back, by creative.
        AdRefunds = "ad_refunds",
        /// Mails that a provider took.
        EmailsSent = "emails_sent",
        /// Mails that arrived.
        EmailsDelivered = "emails_delivered",
        /// Mails that came back.
        EmailsBounced = "emails_bounced",
        /// Mails that were called spam.
        EmailsComplained = "emails_complained",
        /// Push messages that a service took.
        PushesSent = "pushes_sent",
        /// Push messages that a phone has.
        PushesDelivered = "pushes_delivered",
        /// Push messages that somebody opened.
        PushesOpened = "pushes_opened",
    }
}

/// Something that happened, so many times or of so much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) measure: Measure,
    /// When (UTC milliseconds).
    pub(crate) at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<SubjectId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<Currency>,
    pub(crate) value: i64,
}

impl Fact {
    /// It happened so many times.
    pub(crate) const fn new(measure: Measure, at: i64, value: i64) -> Self {
        Self { measure, at, event: None, subject: None, currency: None, value }
    }

    /// At this event.
    pub(crate) const fn of(self, event: EventId) -> Self {
        Self { event: Some(event), ..self }
    }

    /// With tickets of this type.
    pub(crate) const fn with(self, kind: TicketTypeId) -> Self {
        Self { subject: Some(SubjectId::from_bytes(*kind.as_bytes())), ..self }
    }

    /// At this gate.
    pub(crate) const fn through(self, gate: GateId) -> Self {
        Self { subject: Some(SubjectId::from_bytes(*gate.as_bytes())), ..self }
    }

    /// Because of this creative.
    pub(crate) const fn by(self, creative: CreativeId) -> Self {
        Self { subject: Some(SubjectId::from_bytes(*creative.as_bytes())), ..self }
    }

    /// It is money.
    pub(crate) const fn in_currency(self, currency: Currency) -> Self {
        Self { currency: Some(currency), ..self }
    }
}

/// Writes down what happened.
///
/// # Errors
/// When the database fails.
pub(crate) async fn append(
    tx: &mut Tx,
    app: &AppState,
    organiser: OrganiserId,
    facts: Vec<Fact>,
) -> Result<(), DbError> {
    let facts = worth_it(facts);
    for facts in facts.chunks(TOGETHER) {
        let id = InboxId::generate(app.now(), app.entropy().as_ref());
        insert(tx, id, (organiser, app.now()), facts).await?;
    }
    Ok(())
}

/// The same of scans, the first of which is `first`: its id, which no other scan has, names what is written.
///
/// # Errors
/// When the database fails.
pub(crate) async fn append_scanned(
    tx: &mut Tx,
    first: ScanId,
    (organiser, now): (OrganiserId, i64),
    facts: Vec<Fact>,
) -> Result<(), DbError> {
    let facts = worth_it(facts);
    if facts.is_empty() {
        return Ok(());
    }
    insert(tx, InboxId::from_bytes(*first.as_bytes()), (organiser, now), &facts).await
}

fn worth_it(mut facts: Vec<Fact>) -> Vec<Fact> {
    facts.retain(|fact| fact.value != 0);
    facts
}

async fn insert(
    tx: &mut Tx,
    id: InboxId,
    (organiser, now): (OrganiserId, i64),
    facts: &[Fact],
) -> Result<(), DbError> {
    let json = serde_json::to_string(facts)
        .map_err(|error| DbError::Constraint(format!("facts cannot be written down: {error}")))?;
    let sql = "INSERT INTO fact_inbox (inbox_id, organiser_id, appended_at, facts) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, params![id, organiser, now, json]).await.map(drop)
}
