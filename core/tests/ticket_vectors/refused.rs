//! Texts that must be refused.

use hmac::{Hmac, KeyInit, Mac};
use liventix_core::clock::TimeBounds;
use liventix_core::ids::{EventId, TicketId};
use liventix_core::rules::Reason;
use liventix_core::ticket::{Algorithm, Claims, KeyBytes, KeyId, MasterKey, TicketCode, base45};
use serde_json::{Value, json};
use sha2::Sha256;

use super::refused_value;
use super::setup::{self, ACCEPT_UNTIL, NOW, at, claims, event, key, other_event};

struct Bad {
    name: &'static str,
    about: &'static str,
    input: String,
    code: &'static str,
    reason: Reason,
    event: EventId,
    time: TimeBounds,
}

impl Bad {
    fn case(self) -> Value {
        json!({
            "name": self.name,
            "about": self.about,
            "input": self.input,
            "event_id": self.event,
            "time": setup::time_value(self.time),
            "expected": refused_value(self.code, self.reason),
        })
    }
}

fn bad(
    name: &'static str,
    about: &'static str,
    input: impl Into<String>,
    code: &'static str,
    reason: Reason,
) -> Bad {
    Bad { name, about, input: input.into(), code, reason, event: event(), time: at(NOW) }
}

/// A change of a good code's bytes that breaks its signature or its layout.
fn edit(from: &TicketCode, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = from.as_bytes().to_vec();
    change(&mut bytes);
    text(&bytes)
}

fn text(bytes: &[u8]) -> String {
    format!("LX1:{}", base45::encode(bytes))
}

fn printed(key_id: u8) -> TicketCode {
    key(key_id).printed(&claims())
}

fn live(key_id: u8) -> TicketCode {
    key(key_id).live_base(&claims()).mint(NOW)
}

pub(crate) fn cases() -> Vec<Value> {
    [malformed(), unknown(), altered(), forged(), keys()].into_iter().flatten().map(Bad::case).collect()
}

fn malformed() -> Vec<Bad> {
    use Reason::{BadSignature, NotATicket};
    let good = printed(1).text();
    let cut = |characters: usize| good[..good.len() - characters].to_owned();
    let replaced = |at: usize, with: &str| format!("{}{with}{}", &good[..at], &good[at + with.len()..]);
    let url = key(1).live_base(&claims()).mint(NOW).base64url();
    let sloppy = format!("{}{}", &url[..url.len() - 1], next_in_alphabet(&url));
    vec![
        bad("refused_empty", "Nothing.", "", "empty", NotATicket),
        bad("refused_only_noise", "Nothing but noise.", "]Q1 \r\n", "empty", NotATicket),
        bad("refused_too_long", "4,097 bytes.", "A".repeat(4_097), "too_long", NotATicket),
        bad(
            "refused_too_long_noise",
            "Length counts before noise is stripped.",
            format!("{good}{}", " ".repeat(4_096)),
            "too_long",
            NotATicket,
        ),
        bad("refused_no_body", "A prefix without a body.", "LX1:", "bad_length", BadSignature),
        bad(
            "refused_bad_character",
            "An underscore is not Base45.",
            replaced(10, "_"),
            "bad_character",
            BadSignature,
        ),
        bad("refused_not_ascii", "A letter outside ASCII.", replaced(10, "é"), "bad_character", BadSignature),
        bad(
            "refused_mixed_case",
            "Lower case inside upper case.",
            replaced(4, "a"),
            "bad_character",
            BadSignature,
        ),
        bad(
            "refused_mixed_case_lower",
            "Upper case inside lower case.",
            format!("lx1:A{}", &good[5..].to_lowercase()),
            "bad_character",
            BadSignature,
        ),
        bad(
            "refused_group_overflow",
            "The group ::: is 91,124, more than two bytes hold.",
            replaced(4, ":::"),
            "bad_group",
            BadSignature,
        ),
        bad(
            "refused_last_byte_overflow",
            "A final group of two characters above 255.",
            format!("{}::", cut(3)),
            "bad_group",
            BadSignature,
        ),
        bad(
            "refused_one_character_over",
            "3n + 1 characters are never Base45.",
            format!("{good}0"),
            "bad_text_length",
            BadSignature,
        ),
        bad("refused_cut_by_two", "Two characters lost.", cut(2), "bad_text_length", BadSignature),
        bad("refused_cut_by_a_group", "Three characters lost.", cut(3), "bad_length", BadSignature),
        bad(
            "refused_extended_by_a_group",
            "Two zero bytes added.",
            format!("{good}000"),
            "bad_length",
            BadSignature,
        ),
        bad(
            "refused_extended_by_a_byte",
            "One zero byte added.",
            format!("{good}00"),
            "bad_length",
            BadSignature,
        ),
        bad(
            "refused_far_too_long_body",
            "More characters than any code has.",
            format!("LX1:{}", "0".repeat(175)),
            "bad_length",
            BadSignature,
        ),
        bad(
            "refused_base64url_spare_bits",
            "Base64url whose spare bits are not zero: a second text for the same bytes.",
            sloppy,
            "not_canonical",
            BadSignature,
        ),
    ]
}

