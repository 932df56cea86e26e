//! Live codes: minted on the attendee's phone, without signal, and good for minutes.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use zeroize::Zeroizing;

use super::code::{
    CodeBytes, Kind, LIVE_TAG_BYTES, MAX_CODE_BYTES, MINTED_BYTES, SignedCode, TicketCode, seconds_down,
};
use super::keys::KeyBytes;
use super::mac::KeyedMac;

/// Before everything a live tag covers.
const MINT_DOMAIN: &[u8] = b"liventix/v1/mint\0";

/// The phone's tag over everything before it.
pub(super) fn live_tag(key: &KeyedMac, body: &[u8]) -> [u8; LIVE_TAG_BYTES] {
    let mut tag = [0; LIVE_TAG_BYTES];
    tag.copy_from_slice(&key.tag([MINT_DOMAIN, body, b""])[..LIVE_TAG_BYTES]);
    tag
}

/// What an attendee's phone holds to mint live codes of one ticket: the signed first part, and the
/// ticket's live key. Secret: who has it is the ticket.
#[derive(Clone)]
pub struct LiveBase {
    base: CodeBytes,
    live_key: KeyBytes,
}

impl LiveBase {
    pub(super) const fn new(base: CodeBytes, live_key: KeyBytes) -> Self {
        Self { base, live_key }
    }

    /// The code for a moment (UTC milliseconds; the code holds whole seconds, rounded down).
    #[must_use]
    pub fn mint(&self, minted_at_ms: i64) -> TicketCode {
        let body = self.base.push(&seconds_down(minted_at_ms).to_be_bytes());
        let tag = live_tag(&KeyedMac::new(self.live_key.expose()), body.as_slice());
        TicketCode(body.push(&tag))
    }
}

impl fmt::Debug for LiveBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LiveBase(…)")
    }
}

/// How a server hands a live base to a wallet.
#[derive(Serialize, Deserialize)]
#[serde(rename = "LiveBase")]
struct Wire {
    /// The signed part: base64url without padding.
    base: String,
    /// The ticket's live key.
    live_key: KeyBytes,
}

impl Serialize for LiveBase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let base = BASE64URL_NOPAD.encode(self.base.as_slice());
        Wire { base, live_key: self.live_key.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LiveBase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let base = Zeroizing::new(wire.base);
        let base = base_bytes(&base).ok_or_else(|| {
            D::Error::custom("the base of a live code is 48 or 96 bytes as base64url, of the kind live")
        })?;
        Ok(Self { base, live_key: wire.live_key })
    }
}

/// The base, if it would make a well-formed live code.
fn base_bytes(text: &str) -> Option<CodeBytes> {
    if text.len() > BASE64URL_NOPAD.encode_len(MAX_CODE_BYTES) {
        return None;
    }
    let base = CodeBytes::empty().push(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?);
    let whole = base.push(&[0; MINTED_BYTES + LIVE_TAG_BYTES]);
    let code = SignedCode::from_code_bytes(whole).ok()?;
    (code.kind() == Kind::Live).then_some(base)
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for LiveBase {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};
        let text = || Object::builder().schema_type(SchemaType::Type(Type::String));
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Object))
            .description(Some("What a wallet holds to mint live codes of one ticket. Secret."))
            .property("base", text().description(Some("The signed part, base64url without padding")))
            .required("base")
            .property("live_key", text().description(Some("The live key, base64url without padding")))
            .required("live_key")
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for LiveBase {}
