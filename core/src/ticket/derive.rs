//! Every key derives from the organiser's master key by HKDF-SHA256 (RFC 5869), with an info string
//! that names purpose, event and key id: no key ever serves two purposes.
//!
//! All keys have 32 bytes, one SHA-256 output, so that HKDF-Expand is a single HMAC
//! (`T(1) = HMAC(PRK, info || 0x01)`). Written out here because the keyed state of a live root is then
//! kept between scans; the tests compare it with the `hkdf` crate.

use zeroize::Zeroizing;

use super::keys::{Algorithm, KeyBytes, KeyId};
use super::mac::KeyedMac;
use crate::ids::{EventId, TicketId};

/// The salt of HKDF-Extract.
pub(super) const SALT: &[u8] = b"liventix/v1";

/// What a derived key is for: the start of its info string.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    TicketHmac,
    TicketEd25519,
    LiveRoot,
    Lookup,
}

impl Purpose {
    pub(super) const fn label(self) -> &'static [u8] {
        match self {
            Self::TicketHmac => b"liventix/v1/ticket-hmac\0",
            Self::TicketEd25519 => b"liventix/v1/ticket-ed25519\0",
            Self::LiveRoot => b"liventix/v1/live-root\0",
            Self::Lookup => b"liventix/v1/lookup\0",
        }
    }
}

const LIVE_KEY_LABEL: &[u8] = b"liventix/v1/live-key\0";

impl From<Algorithm> for Purpose {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::HmacSha256 => Self::TicketHmac,
            Algorithm::Ed25519 => Self::TicketEd25519,
        }
    }
}

/// HKDF-Extract: the master key as the keyed state that every expansion starts from.
pub(super) fn extract(master: &KeyBytes) -> KeyedMac {
    let prk = Zeroizing::new(KeyedMac::from_short(SALT).tag([master.expose(), b"", b""]));
    KeyedMac::new(&prk)
}

/// A key of one key id of one event.
pub(super) fn event_key(master: &KeyedMac, purpose: Purpose, event: EventId, key_id: KeyId) -> KeyBytes {
    KeyBytes::new(master.tag([purpose.label(), event.as_bytes(), &[key_id.0, 1]]))
}

/// The key of an event's lookup tags. It has no key id: a rotation leaves it.
pub(super) fn lookup_key(master: &KeyedMac, event: EventId) -> KeyBytes {
    KeyBytes::new(master.tag([Purpose::Lookup.label(), event.as_bytes(), &[1]]))
}

/// The key with which one ticket's phone mints live codes. `issued_at` is in seconds, as in the code:
/// a reissue changes the key.
pub(super) fn live_key(live_root: &KeyedMac, ticket_id: &TicketId, issued_at: [u8; 4]) -> KeyBytes {
    let [a, b, c, d] = issued_at;
    KeyBytes::new(live_root.tag([LIVE_KEY_LABEL, ticket_id.as_bytes(), &[a, b, c, d, 1]]))
}

#[cfg(test)]
mod tests {
    use hkdf::Hkdf;
    use sha2::Sha256;

    use super::*;

    fn expand(key: &Hkdf<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
        let mut output = [0; 32];
        key.expand_multi_info(parts, &mut output).unwrap();
        output
    }

    #[test]
    fn derivation_is_hkdf_sha256() {
        let master = KeyBytes::new([7; 32]);
        let event = EventId::from_bytes([9; 16]);
        let reference = Hkdf::<Sha256>::new(Some(SALT), master.expose());
        let ours = extract(&master);
        for purpose in [Purpose::TicketHmac, Purpose::TicketEd25519, Purpose::LiveRoot] {
            assert_eq!(
                event_key(&ours, purpose, event, KeyId(5)).expose(),
                &expand(&reference, &[purpose.label(), event.as_bytes(), &[5]])
            );
        }
        assert_eq!(
            lookup_key(&ours, event).expose(),
            &expand(&reference, &[Purpose::Lookup.label(), event.as_bytes()])
        );
    }

    #[test]
    fn the_live_key_is_hkdf_expand_of_the_live_root() {
        let ticket = TicketId::from_bytes([3; 16]);
        let reference = Hkdf::<Sha256>::from_prk(&[8; 32]).unwrap();
        assert_eq!(
            live_key(&KeyedMac::new(&[8; 32]), &ticket, [1, 2, 3, 4]).expose(),
            &expand(&reference, &[LIVE_KEY_LABEL, ticket.as_bytes(), &[1, 2, 3, 4]])
        );
    }
}
