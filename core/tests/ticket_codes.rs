//! Ticket codes through the public API: every kind, made, read and verified.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

use liventix_core::clock::TimeBounds;
use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::{EventId, TicketId};
use liventix_core::rules::Presented;
use liventix_core::ticket::{
    Algorithm, Claims, CodeError, EventKeys, KeyBytes, KeyError, KeyId, KeyRing, KeyState, Kind, LiveBase,
    ManualCode, MasterKey, Scanned, SignedCode, TicketCode, read,
};

const NOW: i64 = 1_790_000_000_000;
const ALGORITHMS: [Algorithm; 2] = [Algorithm::HmacSha256, Algorithm::Ed25519];

fn at(moment: i64) -> TimeBounds {
    TimeBounds { earliest: moment, latest: moment }
}

fn event() -> EventId {
    EventId::generate(NOW, &FixedEntropy::new(1))
}

fn master() -> MasterKey {
    MasterKey::new(KeyBytes::new([42; 32]))
}

fn claims() -> Claims {
    Claims {
        event_id: event(),
        ticket_id: TicketId::generate(NOW, &FixedEntropy::new(2)),
        issued_at: NOW + 999,
        expires_at: Some(NOW + 86_400_001),
    }
}

fn state(id: u8, algorithm: Algorithm, accept_until: Option<i64>) -> KeyState {
    KeyState { key_id: KeyId(id), algorithm, accept_until }
}

/// Key 1 is HMAC, key 2 Ed25519.
fn keys() -> EventKeys {
    let states = [state(1, Algorithm::HmacSha256, None), state(2, Algorithm::Ed25519, None)];
    master().event_keys(event(), 1, &states)
}

fn ring() -> KeyRing {
    let mut ring = KeyRing::new();
    ring.insert(&keys()).unwrap();
    ring
}

fn key_id(algorithm: Algorithm) -> KeyId {
    match algorithm {
        Algorithm::HmacSha256 => KeyId(1),
        Algorithm::Ed25519 => KeyId(2),
    }
}

fn code(algorithm: Algorithm, kind: Kind) -> TicketCode {
    let key = master().signing_key(event(), key_id(algorithm), algorithm);
    match kind {
        Kind::Printed => key.printed(&claims()),
        Kind::Live => key.live_base(&claims()).mint(NOW + 5_500),
    }
}

fn signed(text: &str) -> SignedCode {
    match read(text) {
        Ok(Scanned::Signed(code)) => code,
        other => panic!("not a signed code: {other:?}"),
    }
}

#[test]
fn all_four_kinds_verify_from_both_texts() {
    for algorithm in ALGORITHMS {
        for kind in [Kind::Printed, Kind::Live] {
            let code = code(algorithm, kind);
            assert_eq!(code.as_bytes().len(), algorithm.code_bytes(kind));
            for text in [code.text(), code.text().to_lowercase(), code.base64url()] {
                let read = signed(&text);
                assert_eq!((read.text(), read.base64url()), (code.text(), code.base64url()));
                let verified = ring().verify(event(), &read, at(NOW)).unwrap();
                assert_eq!(verified.ticket_id, claims().ticket_id);
                assert_eq!((verified.key_id, verified.algorithm), (key_id(algorithm), algorithm));
                let (issued_at, expires_at) = (NOW, Some(NOW + 86_401_000));
                let expected = match kind {
                    Kind::Printed => Presented::Printed { issued_at, expires_at },
                    Kind::Live => Presented::Live { issued_at, expires_at, minted_at: NOW + 5_000 },
                };
                assert_eq!(verified.presented, expected);
            }
        }
    }
}

#[test]
fn the_sizes_are_those_of_the_specification() {
    let sizes: Vec<_> = [Kind::Printed, Kind::Live]
        .iter()
        .flat_map(|kind| ALGORITHMS.map(|algorithm| code(algorithm, *kind).as_bytes().len()))
        .collect();
    assert_eq!(sizes, [48, 96, 68, 116]);
}

