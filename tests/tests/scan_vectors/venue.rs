//! The organiser, event, keys and guests that the cases share.

use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::{DeviceId, EventId, GateId, ScanId, TicketId, TicketTypeId};
use liventix_core::rules::{
    Direction, EntryPolicy, EventInfo, EventPolicy, Gate, Passage, Reentry, TicketStatus, TicketType,
};
use liventix_core::sync::wire::{Assignment, ForeignPassage, TicketEntry};
use liventix_core::ticket::{
    Algorithm, Claims, EventKeys, KeyBytes, KeyId, KeyState, ManualCode, MasterKey, SigningKey,
};
use liventix_tests::conformance::format::{Device, Facts, StartingClock};

/// 2026-09-21T13:33:20Z: the doors are open, and the scanner has just synced.
pub(crate) const NOW: i64 = 1_790_000_000_000;
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// So many seconds after the scanner has synced.
pub(crate) const fn at(seconds: i64) -> i64 {
    NOW + seconds * SECOND
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

pub(crate) fn event_id() -> EventId {
    id("0198f5c2-7a00-7c3e-9b1d-4e6f8091a2b3")
}

/// An event of the same organiser that the scanner is not assigned to.
pub(crate) fn other_event_id() -> EventId {
    id("0198f5c2-7a00-7d4f-8c2e-5f708192a3b4")
}

pub(crate) fn north() -> GateId {
    id("0198f5c2-7a10-7000-8000-0000000000a1")
}

pub(crate) fn south() -> GateId {
    id("0198f5c2-7a10-7000-8000-0000000000a2")
}

/// A gate of no event.
pub(crate) fn nowhere() -> GateId {
    id("0198f5c2-7a10-7000-8000-0000000000af")
}

pub(crate) fn device_id() -> DeviceId {
    id("0198f5c2-7a20-7000-8000-0000000000d1")
}

/// The scanner at the other gate.
pub(crate) fn other_device_id() -> DeviceId {
    id("0198f5c2-7a20-7000-8000-0000000000d2")
}

pub(crate) fn master_bytes() -> [u8; 32] {
    std::array::from_fn(|index| 0x40 + index as u8)
}

pub(crate) fn master() -> MasterKey {
    MasterKey::new(KeyBytes::new(master_bytes()))
}

/// The kinds of ticket on sale.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// One person, once.
    Day,
    /// One person, once, and back in after going out.
    Festival,
    /// One person, three times.
    ThreeVisits,
    /// One person, as often as they like.
    Season,
    /// Five people, each once, and back in after going out.
    Family,
    /// Four people, each once.
    Group,
    /// One person, once, at the south gate only.
    Vip,
    /// One person, once, from one hour after the start of the case until five hours after it.
    Evening,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Day,
        Self::Festival,
        Self::ThreeVisits,
        Self::Season,
        Self::Family,
        Self::Group,
        Self::Vip,
        Self::Evening,
    ];

    pub(crate) fn id(self) -> TicketTypeId {
        id(&format!("0198f5c2-7a30-7000-8000-0000000000b{}", self as u8))
    }

    fn describe(self) -> TicketType {
        let once = EntryPolicy { max_entries: Some(1), reentry: Reentry::Never };
        let returning = EntryPolicy { max_entries: Some(1), reentry: Reentry::AfterExit };
        let (name, admits, entry) = match self {
            Self::Day => ("Day ticket", 1, once),
            Self::Festival => ("Festival pass", 1, returning),
            Self::ThreeVisits => ("Three visits", 1, EntryPolicy { max_entries: Some(3), ..once }),
            Self::Season => ("Season pass", 1, EntryPolicy { max_entries: None, ..once }),
            Self::Family => ("Family ticket", 5, returning),
            Self::Group => ("Group of four", 4, once),
            Self::Vip => ("VIP", 1, once),
            Self::Evening => ("Evening ticket", 1, once),
        };
        let mut kind = TicketType {
            ticket_type_id: self.id(),
            name: name.to_owned(),
            gate_ids: Vec::new(),
            admits,
            entry,
            valid_from: None,
            valid_until: None,
        };
        match self {
            Self::Vip => kind.gate_ids.push(south()),
            Self::Evening => (kind.valid_from, kind.valid_until) = (Some(NOW + HOUR), Some(NOW + 5 * HOUR)),
            _ => {}
        }
        kind
    }
}

pub(crate) fn event() -> EventInfo {
    let gate = |gate_id, name: &str| Gate { gate_id, name: name.to_owned() };
    EventInfo {
        event_id: event_id(),
        name: "Harbour Lights".to_owned(),
        starts_at: NOW - 2 * HOUR,
        ends_at: NOW + 34 * HOUR,
        time_zone: "Europe/Paris".to_owned(),
        policy: EventPolicy::default(),
        gates: vec![gate(north(), "North gate"), gate(south(), "South gate")],
        ticket_types: Kind::ALL.map(Kind::describe).to_vec(),
        key_version: 1,
    }
}

/// Key 1 signs with HMAC, key 2 with Ed25519.
pub(crate) fn key_states() -> Vec<KeyState> {
    let state = |id, algorithm| KeyState { key_id: KeyId(id), algorithm, accept_until: None };
    vec![state(1, Algorithm::HmacSha256), state(2, Algorithm::Ed25519)]
}

pub(crate) fn keys(version: i64, states: &[KeyState]) -> EventKeys {
    master().event_keys(event_id(), version, states)
}

