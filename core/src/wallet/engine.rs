//! The wallet: what an app calls.

use std::collections::BTreeSet;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::sync::OwnedMutexGuard;

use super::clocks::Clocks;
use super::codes::{self, LiveCode, PrintedCode};
use super::error::WalletError;
use super::link::ClaimLink;
use super::store::{HeldTicket, Store};
use super::turns::Turns;
use super::wire::{ClaimRequest, MAX_PHONE_NAME, TransferOffer, WalletTicket, WalletTickets};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ids::TicketId;
use crate::resilience::{AsyncSleeper, TokioSleeper};
use crate::sync::call::{Call, Caller};
use crate::sync::secrets::SecretStore;
use crate::sync::transport::Connect;

/// Round trips that measure the clock, after one that opens the connection. The fastest wins.
const TIME_PROBES: usize = 3;

/// What a wallet works with. All of it is shared with the rest of the app.
#[derive(Clone)]
pub struct WalletParts {
    /// Where everything is kept.
    pub secrets: Arc<dyn SecretStore>,
    /// Measures round trips, and dates live codes.
    pub clock: Arc<dyn Clock>,
    /// The wallet's identity, and jitter between retries.
    pub entropy: Arc<dyn Entropy>,
}

/// What a refresh found.
#[derive(Debug, Default)]
pub struct RefreshReport {
    /// Tickets that are new or have changed.
    pub updated: Vec<TicketId>,
    /// Tickets that their server no longer counts as this phone's, found out now.
    pub gone: Vec<TicketId>,
    /// Servers that could not be asked. Their tickets are as they were.
    pub failed: Vec<RefreshFailure>,
}

/// A server that could not be asked.
#[derive(Debug)]
pub struct RefreshFailure {
    /// The server.
    pub server_url: String,
    /// Why.
    pub error: WalletError,
}

/// The tickets of one phone, of any number of servers.
///
/// Calls that need a server are `async`; they may be repeated at any time, and their futures dropped at
/// any point. The others never touch the network.
pub struct Wallet<C, S = TokioSleeper> {
    connector: C,
    sleeper: S,
    entropy: Arc<dyn Entropy>,
    store: Store,
    clocks: Clocks,
    turns: Turns,
}

impl<C, S> std::fmt::Debug for Wallet<C, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wallet").finish_non_exhaustive()
    }
}

/// One server, for as long as it is this caller's turn.
struct Server<T> {
    url: String,
    transport: T,
    token: SecretString,
    _turn: OwnedMutexGuard<()>,
}

impl<C: Connect> Wallet<C> {
    /// Opens the wallet that `parts.secrets` holds; an empty one if it holds none. Its retries wait on
    /// tokio's clock.
    ///
    /// # Errors
    /// [`WalletError::Secrets`] if the secret store cannot be read.
    pub fn open(connector: C, parts: WalletParts) -> Result<Self, WalletError> {
        Self::with_sleeper(connector, parts, TokioSleeper)
    }
}

impl<C: Connect, S: AsyncSleeper> Wallet<C, S> {
    /// [`Wallet::open`] with another way to wait between retries.
    ///
    /// # Errors
    /// As [`Wallet::open`].
    pub fn with_sleeper(connector: C, parts: WalletParts, sleeper: S) -> Result<Self, WalletError> {
        let store = Store::new(parts.secrets);
        let clocks = Clocks::restore(&store, parts.clock)?;
        let entropy = parts.entropy;
        Ok(Self { connector, sleeper, entropy, store, clocks, turns: Turns::default() })
    }

    /// Claims the ticket of a link for this phone and keeps it. Claimed before by this phone, it is
    /// fetched again. `phone_name` is what the organiser sees (1 to 80 characters).
    ///
    /// # Errors
    /// [`WalletError::AlreadyClaimed`], [`WalletError::LinkUnknown`], [`WalletError::LinkUsed`],
    /// [`WalletError::LinkExpired`], [`WalletError::TicketNotValid`],
    /// [`WalletError::OtherServer`], [`WalletError::PhoneName`]; or no network, or no secret store.
    pub async fn claim(&self, link: &ClaimLink, phone_name: &str) -> Result<HeldTicket, WalletError> {
        let request = ClaimRequest {
            token: link.token().expose_secret().to_owned(),
            phone_name: checked_name(phone_name)?.to_owned(),
        };
        self.check_server(link.ticket_id(), link.base_url())?;
        let token = self.store.identity_or_new(link.base_url(), &*self.entropy)?;
        let server = self.server(link.base_url(), token).await?;
        self.measure_time(&server).await?;
        let call = Call::post("claim", "/v1/wallet/claim".to_owned(), server.bearer(), &request)?;
        let ticket = self.ask(&server, &call).await?;
        self.keep(&server, &call, link.ticket_id(), ticket)
    }

