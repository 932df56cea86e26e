//! One scan as it is written down: the row, its canonical bytes, and the hash chain.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::note::Note;
use crate::ids::{DeviceId, EventId, GateId, LedgerId, ScanId, TicketId};
use crate::rules::{Confidence, Direction, Evidence, Flag, Outcome, Passage, Reason, TicketStatus};

/// A SHA-256 hash. JSON form: base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

/// The first 16 bytes of the SHA-256 of a scanned text: recognises a code without keeping it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// The fingerprint of a scanned text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(bytes)
    }
}

macro_rules! base64_value {
    ($name:ident, $length:literal, $what:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::BASE64URL_NOPAD.encode(&self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::base64_bytes::<$length, D>(deserializer, $what).map(Self)
            }
        }
        #[cfg(feature = "openapi")]
        crate::openapi_text!($name, concat!($what, ": base64url without padding"));
    };
}

base64_value!(Hash, 32, "a SHA-256 hash");
base64_value!(Fingerprint, 16, "a code fingerprint");

/// How the ticket was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// A signed printed code.
    Printed,
    /// A signed live code.
    Live,
    /// An unsigned code of an older system.
    Legacy,
    /// A typed manual code.
    Manual,
    /// No code: the ticket was picked from the list.
    Listed,
    /// Nothing that could be read as a ticket.
    Unreadable,
}

/// One scan: an attempt at a gate, always recorded, whatever came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScanRecord {
    /// Its id.
    pub scan_id: ScanId,
    /// The device.
    pub device_id: DeviceId,
    /// The ledger file.
    pub ledger_id: LedgerId,
    /// Its place in that ledger: 1, 2, 3 … without gaps.
    pub seq: i64,
    /// The event whose door this was.
    pub event_id: EventId,
    /// The gate.
    pub gate_id: GateId,
    /// The ticket, where the code named one.
    pub ticket_id: Option<TicketId>,
    /// In or out.
    pub direction: Direction,
    /// People who passed (0 unless admitted).
    pub people: u16,
    /// How the ticket was presented.
    pub medium: Medium,
    /// Which code it was.
    pub fingerprint: Fingerprint,
    /// May they pass?
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// How sure was it?
    pub confidence: Confidence,
    /// What could not be checked.
    pub flags: Vec<Flag>,
    /// The admission a duplicate ran into.
    pub first_admission: Option<Evidence>,
    /// The wall clock at that moment (UTC milliseconds).
    pub wall_ms: i64,
    /// The monotonic clock at that moment (milliseconds).
    pub mono_ms: i64,
    /// Wall clock plus this is server time (milliseconds).
    pub offset_ms: i64,
    /// How far that may be off (milliseconds); none if nobody knows.
    pub error_ms: Option<i64>,
    /// What a supervisor overruled to let them pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overruled: Option<Reason>,
    /// Takes back this passage of the same device: nobody passed with this scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<ScanId>,
    /// Why it was overruled or taken back, as the person at the door put it (see [`Note`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The hash of the scan before; for the first, [`genesis`].
    pub prev_hash: Hash,
    /// The hash of this one.
    pub hash: Hash,
}

/// What the first scan of a ledger follows.
#[must_use]
pub fn genesis(ledger_id: LedgerId) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(b"liventix ledger v1");
    hasher.update(ledger_id.as_bytes());
    Hash(hasher.finalize().into())
}

impl ScanRecord {
    /// When it happened, corrected to server time (UTC milliseconds).
    #[must_use]
    pub const fn at(&self) -> i64 {
        self.wall_ms.saturating_add(self.offset_ms)
    }

    /// The passage it was, if it let people through.
    #[must_use]
    pub fn passage(&self) -> Option<Passage> {
        (self.outcome == Outcome::Admit && self.ticket_id.is_some()).then(|| Passage {
            scan_id: self.scan_id,
            at: self.at(),
            direction: self.direction,
            people: self.people,
            gate_id: self.gate_id,
            device_id: self.device_id,
            undoes: self.undoes,
            forced: self.overruled.is_some(),
        })
    }

