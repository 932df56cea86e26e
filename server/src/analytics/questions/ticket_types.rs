//! Which ticket types sell.

use std::collections::BTreeMap;

use liventix_core::ids::{EventId, TicketTypeId};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{Asked, Question};
use super::sums;
use crate::facts::Measure;
use crate::platform::db::{Conn, DbError, StoreFuture, Value, in_list, padded};
use crate::platform::ids::SubjectId;
use crate::platform::problem::ApiError;
use crate::pricing::Money;

/// So many at most.
const TOP: usize = 100;
const MEASURES: [Measure; 4] =
    [Measure::TicketsSold, Measure::TicketsRefunded, Measure::Arrivals, Measure::Gross];

/// Ticket types, the one that sold best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TicketTypes {
    /// The hundred that sold best.
    pub ticket_types: Vec<TicketTypeFigures>,
}

/// How a ticket type sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TicketTypeFigures {
    /// The type.
    pub ticket_type_id: TicketTypeId,
    /// Of which event; none where the type is there no more.
    pub event_id: Option<EventId>,
    /// Its name; its id, where it is there no more.
    pub name: String,
    /// Tickets of paid orders.
    pub tickets_sold: i64,
    /// Tickets whose money went back.
    pub tickets_refunded: i64,
    /// Tickets that somebody came with.
    pub arrivals: i64,
    /// What was paid for them.
    pub gross: Vec<Money>,
}

/// Asks for them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskTicketTypes;

impl Question for AskTicketTypes {
    type Figures = TicketTypes;
    const NAME: &'static str = "ticket_types";

    fn figures<'a>(&'a self, conn: &'a mut Conn, of: &'a Asked) -> StoreFuture<'a, TicketTypes, ApiError> {
        Box::pin(async move {
            let totals = sums::totals_by_subject(conn, &of.scope, &MEASURES).await?;
            let mut sold: Vec<(i64, SubjectId)> = totals
                .subjects()
                .into_iter()
                .map(|kind| (totals.count_of(Measure::TicketsSold, kind), kind))
                .collect();
            sold.sort_by_key(|(sold, kind)| (-sold, *kind));
            sold.truncate(TOP);
            let kinds: Vec<SubjectId> = sold.iter().map(|(_, kind)| *kind).collect();
            let names = names(conn, &kinds).await?;
            let currencies = totals.currencies();
            let figures = |(tickets_sold, kind): (i64, SubjectId)| {
                let ticket_type_id = TicketTypeId::from_bytes(*kind.as_bytes());
                let gross = currencies.iter().map(|currency| Money {
                    amount: totals.money_of(Measure::Gross, kind, *currency),
                    currency: *currency,
                });
                let known = names.get(&ticket_type_id);
                TicketTypeFigures {
                    ticket_type_id,
                    event_id: known.map(|(event, _)| *event),
                    name: known.map_or_else(|| ticket_type_id.to_string(), |(_, name)| name.clone()),
                    tickets_sold,
                    tickets_refunded: totals.count_of(Measure::TicketsRefunded, kind),
                    arrivals: totals.count_of(Measure::Arrivals, kind),
                    gross: gross.filter(|money| money.amount != 0).collect(),
                }
            };
            Ok(TicketTypes { ticket_types: sold.into_iter().map(figures).collect() })
        })
    }
}

async fn names(
    conn: &mut Conn,
    kinds: &[SubjectId],
) -> Result<BTreeMap<TicketTypeId, (EventId, String)>, DbError> {
    let mut names = BTreeMap::new();
    if kinds.is_empty() {
        return Ok(names);
    }
    let ids = padded(kinds.iter().map(|id| Value::from(*id)).collect());
    let sql = format!(
        "SELECT ticket_type_id, event_id, name FROM ticket_types WHERE ticket_type_id IN ({})",
        in_list(1, ids.len())
    );
    for row in conn.query(&sql, &ids).await? {
        names.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
    }
    Ok(names)
}
