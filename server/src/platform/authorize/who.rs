//! Who asks for what, and from where.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use liventix_core::ids::{DeviceId, OrganiserId};

use super::actions::Action;
use crate::platform::auth::{ApiKeyId, WalletId};
use crate::platform::ids::{SessionId, UserId};
use crate::platform::request_id;

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A person, by one of their sessions.
    User {
        /// The person.
        user_id: UserId,
        /// The session.
        session_id: SessionId,
    },
    /// An organiser's program.
    ApiKey(ApiKeyId),
    /// A scanner.
    Device(DeviceId),
    /// An attendee's phone.
    Wallet(WalletId),
    /// Whoever runs this installation, by its command line or the admin token.
    Operator,
    /// A payment provider, by what it answers.
    Provider,
    /// Nobody known: a sign-in that failed, a link opened.
    Nobody,
}

impl Actor {
    /// The kind, as the audit trail has it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::ApiKey(_) => "api_key",
            Self::Device(_) => "device",
            Self::Wallet(_) => "wallet",
            Self::Operator => "operator",
            Self::Provider => "provider",
            Self::Nobody => "nobody",
        }
    }

    /// Its id, where there is one.
    #[must_use]
    pub fn id(self) -> Option<[u8; 16]> {
        match self {
            Self::User { user_id, .. } => Some(*user_id.as_bytes()),
            Self::ApiKey(id) => Some(*id.0.as_bytes()),
            Self::Device(id) => Some(*id.as_bytes()),
            Self::Wallet(id) => Some(id.to_bytes()),
            Self::Operator | Self::Provider | Self::Nobody => None,
        }
    }
}

/// From where, as far as the audit trail keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The request's id.
    pub request_id: Option<String>,
    /// The network: see [`network`].
    pub network: Option<String>,
}

/// Who does something that goes on record.
#[derive(Debug, Clone)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// What people call them, at that time.
    pub name: String,
    /// From where.
    pub origin: Origin,
}

impl By {
    /// The one who runs this installation, on its command line.
    #[must_use]
    pub fn command_line() -> Self {
        Self { actor: Actor::Operator, name: "command line".to_owned(), origin: Origin::default() }
    }

    /// The one who runs this installation, by the admin token.
    #[must_use]
    pub fn admin_token(origin: Origin) -> Self {
        Self { actor: Actor::Operator, name: "admin token".to_owned(), origin }
    }

    /// A payment provider of this name.
    #[must_use]
    pub fn provider(name: &str) -> Self {
        let origin = Origin { request_id: request_id::current(), network: None };
        Self { actor: Actor::Provider, name: name.to_owned(), origin }
    }
}

/// Who asks for what, of which tenant.
#[derive(Debug, Clone)]
pub struct Who {
    /// The tenant.
    pub organiser_id: OrganiserId,
    /// For what.
    pub action: Action,
    /// Who.
    pub by: By,
}

impl Who {
    /// The same one, asking for something else.
    #[must_use]
    pub fn asking(&self, action: Action) -> Self {
        Self { action, ..self.clone() }
    }
}

/// The network an address is in: of IPv4 the first three bytes, of IPv6 the first 48 bits. It tells a
/// sign-in from the office from one from abroad, and not one household from the next.
#[must_use]
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("{}/24", Ipv4Addr::from(address.to_bits() & 0xffff_ff00)),
        IpAddr::V6(address) => format!("{}/48", Ipv6Addr::from(address.to_bits() >> 80 << 80)),
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn an_address_becomes_its_network() {
        for (given, kept) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ] {
            assert_eq!(network(given.parse().unwrap()), kept);
        }
    }
}
