//! A server in memory, a network that fails on request, and a door between them.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use liventix_core::clock::{Clock, ManualClock};
use liventix_core::entropy::{Entropy, FixedEntropy};
use liventix_core::ids::{DeviceId, EventId, GateId, ScanId, TicketId, TicketTypeId};
use liventix_core::ledger::Ledger;
use liventix_core::ledger::record::ScanRecord;
use liventix_core::resilience::AsyncSleeper;
use liventix_core::rules::{
    Direction, EntryPolicy, EventInfo, EventPolicy, Gate, Outcome, Passage, TicketStatus, TicketType,
};
use liventix_core::scan::{DoorContext, Verdict, scan};
use liventix_core::sync::wire::{
    Assignment, Assignments, EnrolRequest, EnrolResponse, ForeignPassage, ManifestPage, Problem, Receipt,
    ReceiptStatus, ServerTime, TicketEntry, UploadRequest, UploadResponse,
};
use liventix_core::sync::{
    EnrolmentCode, MemorySecrets, Method, Request, Response, SyncEngine, SyncParts, Transport, TransportError,
};
use liventix_core::ticket::code::Claims;
use liventix_core::ticket::keys::{Algorithm, EventKeys, KeyBytes, KeyId, KeyState, MasterKey};
use liventix_core::ticket::manual::LookupTag;
use serde::Serialize;

/// The time at which every test starts, in whole seconds.
pub(crate) const START_MS: i64 = 1_790_000_000_000;
/// Rows the server gives in one page, whatever is asked: small, so that there are many.
const PAGE_ROWS: usize = 3;
/// Scans a "proxy" lets through at once.
const MAX_BATCH: usize = 2;

/// One row of the server's change log.
#[derive(Clone)]
pub(crate) enum Change {
    Event,
    Ticket(TicketEntry),
    Passage(ForeignPassage),
}

/// The server's state.
pub(crate) struct Server {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) event: EventInfo,
    pub(crate) device_id: DeviceId,
    pub(crate) log: Vec<Change>,
    pub(crate) scans: BTreeMap<ScanId, ScanRecord>,
    pub(crate) accepted: u64,
    pub(crate) quarantine_next: bool,
    pub(crate) revoked: bool,
    pub(crate) code_used: bool,
    pub(crate) unknown_cursors: bool,
    pub(crate) assigned: bool,
    pub(crate) master: MasterKey,
}

fn id_bytes(kind: u8, number: u8) -> [u8; 16] {
    let mut bytes = [kind; 16];
    bytes[15] = number;
    bytes
}

pub(crate) fn ticket_id(number: u8) -> TicketId {
    TicketId::from_bytes(id_bytes(4, number))
}

impl Server {
    fn new(clock: Arc<ManualClock>) -> Self {
        let event_id = EventId::from_bytes(id_bytes(1, 1));
        let event = EventInfo {
            event_id,
            name: "Night of the lamps".to_owned(),
            starts_at: START_MS,
            ends_at: START_MS + 36_000_000,
            time_zone: "Europe/Paris".to_owned(),
            policy: EventPolicy::default(),
            gates: vec![Gate { gate_id: GateId::from_bytes(id_bytes(2, 1)), name: "North gate".to_owned() }],
            ticket_types: vec![TicketType {
                ticket_type_id: TicketTypeId::from_bytes(id_bytes(3, 1)),
                name: "Standard".to_owned(),
                gate_ids: Vec::new(),
                admits: 1,
                entry: EntryPolicy::default(),
                valid_from: None,
                valid_until: None,
            }],
            key_version: 1,
        };
        let mut server = Self {
            clock,
            event,
            device_id: DeviceId::from_bytes(id_bytes(5, 1)),
            log: vec![Change::Event],
            scans: BTreeMap::new(),
            accepted: 0,
            quarantine_next: false,
            revoked: false,
            code_used: false,
            unknown_cursors: false,
            assigned: true,
            master: MasterKey::new(KeyBytes::new([7; 32])),
        };
        for number in 1..=7 {
            server.put_ticket(number, TicketStatus::Valid);
        }
        server
    }

    pub(crate) fn put_ticket(&mut self, number: u8, status: TicketStatus) {
        self.log.push(Change::Ticket(TicketEntry {
            ticket_id: ticket_id(number),
            ticket_type_id: self.event.ticket_types[0].ticket_type_id,
            status,
            code_issued_at: START_MS,
            live_activated: false,
            valid_from: None,
            valid_until: None,
            admits: None,
            attendee_name: Some(format!("Guest {number}")),
            manual_tag: LookupTag([number; 8]),
            legacy_tag: None,
        }));
    }