/// The character after the last one of `url`: the same bytes, other spare bits.
fn next_in_alphabet(url: &str) -> char {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(&url[url.len() - 1..]).unwrap();
    alphabet.chars().nth(at + 1).unwrap()
}

fn unknown() -> Vec<Bad> {
    use Reason::UnknownVersion;
    let good = printed(1);
    let body = good.text()[4..].to_owned();
    let first = |value: u8| edit(&good, |bytes| bytes[0] = value);
    vec![
        bad(
            "refused_text_version_2",
            "A later version.",
            format!("LX2:{body}"),
            "unknown_version",
            UnknownVersion,
        ),
        bad(
            "refused_text_version_0",
            "No version.",
            format!("LX0:{body}"),
            "unknown_version",
            UnknownVersion,
        ),
        bad(
            "refused_text_version_255",
            "The highest version.",
            "lx255:abc",
            "unknown_version",
            UnknownVersion,
        ),
        bad(
            "refused_byte_version_0",
            "Version 0 in the first byte.",
            first(0x00),
            "unknown_version",
            UnknownVersion,
        ),
        bad(
            "refused_byte_version_2",
            "Version 2 in the first byte.",
            first(0x20),
            "unknown_version",
            UnknownVersion,
        ),
        bad(
            "refused_byte_version_15",
            "Version 15 in the first byte.",
            first(0xF0),
            "unknown_version",
            UnknownVersion,
        ),
        bad("refused_kind_2", "Kind 2.", first(0x12), "unknown_kind", UnknownVersion),
        bad(
            "refused_kind_3",
            "Kind 3, and algorithm 3: the kind is looked at first.",
            first(0x1F),
            "unknown_kind",
            UnknownVersion,
        ),
        bad("refused_algorithm_2", "Algorithm 2.", first(0x18), "unknown_algorithm", UnknownVersion),
        bad("refused_algorithm_3", "Algorithm 3.", first(0x1C), "unknown_algorithm", UnknownVersion),
    ]
}

