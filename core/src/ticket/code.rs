//! The bytes of a ticket code. Big endian throughout; `docs/ticket-code.md` has the picture.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use super::base45;
use super::error::CodeError;
use super::keys::{Algorithm, KeyId};
use crate::ids::{EventId, EventRef, TicketId};

pub use super::read::{Scanned, read};

/// What the text form starts with.
pub const PREFIX: &str = "LX1:";
/// The format version, in the high nibble of the first byte.
pub const VERSION: u8 = 1;
/// The signed claims.
pub(super) const HEADER_BYTES: usize = 32;
/// HMAC-SHA256 truncated to 128 bits.
pub(super) const HMAC_TAG_BYTES: usize = 16;
/// An Ed25519 signature.
pub(super) const SIGNATURE_BYTES: usize = 64;
/// `minted_at` of a live code.
pub(super) const MINTED_BYTES: usize = 4;
/// The phone's tag of a live code.
pub(super) const LIVE_TAG_BYTES: usize = 16;
/// The longest code: live, Ed25519.
pub const MAX_CODE_BYTES: usize = HEADER_BYTES + SIGNATURE_BYTES + MINTED_BYTES + LIVE_TAG_BYTES;
/// `expires_at` of a code that never expires.
const NEVER: u32 = u32::MAX;

/// Printed codes stay good; live codes are minted on the phone and age within minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// On paper, in a mail, in a wallet pass.
    Printed,
    /// Minted on the attendee's phone.
    Live,
}

impl Kind {
    const fn bits(self) -> u8 {
        match self {
            Self::Printed => 0,
            Self::Live => 1,
        }
    }
}

impl Algorithm {
    const fn bits(self) -> u8 {
        match self {
            Self::HmacSha256 => 0,
            Self::Ed25519 => 1,
        }
    }

    /// The length of the ticket's own signature.
    pub(super) const fn signature_bytes(self) -> usize {
        match self {
            Self::HmacSha256 => HMAC_TAG_BYTES,
            Self::Ed25519 => SIGNATURE_BYTES,
        }
    }

    /// The length of a whole code.
    #[must_use]
    pub const fn code_bytes(self, kind: Kind) -> usize {
        let live = match kind {
            Kind::Printed => 0,
            Kind::Live => MINTED_BYTES + LIVE_TAG_BYTES,
        };
        HEADER_BYTES + self.signature_bytes() + live
    }
}

/// What a code says about a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// The event.
    pub event_id: EventId,
    /// The ticket.
    pub ticket_id: TicketId,
    /// When the code was issued (UTC milliseconds). The code holds whole seconds, rounded down; times
    /// before 1970 or after 2106 count as the nearest of these.
    pub issued_at: i64,
    /// When it stops being good (UTC milliseconds), none if never. Rounded up to whole seconds.
    pub expires_at: Option<i64>,
}

impl Claims {
    /// The 32 header bytes.
    pub(super) fn header(&self, kind: Kind, algorithm: Algorithm, key_id: KeyId) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[0] = VERSION << 4 | algorithm.bits() << 2 | kind.bits();
        header[1] = key_id.0;
        header[2..8].copy_from_slice(&self.event_id.short().0);
        header[8..24].copy_from_slice(self.ticket_id.as_bytes());
        header[24..28].copy_from_slice(&seconds_down(self.issued_at).to_be_bytes());
        header[28..32].copy_from_slice(&self.expiry_seconds().to_be_bytes());
        header
    }

    fn expiry_seconds(&self) -> u32 {
        self.expires_at.map_or(NEVER, |at| {
            let seconds = at.div_euclid(1_000) + i64::from(at.rem_euclid(1_000) != 0);
            clamp_seconds(seconds).min(NEVER - 1)
        })
    }
}

/// Milliseconds as whole seconds of 32 bits, rounded down.
pub(super) fn seconds_down(ms: i64) -> u32 {
    clamp_seconds(ms.div_euclid(1_000))
}

fn clamp_seconds(seconds: i64) -> u32 {
    u32::try_from(seconds.max(0)).unwrap_or(u32::MAX)
}

/// At most [`MAX_CODE_BYTES`] bytes, on the stack.
#[derive(Clone, Copy)]
pub(super) struct CodeBytes {
    bytes: [u8; MAX_CODE_BYTES],
    length: usize,
}

impl CodeBytes {
    pub(super) const fn empty() -> Self {
        Self { bytes: [0; MAX_CODE_BYTES], length: 0 }
    }

    /// Appends; what does not fit is left out (the layout never lets that happen).
    pub(super) fn push(mut self, part: &[u8]) -> Self {
        for (to, from) in self.bytes.iter_mut().skip(self.length).zip(part) {
            *to = *from;
        }
        self.length = MAX_CODE_BYTES.min(self.length + part.len());
        self
    }

