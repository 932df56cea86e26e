//! At the gate.

use std::sync::PoisonError;

use liventix_core::ids::{ScanId, TicketId};
use liventix_core::ledger::Ledger;
use liventix_core::rules::Direction;
use liventix_core::scan::{self, DoorContext, ScanError};

use super::Scanner;
use super::door::Door;
use super::views::{Undone, Verdict};
use crate::convert::id;
use crate::error::ScannerError;

/// Where and how people want to pass.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Gateway {
    /// The event.
    pub event_id: String,
    /// The gate: one of [`super::views::Event::gates`].
    pub gate_id: String,
    /// In or out.
    pub direction: Direction,
    /// How many people want to pass with one ticket (1 to 1 000).
    #[uniffi(default = 1)]
    pub people: u16,
}

#[uniffi::export]
impl Scanner {
    /// Scans one text, as a camera or a hand scanner read it or a person typed it: signed codes, manual
    /// codes, codes of older systems. Works without a network. The verdict is on disk when this returns; a
    /// bad code is no error but a refusal, and recorded. Takes a fraction of a millisecond and one durable
    /// write.
    ///
    /// # Errors
    /// Only if the door is set up wrongly or the disk fails: then nobody was admitted, and nothing recorded.
    pub fn scan(&self, text: String, gateway: Gateway) -> Result<Verdict, ScannerError> {
        let door = self.door()?;
        let keys = door.keys();
        door.pass(&gateway, |ledger, context| scan::scan(ledger, &keys, context, &text))
    }

    /// Scans one text with a supervisor, who lets people pass though the rules refuse or ask. `note` says
    /// why, in one line of 1 to 200 characters, and is kept with the scan. What cannot be overruled stays
    /// refused: cancelled, blocked and replaced tickets, and everything that is not authentic.
    ///
    /// # Errors
    /// As [`Scanner::scan`]; `NotAllowed` (`not_supervisor`) if the organiser did not make this device a
    /// supervisor's; `InvalidInput` (`note_invalid`).
    pub fn force(&self, text: String, gateway: Gateway, note: String) -> Result<Verdict, ScannerError> {
        let door = self.door()?;
        let keys = door.keys();
        door.pass(&gateway, |ledger, context| scan::force(ledger, &keys, context, &text, &note))
    }

    /// Admits a ticket that was picked from a [`Scanner::search`], by the same rules as a manual code.
    ///
    /// # Errors
    /// As [`Scanner::scan`].
    pub fn admit_listed(&self, ticket_id: String, gateway: Gateway) -> Result<Verdict, ScannerError> {
        let ticket_id: TicketId = id("ticket_id", &ticket_id)?;
        self.door()?.pass(&gateway, |ledger, context| scan::admit_listed(ledger, context, ticket_id))
    }

    /// [`Scanner::force`] for a ticket that was picked from a search.
    ///
    /// # Errors
    /// As [`Scanner::force`].
    pub fn force_listed(
        &self,
        ticket_id: String,
        gateway: Gateway,
        note: String,
    ) -> Result<Verdict, ScannerError> {
        let ticket_id: TicketId = id("ticket_id", &ticket_id)?;
        self.door()?.pass(&gateway, |ledger, context| scan::force_listed(ledger, context, ticket_id, &note))
    }

    /// Takes back a passage that this device made a moment ago: the guest went away again, or the wrong
    /// ticket was scanned. `note` says why, in one line of 1 to 200 characters. Durable when it returns, and
    /// other doors learn of it.
    ///
    /// # Errors
    /// `UndoRefused` if the passage stands; `InvalidInput` (`note_invalid`); as [`Scanner::scan`].
    pub fn undo(&self, scan_id: String, note: String) -> Result<Undone, ScannerError> {
        let scan_id: ScanId = id("scan_id", &scan_id)?;
        let door = self.door()?;
        let undone = scan::undo(&mut door.ledger(), scan_id, &note)?;
        door.scanned();
        Ok(undone.into())
    }
}

impl Door {
    /// One attempt at a gateway. Tells the watch that there is something to upload.
    fn pass(
        &self,
        gateway: &Gateway,
        attempt: impl FnOnce(&mut Ledger, &DoorContext) -> Result<scan::Verdict, ScanError>,
    ) -> Result<Verdict, ScannerError> {
        let context = DoorContext {
            event_id: id("event_id", &gateway.event_id)?,
            gate_id: id("gate_id", &gateway.gate_id)?,
            device_id: self.device_id()?,
            direction: gateway.direction,
            people: gateway.people,
        };
        let verdict = attempt(&mut self.ledger(), &context)?;
        self.scanned();
        Ok(Verdict::of(verdict, &context))
    }

    fn scanned(&self) {
        if let Some(engine) = &*self.engine.read().unwrap_or_else(PoisonError::into_inner) {
            engine.scanned();
        }
    }
}
