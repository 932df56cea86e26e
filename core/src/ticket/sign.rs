//! Making codes.

use std::fmt;

use ed25519_dalek::Signer;

use super::code::{Claims, CodeBytes, HEADER_BYTES, HMAC_TAG_BYTES, Kind, TicketCode};
use super::derive;
use super::keys::{Algorithm, KeyBytes, KeyId};
use super::live::LiveBase;
use super::mac::KeyedMac;

/// Before everything a ticket's signature covers.
const TICKET_DOMAIN: &[u8; 19] = b"liventix/v1/ticket\0";

/// What a ticket's signature covers. With HMAC's padding it fits one block of SHA-256.
pub(super) fn ticket_message(header: &[u8; HEADER_BYTES]) -> [u8; 19 + HEADER_BYTES] {
    let mut message = [0; 19 + HEADER_BYTES];
    let (domain, rest) = message.split_at_mut(TICKET_DOMAIN.len());
    domain.copy_from_slice(TICKET_DOMAIN);
    rest.copy_from_slice(header);
    message
}

/// One key of one event, on the server: signs its tickets.
#[derive(Clone)]
pub struct SigningKey {
    key_id: KeyId,
    signer: Signature,
    live_root: KeyedMac,
}

#[derive(Clone)]
enum Signature {
    Hmac(KeyedMac),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl SigningKey {
    pub(super) fn new(key_id: KeyId, algorithm: Algorithm, secret: &KeyBytes, live_root: &KeyBytes) -> Self {
        let signer = match algorithm {
            Algorithm::HmacSha256 => Signature::Hmac(KeyedMac::new(secret.expose())),
            Algorithm::Ed25519 => {
                Signature::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(secret.expose())))
            }
        };
        Self { key_id, signer, live_root: KeyedMac::new(live_root.expose()) }
    }

    /// Its id.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.signer {
            Signature::Hmac(_) => Algorithm::HmacSha256,
            Signature::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// The code to print. Claims of another event than the key's make a code that no door accepts.
    #[must_use]
    pub fn printed(&self, claims: &Claims) -> TicketCode {
        TicketCode(self.signed(claims, Kind::Printed))
    }

    /// What a wallet holds to mint live codes of one ticket. Its own signature says "live", so that
    /// neither a cut live code nor a copied base passes for a printed code.
    #[must_use]
    pub fn live_base(&self, claims: &Claims) -> LiveBase {
        let base = self.signed(claims, Kind::Live);
        let issued_at = super::code::seconds_down(claims.issued_at).to_be_bytes();
        let key = derive::live_key(&self.live_root, &claims.ticket_id, issued_at);
        LiveBase::new(base, key)
    }

    fn signed(&self, claims: &Claims, kind: Kind) -> CodeBytes {
        let header = claims.header(kind, self.algorithm(), self.key_id);
        let code = CodeBytes::empty().push(&header);
        match &self.signer {
            Signature::Hmac(key) => {
                let tag = key.tag([&ticket_message(&header), b"", b""]);
                code.push(&tag[..HMAC_TAG_BYTES])
            }
            Signature::Ed25519(key) => code.push(&key.sign(&ticket_message(&header)).to_bytes()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("key_id", &self.key_id)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// The public key that belongs to an Ed25519 seed.
pub(super) fn public_key(seed: &KeyBytes) -> KeyBytes {
    KeyBytes::new(ed25519_dalek::SigningKey::from_bytes(seed.expose()).verifying_key().to_bytes())
}
