//! What a door shows besides verdicts.

use std::fs::File;
use std::io::BufWriter;

use liventix_core::ids::EventId;

use super::Scanner;
use super::views::{Conflict, Counts, Event, FoundTicket, QuarantinedScan, ScanRow, Unsent};
use crate::convert::id;
use crate::error::ScannerError;

/// The most rows one call returns: what a list on a phone shows, not a database.
const MOST_ROWS: u32 = 1_000;

#[uniffi::export]
impl Scanner {
    /// The events this device may scan, by start, as far as their lists have come.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub fn events(&self) -> Result<Vec<Event>, ScannerError> {
        let door = self.door()?;
        let mut ledger = door.ledger();
        let Some(device) = ledger.device()? else { return Ok(Vec::new()) };
        let mut events = Vec::new();
        for event in ledger.events()? {
            let assigned = device.assignments.iter().find(|assigned| assigned.event_id == event.event_id);
            if let Some(assignment) = assigned {
                let list_age_ms = ledger.list_age_ms(event.event_id)?;
                events.push(Event::of(event, assignment, list_age_ms));
            }
        }
        Ok(events)
    }

    /// The live numbers of an event, as far as this device knows.
    ///
    /// # Errors
    /// `UnknownPlace`, `InvalidInput`, `Storage`, `Closed`.
    pub fn counts(&self, event_id: String) -> Result<Counts, ScannerError> {
        let event_id: EventId = id("event_id", &event_id)?;
        Ok(self.door()?.ledger().counts(event_id)?.into())
    }

    /// Tickets that were admitted more often than they allow, with the evidence of both sides.
    ///
    /// # Errors
    /// `UnknownPlace`, `InvalidInput`, `Storage`, `Closed`.
    pub fn conflicts(&self, event_id: String) -> Result<Vec<Conflict>, ScannerError> {
        let event_id: EventId = id("event_id", &event_id)?;
        let found = Conflict::list(&self.door()?.ledger(), event_id)?;
        Ok(found.into_iter().map(|(_, conflict)| conflict).collect())
    }

    /// Tickets by the name of who holds them, best first, at most `limit` (and 50). Every word of `text` must
    /// be in the name, at the start of one of its words or inside; case and accents make no difference. Works
    /// offline, on the list this device has; admit one with [`Scanner::admit_listed`].
    ///
    /// # Errors
    /// `InvalidInput`, `Storage`, `Closed`.
    pub fn search(
        &self,
        event_id: String,
        text: String,
        limit: u32,
    ) -> Result<Vec<FoundTicket>, ScannerError> {
        let event_id: EventId = id("event_id", &event_id)?;
        let limit = usize::try_from(limit.min(MOST_ROWS)).unwrap_or(0);
        let found = self.door()?.ledger().search(event_id, &text, limit)?;
        Ok(found.into_iter().map(FoundTicket::from).collect())
    }

    /// The scans made on this device after the one with the number `after_seq` (0: from the first), oldest
    /// first, at most `limit` (and 1 000).
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub fn scans(&self, after_seq: i64, limit: u32) -> Result<Vec<ScanRow>, ScannerError> {
        let limit = usize::try_from(limit.min(MOST_ROWS)).unwrap_or(0);
        let scans = self.door()?.ledger().scans(after_seq, limit)?;
        Ok(scans.into_iter().map(ScanRow::from).collect())
    }

    /// How many scans wait for their upload, and since when.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub fn unsent(&self) -> Result<Unsent, ScannerError> {
        Ok(self.door()?.ledger().unsent_summary()?.into())
    }

    /// Scans the server took but set aside, each with the stable code that says why. The organiser sees them.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub fn quarantined(&self) -> Result<Vec<QuarantinedScan>, ScannerError> {
        let found = self.door()?.ledger().quarantined()?;
        Ok(found.into_iter().map(|(scan, code)| QuarantinedScan { scan: scan.into(), code }).collect())
    }

    /// Writes every unsent scan to a new file at `path`, one JSON object a line, and returns how many: for a
    /// device that cannot reach its server any more. The file holds no secret and no name.
    ///
    /// # Errors
    /// `Storage` if there is a file already or it cannot be written; `Closed`.
    pub fn export_unsent(&self, path: String) -> Result<u64, ScannerError> {
        let door = self.door()?;
        let file = File::options().write(true).create_new(true).open(&path).map_err(|error| {
            let detail = format!("the export cannot be written ({error}): choose another file");
            ScannerError::Storage { code: "export_failed".to_owned(), detail }
        })?;
        let written = door.ledger().export_unsent(&mut BufWriter::new(file))?;
        Ok(written)
    }
}
