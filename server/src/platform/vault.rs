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
    /// With a configured root secret.
    ///
    /// # Errors
    /// When it has the wrong length.
    pub fn configured(secret: &SecretString, entropy: Arc<dyn Entropy>) -> Result<Self, VaultError> {
        Ok(Self::new(&decode(secret.expose_secret())?, entropy))
    }

    /// With the root secret in `data_dir`, which a `first` start makes (readable by its owner only).
    ///
    /// # Errors
    /// When the file cannot be used, or is not there though this is not the first start: a new secret
    /// would open nothing that was sealed with the old one.
    pub fn open(data_dir: &Path, first: bool, entropy: Arc<dyn Entropy>) -> Result<Self, VaultError> {
        let path = data_dir.join(FILE);
        let unusable = |error: std::io::Error| VaultError::File {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        if first && !path.try_exists().map_err(unusable)? {
            create(&path, entropy.as_ref()).map_err(unusable)?;
        }
        let text = fs::read_to_string(&path).map_err(unusable)?;
        Ok(Self::new(&decode(&text)?, entropy))
    }

    fn new(root: &SecretBox<[u8; 32]>, entropy: Arc<dyn Entropy>) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&Key::from(*root.expose_secret())), entropy }
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

/// Made whole beside its place and then put there: a crash leaves no half secret, and of two first
/// starts at once one makes it and both use it.
fn create(path: &Path, entropy: &dyn Entropy) -> std::io::Result<()> {
    let mut secret = [0_u8; 32];
    entropy.fill(&mut secret);
    let folder = path.parent().unwrap_or(Path::new("."));
    // For its owner only, and gone by itself if it is not put in place.
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(BASE64URL_NOPAD.encode(&secret).as_bytes())?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(path) {
        Err(failed) if failed.error.kind() != std::io::ErrorKind::AlreadyExists => Err(failed.error),
        // Without this the name may be lost with the power, and with it all that is sealed.
        _ => sync_folder(folder),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
const fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    Ok(())
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
        let vault = Vault::open(dir.path(), true, entropy.clone()).unwrap();
        let again = Vault::open(dir.path(), false, entropy.clone()).unwrap();
        let stranger = Vault::open(other.path(), true, entropy).unwrap();
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
        Vault::open(dir.path(), true, Arc::new(FixedEntropy::new(1))).unwrap();
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_lost_secret_is_not_replaced_by_another() {
        let dir = tempfile::tempdir().unwrap();
        let error = Vault::open(dir.path(), false, Arc::new(FixedEntropy::new(1))).unwrap_err();
        assert!(matches!(error, VaultError::File { .. }) && !dir.path().join(FILE).exists(), "{error}");
    }

    #[test]
    fn first_starts_at_once_agree_on_one_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        create(&path, &FixedEntropy::new(1)).unwrap();
        let first = fs::read(&path).unwrap();
        create(&path, &FixedEntropy::new(2)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left");
    }
}
