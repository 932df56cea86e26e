//! Secrets at rest: sealed with the root secret, which lives outside the database.
//!
//! XChaCha20-Poly1305 with a random 24-byte nonce before the box. The context (what it is, whose it is)
//! is authenticated, so that a sealed value moved to another row does not open.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use data_encoding::BASE64URL_NOPAD;
use liventix_core::entropy::Entropy;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};

const NONCE: usize = 24;
const FILE: &str = "root.secret";

/// Why a secret is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The configured root secret is not 32 bytes.
    #[error("root_secret must be 32 random bytes as base64url without padding (43 characters)")]
    BadRootSecret,
    /// The file in the data directory cannot be read or made.
    #[error("cannot use {path}: {reason}. Restore it from your backup, or set LIVENTIX_ROOT_SECRET")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A sealed value does not open: another root secret, or a damaged row.
    #[error("a sealed value does not open: the root secret is not the one it was sealed with")]
    DoesNotOpen,
    /// A value could not be sealed.
    #[error("a value could not be sealed")]
    DoesNotSeal,
}

/// Seals and opens.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// With the configured root secret, or the one in `data_dir`, which the first start makes
    /// (readable by its owner only).
    ///
    /// # Errors
    /// When the secret has the wrong length or the file cannot be used.
    pub fn open(
        configured: Option<&SecretString>,
        data_dir: &Path,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, VaultError> {
        let root = match configured {
            Some(text) => decode(text.expose_secret())?,
            None => from_file(&data_dir.join(FILE), entropy.as_ref())?,
        };
        Ok(Self { cipher: XChaCha20Poly1305::new(&Key::from(*root.expose_secret())), entropy })
    }

    /// Seals `secret` for `context`.
    ///
    /// # Errors
    /// Only for values of many gigabytes.
    pub fn seal(&self, context: &[u8], secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0_u8; NONCE];
        self.entropy.fill(&mut nonce);
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: context })
            .map_err(|_| VaultError::DoesNotSeal)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for `context`.
    ///
    /// # Errors
    /// When it was sealed with another root secret or for another context, or was altered.
    pub fn unseal(&self, context: &[u8], sealed: &[u8]) -> Result<SecretBox<Vec<u8>>, VaultError> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(VaultError::DoesNotOpen)?;
        self.cipher
            .decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: context })
            .map(|secret| SecretBox::new(Box::new(secret)))
            .map_err(|_| VaultError::DoesNotOpen)
    }
}

fn decode(text: &str) -> Result<SecretBox<[u8; 32]>, VaultError> {
    let bytes = BASE64URL_NOPAD.decode(text.trim().as_bytes()).map_err(|_| VaultError::BadRootSecret)?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| VaultError::BadRootSecret)?;
    Ok(SecretBox::new(Box::new(bytes)))
}

fn from_file(path: &Path, entropy: &dyn Entropy) -> Result<SecretBox<[u8; 32]>, VaultError> {
    let unusable = |error: std::io::Error| VaultError::File {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    match fs::read_to_string(path) {
        Ok(text) => decode(&text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut bytes = [0_u8; 32];
            entropy.fill(&mut bytes);
            create(path, &BASE64URL_NOPAD.encode(&bytes)).map_err(unusable)?;
            Ok(SecretBox::new(Box::new(bytes)))
        }
        Err(error) => Err(unusable(error)),
    }
}

/// Made whole beside its place and then put there: a crash leaves no half secret.
fn create(path: &Path, text: &str) -> std::io::Result<()> {
    let draft = path.with_extension("draft");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use liventix_core::entropy::FixedEntropy;

    #[test]
    fn opens_only_with_the_same_secret_for_the_same_context() {
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let entropy = Arc::new(FixedEntropy::new(1));
        let vault = Vault::open(None, dir.path(), entropy.clone()).unwrap();
        let again = Vault::open(None, dir.path(), entropy.clone()).unwrap();
        let stranger = Vault::open(None, other.path(), entropy).unwrap();
        let mut sealed = vault.seal(b"a", b"secret").unwrap();
        assert_eq!(again.unseal(b"a", &sealed).unwrap().expose_secret(), b"secret");
        assert!(again.unseal(b"b", &sealed).is_err());
        assert!(stranger.unseal(b"a", &sealed).is_err());
        sealed[30] ^= 1;
        assert!(again.unseal(b"a", &sealed).is_err());
        assert!(again.unseal(b"a", b"short").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_secret_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        Vault::open(None, dir.path(), Arc::new(FixedEntropy::new(1))).unwrap();
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
