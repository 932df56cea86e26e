//! Keys and certificates of one's own, made by OpenSSL, and what is signed with them.

use std::path::Path;
use std::process::Command;

use data_encoding::BASE64URL_NOPAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::PROJECT;

/// The service account.
pub(super) const ACCOUNT: &str = "push@liventix-test.iam.gserviceaccount.com";

pub(super) struct Keys {
    pub(super) folder: TempDir,
    apns: Vec<u8>,
    account: Vec<u8>,
}

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
    let done = done.expect("openssl: install the package openssl");
    assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

fn pkcs8(path: &Path) -> PrivatePkcs8KeyDer<'static> {
    PrivatePkcs8KeyDer::from_pem_file(path).expect("a private key")
}

impl Keys {
    pub(super) fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let curve = "-pkeyopt ec_paramgen_curve:P-256";
        openssl(path, &format!("genpkey -algorithm EC {curve} -out AuthKey.p8"));
        openssl(path, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out account.pem");
        openssl(
            path,
            &format!(
                "req -x509 -newkey ec {curve} -nodes -days 7 -subj /CN=push -keyout ca.key -out ca.pem \
                      -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
            )
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        );
        openssl(
            path,
            &format!("req -newkey ec {curve} -nodes -subj /CN=localhost -keyout server.key -out server.csr"),
        );
        std::fs::write(path.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").expect("a file");
        openssl(
            path,
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 7 -extfile names -out server.pem",
        );
        let random = ring::rand::SystemRandom::new();
        let apns = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            pkcs8(&path.join("AuthKey.p8")).secret_pkcs8_der(),
            &random,
        );
        let apns = apns.expect("a key of P-256").public_key().as_ref().to_vec();
        let account = RsaKeyPair::from_pkcs8(pkcs8(&path.join("account.pem")).secret_pkcs8_der());
        let account = account.expect("an RSA key").public_key().as_ref().to_vec();
        Self { folder, apns, account }
    }

    /// The service account that signs in at `url`.
    pub(super) fn write_account(&self, url: &str) {
        let path = self.folder.path();
        let key = std::fs::read_to_string(path.join("account.pem")).expect("the key");
        let account = json!({
            "type": "service_account", "project_id": PROJECT, "private_key_id": "key-1", "private_key": key,
            "client_email": ACCOUNT, "client_id": "1", "token_uri": format!("{url}/token"),
        });
        std::fs::write(path.join("service-account.json"), account.to_string()).expect("a file");
    }

    /// What a token of Apple's kind says, if its signature is right: header and claims.
    pub(super) fn of_apns(&self, token: &str) -> Option<(Value, Value)> {
        read(token, |signed, signature| {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.apns).verify(signed, signature).is_ok()
        })
    }

    /// The same of Google's kind.
    pub(super) fn of_account(&self, token: &str) -> Option<(Value, Value)> {
        read(token, |signed, signature| {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.account)
                .verify(signed, signature)
                .is_ok()
        })
    }
}

fn read(token: &str, is_signed: impl Fn(&[u8], &[u8]) -> bool) -> Option<(Value, Value)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    if !is_signed(signed.as_bytes(), &decode(signature)?) {
        return None;
    }
    let json = |text: &str| serde_json::from_slice(&decode(text)?).ok();
    Some((json(header)?, json(claims)?))
}
