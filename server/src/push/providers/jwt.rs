//! Signed tokens (RFC 7515, RFC 7519): what both services want to see who calls.

use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

/// What tokens are signed with.
pub(super) enum SigningKey {
    /// ES256.
    Ec(EcdsaKeyPair),
    /// RS256.
    Rsa(RsaKeyPair),
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// An elliptic key (PKCS#8 as PEM), as Apple gives them.
    pub(super) fn ec(pem: &[u8]) -> Result<Self, String> {
        let key = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            pkcs8(pem)?.secret_pkcs8_der(),
            &SystemRandom::new(),
        );
        key.map(Self::Ec).map_err(|error| format!("it is no key of the curve P-256: {error}"))
    }

    /// An RSA key (PKCS#8 as PEM), as Google gives them.
    pub(super) fn rsa(pem: &[u8]) -> Result<Self, String> {
        let key = RsaKeyPair::from_pkcs8(pkcs8(pem)?.secret_pkcs8_der());
        key.map(Self::Rsa).map_err(|error| format!("it is no RSA key: {error}"))
    }

    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Ec(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ring::error::Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(key) => key.sign(&random, text).map(|signature| signature.as_ref().to_vec()),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)?;
                Ok(signature)
            }
        }
    }

    /// A token that says `claims`, signed by the key that is called `key_id`.
    pub(super) fn token(&self, key_id: &str, claims: &Value) -> Result<String, String> {
        let header = serde_json::json!({ "alg": self.algorithm(), "kid": key_id, "typ": "JWT" });
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.sign(signed.as_bytes()).map_err(|_| "the key does not sign".to_owned())?;
        Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
    }
}

fn pkcs8(pem: &[u8]) -> Result<PrivatePkcs8KeyDer<'static>, String> {
    PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|error| format!("it holds no private key: {error}"))
}
