//! The pocket: an attendee's tickets on their own phone.

mod error;
mod views;

use std::sync::{Arc, Mutex, PoisonError};

use liventix_core::entropy::OsEntropy;
use liventix_core::ids::TicketId;
use liventix_core::sync::{HttpTransport, TransportError};
use liventix_core::wallet::{ClaimLink, Wallet as CoreWallet, WalletParts};

use crate::cancel::Cancellation;
use crate::convert::id;
use crate::host::clock::{self, HostClock};
use crate::host::secrets::{HostSecrets, SecretStore};
use crate::runtime::{self, Closing, Interrupted};

pub use error::WalletError;
pub use views::{LiveCode, PrintedCode, RefreshFailure, RefreshReport, TransferOffer, WalletTicket};

type Connect = fn(&str) -> Result<HttpTransport, TransportError>;
type Tickets = CoreWallet<Connect>;

/// How a wallet is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct WalletConfig {
    /// Takes links to servers without TLS at any address. Only for tests and networks you own; loopback,
    /// private and `.local` addresses are taken anyway.
    #[uniffi(default = false)]
    pub allow_http: bool,
}

/// The tickets of one phone, of any number of organisers. Everything it keeps is in the secret store. Open
/// one, keep it as long as the app runs, share it between threads.
#[derive(uniffi::Object)]
pub struct Wallet {
    /// None once it is shut down.
    tickets: Mutex<Option<Arc<Tickets>>>,
    closing: Closing,
    allow_http: bool,
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wallet").finish_non_exhaustive()
    }
}

#[uniffi::export]
impl Wallet {
    /// Opens the wallet that the secret store holds; an empty one if it holds none.
    ///
    /// # Errors
    /// `Secrets` if the keystore cannot be read.
    #[uniffi::constructor(default(clock = None))]
    pub fn open(
        config: WalletConfig,
        secrets: Arc<dyn SecretStore>,
        clock: Option<Arc<dyn HostClock>>,
    ) -> Result<Arc<Self>, WalletError> {
        let parts = WalletParts {
            secrets: Arc::new(HostSecrets(secrets)),
            clock: clock::clock(clock),
            entropy: Arc::new(OsEntropy),
        };
        let tickets = Tickets::open(HttpTransport::new, parts)?;
        Ok(Arc::new(Self {
            tickets: Mutex::new(Some(Arc::new(tickets))),
            closing: Closing::new(),
            allow_http: config.allow_http,
        }))
    }

    /// Claims the ticket of a link for this phone and keeps it. `phone_name` is what the organiser sees this
    /// phone as (1 to 80 characters). May be repeated: a lost answer is given again to the same phone.
    ///
    /// # Errors
    /// `Link` for another text; `Refused` with `already_claimed`, `link_unknown`, `link_used`,
    /// `link_expired`, `ticket_not_valid`; `Network`, `Server`, `Secrets`.
    #[uniffi::method(default(cancellation = None))]
    pub async fn claim(
        &self,
        link: String,
        phone_name: String,
        cancellation: Option<Arc<Cancellation>>,
    ) -> Result<WalletTicket, WalletError> {
        let link = ClaimLink::parse(&link, self.allow_http)?;
        self.run(cancellation, async move |tickets| {
            let held = tickets.claim(&link, &phone_name).await?;
            WalletTicket::of(&tickets, held)
        })
        .await
    }

    /// Every ticket here that can be read, the next event first.
    ///
    /// # Errors
    /// `Secrets`, `Closed`.
    pub fn tickets(&self) -> Result<Vec<WalletTicket>, WalletError> {
        let tickets = self.open_tickets()?;
        let views = tickets.tickets()?.into_iter().map(|held| WalletTicket::of(&tickets, held));
        // One that is forgotten meanwhile is no ticket any more.
        views.filter(|view| !matches!(view, Err(WalletError::NotFound { .. }))).collect()
    }

    /// One ticket.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Secrets`, `Closed`.
    pub fn ticket(&self, ticket_id: String) -> Result<WalletTicket, WalletError> {
        let tickets = self.open_tickets()?;
        let held = tickets.ticket(id("ticket_id", &ticket_id)?)?;
        WalletTicket::of(&tickets, held)
    }

    /// Asks every server what this phone holds there, and what time it is. A server that does not answer is
    /// in the report and changes nothing.
    ///
    /// # Errors
    /// `Secrets`, `Cancelled`, `Closed`.
    #[uniffi::method(default(cancellation = None))]
    pub async fn refresh(
        &self,
        cancellation: Option<Arc<Cancellation>>,
    ) -> Result<RefreshReport, WalletError> {
        self.run(cancellation, async move |tickets| Ok(tickets.refresh().await?.into())).await
    }

