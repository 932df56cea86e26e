//! Newtype ids: a UUID each (version 7 when Liventix makes it), so that a gate can never be passed
//! where a ticket is meant. Text form is the hyphenated lower-case UUID of RFC 9562.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Builder, Uuid};

use crate::entropy::Entropy;

/// A text that is not a UUID was given where an id is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} is not a valid id: expected a UUID such as 01930f2e-7c1a-7b3c-9d4e-5f60718293a4")]
pub struct IdError {
    /// What the id should have named, e.g. `ticket id`.
    pub kind: &'static str,
}

/// Makes a UUIDv7 (RFC 9562 §5.7) from a time and 74 bits of randomness.
///
/// `unix_ms` is UTC milliseconds; a time before 1970 counts as 1970.
fn new_v7(unix_ms: i64, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0_u8; 10];
    entropy.fill(&mut random);
    Builder::from_unix_timestamp_millis(u64::try_from(unix_ms).unwrap_or(0), &random).into_uuid()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new UUIDv7 for the moment `unix_ms` (UTC milliseconds).
            #[must_use]
            pub fn generate(unix_ms: i64, entropy: &dyn Entropy) -> Self {
                Self(new_v7(unix_ms, entropy).into_bytes())
            }

            /// The id with these 16 bytes, big endian.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes, big endian.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&Uuid::from_bytes(self.0).hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text)
                    .map(|uuid| Self(uuid.into_bytes()))
                    .map_err(|_| IdError { kind: $kind })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut buffer = Uuid::encode_buffer();
                serializer.serialize_str(Uuid::from_bytes(self.0).hyphenated().encode_lower(&mut buffer))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a ", $kind, " (UUID text)"))
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, SchemaType, Type};
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .format(Some(SchemaFormat::Custom("uuid".into())))
                    .description(Some(concat!("A ", $kind, ": UUID text, version 7 when made by Liventix.")))
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    };
}

id!(/// Who sells the tickets; the tenant everything else belongs to.
    OrganiserId, "organiser id");
id!(/// One event of an organiser.
    EventId, "event id");
id!(/// A place where tickets are scanned.
    GateId, "gate id");
id!(/// A kind of ticket of one event, with its own rules.
    TicketTypeId, "ticket type id");
id!(/// One ticket. The id stays when its code is reissued.
    TicketId, "ticket id");
id!(/// An enrolled scanner.
    DeviceId, "device id");
id!(/// One ledger file of a device. A new file is a new ledger, with a hash chain of its own.
    LedgerId, "ledger id");
id!(/// One scan: an attempt at a gate, whatever came of it.
    ScanId, "scan id");
id!(/// A phone that a server may send push messages to.
    PushDeviceId, "push device id");
id!(/// One push message to one phone.
    PushMessageId, "push message id");

impl ScanId {
    /// The moment inside a version 7 id (UTC milliseconds).
    #[must_use]
    pub const fn unix_ms(&self) -> i64 {
        let [a, b, c, d, e, f, ..] = self.0;
        i64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

impl EventId {
    /// The six bytes that stand for this event inside a ticket code: the last six of the id, which
    /// are random in a UUIDv7. They say which keys to try; the signature decides.
    #[must_use]
    pub fn short(&self) -> EventRef {
        let [.., a, b, c, d, e, f] = self.0;
        EventRef([a, b, c, d, e, f])
    }
}

/// The six bytes of an event id that a ticket code carries. See [`EventId::short`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventRef(pub [u8; 6]);

impl fmt::Debug for EventRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventRef(")?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::FixedEntropy;

    #[test]
    fn a_generated_id_is_version_7_and_carries_its_time() {
        let id = TicketId::generate(1_790_000_000_123, &FixedEntropy::new(7));
        let uuid = Uuid::from_bytes(*id.as_bytes());
        assert_eq!(uuid.get_version_num(), 7);
        let mut millis = [0_u8; 8];
        millis[2..].copy_from_slice(&id.as_bytes()[..6]);
        assert_eq!(i64::from_be_bytes(millis), 1_790_000_000_123);
    }

    #[test]
    fn text_and_json_round_trip() {
        let id = GateId::generate(1, &FixedEntropy::new(1));
        assert_eq!(id.to_string().parse::<GateId>(), Ok(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<GateId>(&json).unwrap(), id);
        assert!("not-a-uuid".parse::<GateId>().is_err());
    }
}
