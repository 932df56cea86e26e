//! The host's keystore behind the core's secret store.

use std::sync::Arc;

use liventix_core::sync::{SecretError, SecretStore as CoreStore};
use secrecy::{ExposeSecret as _, SecretString};

/// A secret could not be kept, read or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum SecretStoreError {
    /// The keystore failed. Never put the secret into `detail`.
    #[error("{detail}")]
    Failed {
        /// What the keystore said, e.g. `errSecInteractionNotAllowed`.
        detail: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for SecretStoreError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { detail: error.reason }
    }
}

/// Keeps small secrets by name: the Keychain on Apple systems, a file encrypted with an Android Keystore
/// key. Tokens, event keys and tickets are kept here and nowhere else.
///
/// Called from any thread. Names consist of `a-z`, `0-9`, `_`, `-` and `.`; values are texts of some
/// kilobytes. They must be readable while the device is locked after its first unlock, if scans are to be
/// uploaded in the background.
#[uniffi::export(with_foreign)]
pub trait SecretStore: Send + Sync {
    /// Keeps `value` under `name`, in place of what was there. Durable once it returns.
    ///
    /// # Errors
    /// If it could not be kept; then what was there before still is.
    fn put(&self, name: String, value: String) -> Result<(), SecretStoreError>;

    /// The value under `name`, if there is one.
    ///
    /// # Errors
    /// If the store could not be read.
    fn get(&self, name: String) -> Result<Option<String>, SecretStoreError>;

    /// Forgets `name`. No error if there is nothing.
    ///
    /// # Errors
    /// If it could not be removed.
    fn delete(&self, name: String) -> Result<(), SecretStoreError>;
}

/// The host's store as the core sees it.
pub(crate) struct HostSecrets(pub(crate) Arc<dyn SecretStore>);

impl HostSecrets {
    fn failed(action: &str, name: &str, error: SecretStoreError) -> SecretError {
        let SecretStoreError::Failed { detail } = error;
        SecretError { action: format!("{action} {name}"), detail }
    }
}

impl CoreStore for HostSecrets {
    fn put(&self, name: &str, value: &SecretString) -> Result<(), SecretError> {
        let put = self.0.put(name.to_owned(), value.expose_secret().to_owned());
        put.map_err(|error| Self::failed("write", name, error))
    }

    fn get(&self, name: &str) -> Result<Option<SecretString>, SecretError> {
        match self.0.get(name.to_owned()) {
            Ok(value) => Ok(value.map(SecretString::from)),
            Err(error) => Err(Self::failed("read", name, error)),
        }
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.0.delete(name.to_owned()).map_err(|error| Self::failed("delete", name, error))
    }
}
