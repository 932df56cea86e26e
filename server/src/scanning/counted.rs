//! What scans add to the figures: tries by gate, people by gate, and tickets at their first entry.
//!
//! Passages are counted by what stands of them before and after: a scan that takes another one back, or that comes late
//! and shows an earlier arrival, moves what was counted before.

use std::collections::{BTreeMap, HashMap, HashSet};

use liventix_core::ids::{EventId, GateId, ScanId, TicketId, TicketTypeId};
use liventix_core::rules::{Direction, Outcome, Passage, standing_passages};

use super::store::ScanRow;
use crate::anomalies::Context;
use crate::facts::{self, Fact, Measure};
use crate::platform::db::{Conn, DbError, Tx, Value, in_list, padded};

/// Facts about scans are of a minute: thousands of them become a few.
const MINUTE_MS: i64 = 60_000;
const CHUNK: usize = 200;

/// Adds up what there is to say of scans.
#[derive(Debug, Default)]
struct Tally(BTreeMap<(Measure, i64, [u8; 16]), i64>);

impl Tally {
    fn add(&mut self, measure: Measure, at: i64, subject: &[u8; 16], value: i64) {
        let minute = at - at.rem_euclid(MINUTE_MS);
        *self.0.entry((measure, minute, *subject)).or_default() += value;
    }

    fn passage(&mut self, passage: &Passage, sign: i64) {
        let measure = match passage.direction {
            Direction::Entry => Measure::PeopleIn,
            Direction::Exit => Measure::PeopleOut,
        };
        self.add(measure, passage.at, passage.gate_id.as_bytes(), sign * i64::from(passage.people));
    }
}

/// Writes down what newly stored scans of one event are to the figures. `passages` has every passage of their tickets,
/// the new ones among them; `kinds` the types of these tickets, as far as they are known.
pub(super) async fn scanned(
    tx: &mut Tx,
    context: Context,
    event: EventId,
    new: &[ScanRow],
    (passages, kinds): (&HashMap<TicketId, Vec<Passage>>, &HashMap<TicketId, TicketTypeId>),
) -> Result<(), DbError> {
    let Some(first) = new.first() else { return Ok(()) };
    let facts = facts_of(event, new, (passages, kinds));
    facts::append_scanned(tx, first.view.scan_id, (context.organiser_id, context.now), facts).await
}

fn facts_of(
    event: EventId,
    new: &[ScanRow],
    (passages, kinds): (&HashMap<TicketId, Vec<Passage>>, &HashMap<TicketId, TicketTypeId>),
) -> Vec<Fact> {
    let mut tally = Tally::default();
    for row in new.iter().filter(|row| row.view.undoes.is_none()) {
        let (at, gate) = (row.view.at, row.view.gate_id);
        tally.add(Measure::Scans, at, gate.as_bytes(), 1);
        if row.view.outcome != Outcome::Admit {
            tally.add(Measure::Refusals, at, gate.as_bytes(), 1);
        }
    }
    let added: HashSet<ScanId> = new.iter().map(|row| row.view.scan_id).collect();
    let touched: HashSet<TicketId> =
        new.iter().filter(|row| row.is_passage()).filter_map(|row| row.view.ticket_id).collect();
    for ticket in touched {
        let after = passages.get(&ticket).map_or(&[][..], Vec::as_slice);
        let before: Vec<Passage> =
            after.iter().filter(|passage| !added.contains(&passage.scan_id)).copied().collect();
        let (stood, stand) = (standing_passages(&before), standing_passages(after));
        stood.iter().for_each(|passage| tally.passage(passage, -1));
        stand.iter().for_each(|passage| tally.passage(passage, 1));
        if let Some(kind) = kinds.get(&ticket) {
            let arrivals = [(arrival(&stood), -1), (arrival(&stand), 1)];
            for (at, sign) in arrivals.into_iter().filter_map(|(at, sign)| Some((at?, sign))) {
                tally.add(Measure::Arrivals, at, kind.as_bytes(), sign);
            }
        }
    }
    let fact = |((measure, at, subject), value): ((Measure, i64, [u8; 16]), i64)| {
        let fact = Fact::new(measure, at, value).of(event);
        match measure {
            Measure::Arrivals => fact.with(TicketTypeId::from_bytes(subject)),
            _ => fact.through(GateId::from_bytes(subject)),
        }
    };
    tally.0.into_iter().map(fact).collect()
}

/// When somebody came with a ticket first.
fn arrival(standing: &[Passage]) -> Option<i64> {
    let entries = standing.iter().filter(|passage| passage.direction == Direction::Entry);
    entries.map(|passage| passage.at).min()
}

/// The types of tickets.
pub(super) async fn kinds(
    conn: &mut Conn,
    tickets: &[TicketId],
) -> Result<HashMap<TicketId, TicketTypeId>, DbError> {
    let mut kinds = HashMap::new();
    for chunk in tickets.chunks(CHUNK) {
        let ids = padded(chunk.iter().map(|id| Value::from(*id)).collect());
        let sql = format!(
            "SELECT ticket_id, ticket_type_id FROM tickets WHERE ticket_id IN ({})",
            in_list(1, ids.len())
        );
        for row in conn.query(&sql, &ids).await? {
            kinds.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(kinds)
}

/// The same of scans whose tickets are not at hand.
pub(super) async fn read_and_count(
    tx: &mut Tx,
    context: Context,
    event: EventId,
    new: &[ScanRow],
) -> Result<(), DbError> {
    let touched: HashSet<TicketId> =
        new.iter().filter(|row| row.is_passage()).filter_map(|row| row.view.ticket_id).collect();
    let touched: Vec<TicketId> = touched.into_iter().collect();
    let mut passages = HashMap::new();
    for chunk in touched.chunks(CHUNK) {
        passages.extend(super::store::passages(tx, chunk).await?);
    }
    let kinds = kinds(tx, &touched).await?;
    scanned(tx, context, event, new, (&passages, &kinds)).await
}
