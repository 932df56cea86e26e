//! A small venue for tests: one event, two gates, a ticket type of each kind, and doors with real
//! ledgers and clocks of their own.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use liventix_core::clock::{Clock, ManualClock, RoundTrip};
use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::{DeviceId, EventId, GateId, ScanId, TicketId, TicketTypeId};
use liventix_core::ledger::record::ScanRecord;
use liventix_core::ledger::{DeviceState, Ledger, LedgerError, OpenReport};
use liventix_core::rules::{
    Direction, EntryPolicy, EventInfo, EventPolicy, Gate, Reentry, TicketStatus, TicketType,
};
use liventix_core::scan::{DoorContext, ScanError, UndoError, Undone, Verdict, force, scan, undo};
use liventix_core::sync::wire::{Assignment, ForeignPassage, ManifestPage, TicketEntry};
use liventix_core::ticket::{
    Algorithm, Claims, KeyBytes, KeyId, KeyRing, KeyState, ManualCode, MasterKey, SigningKey,
};
use tempfile::TempDir;

/// Midday on the event's day.
pub const NOW: i64 = 1_790_000_000_000;
pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;

/// The place where everything happens.
pub struct Venue {
    pub folder: TempDir,
    pub entropy: Arc<FixedEntropy>,
    pub event: EventInfo,
    pub master: MasterKey,
    pub keys: KeyRing,
    pub signing: SigningKey,
    pub north: GateId,
    pub south: GateId,
    pub single: TicketTypeId,
    pub family: TicketTypeId,
    pub season: TicketTypeId,
    pub vip: TicketTypeId,
    doors: std::cell::Cell<u64>,
}

impl Venue {
    pub fn new() -> Self {
        Self::with_policy(EventPolicy::default())
    }

    pub fn with_policy(policy: EventPolicy) -> Self {
        let entropy = Arc::new(FixedEntropy::new(2024));
        let event_id = EventId::generate(NOW, &*entropy);
        let [north, south] = [0, 1].map(|_| GateId::generate(NOW, &*entropy));
        let [single, family, season, vip] = [0, 1, 2, 3].map(|_| TicketTypeId::generate(NOW, &*entropy));
        let kind = |ticket_type_id, name: &str, admits, entry, gate_ids: &[GateId]| TicketType {
            ticket_type_id,
            name: name.to_owned(),
            gate_ids: gate_ids.to_vec(),
            admits,
            entry,
            valid_from: None,
            valid_until: None,
        };
        let returning = EntryPolicy { max_entries: Some(1), reentry: Reentry::AfterExit };
        let unlimited = EntryPolicy { max_entries: None, reentry: Reentry::Never };
        let event = EventInfo {
            event_id,
            name: "Summer Fair".to_owned(),
            starts_at: NOW - 2 * HOUR,
            ends_at: NOW + 10 * HOUR,
            time_zone: "Europe/Paris".to_owned(),
            policy,
            gates: vec![
                Gate { gate_id: north, name: "North gate".to_owned() },
                Gate { gate_id: south, name: "South gate".to_owned() },
            ],
            ticket_types: vec![
                kind(single, "Day ticket", 1, EntryPolicy::default(), &[]),
                kind(family, "Family ticket", 5, returning, &[]),
                kind(season, "Season pass", 1, unlimited, &[]),
                kind(vip, "VIP", 1, EntryPolicy::default(), &[south]),
            ],
            key_version: 1,
        };
        let master = MasterKey::new(KeyBytes::new([7; 32]));
        let algorithm = Algorithm::HmacSha256;
        let states = [KeyState { key_id: KeyId(0), algorithm, accept_until: None }];
        let mut keys = KeyRing::new();
        keys.insert(&master.event_keys(event_id, 1, &states)).unwrap();
        let signing = master.signing_key(event_id, KeyId(0), algorithm);
        Self {
            folder: tempfile::tempdir().unwrap(),
            entropy,
            event,
            master,
            keys,
            signing,
            north,
            south,
            single,
            family,
            season,
            vip,
            doors: std::cell::Cell::new(0),
        }
    }

    /// A new ticket, not yet on any door's list.
    pub fn ticket(&self, ticket_type_id: TicketTypeId) -> TicketEntry {
        let manual = ManualCode::generate(&*self.entropy);
        TicketEntry {
            ticket_id: TicketId::generate(NOW, &*self.entropy),
            ticket_type_id,
            status: TicketStatus::Valid,
            code_issued_at: NOW - 24 * HOUR,
            live_activated: false,
            valid_from: None,
            valid_until: None,
            admits: None,
            attendee_name: Some("Ada Lovelace".to_owned()),
            manual_tag: self.master.lookup_key(self.event.event_id).manual_tag(&manual),
            legacy_tag: None,
        }
    }

    pub fn claims(&self, ticket: &TicketEntry) -> Claims {
        Claims {
            event_id: self.event.event_id,
            ticket_id: ticket.ticket_id,
            issued_at: ticket.code_issued_at,
            expires_at: None,
        }
    }

    /// The printed code of a ticket.
    pub fn code(&self, ticket: &TicketEntry) -> String {
        self.signing.printed(&self.claims(ticket)).text()
    }

    /// A live code minted at that time.
    pub fn live_code(&self, ticket: &TicketEntry, minted_at: i64) -> String {
        self.signing.live_base(&self.claims(ticket)).mint(minted_at).text()
    }

