//! A ticket server in memory, a network that fails on request, a phone, and a secret store that breaks.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub(crate) mod push;
pub(crate) mod secrets;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use liventix_core::clock::{Clock, ManualClock};
use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::TicketId;
use liventix_core::push::{PushRegistrar, PushSettings};
use liventix_core::resilience::AsyncSleeper;
use liventix_core::sync::{Connect, Request, Response, Transport, TransportError};
use liventix_core::wallet::{ClaimLink, HeldTicket, Wallet, WalletParts};

use crate::harness::{NOW, Venue};
pub(crate) use secrets::BrittleSecrets;
pub(crate) use server::Server;

pub(crate) const URL: &str = "https://tickets.example";
pub(crate) const OTHER_URL: &str = "https://other.example";

/// What may happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    CutBeforeSend,
    CutAfterSend,
    TimeoutAfterSend,
    /// The request arrives twice; the second answer comes back.
    Duplicate,
    HalfABody,
    Status500,
    Status503WithRetryAfter,
    Status429WithRetryAfter,
    Status409,
    GarbageJson,
    WrongShape,
    SignInPage,
    SignInRedirect,
}

impl Fault {
    pub(crate) const ALL: [Self; 13] = [
        Self::CutBeforeSend,
        Self::CutAfterSend,
        Self::TimeoutAfterSend,
        Self::Duplicate,
        Self::HalfABody,
        Self::Status500,
        Self::Status503WithRetryAfter,
        Self::Status429WithRetryAfter,
        Self::Status409,
        Self::GarbageJson,
        Self::WrongShape,
        Self::SignInPage,
        Self::SignInRedirect,
    ];
}

/// Which requests go wrong, counted from 0, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) from: usize,
    pub(crate) until: usize,
    pub(crate) fault: Fault,
}

/// One server behind a network that fails by plan.
pub(crate) struct Network {
    pub(crate) server: Mutex<Server>,
    /// Moves while a request travels.
    phone_clock: Arc<ManualClock>,
    plan: Mutex<Option<Plan>>,
    sent: Mutex<Vec<String>>,
}

impl Network {
    /// Starts counting requests again, with a new plan.
    pub(crate) fn plan(&self, plan: Option<Plan>) {
        *self.plan.lock().unwrap() = plan;
        self.sent.lock().unwrap().clear();
    }

    /// The paths requested since the last plan.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }

    fn travel(&self) {
        self.phone_clock.advance(20);
        self.server.lock().unwrap().clock.advance(20);
    }

    fn answer(&self, request: &Request) -> Response {
        self.server.lock().unwrap().answer(request)
    }

    fn exchange(&self, request: &Request) -> Result<Response, TransportError> {
        let number = {
            let mut sent = self.sent.lock().unwrap();
            sent.push(request.path.clone());
            sent.len() - 1
        };
        self.travel();
        let plan = self.plan.lock().unwrap().filter(|plan| (plan.from..plan.until).contains(&number));
        let Some(plan) = plan else { return Ok(self.deliver(request)) };
        let refuse = |status, seconds: Option<u64>| Response {
            retry_after: seconds.map(Duration::from_secs),
            ..server::problem(status, "made_for_a_test")
        };
        match plan.fault {
            Fault::CutBeforeSend => return Err(TransportError::Unreachable { detail: "cut".to_owned() }),
            Fault::Status500 => return Ok(refuse(500, None)),
            Fault::Status503WithRetryAfter => return Ok(refuse(503, Some(2))),
            Fault::Status429WithRetryAfter => return Ok(refuse(429, Some(1))),
            Fault::Status409 => return Ok(refuse(409, None)),
            Fault::SignInRedirect => return Ok(Response { status: 302, ..Response::default() }),
            _ => {}
        }
        let mut response = self.deliver(request);
        match plan.fault {
            Fault::CutAfterSend => return Err(TransportError::Interrupted { detail: "cut".to_owned() }),
            Fault::TimeoutAfterSend => return Err(TransportError::Timeout),
            Fault::Duplicate => response = self.deliver(request),
            Fault::HalfABody => response.body.truncate(response.body.len() / 2),
            Fault::GarbageJson => response.body = b"{]\xff".to_vec(),
            Fault::WrongShape => response.body = b"{\"tickets\":7,\"server_ms\":\"soon\"}".to_vec(),
            _ => {
                let body = b"<html>Welcome to Venue Wi-Fi".to_vec();
                response = Response { status: 200, is_json: false, retry_after: None, body };
            }
        }
        Ok(response)
    }

    fn deliver(&self, request: &Request) -> Response {
        let response = self.answer(request);
        self.travel();
        response
    }
}

impl Transport for Network {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        // A real network gives other tasks a turn.
        tokio::task::yield_now().await;
        self.exchange(&request)
    }
}

/// Knows two servers.
#[derive(Clone)]
pub(crate) struct Connector(BTreeMap<String, Arc<Network>>);

impl Connect for Connector {
    type Transport = Arc<Network>;

