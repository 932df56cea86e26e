//! What a phone keeps about push messages, all of it in the secret store: its token, where telling each server stands, what
//! happened when it asked, and receipts that wait for a network.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::permission::{Permission, PromptHistory};
use super::registration::Registration;
use super::token::{PushService, PushToken};
use super::wire::ReceiptKind;
use crate::ids::PushMessageId;
use crate::sync::secrets::{SecretError, SecretStore, read_json, write_json};

const PHONE: &str = "push.phone";
const SERVERS: &str = "push.servers";
const RECEIPTS: &str = "push.receipts";
/// So many receipts wait at most; the oldest go first.
const MAX_WAITING: usize = 500;

/// The phone's side of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Phone {
    token: Option<(PushService, String)>,
    permission: Option<Permission>,
    #[serde(default)]
    pub(super) prompts: PromptHistory,
}

impl Phone {
    /// The token, if the app has one and messages would be shown. Both systems give tokens without asking anybody.
    pub(super) fn wanted(&self) -> Option<PushToken> {
        let is_on = self.permission.is_none_or(Permission::is_on);
        let (service, text) = self.token.as_ref().filter(|_| is_on)?;
        PushToken::parse(*service, text).ok()
    }

    pub(super) fn set_token(&mut self, token: Option<&PushToken>) {
        self.token = token.map(|token| (token.service(), token.as_str().to_owned()));
    }

    pub(super) fn set_permission(&mut self, permission: Permission) {
        self.permission = Some(permission);
    }
}

/// A receipt that its server has not got yet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) server_url: String,
    pub(super) message_id: PushMessageId,
    pub(super) kind: ReceiptKind,
    /// When it happened (the phone's clock, UTC milliseconds).
    pub(super) at: i64,
}

impl Waiting {
    fn is_same(&self, other: &Self) -> bool {
        (self.message_id, self.kind, &self.server_url) == (other.message_id, other.kind, &other.server_url)
    }
}

/// The registrar's part of the secret store.
pub(super) struct Keeper {
    secrets: Arc<dyn SecretStore>,
    /// Held while a value is read, changed and written back.
    changing: Mutex<()>,
}

impl Keeper {
    pub(super) fn new(secrets: Arc<dyn SecretStore>) -> Self {
        Self { secrets, changing: Mutex::new(()) }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn phone(&self) -> Result<Phone, SecretError> {
        Ok(read_json(&*self.secrets, PHONE)?.unwrap_or_default())
    }

    /// Changes what is kept of the phone. Nothing is written if nothing changes.
    pub(super) fn change_phone(&self, change: impl FnOnce(&mut Phone)) -> Result<(), SecretError> {
        let _changing = self.changing();
        let before = self.phone()?;
        let mut phone = before.clone();
        change(&mut phone);
        if phone == before { Ok(()) } else { write_json(&*self.secrets, PHONE, &phone) }
    }

    /// Changes what is kept of the servers. It is given none if what was kept is damaged: any of them may have a token then.
    pub(super) fn change_servers<T>(
        &self,
        change: impl FnOnce(Option<BTreeMap<String, Registration>>) -> (BTreeMap<String, Registration>, T),
    ) -> Result<T, SecretError> {
        let _changing = self.changing();
        let kept = match read_json(&*self.secrets, SERVERS)? {
            None if self.secrets.get(SERVERS)?.is_none() => Some(BTreeMap::new()),
            kept => kept,
        };
        let (servers, value) = change(kept.clone());
        if kept.as_ref() != Some(&servers) {
            write_json(&*self.secrets, SERVERS, &servers)?;
        }
        Ok(value)
    }

    /// Changes where one server stands, if it is still among them.
    pub(super) fn change_server<T>(
        &self,
        server_url: &str,
        change: impl FnOnce(&mut Registration) -> T,
    ) -> Result<Option<T>, SecretError> {
        self.change_servers(|servers| {
            let mut servers = servers.unwrap_or_default();
            let value = servers.get_mut(server_url).map(change);
            (servers, value)
        })
    }

    pub(super) fn receipts(&self) -> Result<Vec<Waiting>, SecretError> {
        Ok(read_json(&*self.secrets, RECEIPTS)?.unwrap_or_default())
    }

    /// Keeps a receipt until its server has it. One that waits already stays as it is.
    pub(super) fn put_receipt(&self, receipt: Waiting) -> Result<(), SecretError> {
        let _changing = self.changing();
        let mut receipts = self.receipts()?;
        if receipts.iter().any(|waiting| waiting.is_same(&receipt)) {
            return Ok(());
        }
        receipts.push(receipt);
        let too_many = receipts.len().saturating_sub(MAX_WAITING);
        receipts.drain(..too_many);
        write_json(&*self.secrets, RECEIPTS, &receipts)
    }

    /// Forgets receipts: their server has them, or never will.
    pub(super) fn remove_receipts(&self, done: &[Waiting]) -> Result<(), SecretError> {
        let _changing = self.changing();
        let mut receipts = self.receipts()?;
        receipts.retain(|waiting| !done.iter().any(|done| done.is_same(waiting)));
        write_json(&*self.secrets, RECEIPTS, &receipts)
    }
}
