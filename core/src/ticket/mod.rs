//! Ticket codes: made, read and checked. `docs/ticket-code.md` describes every byte.
//!
//! [`read()`] turns whatever a scanner types into a [`Scanned`] without looking at a key;
//! [`KeyRing::verify`] then says whether a [`SignedCode`] is authentic. Expiry, age and everything else
//! that depends on the organiser's wishes is decided by [`crate::rules`].

pub mod base45;
pub mod code;
mod derive;
mod error;
pub mod keys;
pub mod legacy;
pub mod live;
mod mac;
pub mod manual;
mod noise;
mod read;
mod sign;
pub mod verify;

pub use code::{Claims, Kind, SignedCode, TicketCode};
pub use error::CodeError;
pub use keys::{
    Algorithm, EventKey, EventKeys, KeyBytes, KeyError, KeyId, KeyState, LookupKey, MasterKey, SigningKey,
};
pub use legacy::LegacyCode;
pub use live::LiveBase;
pub use manual::{LookupTag, ManualCode, ManualCodeError};
pub use noise::clean;
pub use read::{MAX_TEXT_BYTES, Scanned, read};
pub use verify::{KeyRing, Verified};