    /// Fills the buffer by `write`, which returns how many bytes it wrote.
    #[inline]
    pub(super) fn fill<E>(write: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<Self, E> {
        let mut bytes = [0; MAX_CODE_BYTES];
        let length = write(&mut bytes)?.min(MAX_CODE_BYTES);
        Ok(Self { bytes, length })
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn array<const AT: usize, const N: usize>(&self) -> [u8; N] {
        let mut part = [0; N];
        part.copy_from_slice(&self.bytes[AT..AT + N]);
        part
    }

    fn text(&self) -> String {
        let mut text = String::with_capacity(PREFIX.len() + self.length.div_ceil(2) * 3);
        text.push_str(PREFIX);
        base45::encode_into(self.as_slice(), &mut text);
        text
    }
}

/// A finished code, ready to be shown. It lets its bearer in: `Debug` does not print it.
#[derive(Clone, Copy)]
pub struct TicketCode(pub(super) CodeBytes);

impl TicketCode {
    /// What the QR code says: `LX1:` and Base45.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.text()
    }

    /// The same bytes for links and the API: base64url without padding.
    #[must_use]
    pub fn base64url(&self) -> String {
        BASE64URL_NOPAD.encode(self.0.as_slice())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for TicketCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketCode({} bytes)", self.0.length)
    }
}

/// A code as it was read: well-formed, not yet verified. Nothing it says may be believed before
/// [`KeyRing::verify`](super::KeyRing::verify) has said so.
#[derive(Clone, Copy)]
pub struct SignedCode {
    bytes: CodeBytes,
    kind: Kind,
    algorithm: Algorithm,
}

impl SignedCode {
    /// Reads the bytes of a code.
    ///
    /// # Errors
    /// `UnknownVersion`, `UnknownKind`, `UnknownAlgorithm` or `Length`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodeError> {
        if bytes.len() > MAX_CODE_BYTES {
            return Err(CodeError::Length { bytes: MAX_CODE_BYTES + 1 });
        }
        Self::from_code_bytes(CodeBytes::empty().push(bytes))
    }

    #[inline]
    pub(super) fn from_code_bytes(bytes: CodeBytes) -> Result<Self, CodeError> {
        let length = bytes.length;
        let [first] = bytes.array::<0, 1>();
        if length == 0 {
            return Err(CodeError::Length { bytes: 0 });
        }
        let (version, kind, algorithm) = (first >> 4, first & 0b11, first >> 2 & 0b11);
        if version != VERSION {
            return Err(CodeError::UnknownVersion { version });
        }
        let kind = match kind {
            0 => Kind::Printed,
            1 => Kind::Live,
            kind => return Err(CodeError::UnknownKind { kind }),
        };
        let algorithm = match algorithm {
            0 => Algorithm::HmacSha256,
            1 => Algorithm::Ed25519,
            algorithm => return Err(CodeError::UnknownAlgorithm { algorithm }),
        };
        if length != algorithm.code_bytes(kind) {
            return Err(CodeError::Length { bytes: length });
        }
        Ok(Self { bytes, kind, algorithm })
    }

    /// Printed or live.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// How the ticket is signed.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// With which of the event's keys.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        let [id] = self.bytes.array::<1, 1>();
        KeyId(id)
    }

    /// The six bytes that stand for the event.
    #[must_use]
    pub fn event(&self) -> EventRef {
        EventRef(self.bytes.array::<2, 6>())
    }

    /// The ticket.
    #[must_use]
    pub fn ticket_id(&self) -> TicketId {
        TicketId::from_bytes(self.bytes.array::<8, 16>())
    }

    /// When the code was issued (UTC milliseconds, whole seconds).
    #[must_use]
    pub fn issued_at(&self) -> i64 {
        milliseconds(self.issued_at_bytes())
    }

    pub(super) fn issued_at_bytes(&self) -> [u8; 4] {
        self.bytes.array::<24, 4>()
    }

    /// When it stops being good (UTC milliseconds, whole seconds); none if never.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        let seconds = u32::from_be_bytes(self.bytes.array::<28, 4>());
        (seconds != NEVER).then(|| i64::from(seconds) * 1_000)
    }

    /// When the phone minted a live code (UTC milliseconds, whole seconds); none for a printed one.
    #[must_use]
    pub fn minted_at(&self) -> Option<i64> {
        let seconds = match (self.kind, self.algorithm) {
            (Kind::Printed, _) => return None,
            (Kind::Live, Algorithm::HmacSha256) => self.bytes.array::<48, 4>(),
            (Kind::Live, Algorithm::Ed25519) => self.bytes.array::<96, 4>(),
        };
        Some(milliseconds(seconds))
    }

    /// The claims that the ticket's signature covers.
    pub(super) fn header(&self) -> [u8; HEADER_BYTES] {
        self.bytes.array::<0, HEADER_BYTES>()
    }

    /// The ticket's signature.
    pub(super) fn signature(&self) -> &[u8] {
        &self.bytes.bytes[HEADER_BYTES..HEADER_BYTES + self.algorithm.signature_bytes()]
    }

    /// A live code's part under the phone's tag, and that tag; none for a printed code.
    pub(super) fn live_parts(&self) -> Option<(&[u8], &[u8])> {
        match self.kind {
            Kind::Printed => None,
            Kind::Live => self.as_bytes().split_at_checked(self.bytes.length - LIVE_TAG_BYTES),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// The one text that a QR code with these bytes has, however it was scanned: what to take a
    /// fingerprint of.
    #[must_use]
    pub fn text(&self) -> String {
        self.bytes.text()
    }

    /// The base64url form, without padding.
    #[must_use]
    pub fn base64url(&self) -> String {
        BASE64URL_NOPAD.encode(self.as_bytes())
    }
}

fn milliseconds(seconds: [u8; 4]) -> i64 {
    i64::from(u32::from_be_bytes(seconds)) * 1_000
}

impl PartialEq for SignedCode {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for SignedCode {}

impl fmt::Debug for SignedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedCode")
            .field("kind", &self.kind)
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id())
            .field("ticket_id", &self.ticket_id())
            .finish_non_exhaustive()
    }
}
