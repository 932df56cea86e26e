//! What the device knows of events and tickets.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row};

use super::cache::KnownEvent;
use super::rows::Code;
use super::{Ledger, LedgerError, apply};
use crate::ids::{EventId, TicketId, TicketTypeId};
use crate::rules::{EntryPolicy, EventInfo, TicketFacts, TicketStatus, TicketType};
use crate::sync::wire::{ForeignPassage, ManifestPage, TicketEntry};
use crate::ticket::manual::LookupTag;

/// Above this many changed tickets the totals are added up anew instead of ticket by ticket.
const REFRESH_AT_MOST: usize = 200;

/// What became of one manifest page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Tickets written.
    pub tickets: usize,
    /// Passages that were not known here.
    pub passages: Vec<ForeignPassage>,
    /// Where the next page starts.
    pub cursor: i64,
    /// Whether more waits already.
    pub has_more: bool,
    /// The page was left out: it is older than what is already here, or starts after it.
    pub outdated: bool,
}

/// A ticket with its type.
pub(super) struct KnownTicket<'a> {
    pub(super) entry: TicketEntry,
    kind: std::borrow::Cow<'a, TicketType>,
    /// The event has no such type: the manifest contradicts itself.
    pub(super) type_missing: bool,
}

impl<'a> KnownTicket<'a> {
    pub(super) fn new(event: &'a KnownEvent, entry: TicketEntry) -> Self {
        match event.info.ticket_type(entry.ticket_type_id) {
            Some(kind) => Self { entry, kind: std::borrow::Cow::Borrowed(kind), type_missing: false },
            None => {
                let kind = std::borrow::Cow::Owned(unknown_type(entry.ticket_type_id));
                Self { entry, kind, type_missing: true }
            }
        }
    }

    pub(super) fn type_name(&self) -> &str {
        &self.kind.name
    }

    pub(super) fn facts(&self) -> TicketFacts<'_> {
        TicketFacts {
            status: self.entry.status,
            ticket_type: &self.kind,
            code_issued_at: self.entry.code_issued_at,
            live_activated: self.entry.live_activated,
            valid_from: self.entry.valid_from,
            valid_until: self.entry.valid_until,
            admits: self.entry.admits,
        }
    }
}

/// Stands in for a type the event does not have, so that the ticket's own status still counts.
fn unknown_type(ticket_type_id: TicketTypeId) -> TicketType {
    TicketType {
        ticket_type_id,
        name: "Ticket".to_owned(),
        gate_ids: Vec::new(),
        admits: 1,
        entry: EntryPolicy::default(),
        valid_from: None,
        valid_until: None,
    }
}

macro_rules! ticket_columns {
    () => {
        "ticket_id, ticket_type_id, status, code_issued_at, live_activated, valid_from, valid_until, \
         admits, attendee_name, manual_tag, legacy_tag"
    };
}
pub(super) use ticket_columns;

fn read_ticket(row: &Row<'_>) -> rusqlite::Result<TicketEntry> {
    Ok(TicketEntry {
        ticket_id: row.get(0)?,
        ticket_type_id: row.get(1)?,
        status: row.get::<_, Option<Code<TicketStatus>>>(2)?.map_or(TicketStatus::Valid, |code| code.0),
        code_issued_at: row.get(3)?,
        live_activated: row.get(4)?,
        valid_from: row.get(5)?,
        valid_until: row.get(6)?,
        admits: row.get(7)?,
        attendee_name: row.get(8)?,
        manual_tag: row.get(9)?,
        legacy_tag: row.get(10)?,
    })
}

/// The ticket with this id.
pub(super) fn ticket_row(
    connection: &Connection,
    event: i64,
    ticket_id: TicketId,
) -> Result<Option<TicketEntry>, LedgerError> {
    let mut select = connection.prepare_cached(concat!(
        "SELECT ",
        ticket_columns!(),
        " FROM tickets WHERE event = ?1 AND ticket_id = ?2"
    ))?;
    Ok(select.query_row((event, ticket_id), read_ticket).optional()?)
}

/// The ticket with this manual code. Reads all tickets of the event (some 10 ms at 100 000): typed
/// codes are rare, and an index over random tags would halve the speed of the first sync.
pub(super) fn ticket_by_manual_tag(
    connection: &Connection,
    event: i64,
    tag: LookupTag,
) -> Result<Option<TicketEntry>, LedgerError> {
    let mut select = connection.prepare_cached(concat!(
        "SELECT ",
        ticket_columns!(),
        " FROM tickets WHERE event = ?1 AND manual_tag = ?2"
    ))?;
    only(select.query_map((event, tag), read_ticket)?)
}

/// The ticket with this code of an older system.
pub(super) fn ticket_by_legacy_tag(
    connection: &Connection,
    event: i64,
    tag: LookupTag,
) -> Result<Option<TicketEntry>, LedgerError> {
    let mut select = connection.prepare_cached(concat!(
        "SELECT ",
        ticket_columns!(),
        " FROM tickets WHERE event = ?1 AND legacy_tag = ?2"
    ))?;
    only(select.query_map((event, tag), read_ticket)?)
}

/// A tag that fits two tickets names neither.
fn only(
    mut rows: impl Iterator<Item = rusqlite::Result<TicketEntry>>,
) -> Result<Option<TicketEntry>, LedgerError> {
    let first = rows.next().transpose()?;
    Ok(if rows.next().transpose()?.is_some() { None } else { first })
}