    /// A whole manifest in one page.
    pub fn page(&self, tickets: &[TicketEntry]) -> ManifestPage {
        ManifestPage {
            event_id: self.event.event_id,
            event: Some(self.event.clone()),
            tickets: tickets.to_vec(),
            passages: Vec::new(),
            next_cursor: 1,
            has_more: false,
            pending_rows: tickets.len() as i64,
            server_ms: NOW,
        }
    }

    /// A page that only brings passages.
    pub fn passages(&self, cursor: i64, passages: Vec<ForeignPassage>) -> ManifestPage {
        ManifestPage {
            event: None,
            pending_rows: passages.len() as i64,
            passages,
            next_cursor: cursor,
            ..self.page(&[])
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An enrolled door at the north gate with a synced clock and this manifest.
    pub fn door(&self, tickets: &[TicketEntry]) -> Door {
        let number = self.doors.get() + 1;
        self.doors.set(number);
        let mut door = self.bare_door(&format!("door-{number}.db"), number);
        door.sync_clock();
        door.ledger.apply_page(&self.page(tickets)).unwrap();
        door
    }

    /// An enrolled door that never synced.
    pub fn bare_door(&self, file: &str, seed: u64) -> Door {
        let clock = Arc::new(ManualClock::new(NOW));
        let entropy = Arc::new(FixedEntropy::new(seed));
        let path = self.path(file);
        let (mut ledger, report) = Ledger::open(&path, clock.clone(), entropy.clone()).unwrap();
        let device_id = DeviceId::generate(NOW, &*self.entropy);
        if report == OpenReport::Created {
            ledger.set_device(&self.device(device_id)).unwrap();
        }
        let context = DoorContext {
            event_id: self.event.event_id,
            gate_id: self.north,
            device_id,
            direction: Direction::Entry,
            people: 1,
        };
        Door { ledger, keys: self.keys.clone(), context, clock, entropy, path }
    }

    pub fn device(&self, device_id: DeviceId) -> DeviceState {
        DeviceState {
            device_id,
            device_name: "North 1".to_owned(),
            organiser_name: "Fair Ltd".to_owned(),
            server_url: "https://example.org".to_owned(),
            assignments: vec![Assignment {
                event_id: self.event.event_id,
                event_name: self.event.name.clone(),
                gate_ids: Vec::new(),
                supervisor: true,
            }],
            revoked: false,
        }
    }
}

/// One scanner.
pub struct Door {
    pub ledger: Ledger,
    pub keys: KeyRing,
    pub context: DoorContext,
    pub clock: Arc<ManualClock>,
    pub entropy: Arc<FixedEntropy>,
    pub path: PathBuf,
}

impl Door {
    pub fn try_scan(&mut self, text: &str) -> Result<Verdict, ScanError> {
        scan(&mut self.ledger, &self.keys, &self.context, text)
    }

    pub fn scan(&mut self, text: &str) -> Verdict {
        self.try_scan(text).unwrap()
    }

    /// A scan with a supervisor at the door.
    pub fn force(&mut self, text: &str) -> Verdict {
        force(&mut self.ledger, &self.keys, &self.context, text, "known at the desk").unwrap()
    }

    pub fn undo(&mut self, scan_id: ScanId) -> Result<Undone, UndoError> {
        undo(&mut self.ledger, scan_id, "wrong ticket")
    }

    /// A scan by `people` people in that direction.
    pub fn pass(&mut self, text: &str, direction: Direction, people: u16) -> Verdict {
        self.context.direction = direction;
        self.context.people = people;
        let verdict = self.scan(text);
        self.context.direction = Direction::Entry;
        self.context.people = 1;
        verdict
    }

    /// An instant round trip to a server whose clock is this door's now.
    pub fn sync_clock(&mut self) {
        let server_ms = self.clock.sample().wall_ms;
        self.sync_clock_to(server_ms, 0);
    }

    /// A round trip to a server whose clock shows that time.
    pub fn sync_clock_to(&mut self, server_ms: i64, round_trip_ms: i64) -> bool {
        let received = self.clock.sample();
        let mut sent = received;
        sent.wall_ms -= round_trip_ms;
        sent.mono_ms -= round_trip_ms;
        self.ledger.observe_time(&RoundTrip { sent, received, server_ms }).unwrap()
    }

    /// Closes the ledger and opens it again, as a restart of the program does.
    pub fn restart(self) -> (Self, OpenReport) {
        let Self { ledger, keys, context, clock, entropy, path } = self;
        drop(ledger);
        let (ledger, report) = Ledger::open(&path, clock.clone(), entropy.clone()).unwrap();
        (Self { ledger, keys, context, clock, entropy, path }, report)
    }

    pub fn records(&self) -> Vec<ScanRecord> {
        self.ledger.scans(0, usize::MAX).unwrap()
    }

    /// What other doors learn of this one.
    pub fn passages(&self) -> Vec<ForeignPassage> {
        self.records()
            .iter()
            .filter_map(|scan| Some(ForeignPassage { ticket_id: scan.ticket_id?, passage: scan.passage()? }))
            .collect()
    }
}

/// Opens a ledger with clocks and dice of its own.
pub fn open(path: &Path) -> Result<(Ledger, OpenReport), LedgerError> {
    Ledger::open(path, Arc::new(ManualClock::new(NOW)), Arc::new(FixedEntropy::new(9)))
}
