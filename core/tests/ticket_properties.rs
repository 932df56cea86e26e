//! What must hold for every ticket code and for any bytes whatever.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

use liventix_core::clock::TimeBounds;
use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::{EventId, TicketId};
use liventix_core::ticket::{
    Algorithm, Claims, CodeError, EventKeys, KeyBytes, KeyId, KeyRing, KeyState, Kind, LiveBase, LookupTag,
    ManualCode, ManualCodeError, MasterKey, Scanned, SignedCode, TicketCode, base45, legacy, read,
};
use proptest::prelude::*;

const TIME: TimeBounds = TimeBounds { earliest: 1_790_000_000_000, latest: 1_790_000_000_000 };
const KINDS: [(Algorithm, Kind); 4] = [
    (Algorithm::HmacSha256, Kind::Printed),
    (Algorithm::HmacSha256, Kind::Live),
    (Algorithm::Ed25519, Kind::Printed),
    (Algorithm::Ed25519, Kind::Live),
];

fn event() -> EventId {
    EventId::from_bytes([0xE7; 16])
}

fn key_id(algorithm: Algorithm) -> KeyId {
    KeyId(algorithm as u8)
}

fn master() -> MasterKey {
    MasterKey::new(KeyBytes::new([9; 32]))
}

fn ring() -> KeyRing {
    let states = [Algorithm::HmacSha256, Algorithm::Ed25519].map(|algorithm| KeyState {
        key_id: key_id(algorithm),
        algorithm,
        accept_until: None,
    });
    let keys: EventKeys = master().event_keys(event(), 1, &states);
    let mut ring = KeyRing::new();
    ring.insert(&keys).unwrap();
    ring
}

fn make(algorithm: Algorithm, kind: Kind, claims: &Claims, minted_at: i64) -> TicketCode {
    let key = master().signing_key(event(), key_id(algorithm), algorithm);
    match kind {
        Kind::Printed => key.printed(claims),
        Kind::Live => key.live_base(claims).mint(minted_at),
    }
}

fn claims() -> impl Strategy<Value = Claims> {
    (any::<[u8; 16]>(), 0..4_294_967_295_i64, proptest::option::of(0..4_294_967_294_i64)).prop_map(
        |(ticket, issued, expires)| Claims {
            event_id: event(),
            ticket_id: TicketId::from_bytes(ticket),
            issued_at: issued * 1_000,
            expires_at: expires.map(|seconds| seconds * 1_000),
        },
    )
}

/// Whether these bytes, as any of their texts or as they are, pass.
fn passes(ring: &KeyRing, bytes: &[u8]) -> bool {
    SignedCode::from_bytes(bytes).is_ok_and(|code| ring.verify(event(), &code, TIME).is_ok())
}

