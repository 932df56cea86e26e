//! Codes that are laid out well and must be refused all the same: altered, forged, of a wrong key.

use hmac::{Hmac, KeyInit, Mac};
use liventix_core::ids::TicketId;
use liventix_core::rules::Reason;
use liventix_core::ticket::{Algorithm, Claims, KeyBytes, KeyId, LiveBase, MasterKey, TicketCode};
use sha2::Sha256;

use super::refused::{Bad, bad, edit, live, printed};
use super::setup::{self, ACCEPT_UNTIL, NOW, at, claims, event, key, other_event};

pub(crate) fn altered() -> Vec<Bad> {
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
            edit(&ed25519, |bytes| add_group_order(bytes)),
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
fn add_group_order(bytes: &mut [u8]) {
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

pub(crate) fn forged() -> Vec<Bad> {
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
    let base: LiveBase = serde_json::from_value(base).unwrap();
    base.mint(NOW).text()
}

pub(crate) fn keys() -> Vec<Bad> {
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
