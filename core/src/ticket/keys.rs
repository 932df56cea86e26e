//! Keys: one master key per organiser, everything else derived from it.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::derive::{self, Purpose};
use super::mac::KeyedMac;
use super::manual::{LookupTag, ManualCode};
use super::noise::clean;
use crate::entropy::Entropy;
use crate::ids::EventId;

pub use super::sign::SigningKey;

/// 32 bytes of key: wiped from memory when dropped, compared in constant time, never printed.
/// JSON form: base64url without padding.
pub struct KeyBytes(SecretBox<[u8; 32]>);

impl KeyBytes {
    /// Takes the key.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// Lends the key: for computing, for sealing, never for logging.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

impl Clone for KeyBytes {
    fn clone(&self) -> Self {
        Self::new(*self.expose())
    }
}

impl PartialEq for KeyBytes {
    fn eq(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl Eq for KeyBytes {}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyBytes(…)")
    }
}

impl Serialize for KeyBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(self.expose()));
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for KeyBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::base64_bytes::<32, D>(deserializer, "a key").map(Self::new)
    }
}

#[cfg(feature = "openapi")]
crate::openapi_text!(KeyBytes, "A secret key: 32 bytes as base64url without padding");

/// Which of an event's keys: 0 to 255, never used twice for one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyId(pub u8);

/// How an event's codes are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// HMAC-SHA256 truncated to 128 bits: the smallest codes. Who holds a door's key can make tickets.
    #[default]
    HmacSha256,
    /// Ed25519: doors hold only the public key, so a stolen scanner cannot make tickets. Larger codes.
    Ed25519,
}

/// One key of an event, as the organiser's database keeps it: no secret in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyState {
    /// Its id.
    pub key_id: KeyId,
    /// Its algorithm, fixed for the life of the id.
    pub algorithm: Algorithm,
    /// Codes signed with it are accepted before this moment (UTC milliseconds); none: without limit.
    /// A rotation sets it on the old key, so that both are good for a while; an emergency sets it to
    /// now.
    pub accept_until: Option<i64>,
}

/// An organiser's master key. It never leaves the server; `expose` is for sealing it at rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MasterKey(KeyBytes);

impl MasterKey {
    /// An existing master key.
    #[must_use]
    pub const fn new(bytes: KeyBytes) -> Self {
        Self(bytes)
    }

    /// A new random master key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(&mut *bytes);
        Self(KeyBytes::new(*bytes))
    }

    /// The bytes, for sealing.
    #[must_use]
    pub const fn expose(&self) -> &KeyBytes {
        &self.0
    }

    /// The key that signs an event's codes.
    #[must_use]
    pub fn signing_key(&self, event: EventId, key_id: KeyId, algorithm: Algorithm) -> SigningKey {
        let master = derive::extract(&self.0);
        let secret = derive::event_key(&master, algorithm.into(), event, key_id);
        let live_root = derive::event_key(&master, Purpose::LiveRoot, event, key_id);
        SigningKey::new(key_id, algorithm, &secret, &live_root)
    }

    /// The key of an event's lookup tags.
    #[must_use]
    pub fn lookup_key(&self, event: EventId) -> LookupKey {
        LookupKey::new(derive::lookup_key(&derive::extract(&self.0), event))
    }

    /// What a device needs for an event: `version` (of the caller's counting) and the keys in `keys`.
    #[must_use]
    pub fn event_keys(&self, event: EventId, version: i64, keys: &[KeyState]) -> EventKeys {
        let master = derive::extract(&self.0);
        let keys = keys
            .iter()
            .map(|state| EventKey {
                key_id: state.key_id,
                algorithm: state.algorithm,
                verify_key: verify_key(&master, event, state),
                live_root: derive::event_key(&master, Purpose::LiveRoot, event, state.key_id),
                accept_until: state.accept_until,
            })
            .collect();
        EventKeys { event_id: event, version, lookup_key: derive::lookup_key(&master, event), keys }
    }
}

fn verify_key(master: &KeyedMac, event: EventId, state: &KeyState) -> KeyBytes {
    let secret = derive::event_key(master, state.algorithm.into(), event, state.key_id);
    match state.algorithm {
        Algorithm::HmacSha256 => secret,
        Algorithm::Ed25519 => super::sign::public_key(&secret),
    }
}

/// What a device holds of one event: the answer to `GET /v1/door/events/{id}/keys` and the form in the
/// secret store. Secret as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventKeys {
    /// The event.
    pub event_id: EventId,
    /// Rises with every change of the keys: an older set never replaces a newer one.
    pub version: i64,
    /// Finds tickets by manual and legacy codes.
    pub lookup_key: KeyBytes,
    /// The keys still known, accepted or withdrawn.
    pub keys: Vec<EventKey>,
}

/// One key of an event on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventKey {
    /// Its id.
    pub key_id: KeyId,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// The HMAC secret, or the Ed25519 public key.
    pub verify_key: KeyBytes,
    /// What the live keys of this key's tickets derive from.
    pub live_root: KeyBytes,
    /// Accepted before this moment (UTC milliseconds); none: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_until: Option<i64>,
}

/// Why a set of keys cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// An Ed25519 public key that is none, or a weak one under which signatures mean nothing.
    #[error("key {} is not a usable Ed25519 public key: fetch the event's keys again", key_id.0)]
    BadPublicKey {
        /// The key.
        key_id: KeyId,
    },
    /// Two keys under one id.
    #[error("key id {} stands for two keys: fetch the event's keys again", key_id.0)]
    DuplicateKeyId {
        /// The id.
        key_id: KeyId,
    },
    /// The ring already holds a newer set.
    #[error("these keys (version {offered}) are older than the ones here (version {held}): keep those")]
    Outdated {
        /// The version held.
        held: i64,
        /// The version offered.
        offered: i64,
    },
}

impl KeyError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadPublicKey { .. } => "bad_public_key",
            Self::DuplicateKeyId { .. } => "duplicate_key_id",
            Self::Outdated { .. } => "outdated_keys",
        }
    }
}

/// Turns manual and legacy codes into the tags that the manifest holds in their place.
#[derive(Clone)]
pub struct LookupKey(KeyedMac);

impl LookupKey {
    /// The event's lookup key.
    #[must_use]
    pub fn new(bytes: KeyBytes) -> Self {
        Self(KeyedMac::new(bytes.expose()))
    }

    /// The tag of a manual code.
    #[must_use]
    pub fn manual_tag(&self, code: &ManualCode) -> LookupTag {
        self.tag(b"liventix/v1/manual\0", code.symbols())
    }

    /// The tag of an older system's code, whatever it looks like. Scanner noise around it is ignored,
    /// upper and lower case are not.
    #[must_use]
    pub fn legacy_tag(&self, text: &str) -> LookupTag {
        self.tag(b"liventix/v1/legacy\0", clean(text).as_bytes())
    }

    fn tag(&self, domain: &[u8], content: &[u8]) -> LookupTag {
        let [a, b, c, d, e, f, g, h, ..] = self.0.tag([domain, content, b""]);
        LookupTag([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupKey(…)")
    }
}
