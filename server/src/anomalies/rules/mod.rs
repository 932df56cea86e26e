//! What is an anomaly: functions of scans and settings, without I/O and without a clock.

pub mod clock;
pub mod forged;
pub mod travel;

#[cfg(test)]
pub(super) mod samples {
    use liventix_core::ids::{DeviceId, EventId, GateId, LedgerId, ScanId, TicketId};
    use liventix_core::ledger::record::Fingerprint;
    use liventix_core::rules::{Direction, Outcome, Reason};

    use crate::scanning::seen::Seen;

    /// A scan number `number` at `at`, admitted at gate 1 by device 1.
    pub(in super::super) fn seen(number: u8, at: i64) -> Seen {
        Seen {
            scan_id: ScanId::from_bytes([number; 16]),
            event_id: EventId::from_bytes([1; 16]),
            gate_id: gate(1),
            device_id: DeviceId::from_bytes([1; 16]),
            ledger_id: Some(LedgerId::from_bytes([1; 16])),
            seq: Some(i64::from(number)),
            ticket_id: Some(TicketId::from_bytes([1; 16])),
            fingerprint: Fingerprint([number; 16]),
            direction: Direction::Entry,
            people: 1,
            outcome: Outcome::Admit,
            reason: Reason::Entered,
            forced: false,
            undoes: None,
            at,
            error_ms: Some(0),
            wall_ms: at,
            mono_ms: at,
            offset_ms: 0,
            received_at: at,
        }
    }

    pub(in super::super) const fn gate(number: u8) -> GateId {
        GateId::from_bytes([number; 16])
    }
}
