//! At the gate.

use std::sync::PoisonError;

use liventix_core::rules::Direction;
use liventix_core::scan::{self, DoorContext};

use super::Scanner;
use super::door::Door;
use super::views::Verdict;
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
        let context = door.context(&gateway)?;
        let keys = door.keys();
        let verdict = scan::scan(&mut door.ledger(), &keys, &context, &text)?;
        Ok(door.show(verdict, &context))
    }
}

impl Door {
    /// The gateway as the core knows it.
    fn context(&self, gateway: &Gateway) -> Result<DoorContext, ScannerError> {
        Ok(DoorContext {
            event_id: id("event_id", &gateway.event_id)?,
            gate_id: id("gate_id", &gateway.gate_id)?,
            device_id: self.device_id()?,
            direction: gateway.direction,
            people: gateway.people,
        })
    }

    /// A verdict as hosts see it. Tells the watch that there is something to upload.
    fn show(&self, verdict: scan::Verdict, context: &DoorContext) -> Verdict {
        if let Some(engine) = &*self.engine.read().unwrap_or_else(PoisonError::into_inner) {
            engine.scanned();
        }
        Verdict::of(verdict, context)
    }
}