    /// Activates live codes: from now on [`Wallet::live_code`] works without a network, and where the
    /// organiser says so, doors refuse the printed code. Activated before, it changes nothing.
    ///
    /// # Errors
    /// `Refused`, `NotFound`, `InvalidInput`, `Network`, `Server`, `Secrets`.
    #[uniffi::method(default(cancellation = None))]
    pub async fn activate_live(
        &self,
        ticket_id: String,
        cancellation: Option<Arc<Cancellation>>,
    ) -> Result<WalletTicket, WalletError> {
        let ticket_id: TicketId = id("ticket_id", &ticket_id)?;
        self.run(cancellation, async move |tickets| {
            let held = tickets.activate(ticket_id).await?;
            WalletTicket::of(&tickets, held)
        })
        .await
    }

    /// A fresh live code, minted here by the server's time. Needs no network. Show it as a QR code, and the
    /// next one at `refresh_at`.
    ///
    /// # Errors
    /// `NotLive` before [`Wallet::activate_live`]; `Refused` (`ticket_not_valid`) for a cancelled or blocked
    /// ticket; `NotFound`, `InvalidInput`, `Secrets`, `Closed`.
    pub fn live_code(&self, ticket_id: String) -> Result<LiveCode, WalletError> {
        Ok(self.open_tickets()?.live_code(id("ticket_id", &ticket_id)?)?.into())
    }

    /// The code that stays the same: safe to print and to share, no live key in it. `accepted` says whether
    /// doors take it.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Secrets`, `Closed`.
    pub fn printed_code(&self, ticket_id: String) -> Result<PrintedCode, WalletError> {
        Ok(self.open_tickets()?.printed_code(id("ticket_id", &ticket_id)?)?.into())
    }

    /// Makes a link that hands the ticket to another person, once. Until they claim it, the ticket stays here
    /// and enters. Called again meanwhile, it gives the same link.
    ///
    /// # Errors
    /// `Refused` with `transfer_refused`, `ticket_used`, `ticket_not_valid`; `NotFound`, `InvalidInput`,
    /// `Network`, `Server`, `Secrets`.
    #[uniffi::method(default(cancellation = None))]
    pub async fn transfer(
        &self,
        ticket_id: String,
        cancellation: Option<Arc<Cancellation>>,
    ) -> Result<TransferOffer, WalletError> {
        let ticket_id: TicketId = id("ticket_id", &ticket_id)?;
        self.run(cancellation, async move |tickets| Ok(tickets.transfer(ticket_id).await?.into())).await
    }

    /// Takes a transfer link back. No error if there is none.
    ///
    /// # Errors
    /// `Refused` (`not_held`) if the link was used before; as [`Wallet::transfer`].
    #[uniffi::method(default(cancellation = None))]
    pub async fn cancel_transfer(
        &self,
        ticket_id: String,
        cancellation: Option<Arc<Cancellation>>,
    ) -> Result<WalletTicket, WalletError> {
        let ticket_id: TicketId = id("ticket_id", &ticket_id)?;
        self.run(cancellation, async move |tickets| {
            let held = tickets.cancel_transfer(ticket_id).await?;
            WalletTicket::of(&tickets, held)
        })
        .await
    }

    /// Gives the ticket back: another phone can claim it by its link, and this one forgets it.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Network`, `Server`, `Secrets`: then the ticket is still here.
    #[uniffi::method(default(cancellation = None))]
    pub async fn release(
        &self,
        ticket_id: String,
        cancellation: Option<Arc<Cancellation>>,
    ) -> Result<(), WalletError> {
        let ticket_id: TicketId = id("ticket_id", &ticket_id)?;
        self.run(cancellation, async move |tickets| Ok(tickets.release(ticket_id).await?)).await
    }

    /// Takes a ticket out of this wallet without telling its server: for tickets that are over or `gone`. No
    /// error if there is none.
    ///
    /// # Errors
    /// `InvalidInput`, `Secrets`, `Closed`.
    pub fn forget(&self, ticket_id: String) -> Result<(), WalletError> {
        Ok(self.open_tickets()?.forget(id("ticket_id", &ticket_id)?)?)
    }

    /// Ends every call under way with `Closed`; every later call fails so, too.
    pub fn shutdown(&self) {
        self.closing.close();
        drop(self.tickets.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Wallet {
    fn open_tickets(&self) -> Result<Arc<Tickets>, WalletError> {
        let tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.clone().ok_or_else(|| Interrupted::Closed.into())
    }

    /// Runs `work` on the shared runtime.
    async fn run<T, F, Fut>(&self, cancellation: Option<Arc<Cancellation>>, work: F) -> Result<T, WalletError>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Tickets>) -> Fut,
        Fut: Future<Output = Result<T, WalletError>> + Send + 'static,
    {
        let tickets = self.open_tickets()?;
        runtime::run(cancellation, self.closing.closed(), work(tickets)).await
    }
}

impl Drop for Wallet {
    fn drop(&mut self) {
        self.shutdown();
    }
}
