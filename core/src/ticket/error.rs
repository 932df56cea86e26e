//! Why a text is no good as a ticket code: one variant for each cause.

use super::base45::Base45Error;
use super::keys::KeyId;
use super::read::MAX_TEXT_BYTES;
use crate::rules::Reason;

/// Why a code was refused before any rule was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Nothing was scanned, or only spaces and scanner noise.
    #[error("nothing was scanned: scan the code again")]
    Empty,
    /// The text is longer than any code or legacy code may be.
    #[error("the scanned text has {bytes} bytes, more than {MAX_TEXT_BYTES}: this is not a ticket")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The text starts like a ticket code, but its body is not Base45.
    #[error("the code is damaged ({0}): scan it again, or type the manual code")]
    Damaged(#[from] Base45Error),
    /// The text form is not the only one that its bytes have.
    #[error("the code is not written the way Liventix writes it: scan the original, or type the manual code")]
    NotCanonical,
    /// Too few or too many bytes for a code of its kind: cut off, or with something added.
    #[error("the code has {bytes} bytes, which no code of its kind has: scan all of it again")]
    Length {
        /// How many bytes it has (at most one more than the longest code).
        bytes: usize,
    },
    /// A format version that this software does not know.
    #[error("the code has format version {version}; this software reads version 1: update it")]
    UnknownVersion {
        /// The version the code claims.
        version: u8,
    },
    /// A kind (printed, live) that this software does not know.
    #[error("the code is of an unknown kind ({kind}): update this software")]
    UnknownKind {
        /// The kind the code claims.
        kind: u8,
    },
    /// A signature algorithm that this software does not know.
    #[error("the code is signed in an unknown way ({algorithm}): update this software")]
    UnknownAlgorithm {
        /// The algorithm the code claims.
        algorithm: u8,
    },
    /// The code is for another event than the one scanned for.
    #[error("the code is for another event: check which event this scanner is set to")]
    OtherEvent,
    /// No keys of the event scanned for are here.
    #[error("this scanner holds no keys for the event: sync it")]
    NoKeys,
    /// The event has no key of that id here.
    #[error("the code is signed with key {}, which this scanner does not hold: sync it", key_id.0)]
    UnknownKey {
        /// The key id the code claims.
        key_id: KeyId,
    },
    /// The key of that id is of another algorithm than the code says.
    #[error("the code claims another algorithm than key {} has: it is forged or damaged", key_id.0)]
    WrongAlgorithm {
        /// The key id the code claims.
        key_id: KeyId,
    },
    /// The signature does not fit.
    #[error("the signature does not fit: the code is forged or damaged")]
    BadSignature,
    /// The ticket's signature fits, but the phone's tag over the moment of minting does not.
    #[error("the live part of the code does not fit: open the live ticket again and scan that")]
    BadLiveTag,
    /// Authentic, but its key was withdrawn.
    #[error("the code is signed with key {}, which was withdrawn: ask the attendee for the new code", key_id.0)]
    RetiredKey {
        /// The key id.
        key_id: KeyId,
    },
    /// A manual code whose check symbol does not fit.
    #[error("the code has a typing mistake: compare it with the ticket and type it again")]
    ManualTypo,
}

impl CodeError {
    /// The stable code of this error, e.g. `bad_signature`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::Damaged(Base45Error::Character { .. }) => "bad_character",
            Self::Damaged(Base45Error::Overflow { .. }) => "bad_group",
            Self::Damaged(Base45Error::Length { .. } | Base45Error::TooLong { .. }) => "bad_text_length",
            Self::NotCanonical => "not_canonical",
            Self::Length { .. } => "bad_length",
            Self::UnknownVersion { .. } => "unknown_version",
            Self::UnknownKind { .. } => "unknown_kind",
            Self::UnknownAlgorithm { .. } => "unknown_algorithm",
            Self::OtherEvent => "other_event",
            Self::NoKeys => "no_keys",
            Self::UnknownKey { .. } => "unknown_key",
            Self::WrongAlgorithm { .. } => "wrong_algorithm",
            Self::BadSignature => "bad_signature",
            Self::BadLiveTag => "bad_live_tag",
            Self::RetiredKey { .. } => "retired_key",
            Self::ManualTypo => "manual_typo",
        }
    }

    /// What the door says about it.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Empty | Self::TooLong { .. } => Reason::NotATicket,
            Self::UnknownVersion { .. } | Self::UnknownKind { .. } | Self::UnknownAlgorithm { .. } => {
                Reason::UnknownVersion
            }
            Self::OtherEvent => Reason::OtherEvent,
            Self::NoKeys | Self::UnknownKey { .. } => Reason::UnknownKey,
            Self::RetiredKey { .. } => Reason::RetiredKey,
            Self::ManualTypo => Reason::ManualTypo,
            Self::Damaged(_)
            | Self::NotCanonical
            | Self::Length { .. }
            | Self::WrongAlgorithm { .. }
            | Self::BadSignature
            | Self::BadLiveTag => Reason::BadSignature,
        }
    }
}
