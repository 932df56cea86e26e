//! Mail that arrives, once.
//!
//! A mail is a row, written by the transaction that causes it, with a key so that it is written once. A worker composes
//! it, keeps what it composed, and hands it to a provider: the same at every try, with the same key, so that a provider
//! that knows keys takes it once however often it is asked. What a mail says, [`crate::mails`] knows. See
//! `docs/email.md`.
//!
//! **Invariant:** a try is on record before it is made, and completed after it.

mod chores;
mod content;
mod counted;
mod delivery;
pub(crate) mod desk;
mod header;
mod outbox;
mod pace;
mod providers;
pub mod routes;
mod send;
mod store;
pub mod suppressions;
mod types;

use std::sync::Arc;

pub(crate) use content::{Content, Part};
pub(crate) use desk::{Reputation, reputation};
pub(crate) use outbox::{put, wake};
use providers::Provider;
pub(crate) use send::{Composed, run, work};
pub use types::{Class, Delivery, EmailStatus, EmailView, TestRequest};
pub(crate) use types::{Email, NewEmail};

use crate::platform::config::{ConfigError, EmailConfig};
use crate::platform::queue::QueueSpec;
use crate::platform::smtp;

/// Tried at once, and then after 1, 5 and 30 seconds, 5 minutes and half an hour; then it is a dead letter.
/// Fifty at once, where the pace allows as many.
pub(crate) const QUEUE: QueueSpec = QueueSpec::new("email", 5, RETRIES).with_concurrency(50);
const RETRIES: &[u64] = &[1_000, 5_000, 30_000, 300_000, 1_800_000];

/// The same for mails to many, which go when nobody waits for another one.
pub(crate) const BULK: QueueSpec = QueueSpec::new("email_bulk", 5, RETRIES).with_concurrency(50);

/// Who takes mails, the one that is asked first first.
#[derive(Debug, Clone)]
pub(crate) struct Emails {
    providers: Arc<Vec<Provider>>,
    from: Option<lettre::message::Mailbox>,
}

impl Emails {
    /// As set up.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub(crate) fn new(config: &EmailConfig) -> Result<Self, ConfigError> {
        let from = config.from.as_deref().map(smtp::sender).transpose()?;
        Ok(Self { providers: Arc::new(Provider::all(config)?), from })
    }

    /// Whether mails are sent at all.
    pub(crate) fn are_on(&self) -> bool {
        self.from.is_some() && !self.providers.is_empty()
    }
}
