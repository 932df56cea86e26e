//! Bearer tokens: `lx_<id>_<secret>` for API keys, `lxd_<id>_<secret>` for devices, `lxw_<id>_<secret>` for
//! wallets (which make their own), `lxs_<id>_<secret>` for sessions of people. The token of a claim link,
//! `lxt_<ticket id>_<secret>`, of an invitation, `lxi_<id>_<secret>`, of a link that signs somebody in, `lxl_<id>_<secret>`,
//! and of an order, `lxo_<order id>_<secret>`, has the same form.
//!
//! The id finds the row; the secret is 256 random bits, of which the row holds the SHA-256 only. A slow
//! password hash would add nothing: there is no guessing 256 bits.

use std::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use liventix_core::entropy::Entropy;
use liventix_core::ids::DeviceId;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

/// An API key's id. As a scanner, the key goes by this id too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ApiKeyId(pub DeviceId);

/// A wallet's id: made by the phone, like the rest of its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WalletId([u8; 16]);

impl WalletId {
    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes, as a column holds them.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Its bytes as hex digits, as they stand in the wallet's token.
    #[must_use]
    pub fn hex(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }
}

/// Whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An organiser's API key.
    ApiKey,
    /// A device's.
    Device,
    /// A wallet's.
    Wallet,
    /// A claim link's; its id is the ticket's.
    Link,
    /// A session's.
    Session,
    /// An invitation's.
    Invitation,
    /// That of a link that signs somebody in.
    SignInLink,
    /// An order's, in the hands of its buyer.
    Order,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::ApiKey => "lx",
            Self::Device => "lxd",
            Self::Wallet => "lxw",
            Self::Link => "lxt",
            Self::Session => "lxs",
            Self::Invitation => "lxi",
            Self::SignInLink => "lxl",
            Self::Order => "lxo",
        }
    }
}

/// A token as it was presented or made.
pub struct Token {
    /// Whose it is.
    pub kind: Kind,
    /// Which one.
    pub id: [u8; 16],
    secret: SecretBox<[u8; 32]>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:?}, {})", self.kind, HEXLOWER.encode(&self.id))
    }
}

impl Token {
    /// A new one for `id`.
    #[must_use]
    pub fn generate(kind: Kind, id: [u8; 16], entropy: &dyn Entropy) -> Self {
        let mut secret = [0_u8; 32];
        entropy.fill(&mut secret);
        Self { kind, id, secret: SecretBox::new(Box::new(secret)) }
    }

    /// Reads one; none if the text is not a token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 100 {
            return None;
        }
        let mut parts = text.splitn(3, '_');
        let kind = match parts.next()? {
            "lx" => Kind::ApiKey,
            "lxd" => Kind::Device,
            "lxw" => Kind::Wallet,
            "lxt" => Kind::Link,
            "lxs" => Kind::Session,
            "lxi" => Kind::Invitation,
            "lxl" => Kind::SignInLink,
            "lxo" => Kind::Order,
            _ => return None,
        };
        let id = HEXLOWER.decode(parts.next()?.as_bytes()).ok()?.try_into().ok()?;
        let secret = BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok()?.try_into().ok()?;
        Some(Self { kind, id, secret: SecretBox::new(Box::new(secret)) })
    }

    /// The text to hand out, once.
    #[must_use]
    pub fn text(&self) -> SecretString {
        let secret = BASE64URL_NOPAD.encode(self.secret.expose_secret());
        format!("{}_{}_{secret}", self.kind.prefix(), HEXLOWER.encode(&self.id)).into()
    }

    /// The secret alone, for sealing.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        self.secret.expose_secret()
    }

    /// A token that was sealed.
    #[must_use]
    pub fn unsealed(kind: Kind, id: [u8; 16], secret: [u8; 32]) -> Self {
        Self { kind, id, secret: SecretBox::new(Box::new(secret)) }
    }

    /// What the row holds.
    #[must_use]
    pub fn secret_hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret.expose_secret()).into()
    }

    /// Whether the row's hash is of this secret, in constant time.
    #[must_use]
    pub fn fits(&self, hash: &[u8; 32]) -> bool {
        self.secret_hash().ct_eq(hash).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use liventix_core::entropy::FixedEntropy;

    #[test]
    fn a_token_round_trips_and_hides_its_secret() {
        let token = Token::generate(Kind::Device, [3; 16], &FixedEntropy::new(1));
        let text = token.text();
        let read = Token::parse(text.expose_secret()).unwrap();
        assert!(read.fits(&token.secret_hash()) && read.kind == Kind::Device && read.id == [3; 16]);
        assert!(!format!("{token:?}").contains(&text.expose_secret()[40..]));
        for bad in ["", "lx", "lx_1_2", "ly_00_00", &"lx_".repeat(50)] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
    }
}
