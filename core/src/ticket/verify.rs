//! Is a code authentic? Everything that is prepared once per key is prepared when the keys arrive, so
//! that a check costs little more than the hashing itself.

use std::collections::BTreeMap;
use std::fmt;

use ed25519_dalek::VerifyingKey;
use subtle::ConstantTimeEq;

use super::code::{HMAC_TAG_BYTES, Kind, SIGNATURE_BYTES, SignedCode};
use super::derive;
use super::keys::{Algorithm, EventKey, EventKeys, KeyError, KeyId, LookupKey};
use super::live::live_tag;
use super::mac::KeyedMac;
use super::sign::ticket_message;
use crate::clock::TimeBounds;
use crate::ids::{EventId, TicketId};
use crate::rules::Presented;

pub use super::error::CodeError;

/// The keys of the events that this device may scan.
#[derive(Clone, Default)]
pub struct KeyRing {
    events: BTreeMap<EventId, EventRing>,
}

#[derive(Clone)]
struct EventRing {
    version: i64,
    lookup_key: LookupKey,
    keys: Vec<RingKey>,
}

#[derive(Clone)]
struct RingKey {
    key_id: KeyId,
    verifier: Verifier,
    live_root: KeyedMac,
    accept_until: Option<i64>,
}

#[derive(Clone)]
enum Verifier {
    Hmac(KeyedMac),
    Ed25519(Box<VerifyingKey>),
}

/// An authentic code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The ticket.
    pub ticket_id: TicketId,
    /// What the rules need of it.
    pub presented: Presented,
    /// Signed with this key.
    pub key_id: KeyId,
    /// Signed in this way.
    pub algorithm: Algorithm,
}

impl KeyRing {
    /// An empty ring.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event's keys, in place of an older set of the same event.
    ///
    /// # Errors
    /// A key is unusable, an id stands twice, or a newer set is here already. The ring is unchanged.
    pub fn insert(&mut self, keys: &EventKeys) -> Result<(), KeyError> {
        if let Some(held) = self.version(keys.event_id)
            && held > keys.version
        {
            return Err(KeyError::Outdated { held, offered: keys.version });
        }
        let ring = EventRing::new(keys)?;
        self.events.insert(keys.event_id, ring);
        Ok(())
    }

    /// Forgets an event's keys.
    pub fn remove(&mut self, event: EventId) {
        self.events.remove(&event);
    }

    /// Whether the event's keys are here.
    #[must_use]
    pub fn contains(&self, event: EventId) -> bool {
        self.events.contains_key(&event)
    }

    /// The version of the event's keys.
    #[must_use]
    pub fn version(&self, event: EventId) -> Option<i64> {
        self.events.get(&event).map(|ring| ring.version)
    }

    /// The event's lookup key.
    #[must_use]
    pub fn lookup_key(&self, event: EventId) -> Option<&LookupKey> {
        self.events.get(&event).map(|ring| &ring.lookup_key)
    }

    /// Checks that `code` is authentic and signed with a key that `event` still accepts.
    ///
    /// Expiry and the age of a live code are for the rules to judge. A key counts as withdrawn only if
    /// it is at every moment within `time`.
    ///
    /// # Errors
    /// In this order: another event, no keys, unknown key, wrong algorithm, bad signature, bad live
    /// tag, withdrawn key.
    pub fn verify(&self, event: EventId, code: &SignedCode, time: TimeBounds) -> Result<Verified, CodeError> {
        let (key, verified) = self.check(event, code)?;
        if key.accept_until.is_some_and(|until| time.earliest >= until) {
            return Err(CodeError::RetiredKey { key_id: key.key_id });
        }
        Ok(verified)
    }

    /// Checks that `code` is authentic, though its key may have been withdrawn since: for people who go
    /// out with the code they came in with.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), but never a withdrawn key.
    pub fn verify_exit(&self, event: EventId, code: &SignedCode) -> Result<Verified, CodeError> {
        self.check(event, code).map(|(_, verified)| verified)
    }