#[test]
fn a_live_code_cut_at_its_end_is_no_printed_code() {
    for algorithm in ALGORITHMS {
        let live = code(algorithm, Kind::Live);
        let cut = &live.as_bytes()[..algorithm.code_bytes(Kind::Printed)];
        assert_eq!(SignedCode::from_bytes(cut), Err(CodeError::Length { bytes: cut.len() }));
        let mut relabelled = cut.to_vec();
        relabelled[0] &= !1;
        let relabelled = SignedCode::from_bytes(&relabelled).unwrap();
        assert_eq!(ring().verify(event(), &relabelled, at(NOW)), Err(CodeError::BadSignature));
    }
}

#[test]
fn rotation_overlaps_and_then_ends() {
    let code = signed(&code(Algorithm::HmacSha256, Kind::Printed).text());
    let states = [state(1, Algorithm::HmacSha256, Some(NOW)), state(3, Algorithm::HmacSha256, None)];
    let mut ring = ring();
    ring.insert(&master().event_keys(event(), 2, &states)).unwrap();
    assert!(ring.verify(event(), &code, at(NOW - 1)).is_ok());
    assert_eq!(ring.verify(event(), &code, at(NOW)), Err(CodeError::RetiredKey { key_id: KeyId(1) }));
    // A clock that cannot tell gives the guest the benefit of the doubt.
    let unsure = TimeBounds { earliest: NOW - 1, latest: i64::MAX };
    assert!(ring.verify(event(), &code, unsure).is_ok());
    let gone = master().event_keys(event(), 3, &states[1..]);
    ring.insert(&gone).unwrap();
    assert_eq!(ring.verify(event(), &code, at(NOW)), Err(CodeError::UnknownKey { key_id: KeyId(1) }));
}

#[test]
fn an_older_set_of_keys_never_replaces_a_newer_one() {
    let mut ring = KeyRing::new();
    ring.insert(&master().event_keys(event(), 5, &[])).unwrap();
    assert_eq!(ring.insert(&keys()), Err(KeyError::Outdated { held: 5, offered: 1 }));
    assert_eq!(ring.version(event()), Some(5));
    ring.remove(event());
    assert!(!ring.contains(event()));
    ring.insert(&keys()).unwrap();
}

#[test]
fn unusable_keys_are_refused() {
    let mut twice = keys();
    twice.keys.push(twice.keys[0].clone());
    assert_eq!(KeyRing::new().insert(&twice), Err(KeyError::DuplicateKeyId { key_id: KeyId(1) }));
    let mut weak = keys();
    // The neutral element: every signature with a matching R would verify.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    weak.keys[1].verify_key = KeyBytes::new(neutral);
    assert_eq!(KeyRing::new().insert(&weak), Err(KeyError::BadPublicKey { key_id: KeyId(2) }));
}

#[test]
fn the_key_decides_the_algorithm_not_the_code() {
    // A thief who holds the public key of an Ed25519 event uses it as an HMAC secret.
    let mut stolen = keys();
    stolen.keys[1].algorithm = Algorithm::HmacSha256;
    let mut thief = KeyRing::new();
    thief.insert(&stolen).unwrap();
    let ed25519 = signed(&code(Algorithm::Ed25519, Kind::Printed).text());
    assert_eq!(thief.verify(event(), &ed25519, at(NOW)), Err(CodeError::WrongAlgorithm { key_id: KeyId(2) }));
}

#[test]
fn other_events_and_missing_keys_are_told_apart() {
    let code = signed(&code(Algorithm::HmacSha256, Kind::Printed).text());
    let other = EventId::generate(NOW, &FixedEntropy::new(9));
    assert_eq!(ring().verify(other, &code, at(NOW)), Err(CodeError::OtherEvent));
    assert_eq!(KeyRing::new().verify(event(), &code, at(NOW)), Err(CodeError::NoKeys));
}