    /// Every ticket that can be read, the next event first.
    ///
    /// # Errors
    /// [`WalletError::Secrets`] if the secret store cannot be read.
    pub fn tickets(&self) -> Result<Vec<HeldTicket>, WalletError> {
        let mut tickets = self.store.tickets()?;
        tickets.sort_by_key(|held| (held.ticket.event.starts_at, held.ticket.ticket_id));
        Ok(tickets)
    }

    /// One ticket.
    ///
    /// # Errors
    /// [`WalletError::TicketUnknown`], [`WalletError::TicketDamaged`], [`WalletError::Secrets`].
    pub fn ticket(&self, ticket_id: TicketId) -> Result<HeldTicket, WalletError> {
        self.store.ticket(ticket_id)
    }

    /// Asks every server what this phone holds there, and what time it is. A server that does not answer
    /// is in the report and changes nothing.
    ///
    /// # Errors
    /// [`WalletError::Secrets`] if the secret store cannot be read.
    pub async fn refresh(&self) -> Result<RefreshReport, WalletError> {
        let mut servers: BTreeSet<String> = self.clocks.known().into_iter().collect();
        servers.extend(self.store.tickets()?.into_iter().map(|held| held.server_url));
        let mut report = RefreshReport::default();
        for server_url in servers {
            if let Err(error) = self.refresh_server(&server_url, &mut report).await {
                tracing::warn!(server_url, code = error.code(), %error, "a server was not refreshed");
                report.failed.push(RefreshFailure { server_url, error });
            }
        }
        Ok(report)
    }

    async fn refresh_server(&self, server_url: &str, report: &mut RefreshReport) -> Result<(), WalletError> {
        let server = self.known_server(server_url).await?;
        self.measure_time(&server).await?;
        let call = Call::get("tickets", "/v1/wallet/tickets".to_owned(), server.bearer());
        let answer: WalletTickets = self.ask(&server, &call).await?;
        let mut listed = BTreeSet::new();
        for ticket in answer.tickets {
            let ticket_id = ticket.ticket_id;
            listed.insert(ticket_id);
            if self.check_server(ticket_id, server_url).is_err() {
                tracing::warn!(server_url, %ticket_id, "a server names another server's ticket; not taken");
                continue;
            }
            let before = self.store.find(ticket_id)?;
            let held = self.keep(&server, &call, ticket_id, ticket)?;
            if before.is_none_or(|before| before.gone || !is_same(&before.ticket, &held.ticket)) {
                report.updated.push(ticket_id);
            }
        }
        for held in self.store.tickets()? {
            let ticket_id = held.ticket.ticket_id;
            if held.server_url == server_url && !held.gone && !listed.contains(&ticket_id) {
                self.store.put(&HeldTicket { gone: true, ..held })?;
                report.gone.push(ticket_id);
            }
        }
        Ok(())
    }

    /// Activates live codes: from now on [`Self::live_code`] works without a network, and where the
    /// organiser says so, doors refuse the printed code. Activated before, it changes nothing.
    ///
    /// # Errors
    /// [`WalletError::NotHeld`], [`WalletError::TicketNotValid`], [`WalletError::TicketUnknown`]; or no
    /// network, or no secret store.
    pub async fn activate(&self, ticket_id: TicketId) -> Result<HeldTicket, WalletError> {
        let server = self.server_of(ticket_id).await?;
        self.measure_time(&server).await?;
        let path = format!("/v1/wallet/tickets/{ticket_id}/activate");
        let call = Call::post("activate", path, server.bearer(), &serde_json::json!({}))?;
        let ticket: WalletTicket = self.ask_about(&server, &call, ticket_id).await?;
        if ticket.live.base.is_none() {
            return Err(call.protocol("no live base").into());
        }
        self.keep(&server, &call, ticket_id, ticket)
    }

