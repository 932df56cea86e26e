//! What a door shows besides verdicts: counts, conflicts, past scans.

use std::sync::Arc;

use super::cache::KnownEvent;
use super::manifest::ticket_row;
use super::outbox::Names;
use super::record::ScanRecord;
use super::rows::{scan_columns, scan_key};
use super::tally::Tally;
use super::{Ledger, LedgerError};
use crate::ids::{EventId, TicketId};
use crate::rules::{Conflict, Outcome};

/// Live numbers of one event, as far as this device knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Tickets on the list.
    pub tickets: u64,
    /// People who came in, at any door.
    pub admitted_people: u64,
    /// People inside now.
    pub inside: u64,
    /// Tickets that were admitted more often than they allow.
    pub conflicts: u64,
    /// Scans made on this device.
    pub scans_here: u64,
    /// Those of them that were refused.
    pub refused_here: u64,
    /// Those of them that showed an unsigned code of an older system.
    pub legacy_here: u64,
    /// Those of them that could not be sure of something.
    pub flagged_here: u64,
}

/// A ticket that was admitted more often than it allows, with both sides' evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketConflict {
    /// The ticket.
    pub ticket_id: TicketId,
    /// Who holds it, if the list says.
    pub attendee_name: Option<String>,
    /// The admission that stands and the one too many.
    pub conflict: Conflict,
}

impl Ledger {
    /// Every conflict of an event, by ticket and then by time.
    ///
    /// # Errors
    /// `UnknownEvent`, or if the ledger cannot be read.
    pub fn conflicts(&self, event_id: EventId) -> Result<Vec<TicketConflict>, LedgerError> {
        self.with_tally(event_id, |event, tally| {
            let mut found = Vec::new();
            for (ticket_id, conflicts) in &tally.conflicts {
                let entry = ticket_row(&self.connection, event.number, *ticket_id)?;
                let attendee_name = entry.and_then(|entry| entry.attendee_name);
                found.extend(conflicts.iter().map(|conflict| TicketConflict {
                    ticket_id: *ticket_id,
                    attendee_name: attendee_name.clone(),
                    conflict: *conflict,
                }));
            }
            Ok(found)
        })
    }

    /// The live numbers of an event. Quick after the first call: only what changed is added up.
    ///
    /// # Errors
    /// `UnknownEvent`, or if the ledger cannot be read.
    pub fn counts(&self, event_id: EventId) -> Result<Counts, LedgerError> {
        self.with_tally(event_id, |event, tally| {
            Ok(Counts {
                tickets: tally.tickets(&self.connection, event)?,
                admitted_people: tally.total.entered,
                inside: tally.total.inside,
                conflicts: tally.conflicts.len() as u64,
                scans_here: tally.here.scans,
                refused_here: tally.here.refused,
                legacy_here: tally.here.legacy,
                flagged_here: tally.here.flagged,
            })
        })
    }

    /// The device's own scans after `after_seq`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn scans(&self, after_seq: i64, limit: usize) -> Result<Vec<ScanRecord>, LedgerError> {
        let names = Names::load(&self.connection)?;
        let mut select = self.connection.prepare_cached(concat!(
            "SELECT ",
            scan_columns!(),
            " FROM scans WHERE id > ?1 ORDER BY id LIMIT ?2"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = select.query((scan_key(self.own.number, after_seq.max(0)), limit))?;
        let mut scans = Vec::new();
        while let Some(row) = rows.next()? {
            scans.push(names.record(row)?);
        }
        Ok(scans)
    }

    /// Runs `read` over the event's totals, adding them up first where they are not in memory.
    fn with_tally<T>(
        &self,
        event_id: EventId,
        read: impl FnOnce(&Arc<KnownEvent>, &mut Tally) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let event = self.need_event(&self.connection, event_id)?;
        let known = self.cache.borrow_mut().tallies.remove(&event_id);
        let mut tally = match known {
            Some(tally) => tally,
            None => Tally::load(&self.connection, &event)?,
        };
        let answer = read(&event, &mut tally);
        self.cache.borrow_mut().tallies.insert(event_id, tally);
        answer
    }

    /// Adds one ticket up again, if the event's totals are in memory.
    pub(super) fn refresh_tally(&self, event_id: EventId, ticket_id: TicketId) -> Result<(), LedgerError> {
        let event = self.need_event(&self.connection, event_id)?;
        let Some(mut tally) = self.cache.borrow_mut().tallies.remove(&event_id) else { return Ok(()) };
        // If this fails, the totals stay out of memory and are added up anew.
        tally.refresh(&self.connection, &event, ticket_id)?;
        self.cache.borrow_mut().tallies.insert(event_id, tally);
        Ok(())
    }

    /// Adds a new scan to the totals in memory. It is durable already, so a failure here only costs
    /// the totals, which are then added up anew.
    pub(super) fn count_scan(&self, scan: &ScanRecord) {
        if let Some(tally) = self.cache.borrow_mut().tallies.get_mut(&scan.event_id) {
            tally.here.add(scan);
        }
        if let (Outcome::Admit, Some(ticket_id)) = (scan.outcome, scan.ticket_id)
            && let Err(error) = self.refresh_tally(scan.event_id, ticket_id)
        {
            tracing::warn!(code = error.code(), "totals are added up anew");
        }
    }
}
