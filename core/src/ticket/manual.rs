//! Manual codes, for when a QR code cannot be read.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Finds a ticket by a code without the manifest holding the code: the first eight bytes of an
/// HMAC-SHA256 of the code under the event's lookup key. JSON form: base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupTag(pub [u8; 8]);

impl fmt::Debug for LookupTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupTag(…)")
    }
}

impl Serialize for LookupTag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&data_encoding::BASE64URL_NOPAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for LookupTag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::base64_bytes::<8, D>(deserializer, "a lookup tag").map(Self)
    }
}

#[cfg(feature = "openapi")]
crate::openapi_text!(
    LookupTag,
    "Finds a ticket by a typed or legacy code: 8 bytes as base64url without padding"
);