    /// A fresh live code, minted on the phone by the server's time. Needs no network.
    ///
    /// # Errors
    /// [`WalletError::NotActivated`], [`WalletError::TicketNotValid`], [`WalletError::TicketUnknown`],
    /// [`WalletError::TicketDamaged`], [`WalletError::Secrets`].
    pub fn live_code(&self, ticket_id: TicketId) -> Result<LiveCode, WalletError> {
        let held = self.store.ticket(ticket_id)?;
        codes::live(&held, &self.clocks.read(&self.store, &held.server_url))
    }

    /// The code that stays the same: safe to print and to share, no live key in it.
    ///
    /// # Errors
    /// [`WalletError::TicketUnknown`], [`WalletError::TicketDamaged`], [`WalletError::Secrets`].
    pub fn printed_code(&self, ticket_id: TicketId) -> Result<PrintedCode, WalletError> {
        let held = self.store.ticket(ticket_id)?;
        let now = self.clocks.read(&self.store, &held.server_url).now();
        Ok(codes::printed(&held.ticket, now))
    }

    /// Makes a link that hands the ticket to another person, once. Until they open it, the ticket stays
    /// here and enters. Called again meanwhile, it gives the same link.
    ///
    /// # Errors
    /// [`WalletError::TransferRefused`], [`WalletError::TicketUsed`], [`WalletError::TicketNotValid`],
    /// [`WalletError::NotHeld`], [`WalletError::TicketUnknown`]; or no network, or no secret store.
    pub async fn transfer(&self, ticket_id: TicketId) -> Result<TransferOffer, WalletError> {
        let server = self.server_of(ticket_id).await?;
        let path = format!("/v1/wallet/tickets/{ticket_id}/transfer");
        let call = Call::post("transfer", path, server.bearer(), &serde_json::json!({}))?;
        let link: TransferOffer = self.ask_about(&server, &call, ticket_id).await?;
        if !ClaimLink::parse(&link.url, true).is_ok_and(|link| link.ticket_id() == ticket_id) {
            return Err(call.protocol("not a link of this ticket").into());
        }
        if let Some(mut held) = self.store.find(ticket_id)? {
            held.ticket.transfer_pending_until = Some(link.expires_at);
            self.store.put(&held)?;
        }
        Ok(link)
    }

    /// Takes a transfer link back. No error if there is none.
    ///
    /// # Errors
    /// [`WalletError::NotHeld`] also if the link was used before; [`WalletError::TicketUnknown`]; or no
    /// network, or no secret store.
    pub async fn cancel_transfer(&self, ticket_id: TicketId) -> Result<HeldTicket, WalletError> {
        let server = self.server_of(ticket_id).await?;
        let path = format!("/v1/wallet/tickets/{ticket_id}/transfer");
        let call = Call::delete("cancel_transfer", path, server.bearer());
        let ticket = self.ask_about(&server, &call, ticket_id).await?;
        self.keep(&server, &call, ticket_id, ticket)
    }

    /// Gives the ticket back: another phone can claim it by its link, and this one forgets it.
    ///
    /// # Errors
    /// [`WalletError::TicketUnknown`]; or no network, or no secret store. Then the ticket is still here.
    pub async fn release(&self, ticket_id: TicketId) -> Result<(), WalletError> {
        let server = self.server_of(ticket_id).await?;
        let path = format!("/v1/wallet/tickets/{ticket_id}");
        let call = Call::delete("release", path, server.bearer());
        self.ask::<()>(&server, &call).await?;
        self.forget(ticket_id)
    }

    /// Takes a ticket out of this wallet without telling its server: for tickets that are over or
    /// [`gone`](HeldTicket::gone). One that the server still counts as this phone's comes back with the
    /// next refresh; [`Self::release`] it instead. No error if there is none.
    ///
    /// # Errors
    /// [`WalletError::Secrets`].
    pub fn forget(&self, ticket_id: TicketId) -> Result<(), WalletError> {
        self.store.remove(ticket_id)?;
        match self.store.servers()? {
            Some(servers) => Ok(self.clocks.retain(&self.store, &servers)?),
            None => Ok(()),
        }
    }