    fn connect(&self, base_url: &str) -> Result<Arc<Network>, TransportError> {
        let unknown = || TransportError::Unreachable { detail: format!("no such host {base_url}") };
        self.0.get(base_url).cloned().ok_or_else(unknown)
    }
}

/// Waits for nothing, and remembers for how long.
#[derive(Clone, Default)]
pub(crate) struct NoSleep(pub(crate) Arc<Mutex<Vec<u64>>>);

impl AsyncSleeper for NoSleep {
    async fn sleep(&self, ms: u64) {
        self.0.lock().unwrap().push(ms);
        tokio::task::yield_now().await;
    }
}

/// An attendee's phone.
pub(crate) struct Phone {
    pub(crate) wallet: Wallet<Connector, NoSleep>,
    pub(crate) secrets: Arc<BrittleSecrets>,
    pub(crate) clock: Arc<ManualClock>,
    connector: Connector,
    seed: u64,
}

impl Phone {
    fn new(connector: &Connector, clock: Arc<ManualClock>, seed: u64) -> Self {
        let secrets = Arc::new(BrittleSecrets::default());
        let wallet = open(connector, &secrets, &clock, seed);
        Self { wallet, secrets, clock, connector: connector.clone(), seed }
    }

    /// The app is killed and started again.
    pub(crate) fn restart(&mut self) {
        self.seed += 1_000;
        self.wallet = open(&self.connector, &self.secrets, &self.clock, self.seed);
    }

    /// What gets push messages to it; another one each time, as after a restart.
    pub(crate) fn registrar(&self, settings: PushSettings) -> PushRegistrar<Connector, NoSleep> {
        let parts = parts(&self.secrets, &self.clock, self.seed + 500);
        PushRegistrar::with_sleeper(self.connector.clone(), parts, settings, NoSleep::default())
    }

    pub(crate) fn clock_ms(&self) -> i64 {
        self.clock.wall_ms()
    }

    pub(crate) fn held(&self) -> HeldTicket {
        let tickets = self.wallet.tickets().unwrap();
        assert_eq!(tickets.len(), 1, "{tickets:?}");
        tickets[0].clone()
    }
}

fn open(
    connector: &Connector,
    secrets: &Arc<BrittleSecrets>,
    clock: &Arc<ManualClock>,
    seed: u64,
) -> Wallet<Connector, NoSleep> {
    Wallet::with_sleeper(connector.clone(), parts(secrets, clock, seed), NoSleep::default()).unwrap()
}

fn parts(secrets: &Arc<BrittleSecrets>, clock: &Arc<ManualClock>, seed: u64) -> WalletParts {
    let entropy = Arc::new(FixedEntropy::new(seed));
    WalletParts { secrets: secrets.clone(), clock: clock.clone(), entropy }
}

/// Two servers and any number of phones.
pub(crate) struct World {
    pub(crate) venue: Venue,
    pub(crate) network: Arc<Network>,
    pub(crate) other: Arc<Network>,
    pub(crate) clock: Arc<ManualClock>,
    connector: Connector,
}

impl World {
    pub(crate) fn new(venue: Venue) -> Self {
        Self::with_skew(venue, 0)
    }

    /// The first phone's clock shows that much more than the server's (milliseconds).
    pub(crate) fn with_skew(venue: Venue, skew_ms: i64) -> Self {
        let clock = Arc::new(ManualClock::new(NOW + skew_ms));
        let network = |url: &str| {
            Arc::new(Network {
                server: Mutex::new(Server::new(&venue, url)),
                phone_clock: clock.clone(),
                plan: Mutex::new(None),
                sent: Mutex::new(Vec::new()),
            })
        };
        let (network, other) = (network(URL), network(OTHER_URL));
        let connector = Connector(BTreeMap::from([
            (URL.to_owned(), network.clone()),
            (OTHER_URL.to_owned(), other.clone()),
        ]));
        Self { venue, network, other, clock, connector }
    }

    pub(crate) fn phone(&self, seed: u64) -> Phone {
        Phone::new(&self.connector, self.clock.clone(), seed)
    }

    pub(crate) fn server(&self) -> std::sync::MutexGuard<'_, Server> {
        self.network.server.lock().unwrap()
    }

    pub(crate) fn other_server(&self) -> std::sync::MutexGuard<'_, Server> {
        self.other.server.lock().unwrap()
    }

    pub(crate) fn link(&self) -> ClaimLink {
        let link = self.server().link();
        ClaimLink::parse(&link, false).unwrap()
    }

    pub(crate) fn ticket_id(&self) -> TicketId {
        self.server().ticket.ticket_id
    }

    /// Lets time pass, on the phone and at the server.
    pub(crate) fn advance(&self, ms: i64) {
        self.clock.advance(ms);
        self.server().clock.advance(ms);
    }

    /// The server's time.
    pub(crate) fn server_now(&self) -> i64 {
        self.server().clock.wall_ms()
    }
}
