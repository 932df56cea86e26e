//! A secret store that breaks on request, and whose values a test can damage.

use std::sync::Mutex;

use liventix_core::sync::{MemorySecrets, SecretError, SecretStore};
use secrecy::{ExposeSecret, SecretString};

/// Works until told to fail.
#[derive(Default)]
pub(crate) struct BrittleSecrets {
    pub(crate) inner: MemorySecrets,
    /// Calls since the last [`BrittleSecrets::break_from`], and the one from which on they fail.
    calls: Mutex<(usize, Option<usize>)>,
}

impl BrittleSecrets {
    /// From its `call`-th call on (counted from 0) the store fails; none heals it.
    pub(crate) fn break_from(&self, call: Option<usize>) {
        *self.calls.lock().unwrap() = (0, call);
    }

    /// Calls since then.
    pub(crate) fn calls(&self) -> usize {
        self.calls.lock().unwrap().0
    }

    /// The text of the value whose name starts with `start`.
    pub(crate) fn text(&self, start: &str) -> Option<String> {
        let name = self.inner.names().into_iter().find(|name| name.starts_with(start))?;
        self.inner.get(&name).unwrap().map(|text| text.expose_secret().to_owned())
    }

    /// Puts `text` in the place of every value whose name starts with `start`; none takes them away.
    pub(crate) fn damage(&self, start: &str, text: Option<&str>) {
        for name in self.inner.names().into_iter().filter(|name| name.starts_with(start)) {
            match text {
                Some(text) => self.inner.put(&name, &SecretString::from(text)).unwrap(),
                None => self.inner.delete(&name).unwrap(),
            }
        }
    }

    fn count(&self, action: &str) -> Result<(), SecretError> {
        let mut calls = self.calls.lock().unwrap();
        calls.0 += 1;
        match calls.1 {
            Some(first) if calls.0 > first => {
                Err(SecretError { action: action.to_owned(), detail: "locked".to_owned() })
            }
            _ => Ok(()),
        }
    }
}

impl SecretStore for BrittleSecrets {
    fn put(&self, name: &str, value: &SecretString) -> Result<(), SecretError> {
        assert!(
            name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.')),
            "{name}"
        );
        self.count("write")?;
        self.inner.put(name, value)
    }

    fn get(&self, name: &str) -> Result<Option<SecretString>, SecretError> {
        self.count("read")?;
        self.inner.get(name)
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.count("delete")?;
        self.inner.delete(name)
    }
}