fn altered() -> Vec<Bad> {
    use Reason::BadSignature;
    let flip = |code: &TicketCode, at: usize, mask: u8| edit(code, |bytes| bytes[at] ^= mask);
    let (hmac, ed25519) = (printed(1), printed(2));
    let (live_hmac, live_ed25519) = (live(1), live(2));
    let relabelled = |code: &TicketCode, length: usize| {
        edit(code, |bytes| {
            bytes.truncate(length);
            bytes[0] &= !1;
        })
    };
    let promoted = edit(&hmac, |bytes| {
        bytes[0] |= 1;
        bytes.extend_from_slice(&[0; 20]);
    });
    vec![
        bad(
            "refused_ticket_changed",
            "One bit of the ticket id.",
            flip(&hmac, 23, 1),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_issued_changed",
            "One bit of the issue time.",
            flip(&hmac, 27, 1),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_expiry_changed",
            "The expiry set to never.",
            edit(&hmac, |bytes| bytes[28..32].fill(0xFF)),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_tag_first_bit",
            "The first bit of the tag.",
            flip(&hmac, 32, 0x80),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_tag_last_bit",
            "The last bit of the tag.",
            flip(&hmac, 47, 1),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_ed25519_ticket_changed",
            "One bit of the ticket id.",
            flip(&ed25519, 8, 0x80),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_ed25519_r_changed",
            "One bit of R.",
            flip(&ed25519, 32, 1),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_ed25519_s_changed",
            "One bit of S.",
            flip(&ed25519, 64, 1),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_ed25519_malleated",
            "S plus the group order: a second signature that lax verifiers accept.",
            edit(&ed25519, add_group_order),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_minted_changed",
            "A screenshot made younger: one bit of the moment of minting.",
            flip(&live_hmac, 51, 4),
            "bad_live_tag",
            BadSignature,
        ),
        bad(
            "refused_live_tag_changed",
            "The last bit of the phone's tag.",
            flip(&live_hmac, 67, 1),
            "bad_live_tag",
            BadSignature,
        ),
        bad(
            "refused_live_ticket_changed",
            "The ticket's own signature is checked first.",
            flip(&live_hmac, 8, 1),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_ed25519_minted_changed",
            "One bit of the moment of minting.",
            flip(&live_ed25519, 99, 1),
            "bad_live_tag",
            BadSignature,
        ),
        bad(
            "refused_ed25519_live_tag_changed",
            "The last bit of the phone's tag.",
            flip(&live_ed25519, 115, 1),
            "bad_live_tag",
            BadSignature,
        ),
        bad(
            "refused_live_cut",
            "A live code without its end has no printed code's kind.",
            edit(&live_hmac, |bytes| bytes.truncate(48)),
            "bad_length",
            BadSignature,
        ),
        bad(
            "refused_live_cut_and_relabelled",
            "A live code without its end, called printed.",
            relabelled(&live_hmac, 48),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_ed25519_live_cut_and_relabelled",
            "The same with Ed25519.",
            relabelled(&live_ed25519, 96),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_printed_called_live",
            "A printed code called live, with a made-up end.",
            promoted,
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_printed_with_live_bit",
            "A printed code called live, nothing added.",
            flip(&hmac, 0, 1),
            "bad_length",
            BadSignature,
        ),
    ]
}

/// Adds the order of the base point to S, little endian.
fn add_group_order(bytes: &mut Vec<u8>) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, add) in bytes[64..96].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
}

