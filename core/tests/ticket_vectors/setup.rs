//! The organiser, event and keys that all vectors share.

use liventix_core::clock::TimeBounds;
use liventix_core::ids::{EventId, TicketId};
use liventix_core::ticket::{
    Algorithm, Claims, KeyBytes, KeyId, KeyRing, KeyState, LookupKey, MasterKey, SigningKey,
};
use serde_json::{Value, json};

/// 2026-09-21T13:33:20Z.
pub(crate) const NOW: i64 = 1_790_000_000_000;
pub(crate) const ISSUED: i64 = NOW - 86_400_000;
pub(crate) const EXPIRES: i64 = NOW + 7 * 86_400_000;
/// Keys 3 and 4 were rotated out and are accepted until then.
pub(crate) const ACCEPT_UNTIL: i64 = NOW + 3_600_000;

pub(crate) fn master() -> MasterKey {
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = index as u8;
    }
    MasterKey::new(KeyBytes::new(bytes))
}

pub(crate) fn event() -> EventId {
    "0198f5c2-7a00-7c3e-9b1d-4e6f8091a2b3".parse().unwrap()
}

/// An event of the same organiser whose keys the device does not hold.
pub(crate) fn other_event() -> EventId {
    "0198f5c2-7a00-7d4f-8c2e-5f708192a3b4".parse().unwrap()
}

pub(crate) fn ticket() -> TicketId {
    "0198f5c3-1b80-7e50-a13f-60718293a4b5".parse().unwrap()
}

pub(crate) fn claims() -> Claims {
    Claims { event_id: event(), ticket_id: ticket(), issued_at: ISSUED, expires_at: Some(EXPIRES) }
}

pub(crate) fn states() -> [KeyState; 5] {
    [
        (1, Algorithm::HmacSha256, None),
        (2, Algorithm::Ed25519, None),
        (3, Algorithm::HmacSha256, Some(ACCEPT_UNTIL)),
        (4, Algorithm::Ed25519, Some(ACCEPT_UNTIL)),
        (255, Algorithm::HmacSha256, None),
    ]
    .map(|(id, algorithm, accept_until)| KeyState { key_id: KeyId(id), algorithm, accept_until })
}

pub(crate) fn algorithm_of(key_id: u8) -> Algorithm {
    states().into_iter().find(|state| state.key_id.0 == key_id).unwrap().algorithm
}

pub(crate) fn key(key_id: u8) -> SigningKey {
    master().signing_key(event(), KeyId(key_id), algorithm_of(key_id))
}

pub(crate) fn ring() -> KeyRing {
    let mut ring = KeyRing::new();
    ring.insert(&master().event_keys(event(), 1, &states())).unwrap();
    ring
}

pub(crate) fn lookup() -> LookupKey {
    master().lookup_key(event())
}

/// What stands at the head of each file.
pub(crate) fn describe() -> Value {
    json!({
        "master_key": super::hex(master().expose().expose()),
        "event_id": event(),
        "keys": states(),
        "note": "The device holds the keys of this event and of no other.",
    })
}

pub(crate) fn at(moment: i64) -> TimeBounds {
    TimeBounds { earliest: moment, latest: moment }
}

pub(crate) fn time_value(time: TimeBounds) -> Value {
    json!({ "earliest": time.earliest, "latest": time.latest })
}
