//! Any bytes as a scanned code: nothing panics, what parses has one text, and nothing verifies that
//! the fixed keys would not sign the same way again. Keys and event are those of `tests/vectors`, so
//! that their codes are seeds.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use liventix_core::clock::TimeBounds;
use liventix_core::ids::EventId;
use liventix_core::ticket::{
    Algorithm, Claims, KeyBytes, KeyId, KeyRing, KeyState, ManualCode, MasterKey, Scanned, SignedCode, clean,
    legacy, read,
};

const KEYS: [(u8, Algorithm); 2] = [(1, Algorithm::HmacSha256), (2, Algorithm::Ed25519)];

struct Fixed {
    master: MasterKey,
    event: EventId,
    ring: KeyRing,
}

static FIXED: LazyLock<Fixed> = LazyLock::new(|| {
    let master = MasterKey::new(KeyBytes::new(std::array::from_fn(|index| index as u8)));
    let event = "0198f5c2-7a00-7c3e-9b1d-4e6f8091a2b3".parse().unwrap();
    let states = KEYS.map(|(id, algorithm)| KeyState { key_id: KeyId(id), algorithm, accept_until: None });
    let mut ring = KeyRing::new();
    ring.insert(&master.event_keys(event, 1, &states)).unwrap();
    Fixed { master, event, ring }
});

fuzz_target!(|data: &[u8]| {
    if let Ok(code) = SignedCode::from_bytes(data) {
        assert_eq!(code.as_bytes(), data);
        check_code(&code);
    }
    let text = String::from_utf8_lossy(data);
    check_legacy(&text);
    if let Ok(code) = text.parse::<ManualCode>() {
        check_manual(&code);
    }
    match read(&text) {
        Ok(Scanned::Signed(code)) => check_code(&code),
        Ok(Scanned::Manual(code)) => check_manual(&code),
        Ok(Scanned::Other(other)) => assert_eq!(other, clean(&text)),
        Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
    }
});

/// One code, two texts, both read back; and a signature only where the keys would put the same one.
fn check_code(code: &SignedCode) {
    assert_eq!(SignedCode::from_bytes(code.as_bytes()), Ok(*code));
    for text in [code.text(), code.base64url(), code.text().to_lowercase()] {
        assert_eq!(read(&text), Ok(Scanned::Signed(*code)));
    }
    let time = TimeBounds { earliest: 0, latest: i64::MAX };
    let Ok(verified) = FIXED.ring.verify(FIXED.event, code, time) else { return };
    let claims = Claims {
        event_id: FIXED.event,
        ticket_id: verified.ticket_id,
        issued_at: code.issued_at(),
        expires_at: code.expires_at(),
    };
    let key = FIXED.master.signing_key(FIXED.event, verified.key_id, verified.algorithm);
    let again = match code.minted_at() {
        None => key.printed(&claims),
        Some(minted_at) => key.live_base(&claims).mint(minted_at),
    };
    assert_eq!(again.as_bytes(), code.as_bytes());
}

fn check_manual(code: &ManualCode) {
    let text = code.to_string();
    assert_eq!(text.parse(), Ok(*code));
    assert_eq!(read(&text), Ok(Scanned::Manual(*code)));
}

fn check_legacy(text: &str) {
    let code = legacy::parse(text);
    assert!(clean(text).starts_with(&code.text));
    let lookup = FIXED.ring.lookup_key(FIXED.event).unwrap();
    assert_eq!(lookup.legacy_tag(text), FIXED.master.lookup_key(FIXED.event).legacy_tag(text));
}
