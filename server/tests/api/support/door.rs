//! A door that writes scans as a device does, without a ledger file.

use liventix_core::entropy::OsEntropy;
use liventix_core::ids::{DeviceId, EventId, GateId, LedgerId, ScanId};
use liventix_core::ledger::record::{Fingerprint, Hash, Medium, ScanRecord, genesis};
use liventix_core::rules::{Confidence, Direction, Flag, Outcome, Reason};
use serde_json::{Value, json};

use super::{Event, NOW, Reply, Server};

pub(crate) struct Door {
    pub(crate) device_id: DeviceId,
    pub(crate) token: String,
    pub(crate) ledger_id: LedgerId,
    event_id: EventId,
    gate_id: GateId,
    seq: i64,
    last: Hash,
}

pub(crate) fn new_id() -> String {
    ScanId::generate(NOW, &OsEntropy).to_string()
}

impl Door {
    pub(crate) fn new(device_id: DeviceId, token: String, event: &Event) -> Self {
        let ledger_id = LedgerId::generate(NOW, &OsEntropy);
        Self {
            device_id,
            token,
            ledger_id,
            event_id: event.id.parse().unwrap(),
            gate_id: event.gate.parse().unwrap(),
            seq: 0,
            last: genesis(ledger_id),
        }
    }

    /// The next scan of this door: an admission of `ticket` at `at`.
    pub(crate) fn admit(&mut self, ticket: &str, at: i64) -> ScanRecord {
        self.scan(ticket, at, |_| {})
    }

    /// The same, changed before it is hashed.
    pub(crate) fn scan(&mut self, ticket: &str, at: i64, change: impl Fn(&mut ScanRecord)) -> ScanRecord {
        self.seq += 1;
        let mut record = ScanRecord {
            scan_id: ScanId::generate(at, &OsEntropy),
            device_id: self.device_id,
            ledger_id: self.ledger_id,
            seq: self.seq,
            event_id: self.event_id,
            gate_id: self.gate_id,
            ticket_id: Some(ticket.parse().unwrap()),
            direction: Direction::Entry,
            people: 1,
            medium: Medium::Printed,
            fingerprint: Fingerprint::of(ticket),
            outcome: Outcome::Admit,
            reason: Reason::Entered,
            confidence: Confidence::Green,
            flags: Vec::new(),
            first_admission: None,
            wall_ms: at,
            mono_ms: 60_000,
            offset_ms: 0,
            error_ms: Some(20),
            overruled: None,
            undoes: None,
            note: None,
            prev_hash: self.last,
            hash: self.last,
        };
        change(&mut record);
        record.hash = record.compute_hash();
        self.last = record.hash;
        record
    }

    /// A scan that takes `target` back.
    pub(crate) fn undo(&mut self, target: &ScanRecord, at: i64) -> ScanRecord {
        let ticket = target.ticket_id.unwrap().to_string();
        self.scan(&ticket, at, |scan| {
            scan.reason = Reason::Undone;
            scan.undoes = Some(target.scan_id);
            scan.note = Some("wrong guest".to_owned());
        })
    }

    /// A scan that a supervisor forced.
    pub(crate) fn force(&mut self, ticket: &str, at: i64, overruled: Reason) -> ScanRecord {
        self.scan(ticket, at, |scan| {
            scan.reason = Reason::Forced;
            scan.confidence = Confidence::Amber;
            scan.flags = vec![Flag::Forced];
            scan.overruled = Some(overruled);
            scan.note = Some("paid at the desk".to_owned());
        })
    }

    pub(crate) async fn upload(&self, server: &Server, scans: &[ScanRecord]) -> Reply {
        let scans = scans.iter().map(|scan| serde_json::to_value(scan).unwrap()).collect();
        self.upload_values(server, scans).await
    }

    pub(crate) async fn upload_values(&self, server: &Server, scans: Vec<Value>) -> Reply {
        let body = json!({"ledger_id": self.ledger_id, "scans": scans});
        server.post("/v1/door/scans", &self.token, &body).await
    }

    pub(crate) async fn page(&self, server: &Server, query: &str) -> Value {
        self.try_page(server, query).await.expect(200)
    }

    pub(crate) async fn try_page(&self, server: &Server, query: &str) -> Reply {
        let path = format!("/v1/door/events/{}/manifest?{query}", self.event_id);
        server.get(&path, &self.token).await
    }
}

/// The statuses of receipts, with the code where there is one.
pub(crate) fn verdicts(reply: &Value) -> Vec<String> {
    reply["receipts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|receipt| {
            let status = receipt["status"].as_str().unwrap();
            receipt["code"].as_str().map_or(status.to_owned(), |code| format!("{status}:{code}"))
        })
        .collect()
}
