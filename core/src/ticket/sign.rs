//! Making codes.

use std::fmt;

use ed25519_dalek::Signer;

use super::code::{Claims, CodeBytes, HMAC_TAG_BYTES, Kind, TicketCode};
use super::derive;
use super::keys::{Algorithm, KeyBytes, KeyId};
use super::live::LiveBase;
use super::mac::KeyedMac;

/// Before everything a ticket's signature covers. With it and the header the message fits one block
/// of SHA-256.
pub(super) const TICKET_DOMAIN: &[u8] = b"liventix/v1/ticket\0";

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
        LiveBase::new(base, KeyBytes::new(key))
    }

    fn signed(&self, claims: &Claims, kind: Kind) -> CodeBytes {
        let header = claims.header(kind, self.algorithm(), self.key_id);
        let code = CodeBytes::empty().push(&header);
        match &self.signer {
            Signature::Hmac(key) => {
                let tag = key.tag([TICKET_DOMAIN, &header, b""]);
                code.push(&tag[..HMAC_TAG_BYTES])
            }
            Signature::Ed25519(key) => {
                let message = [TICKET_DOMAIN, &header].concat();
                code.push(&key.sign(&message).to_bytes())
            }
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