    /// Somebody else's device lets a ticket in.
    pub(crate) fn foreign_entry(&mut self, number: u8) {
        self.log.push(Change::Passage(ForeignPassage {
            ticket_id: ticket_id(number),
            passage: Passage {
                scan_id: ScanId::from_bytes(id_bytes(6, number)),
                at: START_MS + 500,
                direction: Direction::Entry,
                people: 1,
                gate_id: self.event.gates[0].gate_id,
                device_id: DeviceId::from_bytes(id_bytes(5, 2)),
                undoes: None,
                forced: false,
            },
        }));
    }

    pub(crate) fn rotate_keys(&mut self) {
        self.event.key_version += 1;
        self.log.push(Change::Event);
    }

    pub(crate) fn keys(&self) -> EventKeys {
        let key = KeyState { key_id: KeyId(1), algorithm: Algorithm::HmacSha256, accept_until: None };
        self.master.event_keys(self.event.event_id, self.event.key_version, &[key])
    }

    pub(crate) fn code(&self, number: u8) -> String {
        let claims = Claims {
            event_id: self.event.event_id,
            ticket_id: ticket_id(number),
            issued_at: START_MS,
            expires_at: None,
        };
        self.master.signing_key(self.event.event_id, KeyId(1), Algorithm::HmacSha256).printed(&claims).text()
    }

    /// The last word on each ticket.
    pub(crate) fn tickets(&self) -> BTreeMap<TicketId, TicketEntry> {
        let tickets = self.log.iter().filter_map(|change| match change {
            Change::Ticket(entry) => Some((entry.ticket_id, entry.clone())),
            _ => None,
        });
        tickets.collect()
    }

    fn answer(&mut self, request: &Request) -> Response {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        if path == "/v1/time" {
            return json(200, &ServerTime { server_ms: self.clock.wall_ms() });
        }
        if path == "/v1/door/enrol" {
            return self.enrol(request);
        }
        if request.bearer.is_none() {
            return problem(401, "unauthorized");
        }
        if path == "/v1/door/scans" {
            return self.upload(request);
        }
        if self.revoked {
            return problem(403, "device_revoked");
        }
        match path {
            "/v1/door/assignments" => json(200, &Assignments { assignments: self.assignments() }),
            path if path.ends_with("/keys") => json(200, &self.keys()),
            path if path.ends_with("/manifest") => self.manifest(query),
            _ => problem(404, "not_found"),
        }
    }

    fn assignments(&self) -> Vec<Assignment> {
        let assignment = Assignment {
            event_id: self.event.event_id,
            event_name: self.event.name.clone(),
            gate_ids: Vec::new(),
            supervisor: false,
        };
        if self.assigned { vec![assignment] } else { Vec::new() }
    }

    fn enrol(&mut self, request: &Request) -> Response {
        assert_eq!(request.method, Method::Post);
        let body: EnrolRequest = serde_json::from_slice(request.body.as_deref().unwrap()).unwrap();
        if self.code_used || body.code != "one-time" {
            return problem(409, "enrolment_code_used");
        }
        self.code_used = true;
        json(
            200,
            &EnrolResponse {
                device_id: self.device_id,
                token: "token".to_owned(),
                organiser_name: "Lamp Society".to_owned(),
                assignments: self.assignments(),
            },
        )
    }

    fn upload(&mut self, request: &Request) -> Response {
        let upload: UploadRequest = serde_json::from_slice(request.body.as_deref().unwrap()).unwrap();
        if upload.scans.len() > MAX_BATCH {
            return problem(413, "too_large");
        }
        let receipts = upload.scans.into_iter().map(|scan| {
            let scan_id = scan.scan_id;
            let quarantined = std::mem::take(&mut self.quarantine_next);
            let status = match self.scans.insert(scan_id, scan) {
                Some(_) => ReceiptStatus::Duplicate,
                None if quarantined => ReceiptStatus::Quarantined,
                None => {
                    self.accepted += 1;
                    ReceiptStatus::Accepted
                }
            };
            Receipt { scan_id, status, code: quarantined.then(|| "made_for_a_test".to_owned()) }
        });
        json(200, &UploadResponse { receipts: receipts.collect() })
    }

