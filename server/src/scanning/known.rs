//! What a batch of redeems knows: read once for all of them, and kept true while they are decided one after
//! the other. What they decide is written at the end, in a few statements.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use liventix_core::ids::{DeviceId, EventId, GateId, ScanId, TicketId};
use liventix_core::rules::Passage;

use super::present::named_ticket;
use super::redeem::Asked;
use super::store::{self, ScanRow, Stored};
use super::{counted, merge};
use crate::anomalies::{self, Context};
use crate::doors;
use crate::events::snapshot::Snapshot;
use crate::events::take_seqs;
use crate::platform::auth::Scanner;
use crate::platform::authorize::{self, Action};
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::problem::ApiResult;
use crate::tickets::{self, TicketRow};

/// Facts of one event, under its lock.
#[derive(Default)]
pub(super) struct Known {
    scans: HashMap<ScanId, Stored>,
    tickets: HashMap<TicketId, Option<TicketRow>>,
    passages: HashMap<TicketId, Vec<Passage>>,
    /// Devices found to be good for a gate.
    assigned: HashSet<(DeviceId, GateId)>,
    /// Keys and people found to be good for the event.
    allowed: HashSet<DeviceId>,
    /// Decided, not yet written.
    new: Vec<ScanRow>,
    /// Tickets that were passed with before, and now again: the merge has to look at them.
    passed_again: Vec<TicketId>,
}

impl Known {
    /// Reads what `asked` names.
    pub(super) async fn load(conn: &mut Conn, event: EventId, asked: &[Asked]) -> Result<Self, DbError> {
        let ids: Vec<ScanId> = asked.iter().map(|asked| asked.request.scan_id).collect();
        let named: HashSet<TicketId> =
            asked.iter().filter_map(|asked| named_ticket(&asked.request.code)).collect();
        let named: Vec<TicketId> = named.into_iter().collect();
        let mut tickets: HashMap<TicketId, Option<TicketRow>> =
            named.iter().map(|ticket| (*ticket, None)).collect();
        for row in tickets::get_all(conn, event, &named).await? {
            tickets.insert(row.view.ticket_id, Some(row));
        }
        let mut passages = store::passages(conn, &named).await?;
        for ticket in named {
            passages.entry(ticket).or_default();
        }
        let scans = store::find(conn, &ids).await?;
        Ok(Self { scans, tickets, passages, ..Self::default() })
    }

    /// The scan with this id, stored or decided before in the batch.
    pub(super) fn scan(&self, id: ScanId) -> Option<&Stored> {
        self.scans.get(&id)
    }

    pub(super) async fn ticket(
        &mut self,
        conn: &mut Conn,
        event: EventId,
        id: TicketId,
    ) -> Result<Option<TicketRow>, DbError> {
        if let Some(known) = self.tickets.get(&id) {
            return Ok(known.clone());
        }
        let row = tickets::get(conn, event, id).await?;
        self.tickets.insert(id, row.clone());
        Ok(row)
    }

    /// Every passage with a ticket, those of the batch so far included.
    pub(super) async fn passages(
        &mut self,
        conn: &mut Conn,
        ticket: TicketId,
    ) -> Result<&[Passage], DbError> {
        Ok(match self.passages.entry(ticket) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let read = store::passages(conn, &[ticket]).await?.remove(&ticket).unwrap_or_default();
                unknown.insert(read)
            }
        })
    }

    /// Requires that a device may scan at a gate of the event.
    pub(super) async fn require_device(
        &mut self,
        conn: &mut Conn,
        (event, device, gate): (EventId, DeviceId, GateId),
    ) -> ApiResult<()> {
        if !self.assigned.contains(&(device, gate)) {
            doors::scope::require(conn, device, event, Some(gate)).await?;
            self.assigned.insert((device, gate));
        }
        Ok(())
    }

    /// Requires that whoever scans without a device may do so at the event.
    pub(super) async fn require_leave(
        &mut self,
        conn: &mut Conn,
        event: EventId,
        scanner: Scanner,
    ) -> ApiResult<()> {
        if !self.allowed.contains(&scanner.scanner_id) {
            authorize::event(conn, &scanner.asking(Action::Redeem), event).await?;
            self.allowed.insert(scanner.scanner_id);
        }
        Ok(())
    }

    /// Takes in a scan that was decided, so that the next one is decided in its knowledge.
    pub(super) fn add(&mut self, snapshot: &Snapshot, row: ScanRow) {
        let stored = row.stored(snapshot.organiser_id, snapshot.info.event_id);
        self.scans.insert(row.view.scan_id, stored);
        if let (true, Some(ticket)) = (row.is_passage(), row.view.ticket_id) {
            let passages = self.passages.entry(ticket).or_default();
            if !passages.is_empty() {
                self.passed_again.push(ticket);
            }
            passages.push(row.passage());
        }
        self.new.push(row);
    }

    /// Writes what was decided; says whether anybody passed.
    pub(super) async fn write(mut self, tx: &mut Tx, snapshot: &Snapshot, now: i64) -> ApiResult<bool> {
        let event = snapshot.info.event_id;
        let passed = self.new.iter().filter(|row| row.is_passage()).count();
        if passed > 0 {
            let mut seq = take_seqs(tx, event, i64::try_from(passed).unwrap_or(i64::MAX)).await?;
            for row in self.new.iter_mut().filter(|row| row.is_passage()) {
                row.change_seq = Some(seq);
                seq += 1;
            }
        }
        store::insert_new(tx, snapshot.organiser_id, event, &self.new).await?;
        self.passed_again.sort_unstable();
        self.passed_again.dedup();
        if !self.passed_again.is_empty() {
            // A door's clock may run ahead of ours: then this passage comes before one already merged.
            merge::refresh(tx, &snapshot.info, &self.passed_again, now).await?;
        }
        let context = Context { organiser_id: snapshot.organiser_id, now };
        anomalies::scanned(tx, context, &snapshot.info, &self.new).await?;
        let known =
            self.tickets.iter().filter_map(|(id, row)| Some((*id, row.as_ref()?.view.ticket_type_id)));
        counted::scanned(tx, context, event, &self.new, (&self.passages, &known.collect())).await?;
        Ok(passed > 0)
    }
}