    /// Whether what it says of overruling and taking back fits together.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let forced = self.overruled.is_some();
        let passed = self.outcome == Outcome::Admit && self.ticket_id.is_some();
        let noted =
            self.note.as_ref().is_some_and(|note| Note::new(note).is_ok_and(|it| it.as_str() == note));
        forced == (self.reason == Reason::Forced)
            && self.undoes.is_some() == (self.reason == Reason::Undone)
            && self.overruled.is_none_or(Reason::can_be_overruled)
            && if forced || self.undoes.is_some() { passed && noted } else { self.note.is_none() }
    }

    /// The hash this scan should carry: SHA-256 over the previous hash and every other field, each
    /// at a fixed place or with its length before it, so that no two scans share their bytes. Scans
    /// that were neither overruled nor take anything back hash as they did before either existed.
    #[must_use]
    pub fn compute_hash(&self) -> Hash {
        let plain = self.overruled.is_none() && self.undoes.is_none() && self.note.is_none();
        let mut out = Canonical(Sha256::new());
        out.bytes(if plain { b"liventix scan v1" } else { b"liventix scan v2" }).bytes(&self.prev_hash.0);
        out.bytes(self.scan_id.as_bytes()).bytes(self.device_id.as_bytes()).bytes(self.ledger_id.as_bytes());
        out.int(self.seq).bytes(self.event_id.as_bytes()).bytes(self.gate_id.as_bytes());
        out.optional(self.ticket_id.map(|id| *id.as_bytes()).as_ref().map(<[u8; 16]>::as_slice));
        out.code(&self.direction).int(i64::from(self.people)).code(&self.medium).bytes(&self.fingerprint.0);
        out.code(&self.outcome).text(self.reason.code()).code(&self.confidence);
        out.int(i64::try_from(self.flags.len()).unwrap_or(i64::MAX));
        for flag in &self.flags {
            out.code(flag);
        }
        match &self.first_admission {
            None => out.int(0),
            Some(first) => out
                .int(1)
                .bytes(first.scan_id.as_bytes())
                .int(first.at)
                .bytes(first.gate_id.as_bytes())
                .bytes(first.device_id.as_bytes()),
        };
        out.int(self.wall_ms).int(self.mono_ms).int(self.offset_ms);
        match self.error_ms {
            None => out.int(0),
            Some(error) => out.int(1).int(error),
        };
        if !plain {
            out.optional_text(self.overruled.map(Reason::code));
            out.optional(self.undoes.as_ref().map(|id| id.as_bytes().as_slice()));
            out.optional_text(self.note.as_deref());
        }
        Hash(out.0.finalize().into())
    }

    /// Whether the hash fits the fields.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.hash == self.compute_hash()
    }
}

/// Feeds a hasher so that every value ends unmistakably.
struct Canonical(Sha256);

impl Canonical {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    fn int(&mut self, value: i64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.int(i64::try_from(text.len()).unwrap_or(i64::MAX)).bytes(text.as_bytes())
    }

    fn optional(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            None => self.int(0),
            Some(bytes) => self.int(1).bytes(bytes),
        }
    }

    fn optional_text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            None => self.int(0),
            Some(text) => self.int(1).text(text),
        }
    }

    fn code(&mut self, value: &impl WireCode) -> &mut Self {
        self.text(value.wire_code())
    }
}

/// Values whose stable code (their JSON form) goes into the hash.
pub trait WireCode: Sized + 'static {
    /// The stable code.
    fn wire_code(&self) -> &'static str;
    /// The value with this code.
    fn from_wire_code(code: &str) -> Option<Self>;
}

macro_rules! wire_codes {
    ($($name:ident { $($variant:ident = $code:literal),* $(,)? })*) => {$(
        impl WireCode for $name {
            fn wire_code(&self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }
            fn from_wire_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    )*};
}

wire_codes! {
    Direction { Entry = "entry", Exit = "exit" }
    Medium { Printed = "printed", Live = "live", Legacy = "legacy", Manual = "manual", Listed = "listed", Unreadable = "unreadable" }
    Outcome { Admit = "admit", Refuse = "refuse", Ask = "ask" }
    TicketStatus { Valid = "valid", Unpaid = "unpaid", Cancelled = "cancelled", Revoked = "revoked" }
    Confidence { Green = "green", Amber = "amber", Red = "red" }
    Flag {
        Unlisted = "unlisted", ListStale = "list_stale", ClockUncertain = "clock_uncertain",
        LegacyCode = "legacy_code", LiveStale = "live_stale", ExitWithoutEntry = "exit_without_entry",
        Forced = "forced",
    }
}

impl WireCode for Reason {
    fn wire_code(&self) -> &'static str {
        self.code()
    }

    fn from_wire_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}