    fn manifest(&mut self, query: &str) -> Response {
        let cursor = query.split('&').find_map(|pair| pair.strip_prefix("cursor=")).unwrap();
        let from: usize = cursor.parse().unwrap();
        if from > self.log.len() || (from > 0 && self.unknown_cursors) {
            self.unknown_cursors = false;
            return problem(410, "unknown_cursor");
        }
        let to = (from + PAGE_ROWS).min(self.log.len());
        let changes = &self.log[from..to];
        let tickets = changes.iter().filter_map(|change| match change {
            Change::Ticket(entry) => Some(entry.clone()),
            _ => None,
        });
        let passages = changes.iter().filter_map(|change| match change {
            Change::Passage(passage) => Some(*passage),
            _ => None,
        });
        let has_event = changes.iter().any(|change| matches!(change, Change::Event));
        json(
            200,
            &ManifestPage {
                event_id: self.event.event_id,
                event: has_event.then(|| self.event.clone()),
                tickets: tickets.collect(),
                passages: passages.collect(),
                next_cursor: to as i64,
                has_more: to < self.log.len(),
                pending_rows: (self.log.len() - from) as i64,
                server_ms: self.clock.wall_ms(),
            },
        )
    }
}

fn json(status: u16, value: &impl Serialize) -> Response {
    Response { status, is_json: true, retry_after: None, body: serde_json::to_vec(value).unwrap() }
}

fn problem(status: u16, code: &str) -> Response {
    json(
        status,
        &Problem {
            kind: format!("https://liventix.example/problems/{code}"),
            title: code.to_owned(),
            status,
            code: code.to_owned(),
            detail: "for a test".to_owned(),
            request_id: None,
        },
    )
}

/// What may happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    CutBeforeSend,
    CutAfterSend,
    TimeoutAfterSend,
    HalfABody,
    Status500,
    Status503WithRetryAfter,
    /// Not in [`Fault::ALL`]: a sync gives up on it at once.
    Status503ForAYear,
    Status429WithRetryAfter,
    GarbageJson,
    WrongShape,
    SignInPage,
    DuplicateReceipts,
    MissingReceipts,
    NoReceipts,
    ForeignReceipts,
    ReversedReceipts,
}

impl Fault {
    pub(crate) const ALL: [Self; 15] = [
        Self::CutBeforeSend,
        Self::CutAfterSend,
        Self::TimeoutAfterSend,
        Self::HalfABody,
        Self::Status500,
        Self::Status503WithRetryAfter,
        Self::Status429WithRetryAfter,
        Self::GarbageJson,
        Self::WrongShape,
        Self::SignInPage,
        Self::DuplicateReceipts,
        Self::MissingReceipts,
        Self::NoReceipts,
        Self::ForeignReceipts,
        Self::ReversedReceipts,
    ];
}

/// Which requests go wrong, counted from 0, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) from: usize,
    pub(crate) until: usize,
    pub(crate) fault: Fault,
}

/// The server behind a network that fails by plan.
pub(crate) struct Network {
    pub(crate) server: Mutex<Server>,
    plan: Mutex<Option<Plan>>,
    sent: Mutex<Vec<String>>,
}

impl Network {
    pub(crate) fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap()
    }

    /// Starts counting requests again, with a new plan.
    pub(crate) fn plan(&self, plan: Option<Plan>) {
        *self.plan.lock().unwrap() = plan;
        self.sent.lock().unwrap().clear();
    }

    /// The paths requested since the last plan.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }

    fn exchange(&self, request: &Request) -> Result<Response, TransportError> {
        let number = {
            let mut sent = self.sent.lock().unwrap();
            sent.push(request.path.clone());
            sent.len() - 1
        };
        self.server().clock.advance(7);
        let plan = self.plan.lock().unwrap().filter(|plan| (plan.from..plan.until).contains(&number));
        let Some(plan) = plan else { return Ok(self.server().answer(request)) };
        let refuse = |status, seconds: Option<u64>| Response {
            retry_after: seconds.map(Duration::from_secs),
            ..problem(status, "made_for_a_test")
        };
        match plan.fault {
            Fault::CutBeforeSend => return Err(TransportError::Unreachable { detail: "cut".to_owned() }),
            Fault::Status500 => return Ok(refuse(500, None)),
            Fault::Status503WithRetryAfter => return Ok(refuse(503, Some(2))),
            Fault::Status503ForAYear => return Ok(refuse(503, Some(365 * 86_400))),
            Fault::Status429WithRetryAfter => return Ok(refuse(429, Some(1))),
            _ => {}
        }
        let mut response = self.server().answer(request);
        match plan.fault {
            Fault::CutAfterSend => return Err(TransportError::Interrupted { detail: "cut".to_owned() }),
            Fault::TimeoutAfterSend => return Err(TransportError::Timeout),
            Fault::HalfABody => response.body.truncate(response.body.len() / 2),
            Fault::GarbageJson => response.body = b"{]\xff".to_vec(),
            Fault::WrongShape => response.body = b"{\"receipts\":7,\"server_ms\":\"soon\"}".to_vec(),
            Fault::SignInPage => {
                response = Response {
                    status: 200,
                    is_json: false,
                    retry_after: None,
                    body: b"<html>Welcome to Venue Wi-Fi".to_vec(),
                };
            }
            fault => spoil_receipts(fault, &mut response),
        }
        Ok(response)
    }
}