    /// Keeps what the server said of a ticket.
    fn keep(
        &self,
        server: &Server<C::Transport>,
        call: &Call,
        ticket_id: TicketId,
        ticket: WalletTicket,
    ) -> Result<HeldTicket, WalletError> {
        if ticket.ticket_id != ticket_id {
            return Err(call.protocol("another ticket").into());
        }
        if !(1..=86_400).contains(&ticket.live.ttl_seconds) {
            return Err(call.protocol("live codes of no possible age").into());
        }
        let refreshed_at = self.clocks.read(&self.store, &server.url).now();
        let held = HeldTicket { server_url: server.url.clone(), ticket, refreshed_at, gone: false };
        self.store.put(&held)?;
        Ok(held)
    }

    /// No server gets to replace a ticket of another one.
    fn check_server(&self, ticket_id: TicketId, server_url: &str) -> Result<(), WalletError> {
        match self.store.find(ticket_id)? {
            Some(held) if held.server_url != server_url => {
                Err(WalletError::OtherServer { server_url: held.server_url })
            }
            _ => Ok(()),
        }
    }

    async fn server_of(&self, ticket_id: TicketId) -> Result<Server<C::Transport>, WalletError> {
        let server_url = self.store.ticket(ticket_id)?.server_url;
        self.known_server(&server_url).await
    }

    async fn known_server(&self, server_url: &str) -> Result<Server<C::Transport>, WalletError> {
        let token = self.store.identity(server_url)?.ok_or(WalletError::IdentityLost)?;
        self.server(server_url, token).await
    }

    async fn server(&self, url: &str, token: SecretString) -> Result<Server<C::Transport>, WalletError> {
        let transport = self.connector.connect(url)?;
        let turn = self.turns.take(url).await;
        Ok(Server { url: url.to_owned(), transport, token, _turn: turn })
    }

    fn caller<'a>(&'a self, server: &'a Server<C::Transport>) -> Caller<'a, C::Transport, S> {
        Caller { transport: &server.transport, sleeper: &self.sleeper, entropy: &*self.entropy }
    }

    /// Compares clocks. The best of a few round trips counts.
    async fn measure_time(&self, server: &Server<C::Transport>) -> Result<(), WalletError> {
        let caller = self.caller(server);
        caller.warm_up().await?;
        let mut trips = Vec::with_capacity(TIME_PROBES);
        for _ in 0..TIME_PROBES {
            trips.push(caller.round_trip(self.clocks.clock()).await?.0);
        }
        Ok(self.clocks.observe(&self.store, &server.url, &trips)?)
    }

    async fn ask<A: DeserializeOwned + Send>(
        &self,
        server: &Server<C::Transport>,
        call: &Call,
    ) -> Result<A, WalletError> {
        Ok(self.caller(server).call(call).await?.0)
    }

    /// [`Self::ask`] about a ticket that this phone may have lost.
    async fn ask_about<A: DeserializeOwned + Send>(
        &self,
        server: &Server<C::Transport>,
        call: &Call,
        ticket_id: TicketId,
    ) -> Result<A, WalletError> {
        let answer = self.ask(server, call).await;
        if let Err(WalletError::NotHeld) = answer
            && let Some(held) = self.store.find(ticket_id)?
        {
            self.store.put(&HeldTicket { gone: true, ..held })?;
        }
        answer
    }
}

impl<T> Server<T> {
    fn bearer(&self) -> Option<SecretString> {
        Some(self.token.clone())
    }
}

fn checked_name(name: &str) -> Result<&str, WalletError> {
    let name = name.trim();
    let good = (1..=MAX_PHONE_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if good { Ok(name) } else { Err(WalletError::PhoneName) }
}

/// Whether two answers say the same of a ticket.
fn is_same(one: &WalletTicket, other: &WalletTicket) -> bool {
    match (serde_json::to_value(one), serde_json::to_value(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send(_: impl Send) {}

    /// Compiles only if the futures may run on another thread, for any transport.
    #[expect(dead_code, reason = "checked by the compiler")]
    fn futures_are_send<C: Connect, S: AsyncSleeper>(wallet: &Wallet<C, S>, link: &ClaimLink) {
        let ticket_id = TicketId::from_bytes([0; 16]);
        is_send(wallet.claim(link, ""));
        is_send(wallet.refresh());
        is_send(wallet.activate(ticket_id));
        is_send(wallet.transfer(ticket_id));
        is_send(wallet.cancel_transfer(ticket_id));
        is_send(wallet.release(ticket_id));
    }
}
