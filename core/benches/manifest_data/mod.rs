//! An event with many tickets, as a server would send it.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::{DeviceId, EventId, GateId, TicketId, TicketTypeId};
use liventix_core::ledger::DeviceState;
use liventix_core::rules::{EntryPolicy, EventInfo, EventPolicy, Gate, TicketStatus, TicketType};
use liventix_core::sync::wire::{Assignment, MAX_PAGE_ROWS, ManifestPage, TicketEntry};
use liventix_core::ticket::{
    Algorithm, Claims, KeyBytes, KeyId, KeyRing, KeyState, LookupTag, MasterKey, SigningKey,
};

/// The size of the events that the targets are about.
pub(crate) const TICKETS: usize = 100_000;
/// Tickets were issued over two months before this.
const SALE: i64 = 1_780_000_000_000;

/// The event, its tickets in the order of their ids, and its keys.
pub(crate) struct Venue {
    pub(crate) event: EventInfo,
    pub(crate) tickets: Vec<TicketEntry>,
    master: MasterKey,
    signing: SigningKey,
}

impl Venue {
    pub(crate) fn new(tickets: usize) -> Self {
        let entropy = FixedEntropy::new(1);
        let event = event(&entropy);
        let kind = event.ticket_types[0].ticket_type_id;
        let tickets = (0..tickets).map(|number| ticket(number, kind, &entropy)).collect();
        let master = MasterKey::new(KeyBytes::new([7; 32]));
        let signing = master.signing_key(event.event_id, KeyId(0), Algorithm::HmacSha256);
        Self { event, tickets, master, signing }
    }

    pub(crate) fn keys(&self) -> KeyRing {
        let state = KeyState { key_id: KeyId(0), algorithm: Algorithm::HmacSha256, accept_until: None };
        let mut keys = KeyRing::new();
        keys.insert(&self.master.event_keys(self.event.event_id, 1, &[state])).unwrap();
        keys
    }

    pub(crate) fn code(&self, ticket: &TicketEntry) -> String {
        let claims = Claims {
            event_id: self.event.event_id,
            ticket_id: ticket.ticket_id,
            issued_at: ticket.code_issued_at,
            expires_at: None,
        };
        self.signing.printed(&claims).text()
    }

    /// The whole manifest in pages of the greatest size.
    pub(crate) fn pages(&self, server_ms: i64) -> Vec<ManifestPage> {
        let chunks: Vec<_> = self.tickets.chunks(MAX_PAGE_ROWS as usize).collect();
        let last = chunks.len();
        let page = |(index, tickets): (usize, &&[TicketEntry])| ManifestPage {
            event_id: self.event.event_id,
            event: (index == 0).then(|| self.event.clone()),
            tickets: tickets.to_vec(),
            passages: Vec::new(),
            next_cursor: index as i64 + 1,
            has_more: index + 1 < last,
            pending_rows: 0,
            server_ms,
        };
        chunks.iter().enumerate().map(page).collect()
    }

    pub(crate) fn device(&self, device_id: DeviceId) -> DeviceState {
        DeviceState {
            device_id,
            device_name: "North 1".to_owned(),
            organiser_name: "Fair Ltd".to_owned(),
            server_url: "https://example.org".to_owned(),
            assignments: vec![Assignment {
                event_id: self.event.event_id,
                event_name: self.event.name.clone(),
                gate_ids: Vec::new(),
                supervisor: false,
            }],
            revoked: false,
        }
    }
}

fn event(entropy: &FixedEntropy) -> EventInfo {
    EventInfo {
        event_id: EventId::generate(SALE, entropy),
        name: "Summer Fair".to_owned(),
        starts_at: SALE,
        ends_at: SALE,
        time_zone: "Europe/Paris".to_owned(),
        policy: EventPolicy::default(),
        gates: vec![Gate { gate_id: GateId::generate(SALE, entropy), name: "North gate".to_owned() }],
        ticket_types: vec![TicketType {
            ticket_type_id: TicketTypeId::generate(SALE, entropy),
            name: "Day ticket".to_owned(),
            gate_ids: Vec::new(),
            admits: 1,
            entry: EntryPolicy::default(),
            valid_from: None,
            valid_until: None,
        }],
        key_version: 1,
    }
}

fn ticket(number: usize, ticket_type_id: TicketTypeId, entropy: &FixedEntropy) -> TicketEntry {
    let sold = SALE + number as i64 * 50_000;
    let ticket_id = TicketId::generate(sold, entropy);
    let mut tag = [0; 8];
    tag.copy_from_slice(&ticket_id.as_bytes()[8..]);
    TicketEntry {
        ticket_id,
        ticket_type_id,
        status: TicketStatus::Valid,
        code_issued_at: sold / 1_000 * 1_000,
        live_activated: false,
        valid_from: None,
        valid_until: None,
        admits: None,
        attendee_name: Some(format!("Guest Number {number:06}")),
        manual_tag: LookupTag(tag),
        legacy_tag: None,
    }
}