impl Ledger {
    /// Writes one page of the manifest, all of it or nothing. A page that was already applied changes
    /// nothing; one older than what is here is left out.
    ///
    /// # Errors
    /// `BadPage` if the page cannot be right; otherwise if the ledger cannot be written.
    pub fn apply_page(&mut self, page: &ManifestPage) -> Result<Applied, LedgerError> {
        self.apply_page_after(0, page)
    }

    /// [`Ledger::apply_page`] for the answer to a question for what came after `asked`. If the list was
    /// forgotten or started over meanwhile, such a page would leave a gap, and is left out.
    ///
    /// # Errors
    /// As [`Ledger::apply_page`].
    pub fn apply_page_after(&mut self, asked: i64, page: &ManifestPage) -> Result<Applied, LedgerError> {
        if page.event.as_ref().is_some_and(|event| event.event_id != page.event_id) {
            return Err(LedgerError::BadPage("its event is another one"));
        }
        let applied = self.write(|transaction| apply::apply(transaction, asked, page))?;
        if !applied.outdated {
            self.follow_page(page)?;
        }
        Ok(applied)
    }

    /// Brings the memory up to date with a page that was written.
    fn follow_page(&mut self, page: &ManifestPage) -> Result<(), LedgerError> {
        let changed: BTreeSet<TicketId> = page
            .tickets
            .iter()
            .map(|ticket| ticket.ticket_id)
            .chain(page.passages.iter().map(|foreign| foreign.ticket_id))
            .collect();
        let cache = self.cache.get_mut();
        cache.forget_event(page.event_id);
        if page.event.is_some() || changed.len() > REFRESH_AT_MOST {
            cache.tallies.remove(&page.event_id);
            return Ok(());
        }
        if !page.tickets.is_empty()
            && let Some(tally) = cache.tallies.get_mut(&page.event_id)
        {
            tally.recount_tickets();
        }
        changed.into_iter().try_for_each(|ticket_id| self.refresh_tally(page.event_id, ticket_id))
    }

    /// Where the next manifest page starts; 0 before the first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn cursor(&self, event_id: EventId) -> Result<i64, LedgerError> {
        Ok(self.known_event(&self.connection, event_id)?.map_or(0, |event| event.cursor))
    }

    /// The event, once a page of its manifest came.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn event(&self, event_id: EventId) -> Result<Option<EventInfo>, LedgerError> {
        Ok(self.known_event(&self.connection, event_id)?.map(|event| event.info.clone()))
    }

    /// Every event of which something is known, by start.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn events(&self) -> Result<Vec<EventInfo>, LedgerError> {
        let mut select = self.connection.prepare_cached("SELECT info FROM events")?;
        let mut events = Vec::new();
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let info: EventInfo =
                serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
            events.push(info);
        }
        events.sort_by_key(|event: &EventInfo| (event.starts_at, event.event_id));
        Ok(events)
    }

    /// How long ago the manifest was complete (milliseconds); none if it never was.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn list_age_ms(&mut self, event_id: EventId) -> Result<Option<i64>, LedgerError> {
        let now = self.time.now().now();
        let event = self.known_event(&self.connection, event_id)?;
        Ok(event.and_then(|event| event.fresh_at).map(|fresh_at| list_age(now, fresh_at)))
    }

    /// The ticket with this id.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn ticket(&self, event_id: EventId, ticket_id: TicketId) -> Result<Option<TicketEntry>, LedgerError> {
        match self.known_event(&self.connection, event_id)? {
            Some(event) => ticket_row(&self.connection, event.number, ticket_id),
            None => Ok(None),
        }
    }

    /// The ticket whose manual or legacy code has this tag; none if no or several tickets have it.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn ticket_by_tag(
        &self,
        event_id: EventId,
        tag: LookupTag,
    ) -> Result<Option<TicketEntry>, LedgerError> {
        let Some(event) = self.known_event(&self.connection, event_id)? else { return Ok(None) };
        match ticket_by_legacy_tag(&self.connection, event.number, tag)? {
            Some(ticket) => Ok(Some(ticket)),
            None => ticket_by_manual_tag(&self.connection, event.number, tag),
        }
    }

    /// Starts the manifest of an event over: the next page is the first again. Until it is complete,
    /// the door works with what it has.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn restart_manifest(&mut self, event_id: EventId) -> Result<(), LedgerError> {
        self.write(|transaction| {
            transaction.execute("UPDATE events SET cursor = 0 WHERE event_id = ?1", [event_id])?;
            Ok(())
        })?;
        self.cache.get_mut().forget_event(event_id);
        Ok(())
    }

    /// Wipes the tickets and merged passages of an event, as a revoked device must. Its scans stay.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn forget_manifest(&mut self, event_id: EventId) -> Result<(), LedgerError> {
        let Some(event) = self.known_event(&self.connection, event_id)? else { return Ok(()) };
        // Names are personal: their pages are overwritten, not only released.
        self.connection.pragma_update(None, "secure_delete", true)?;
        let wiped = self.write(|transaction| {
            transaction.execute("DELETE FROM tickets WHERE event = ?1", [event.number])?;
            transaction.execute("DELETE FROM passages WHERE event = ?1", [event.number])?;
            transaction
                .execute("UPDATE events SET cursor = 0, fresh_at = NULL WHERE number = ?1", [event.number])?;
            Ok(())
        });
        self.connection.pragma_update(None, "secure_delete", false)?;
        wiped?;
        let cache = self.cache.get_mut();
        cache.forget_event(event_id);
        cache.tallies.remove(&event_id);
        self.empty_log()
    }
}

/// A list from the future (a clock set back) counts as new.
pub(super) const fn list_age(now: i64, fresh_at: i64) -> i64 {
    let age = now.saturating_sub(fresh_at);
    if age < 0 { 0 } else { age }
}
