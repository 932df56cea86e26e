//! Text forms shared by several types.

use serde::{Deserialize, Deserializer, de::Error};

/// Reads exactly `N` bytes from base64url text without padding (RFC 4648 §5).
pub(crate) fn base64_bytes<'de, const N: usize, D: Deserializer<'de>>(
    deserializer: D,
    what: &'static str,
) -> Result<[u8; N], D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    // Checked before decoding: a long text costs nothing.
    if text.len() != data_encoding::BASE64URL_NOPAD.encode_len(N) {
        return Err(D::Error::custom(format_args!("{what} has {N} bytes as base64url without padding")));
    }
    data_encoding::BASE64URL_NOPAD
        .decode(text.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| D::Error::custom(format_args!("{what} is not base64url")))
}

/// An OpenAPI schema for a type whose JSON form is a string.
#[cfg(feature = "openapi")]
macro_rules! openapi_text {
    ($name:ident, $description:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .description(Some($description))
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}
    };
}
#[cfg(feature = "openapi")]
pub(crate) use openapi_text;