#[test]
fn keys_of_one_event_sign_nothing_for_another() {
    let other = EventId::generate(NOW, &FixedEntropy::new(9));
    let code = master()
        .signing_key(other, KeyId(1), Algorithm::HmacSha256)
        .printed(&Claims { event_id: event(), ..claims() });
    assert_eq!(ring().verify(event(), &signed(&code.text()), at(NOW)), Err(CodeError::BadSignature));
}

#[test]
fn a_live_key_belongs_to_one_ticket_and_one_issue() {
    let key = master().signing_key(event(), KeyId(1), Algorithm::HmacSha256);
    let base = serde_json::to_value(key.live_base(&claims())).unwrap();
    for other in [
        Claims { ticket_id: TicketId::from_bytes([1; 16]), ..claims() },
        Claims { issued_at: NOW + 1_000, ..claims() },
    ] {
        let mut mixed = base.clone();
        mixed["live_key"] = serde_json::to_value(key.live_base(&other)).unwrap()["live_key"].clone();
        let mixed: LiveBase = serde_json::from_value(mixed).unwrap();
        let code = signed(&mixed.mint(NOW).text());
        assert_eq!(ring().verify(event(), &code, at(NOW)), Err(CodeError::BadLiveTag));
    }
}

#[test]
fn a_live_base_survives_the_way_to_the_wallet() {
    for algorithm in ALGORITHMS {
        let base = master().signing_key(event(), key_id(algorithm), algorithm).live_base(&claims());
        let json = serde_json::to_string(&base).unwrap();
        let wallet: LiveBase = serde_json::from_str(&json).unwrap();
        assert_eq!(wallet.mint(NOW).as_bytes(), base.mint(NOW).as_bytes());
    }
    for bad in ["", "AA", "!", &code(Algorithm::HmacSha256, Kind::Printed).base64url(), &"A".repeat(9_999)] {
        let json = serde_json::json!({ "base": bad, "live_key": KeyBytes::new([1; 32]) });
        assert!(serde_json::from_value::<LiveBase>(json).is_err(), "{bad}");
    }
}

#[test]
fn event_keys_round_trip_and_debug_shows_no_secret() {
    let json = serde_json::to_string(&keys()).unwrap();
    let back: EventKeys = serde_json::from_str(&json).unwrap();
    assert_eq!(back, keys());
    let secret = serde_json::to_value(&keys().lookup_key).unwrap();
    let shown = format!("{:?} {:?} {:?}", keys(), ring(), master());
    assert!(json.contains(secret.as_str().unwrap()) && !shown.contains(secret.as_str().unwrap()));
}

#[test]
fn times_outside_the_format_take_the_nearest_that_fits() {
    let key = master().signing_key(event(), KeyId(1), Algorithm::HmacSha256);
    for (issued_at, expires_at, issued, expires) in [
        (-1, Some(-1), 0, Some(0)),
        (i64::MIN, Some(i64::MIN), 0, Some(0)),
        (i64::MAX, Some(i64::MAX), 4_294_967_295_000, Some(4_294_967_294_000)),
        (1_999, Some(1_001), 1_000, Some(2_000)),
        (0, None, 0, None),
    ] {
        let code = signed(&key.printed(&Claims { issued_at, expires_at, ..claims() }).text());
        assert_eq!((code.issued_at(), code.expires_at()), (issued, expires));
    }
}

#[test]
fn manual_and_legacy_codes_are_found_by_tag() {
    let ring = ring();
    let lookup = ring.lookup_key(event()).unwrap();
    let manual = ManualCode::generate(&FixedEntropy::new(3));
    assert_eq!(lookup.manual_tag(&manual), master().lookup_key(event()).manual_tag(&manual));
    assert_eq!(lookup.legacy_tag("TCK-1"), lookup.legacy_tag("]Q1TCK-1\r\n"));
    assert_ne!(lookup.legacy_tag("TCK-1"), lookup.legacy_tag("tck-1"));
    assert_ne!(lookup.legacy_tag(&manual.to_string().replace('-', "")), lookup.manual_tag(&manual));
}
