//! Running totals of one event, so that a door shows live counts at 100 000 tickets without adding
//! everything up again after each scan.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;

use super::LedgerError;
use super::cache::KnownEvent;
use super::history::passages;
use super::manifest::{KnownTicket, ticket_row};
use super::record::{Medium, ScanRecord};
use super::rows::{Count, read_passage};
use crate::ids::TicketId;
use crate::rules::{Allowance, Conflict, Outcome, Passage, Standing};

/// What one ticket adds to the totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// People who came in, whether or not the ticket allowed it.
    pub(super) entered: u64,
    pub(super) inside: u64,
}

/// Scans made on this device. Taking one back is not another one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Here {
    pub(super) scans: u64,
    pub(super) refused: u64,
    pub(super) legacy: u64,
    pub(super) flagged: u64,
}

impl Here {
    fn load(connection: &Connection, event: i64) -> Result<Self, LedgerError> {
        let mut select = connection.prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE outcome = 'refuse'), \
             count(*) FILTER (WHERE medium = 'legacy'), count(flags) FROM scans WHERE event = ?1 AND undoes IS NULL",
        )?;
        Ok(select.query_row([event], |row| {
            Ok(Self {
                scans: row.get::<_, Count>(0)?.0,
                refused: row.get::<_, Count>(1)?.0,
                legacy: row.get::<_, Count>(2)?.0,
                flagged: row.get::<_, Count>(3)?.0,
            })
        })?)
    }

    pub(super) fn add(&mut self, scan: &ScanRecord) {
        if scan.undoes.is_some() {
            return;
        }
        self.scans += 1;
        self.refused += u64::from(scan.outcome == Outcome::Refuse);
        self.legacy += u64::from(scan.medium == Medium::Legacy);
        self.flagged += u64::from(!scan.flags.is_empty());
    }
}

/// The totals of one event.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Tickets on the list, once counted.
    tickets: Option<u64>,
    pub(super) here: Here,
    parts: HashMap<TicketId, Part>,
    pub(super) total: Part,
    pub(super) conflicts: BTreeMap<TicketId, Vec<Conflict>>,
}

impl Tally {
    /// Adds up everything.
    pub(super) fn load(connection: &Connection, event: &KnownEvent) -> Result<Self, LedgerError> {
        let mut tally = Self { here: Here::load(connection, event.number)?, ..Self::default() };
        let by_ticket = all_passages(connection, event.number)?;
        let mut allowances = Allowances::new(connection, event);
        for (ticket_id, passages) in &by_ticket {
            tally.set(*ticket_id, allowances.of(*ticket_id, passages)?, passages);
        }
        Ok(tally)
    }

    /// How many tickets are on the list.
    pub(super) fn tickets(
        &mut self,
        connection: &Connection,
        event: &KnownEvent,
    ) -> Result<u64, LedgerError> {
        if let Some(count) = self.tickets {
            return Ok(count);
        }
        let mut select = connection.prepare_cached("SELECT count(*) FROM tickets WHERE event = ?1")?;
        let Count(count) = select.query_row([event.number], |row| row.get(0))?;
        self.tickets = Some(count);
        Ok(count)
    }

    /// To be called when tickets may have been added.
    pub(super) fn recount_tickets(&mut self) {
        self.tickets = None;
    }

    /// Adds up one ticket again.
    pub(super) fn refresh(
        &mut self,
        connection: &Connection,
        event: &KnownEvent,
        ticket_id: TicketId,
    ) -> Result<(), LedgerError> {
        let passages = passages(connection, event.number, ticket_id)?;
        if !passages.is_empty() {
            let allowance = Allowances::new(connection, event).of(ticket_id, &passages)?;
            self.set(ticket_id, allowance, &passages);
        }
        Ok(())
    }

    fn set(&mut self, ticket_id: TicketId, allowance: Allowance, passages: &[Passage]) {
        let standing = Standing::fold(allowance, passages);
        let excess: u64 = standing.conflicts.iter().map(|conflict| u64::from(conflict.people)).sum();
        let entered = u64::from(standing.used) + u64::from(standing.beyond) + excess;
        let part = Part { entered, inside: u64::from(standing.inside) };
        let before = self.parts.insert(ticket_id, part).unwrap_or_default();
        self.total.entered = self.total.entered - before.entered + part.entered;
        self.total.inside = self.total.inside - before.inside + part.inside;
        if standing.conflicts.is_empty() {
            self.conflicts.remove(&ticket_id);
        } else {
            self.conflicts.insert(ticket_id, standing.conflicts);
        }
    }
}

/// How much each ticket allows.
struct Allowances<'a> {
    connection: &'a Connection,
    event: &'a KnownEvent,
}

impl<'a> Allowances<'a> {
    const fn new(connection: &'a Connection, event: &'a KnownEvent) -> Self {
        Self { connection, event }
    }

    fn of(&mut self, ticket_id: TicketId, passages: &[Passage]) -> Result<Allowance, LedgerError> {
        Ok(match ticket_row(self.connection, self.event.number, ticket_id)? {
            Some(entry) => KnownTicket::new(self.event, entry).facts().allowance(),
            None => Allowance::unlisted(passages, 1),
        })
    }
}

fn all_passages(connection: &Connection, event: i64) -> Result<HashMap<TicketId, Vec<Passage>>, LedgerError> {
    let mut by_ticket: HashMap<TicketId, Vec<Passage>> = HashMap::new();
    let mut select = connection.prepare_cached(
        "SELECT ticket_id, scan_id, wall_ms + offset_ms, direction, people, gate_id, device_id, \
         undoes, overruled IS NOT NULL \
         FROM scans WHERE outcome = 'admit' AND ticket_id IS NOT NULL AND event = ?1 \
         UNION ALL \
         SELECT ticket_id, scan_id, at, direction, people, gate_id, device_id, undoes, forced \
         FROM passages WHERE event = ?1",
    )?;
    let mut rows = select.query([event])?;
    while let Some(row) = rows.next()? {
        by_ticket.entry(row.get(0)?).or_default().push(read_passage(row, 1)?);
    }
    Ok(by_ticket)
}