fn spoil_receipts(fault: Fault, response: &mut Response) {
    let Ok(mut answer) = serde_json::from_slice::<UploadResponse>(&response.body) else { return };
    let receipts = &mut answer.receipts;
    match fault {
        Fault::DuplicateReceipts => receipts.extend(receipts.clone()),
        Fault::MissingReceipts => receipts.truncate(1),
        Fault::NoReceipts => receipts.clear(),
        Fault::ReversedReceipts => receipts.reverse(),
        _ => receipts.insert(
            0,
            Receipt {
                scan_id: ScanId::from_bytes([9; 16]),
                status: ReceiptStatus::Quarantined,
                code: Some("nobody_sent_this".to_owned()),
            },
        ),
    }
    response.body = serde_json::to_vec(&answer).unwrap();
}

impl Transport for Network {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        // A real network gives other tasks a turn.
        tokio::task::yield_now().await;
        self.exchange(&request)
    }
}

/// Waits for nothing, and remembers for how long.
#[derive(Clone, Default)]
pub(crate) struct NoSleep(pub(crate) Arc<Mutex<Vec<u64>>>);

impl AsyncSleeper for NoSleep {
    async fn sleep(&self, ms: u64) {
        self.0.lock().unwrap().push(ms);
        tokio::task::yield_now().await;
    }
}

/// A device with its ledger, and the server it is enrolled at.
pub(crate) struct Door {
    pub(crate) network: Arc<Network>,
    pub(crate) engine: Arc<SyncEngine<Arc<Network>, NoSleep>>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) secrets: Arc<MemorySecrets>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) slept: NoSleep,
}

impl Door {
    /// A fresh device in `folder`, not enrolled yet.
    pub(crate) fn new(folder: &Path) -> Self {
        let clock = Arc::new(ManualClock::new(START_MS));
        let entropy: Arc<dyn Entropy> = Arc::new(FixedEntropy::new(1));
        let (ledger, _) =
            Ledger::open(&folder.join("ledger.sqlite"), clock.clone(), entropy.clone()).unwrap();
        let ledger = Arc::new(Mutex::new(ledger));
        let network = Arc::new(Network {
            server: Mutex::new(Server::new(clock.clone())),
            plan: Mutex::new(None),
            sent: Mutex::new(Vec::new()),
        });
        let secrets = Arc::new(MemorySecrets::default());
        let parts =
            SyncParts { ledger: ledger.clone(), secrets: secrets.clone(), clock: clock.clone(), entropy };
        let slept = NoSleep::default();
        let engine = Arc::new(SyncEngine::with_sleeper(network.clone(), parts, slept.clone()));
        Self { network, engine, ledger, secrets, clock, slept }
    }

    /// A fresh device, enrolled.
    pub(crate) async fn enrolled(folder: &Path) -> Self {
        let door = Self::new(folder);
        let code = EnrolmentCode::parse("LIVENTIX-ENROL:https://server.example#one-time", false).unwrap();
        door.engine.enrol(&code, "Test door").await.unwrap();
        door
    }

    /// Scans the printed code of a ticket, offline.
    pub(crate) fn scan(&self, number: u8) -> Verdict {
        let (text, context) = {
            let server = self.network.server();
            let context = DoorContext {
                event_id: server.event.event_id,
                gate_id: server.event.gates[0].gate_id,
                device_id: server.device_id,
                direction: Direction::Entry,
                people: 1,
            };
            (server.code(number), context)
        };
        self.clock.advance(1_000);
        let keys = self.engine.load_keys().unwrap();
        scan(&mut self.ledger.lock().unwrap(), &keys, &context, &text).unwrap()
    }

    /// Scans a ticket that must be admitted.
    pub(crate) fn admit(&self, number: u8) {
        let verdict = self.scan(number);
        assert_eq!(verdict.decision.outcome, Outcome::Admit, "{verdict:?}");
    }
}
