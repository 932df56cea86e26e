//! Where a device keeps its token and its event keys: outside the ledger, which may be copied,
//! exported and inspected.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ids::EventId;

/// The name under which the device's bearer token is kept.
pub const DEVICE_TOKEN: &str = "device_token";

/// The name under which an event's keys are kept (their JSON form).
#[must_use]
pub fn event_keys_name(event_id: EventId) -> String {
    format!("event_keys.{event_id}")
}

/// The secret store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret store could not {action}: {detail}")]
pub struct SecretError {
    /// What was tried: `read`, `write` or `delete`, with the name of the secret.
    pub action: String,
    /// The cause. Never the secret.
    pub detail: String,
}

/// Keeps small secrets by name: the keystore of a phone, a private file, or memory.
///
/// Names consist of `a-z`, `0-9`, `_`, `-` and `.`, so that they can be file names.
pub trait SecretStore: Send + Sync {
    /// Keeps `value` under `name`, in place of what was there. Durable once it returns.
    ///
    /// # Errors
    /// [`SecretError`] if it could not be kept; then what was there before still is.
    fn put(&self, name: &str, value: &SecretString) -> Result<(), SecretError>;

    /// The value under `name`.
    ///
    /// # Errors
    /// [`SecretError`] if the store could not be read.
    fn get(&self, name: &str) -> Result<Option<SecretString>, SecretError>;

    /// Forgets `name`. No error if there is nothing.
    ///
    /// # Errors
    /// [`SecretError`] if it could not be removed.
    fn delete(&self, name: &str) -> Result<(), SecretError>;
}

/// A value that is kept as JSON; none also if it is damaged.
pub(crate) fn read_json<T: DeserializeOwned>(
    secrets: &dyn SecretStore,
    name: &str,
) -> Result<Option<T>, SecretError> {
    let Some(text) = secrets.get(name)? else { return Ok(None) };
    let value = serde_json::from_str(text.expose_secret());
    Ok(value.inspect_err(|_| tracing::warn!(name, "a value in the secret store is damaged")).ok())
}

/// Keeps a value as JSON.
pub(crate) fn write_json<T: Serialize>(
    secrets: &dyn SecretStore,
    name: &str,
    value: &T,
) -> Result<(), SecretError> {
    let text = serde_json::to_string(value).map_err(|error| SecretError {
        action: format!("write {name}"),
        detail: format!("not as JSON: {:?} error", error.classify()),
    })?;
    secrets.put(name, &SecretString::from(text))
}

/// Secrets that live as long as the process: for tests and the demo.
#[derive(Default)]
pub struct MemorySecrets(Mutex<HashMap<String, SecretString>>);

impl MemorySecrets {
    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<String, SecretString>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names held, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.map().keys().cloned().collect();
        names.sort();
        names
    }
}

impl std::fmt::Debug for MemorySecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl SecretStore for MemorySecrets {
    fn put(&self, name: &str, value: &SecretString) -> Result<(), SecretError> {
        self.map().insert(name.to_owned(), value.clone());
        Ok(())
    }

    fn get(&self, name: &str) -> Result<Option<SecretString>, SecretError> {
        Ok(self.map().get(name).cloned())
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.map().remove(name);
        Ok(())
    }
}