fn forged() -> Vec<Bad> {
    use Reason::BadSignature;
    let master = setup::master();
    let keys = master.event_keys(event(), 1, &setup::states());
    let secret = keys.keys[0].verify_key.expose();
    let stranger = MasterKey::new(KeyBytes::new([0xEE; 32]));
    let by_stranger =
        |key_id, algorithm| stranger.signing_key(event(), KeyId(key_id), algorithm).printed(&claims()).text();
    let other_key = master.signing_key(other_event(), KeyId(1), Algorithm::HmacSha256).printed(&claims());
    let without_domain = edit(&printed(1), |bytes| sign(bytes, secret, b""));
    let wrong_domain = edit(&printed(1), |bytes| sign(bytes, secret, b"liventix/v1/mint\0"));
    let confused = edit(&printed(1), |bytes| {
        bytes[1] = 2;
        sign(bytes, keys.keys[1].verify_key.expose(), b"liventix/v1/ticket\0");
    });
    let mixed = mixed_live_key();
    vec![
        bad(
            "refused_other_organiser",
            "Signed by another organiser's key of the same id.",
            by_stranger(1, Algorithm::HmacSha256),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_ed25519_other_organiser",
            "The same with Ed25519.",
            by_stranger(2, Algorithm::Ed25519),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_other_events_key",
            "Signed by another event's key of the same id.",
            other_key.text(),
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_no_domain",
            "The right key, without the domain string before the header.",
            without_domain,
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_wrong_domain",
            "The right key, another purpose's domain string.",
            wrong_domain,
            "bad_signature",
            BadSignature,
        ),
        bad(
            "refused_public_key_as_secret",
            "An Ed25519 public key used as an HMAC secret: the key's algorithm counts, not the code's.",
            confused,
            "wrong_algorithm",
            BadSignature,
        ),
        bad(
            "refused_hmac_key_called_ed25519",
            "An Ed25519 code that names an HMAC key.",
            edit(&printed(2), |bytes| bytes[1] = 1),
            "wrong_algorithm",
            BadSignature,
        ),
        bad(
            "refused_live_key_of_other_ticket",
            "A live base with another ticket's live key.",
            mixed,
            "bad_live_tag",
            BadSignature,
        ),
        bad(
            "refused_zero_tag",
            "A tag of zeros.",
            edit(&printed(1), |bytes| bytes[32..].fill(0)),
            "bad_signature",
            BadSignature,
        ),
    ]
}

fn sign(bytes: &mut [u8], secret: &[u8; 32], domain: &[u8]) {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(domain);
    mac.update(&bytes[..32]);
    bytes[32..48].copy_from_slice(&mac.finalize().into_bytes()[..16]);
}

fn mixed_live_key() -> String {
    let other = Claims { ticket_id: TicketId::from_bytes([7; 16]), ..claims() };
    let mut base = serde_json::to_value(key(1).live_base(&claims())).unwrap();
    base["live_key"] = serde_json::to_value(key(1).live_base(&other)).unwrap()["live_key"].clone();
    let base: liventix_core::ticket::LiveBase = serde_json::from_value(base).unwrap();
    base.mint(NOW).text()
}

fn keys() -> Vec<Bad> {
    let other = setup::master().signing_key(other_event(), KeyId(1), Algorithm::HmacSha256);
    let other = other.printed(&Claims { event_id: other_event(), ..claims() }).text();
    let retired = |name, about, text| Bad {
        time: at(ACCEPT_UNTIL),
        ..bad(name, about, text, "retired_key", Reason::RetiredKey)
    };
    let unknown =
        setup::master().signing_key(event(), KeyId(9), Algorithm::HmacSha256).printed(&claims()).text();
    vec![
        bad(
            "refused_other_event",
            "A good code of another event.",
            other.clone(),
            "other_event",
            Reason::OtherEvent,
        ),
        Bad {
            event: other_event(),
            ..bad(
                "refused_no_keys",
                "A good code of the event scanned for, whose keys are not here.",
                other,
                "no_keys",
                Reason::UnknownKey,
            )
        },
        bad(
            "refused_unknown_key",
            "A key id that the device does not hold.",
            unknown,
            "unknown_key",
            Reason::UnknownKey,
        ),
        bad(
            "refused_swapped_key_id",
            "Another key id than the code was signed with.",
            edit(&printed(1), |bytes| bytes[1] = 3),
            "bad_signature",
            Reason::BadSignature,
        ),
        retired("refused_retired_key", "A rotated key at its end.", printed(3).text()),
        retired("refused_retired_ed25519_key", "A rotated key at its end.", printed(4).text()),
        retired("refused_retired_live", "A rotated key at its end.", live(3).text()),
        Bad {
            time: at(ACCEPT_UNTIL),
            ..bad(
                "refused_forged_with_retired_key_id",
                "A forgery is called one, even under a retired key.",
                edit(&printed(3), |bytes| bytes[47] ^= 1),
                "bad_signature",
                Reason::BadSignature,
            )
        },
    ]
}