pub(crate) fn assignment(gate_ids: &[GateId]) -> Assignment {
    Assignment {
        event_id: event_id(),
        event_name: "Harbour Lights".to_owned(),
        gate_ids: gate_ids.to_vec(),
        supervisor: false,
    }
}

/// Every gate, with a supervisor.
pub(crate) fn supervising() -> Assignment {
    Assignment { supervisor: true, ..assignment(&[]) }
}

pub(crate) fn device() -> Device {
    Device {
        device_id: device_id(),
        device_name: "North 1".to_owned(),
        organiser_name: "Harbour Events".to_owned(),
        assignments: vec![assignment(&[])],
    }
}

pub(crate) fn setup() -> Facts {
    Facts {
        master_key: master_bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
        keys: keys(1, &key_states()),
        event: event(),
        tickets: Vec::new(),
        passages: Vec::new(),
        device: device(),
        clock: StartingClock { starts_at: NOW, wall_ahead_ms: 0 },
    }
}

const NAMES: [&str; 8] = [
    "Ada Lovelace",
    "Mateo Vásquez",
    "Zoë Brännström",
    "Nguyễn Minh Anh",
    "Łukasz Wójcik",
    "Siobhán O'Neill",
    "Kwame Mensah",
    "Aiko Tanaka",
];

/// A ticket with what belongs to it.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) entry: TicketEntry,
    number: u8,
    key: (u8, Algorithm),
    expires_at: Option<i64>,
}

/// The guest with that number: a valid ticket, its code issued the day before with key 1.
pub(crate) fn guest(number: u8, kind: Kind) -> Guest {
    let manual = manual_code(number);
    let entry = TicketEntry {
        ticket_id: id::<TicketId>(&format!("0198f5c3-1b80-7000-8000-0000000000{number:02x}")),
        ticket_type_id: kind.id(),
        status: TicketStatus::Valid,
        code_issued_at: NOW - 24 * HOUR,
        live_activated: false,
        valid_from: None,
        valid_until: None,
        admits: None,
        attendee_name: Some(NAMES[usize::from(number) % NAMES.len()].to_owned()),
        manual_tag: master().lookup_key(event_id()).manual_tag(&manual),
        legacy_tag: None,
    };
    Guest { entry, number, key: (1, Algorithm::HmacSha256), expires_at: None }
}

fn manual_code(number: u8) -> ManualCode {
    ManualCode::generate(&FixedEntropy::new(u64::from(number)))
}

impl Guest {
    /// With something on the ticket otherwise.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut TicketEntry)) -> Self {
        change(&mut self.entry);
        self
    }

    pub(crate) fn status(self, status: TicketStatus) -> Self {
        self.with(|entry| entry.status = status)
    }

    /// Its code stops being good then.
    pub(crate) fn expiring(self, at: i64) -> Self {
        Self { expires_at: Some(at), ..self }
    }

    /// Its code is signed with another key.
    pub(crate) fn signed(self, key_id: u8, algorithm: Algorithm) -> Self {
        Self { key: (key_id, algorithm), ..self }
    }

    /// This text is its code in the older system.
    pub(crate) fn formerly(self, text: &str) -> Self {
        self.with(|entry| entry.legacy_tag = Some(master().lookup_key(event_id()).legacy_tag(text)))
    }

    pub(crate) fn claims(&self) -> Claims {
        Claims {
            event_id: event_id(),
            ticket_id: self.entry.ticket_id,
            issued_at: self.entry.code_issued_at,
            expires_at: self.expires_at,
        }
    }

    pub(crate) fn signing_key(&self) -> SigningKey {
        let (key_id, algorithm) = self.key;
        master().signing_key(event_id(), KeyId(key_id), algorithm)
    }

    /// The text of its printed code.
    pub(crate) fn printed(&self) -> String {
        self.signing_key().printed(&self.claims()).text()
    }

    /// The text of the live code that its phone makes at `minted_at` by that phone's clock.
    pub(crate) fn live(&self, minted_at: i64) -> String {
        self.signing_key().live_base(&self.claims()).mint(minted_at).text()
    }

    /// Its manual code, e.g. `ABCD-EFGH-JKMN`.
    pub(crate) fn manual(&self) -> String {
        manual_code(self.number).to_string()
    }

    /// A passage of it at the south gate, by the scanner there.
    pub(crate) fn passage(&self, number: u8, at: i64, direction: Direction) -> ForeignPassage {
        let passage = Passage {
            scan_id: scan_id(number, at),
            at,
            direction,
            people: 1,
            gate_id: south(),
            device_id: other_device_id(),
            undoes: None,
            forced: false,
        };
        ForeignPassage { ticket_id: self.entry.ticket_id, passage }
    }

    /// One person in, at the south gate.
    pub(crate) fn entered(&self, number: u8, at: i64) -> ForeignPassage {
        self.passage(number, at, Direction::Entry)
    }

    /// One person out, at the south gate.
    pub(crate) fn left(&self, number: u8, at: i64) -> ForeignPassage {
        self.passage(number, at, Direction::Exit)
    }
}

/// The id of another door's scan: a UUIDv7 of that moment, its random part but for `number` as low as it
/// can be.
pub(crate) fn scan_id(number: u8, at: i64) -> ScanId {
    let [_, _, a, b, c, d, e, f] = at.to_be_bytes();
    ScanId::from_bytes([a, b, c, d, e, f, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number])
}
