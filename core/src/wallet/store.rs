//! What a wallet keeps, all of it in the secret store: its identity at each server, its tickets one value
//! each, a list of them, and what time it is at their servers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::WalletError;
use super::wire::WalletTicket;
use crate::clock::TimeState;
use crate::entropy::Entropy;
use crate::ids::TicketId;
use crate::sync::secrets::{SecretError, SecretStore, read_json, write_json};

/// The ids of its tickets.
const INDEX: &str = "wallet.index";
/// The time at each server.
const TIMES: &str = "wallet.times";

/// The wallet's token at one server. Each has its own: none could act as this phone at another.
fn identity_name(server_url: &str) -> String {
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = Sha256::digest(server_url.as_bytes()).into();
    format!("wallet.identity.{}", HEXLOWER.encode(&[a, b, c, d, e, f, g, h]))
}

fn ticket_name(ticket_id: TicketId) -> String {
    format!("wallet.ticket.{ticket_id}")
}

/// A ticket in the wallet.
#[derive(Clone, Serialize, Deserialize)]
pub struct HeldTicket {
    /// The server that it is from.
    pub server_url: String,
    /// The ticket, as that server last told it.
    pub ticket: WalletTicket,
    /// When that was (server time, UTC milliseconds).
    pub refreshed_at: i64,
    /// The server no longer counts this phone as its holder: the ticket was reissued, changed hands, or
    /// was freed. Its codes may be refused; [`super::Wallet::forget`] takes it out of the wallet.
    #[serde(default)]
    pub gone: bool,
}

impl fmt::Debug for HeldTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldTicket")
            .field("server_url", &self.server_url)
            .field("ticket", &self.ticket)
            .field("gone", &self.gone)
            .finish_non_exhaustive()
    }
}

/// The wallet's part of the secret store.
pub(crate) struct Store {
    secrets: Arc<dyn SecretStore>,
    /// Held while a value is read, changed and written back.
    changing: Mutex<()>,
}

impl Store {
    pub(crate) fn new(secrets: Arc<dyn SecretStore>) -> Self {
        Self { secrets, changing: Mutex::new(()) }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SecretError> {
        read_json(&*self.secrets, name)
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), SecretError> {
        write_json(&*self.secrets, name, value)
    }

    /// The ids of the tickets. A damaged list is empty; the next refresh makes it anew.
    fn index(&self) -> Result<BTreeSet<TicketId>, SecretError> {
        Ok(self.read(INDEX)?.unwrap_or_default())
    }

    /// Every ticket that can be read.
    pub(super) fn tickets(&self) -> Result<Vec<HeldTicket>, SecretError> {
        let tickets = self.index()?.into_iter().map(|id| self.read(&ticket_name(id)));
        Ok(tickets.collect::<Result<Vec<Option<HeldTicket>>, _>>()?.into_iter().flatten().collect())
    }

    /// The servers that tickets are from; none if a ticket is damaged, for it may be from any.
    pub(super) fn servers(&self) -> Result<Option<Vec<String>>, SecretError> {
        let all = self.all_tickets()?;
        Ok(all.map(|tickets| tickets.into_iter().map(|held| held.server_url).collect()))
    }

    /// The servers that count this phone as the holder of a ticket; none if a ticket is damaged, for it may be from any.
    pub(crate) fn servers_of_held(&self) -> Result<Option<BTreeSet<String>>, SecretError> {
        let held = |tickets: Vec<HeldTicket>| {
            tickets.into_iter().filter(|held| !held.gone).map(|held| held.server_url).collect()
        };
        Ok(self.all_tickets()?.map(held))
    }

    /// Every ticket; none if one cannot be read.
    fn all_tickets(&self) -> Result<Option<Vec<HeldTicket>>, SecretError> {
        let tickets = self.tickets()?;
        Ok((tickets.len() == self.index()?.len()).then_some(tickets))
    }

    pub(super) fn ticket(&self, ticket_id: TicketId) -> Result<HeldTicket, WalletError> {
        match self.read(&ticket_name(ticket_id))? {
            Some(ticket) => Ok(ticket),
            None if self.index()?.contains(&ticket_id) => Err(WalletError::TicketDamaged { ticket_id }),
            None => Err(WalletError::TicketUnknown { ticket_id }),
        }
    }

    /// The ticket, if it is here and can be read.
    pub(super) fn find(&self, ticket_id: TicketId) -> Result<Option<HeldTicket>, SecretError> {
        self.read(&ticket_name(ticket_id))
    }

    /// Keeps a ticket. Its value comes before its place in the list: cut off between the two, it is
    /// claimed or refreshed again, and never listed without being there.
    pub(super) fn put(&self, held: &HeldTicket) -> Result<(), SecretError> {
        let _changing = self.changing();
        let ticket_id = held.ticket.ticket_id;
        self.write(&ticket_name(ticket_id), held)?;
        let mut index = self.index()?;
        if index.insert(ticket_id) { self.write(INDEX, &index) } else { Ok(()) }
    }

    /// Forgets a ticket. No error if it is not there; called again, it finishes what was cut off. Its
    /// place in the list goes first: as long as its value is there, its server can be told.
    pub(super) fn remove(&self, ticket_id: TicketId) -> Result<(), SecretError> {
        let _changing = self.changing();
        let mut index = self.index()?;
        if index.remove(&ticket_id) {
            self.write(INDEX, &index)?;
        }
        self.secrets.delete(&ticket_name(ticket_id))
    }

    /// The wallet's token at a server, if there is a good one.
    pub(crate) fn identity(&self, server_url: &str) -> Result<Option<SecretString>, SecretError> {
        let token = self.secrets.get(&identity_name(server_url))?;
        Ok(token.filter(|token| is_token(token.expose_secret())))
    }

    /// The wallet's token at a server; a new one if there is none. It is kept before anyone sees it.
    pub(super) fn identity_or_new(
        &self,
        server_url: &str,
        entropy: &dyn Entropy,
    ) -> Result<SecretString, SecretError> {
        let _changing = self.changing();
        if let Some(token) = self.identity(server_url)? {
            return Ok(token);
        }
        let (mut wallet_id, mut secret) = ([0; 16], Zeroizing::new([0; 32]));
        entropy.fill(&mut wallet_id);
        entropy.fill(&mut *secret);
        let secret = Zeroizing::new(BASE64URL_NOPAD.encode(&*secret));
        let token = SecretString::from(format!("lxw_{}_{}", HEXLOWER.encode(&wallet_id), *secret));
        self.secrets.put(&identity_name(server_url), &token)?;
        Ok(token)
    }

    pub(super) fn times(&self) -> Result<BTreeMap<String, TimeState>, SecretError> {
        Ok(self.read(TIMES)?.unwrap_or_default())
    }

    pub(super) fn put_times(&self, times: &BTreeMap<String, TimeState>) -> Result<(), SecretError> {
        self.write(TIMES, times)
    }
}

/// Whether a token is what [`Store::identity_or_new`] makes.
fn is_token(text: &str) -> bool {
    let secret =
        |secret: &str| BASE64URL_NOPAD.decode(secret.as_bytes()).is_ok_and(|bytes| bytes.len() == 32);
    let id = |id: &str| HEXLOWER.decode(id.as_bytes()).is_ok_and(|bytes| bytes.len() == 16);
    let parts = text.strip_prefix("lxw_").and_then(|rest| rest.split_once('_'));
    parts.is_some_and(|parts| id(parts.0) && secret(parts.1))
}