    fn check(&self, event: EventId, code: &SignedCode) -> Result<(&RingKey, Verified), CodeError> {
        if code.event() != event.short() {
            return Err(CodeError::OtherEvent);
        }
        let ring = self.events.get(&event).ok_or(CodeError::NoKeys)?;
        let key_id = code.key_id();
        let key = ring.key(key_id).ok_or(CodeError::UnknownKey { key_id })?;
        key.check_signature(code)?;
        let presented = key.presented(code)?;
        let verified =
            Verified { ticket_id: code.ticket_id(), presented, key_id, algorithm: code.algorithm() };
        Ok((key, verified))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.events.keys()).finish()
    }
}

impl EventRing {
    fn new(keys: &EventKeys) -> Result<Self, KeyError> {
        let mut ring = Self {
            version: keys.version,
            lookup_key: LookupKey::new(keys.lookup_key.clone()),
            keys: Vec::with_capacity(keys.keys.len()),
        };
        for key in &keys.keys {
            if ring.key(key.key_id).is_some() {
                return Err(KeyError::DuplicateKeyId { key_id: key.key_id });
            }
            ring.keys.push(RingKey::new(key)?);
        }
        Ok(ring)
    }

    /// An event has a handful of keys: a walk beats a map.
    fn key(&self, key_id: KeyId) -> Option<&RingKey> {
        self.keys.iter().find(|key| key.key_id == key_id)
    }
}

impl RingKey {
    fn new(key: &EventKey) -> Result<Self, KeyError> {
        let verifier = match key.algorithm {
            Algorithm::HmacSha256 => Verifier::Hmac(KeyedMac::new(key.verify_key.expose())),
            Algorithm::Ed25519 => {
                let public = VerifyingKey::from_bytes(key.verify_key.expose())
                    .ok()
                    .filter(|public| !public.is_weak())
                    .ok_or(KeyError::BadPublicKey { key_id: key.key_id })?;
                Verifier::Ed25519(Box::new(public))
            }
        };
        Ok(Self {
            key_id: key.key_id,
            verifier,
            live_root: KeyedMac::new(key.live_root.expose()),
            accept_until: key.accept_until,
        })
    }

    /// The ticket's own signature. The key says which algorithm it must be, never the code alone.
    fn check_signature(&self, code: &SignedCode) -> Result<(), CodeError> {
        let good = match (&self.verifier, code.algorithm()) {
            (Verifier::Hmac(key), Algorithm::HmacSha256) => {
                let tag = key.tag([&ticket_message(&code.header()), b"", b""]);
                tag[..HMAC_TAG_BYTES].ct_eq(code.signature()).into()
            }
            (Verifier::Ed25519(key), Algorithm::Ed25519) => check_ed25519(key, code),
            _ => return Err(CodeError::WrongAlgorithm { key_id: self.key_id }),
        };
        if good { Ok(()) } else { Err(CodeError::BadSignature) }
    }

    /// What the code presents, its live tag checked if it has one.
    fn presented(&self, code: &SignedCode) -> Result<Presented, CodeError> {
        let (issued_at, expires_at) = (code.issued_at(), code.expires_at());
        if code.kind() == Kind::Printed {
            return Ok(Presented::Printed { issued_at, expires_at });
        }
        let (Some((body, tag)), Some(minted_at)) = (code.live_parts(), code.minted_at()) else {
            return Err(CodeError::BadLiveTag);
        };
        let key = derive::live_key(&self.live_root, &code.ticket_id(), code.issued_at_bytes());
        let expected = live_tag(&KeyedMac::new(key.expose()), body);
        if expected.ct_eq(tag).into() {
            Ok(Presented::Live { issued_at, expires_at, minted_at })
        } else {
            Err(CodeError::BadLiveTag)
        }
    }
}

/// Strict (RFC 8032 with small-order points refused): no second signature is valid for one message.
fn check_ed25519(key: &VerifyingKey, code: &SignedCode) -> bool {
    let mut signature = [0; SIGNATURE_BYTES];
    signature.copy_from_slice(code.signature());
    let signature = ed25519_dalek::Signature::from_bytes(&signature);
    key.verify_strict(&ticket_message(&code.header()), &signature).is_ok()
}