fn text_passes(ring: &KeyRing, text: &str) -> bool {
    match read(text) {
        Ok(Scanned::Signed(code)) => ring.verify(event(), &code, TIME).is_ok(),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn codes_round_trip(claims in claims(), minted in 0..4_294_967_295_i64, which in 0..4_usize) {
        let (algorithm, kind) = KINDS[which];
        let made = make(algorithm, kind, &claims, minted * 1_000);
        for text in [made.text(), made.base64url(), made.text().to_ascii_lowercase()] {
            let Ok(Scanned::Signed(code)) = read(&text) else { panic!("{text}") };
            prop_assert_eq!(code.as_bytes(), made.as_bytes());
            prop_assert_eq!(code.text(), made.text());
            prop_assert_eq!(code.event(), event().short());
            prop_assert_eq!(code.ticket_id(), claims.ticket_id);
            prop_assert_eq!((code.issued_at(), code.expires_at()), (claims.issued_at, claims.expires_at));
            prop_assert_eq!(code.minted_at(), (kind == Kind::Live).then_some(minted * 1_000));
            prop_assert!(ring().verify(event(), &code, TIME).is_ok());
        }
    }

    #[test]
    fn base45_round_trips_and_has_one_text(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let text = base45::encode(&bytes);
        let mut buffer = [0; 120];
        let length = base45::decode(text.as_bytes(), &mut buffer).unwrap();
        prop_assert_eq!(&buffer[..length], &bytes[..]);
    }

    #[test]
    fn what_decodes_as_base45_encodes_to_itself(text in "[0-9A-Z $%*+./:-]{0,60}") {
        let mut buffer = [0; 64];
        if let Ok(length) = base45::decode(text.as_bytes(), &mut buffer) {
            prop_assert_eq!(base45::encode(&buffer[..length]), text);
        }
    }

    #[test]
    fn extensions_are_refused(claims in claims(), more in proptest::collection::vec(any::<u8>(), 1..80)) {
        let ring = ring();
        for (algorithm, kind) in KINDS {
            let made = make(algorithm, kind, &claims, 0);
            prop_assert!(!passes(&ring, &[made.as_bytes(), &more].concat()));
            let longer = made.text() + &base45::encode(&more);
            prop_assert!(!text_passes(&ring, &longer));
            prop_assert!(!passes(&ring, &[&more, made.as_bytes()].concat()));
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>(), noise in "[\\]\\\\Qq0-9 \r\n\u{feff}]{0,12}") {
        let ring = ring();
        for text in [&text, &format!("{noise}{text}"), &format!("LX1:{text}"), &format!("{noise}lx1:{text}")] {
            prop_assert!(!text_passes(&ring, text));
            let _ = text.parse::<ManualCode>();
            let _ = legacy::parse(text);
        }
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let ring = ring();
        prop_assert!(!passes(&ring, &bytes));
        let code = "LX1:".to_owned() + &base45::encode(&bytes);
        prop_assert!(!text_passes(&ring, &code));
        prop_assert!(!text_passes(&ring, &data_encoding::BASE64URL_NOPAD.encode(&bytes)));
        prop_assert!(!text_passes(&ring, &String::from_utf8_lossy(&bytes)));
        let _ = serde_json::from_slice::<LiveBase>(&bytes);
        let _ = serde_json::from_slice::<LookupTag>(&bytes);
    }

    #[test]
    fn a_wrong_symbol_in_a_manual_code_is_always_noticed(seed in any::<u64>()) {
        let code = ManualCode::generate(&FixedEntropy::new(seed));
        let text = code.to_string();
        for place in text.char_indices().filter(|(_, symbol)| *symbol != '-').map(|(place, _)| place) {
            for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".chars() {
                let mut changed = text.clone();
                changed.replace_range(place..=place, &other.to_string());
                let expected = if changed == text { Ok(code) } else { Err(ManualCodeError::Check) };
                prop_assert_eq!(changed.parse::<ManualCode>(), expected);
                if changed != text {
                    prop_assert_eq!(read(&changed), Err(CodeError::ManualTypo));
                }
            }
        }
    }

    #[test]
    fn manual_codes_are_read_as_people_type_them(seed in any::<u64>()) {
        let code = ManualCode::generate(&FixedEntropy::new(seed));
        let text = code.to_string();
        prop_assert_eq!(text.len(), 14);
        for typed in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            text.replace('-', " – "),
            text.replace('0', "o"),
            text.replace('0', "O").replace('1', "l"),
            text.replace('1', "I"),
            text.replace('1', "i").replace('V', "u"),
            format!("\u{feff} {text}\r\n"),
        ] {
            prop_assert_eq!(read(&typed), Ok(Scanned::Manual(code)), "{}", typed);
        }
    }
}

proptest! {
    // Each case checks thousands of codes.
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn every_flipped_bit_is_refused(claims in claims(), minted in 0..4_294_967_295_i64) {
        let ring = ring();
        for (algorithm, kind) in KINDS {
            let made = make(algorithm, kind, &claims, minted * 1_000);
            prop_assert!(passes(&ring, made.as_bytes()));
            for bit in 0..made.as_bytes().len() * 8 {
                let mut bytes = made.as_bytes().to_vec();
                bytes[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(!passes(&ring, &bytes), "{:?} {:?} bit {}", algorithm, kind, bit);
            }
        }
    }

    #[test]
    fn every_flipped_bit_of_a_text_is_refused(claims in claims()) {
        let ring = ring();
        for (algorithm, kind) in KINDS {
            let made = make(algorithm, kind, &claims, 0);
            for text in [made.text(), made.base64url()] {
                for bit in 0..text.len() * 8 {
                    let mut bytes = text.clone().into_bytes();
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    if let Ok(changed) = String::from_utf8(bytes) {
                        prop_assert!(!text_passes(&ring, &changed), "{}", changed);
                    }
                }
            }
        }
    }

    #[test]
    fn every_truncation_is_refused(claims in claims()) {
        let ring = ring();
        for (algorithm, kind) in KINDS {
            let made = make(algorithm, kind, &claims, 0);
            for length in 0..made.as_bytes().len() {
                prop_assert!(!passes(&ring, &made.as_bytes()[..length]));
                prop_assert!(!passes(&ring, &made.as_bytes()[made.as_bytes().len() - length..]));
            }
            for text in [made.text(), made.base64url()] {
                for length in 0..text.len() {
                    prop_assert!(!text_passes(&ring, &text[..length]));
                    prop_assert!(!text_passes(&ring, &text[text.len() - length..]));
                }
            }
        }
    }
}
