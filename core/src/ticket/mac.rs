//! HMAC-SHA256 with the key's two blocks already hashed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A keyed HMAC-SHA256. Setting the key costs two of the four SHA-256 blocks of a short message;
/// keeping this state halves the price of every check.
#[derive(Clone)]
pub(crate) struct KeyedMac(Hmac<Sha256>);

impl KeyedMac {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self::from_short(key)
    }

    /// Keys of at most 64 bytes; what is longer is cut, so only constants and 32-byte keys come here.
    pub(crate) fn from_short(key: &[u8]) -> Self {
        // RFC 2104 fills a short key with zeros up to the 64-byte block. Doing it here makes the
        // constructor that cannot fail fit.
        let mut block = zeroize::Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Self(Hmac::new((&*block).into()))
    }

    /// The tag of the parts, one after the other.
    #[inline]
    pub(crate) fn tag(&self, parts: [&[u8]; 3]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}
