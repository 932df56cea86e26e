//! One ticket at a server in memory: what the real one does, in few words.

use std::collections::BTreeSet;
use std::sync::Arc;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use liventix_core::clock::{Clock, ManualClock};
use liventix_core::rules::TicketStatus;
use liventix_core::sync::wire::{Problem, ServerTime, TicketEntry};
use liventix_core::sync::{Method, Request, Response};
use liventix_core::ticket::{Claims, SigningKey};
use liventix_core::wallet::wire::{
    ClaimRequest, TransferOffer, TransferPolicy, WalletEvent, WalletLive, WalletTicket, WalletTickets,
};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::push::Push;
use crate::harness::{NOW, Venue};

const PUSH: &str = "/v1/wallet/push";

/// The server's state.
pub(crate) struct Server {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ticket: TicketEntry,
    /// The tokens of the phones that hold the ticket.
    pub(crate) holders: Vec<String>,
    /// The tokens of the phones that ever claimed something.
    pub(crate) known: BTreeSet<String>,
    /// Every change that was made, so that a test sees what was done twice.
    pub(crate) done: Vec<&'static str>,
    pub(crate) transfer_allowed: bool,
    /// The server lost its claims.
    pub(crate) restored: bool,
    pub(crate) push: Push,
    link: String,
    transfer: Option<(String, i64)>,
    used: Option<(String, String)>,
    links: u8,
    url: String,
    signing: SigningKey,
    event: liventix_core::rules::EventInfo,
}

impl Server {
    pub(crate) fn new(venue: &Venue, url: &str) -> Self {
        let mut server = Self {
            clock: Arc::new(ManualClock::new(NOW)),
            ticket: venue.ticket(venue.single),
            holders: Vec::new(),
            known: BTreeSet::new(),
            done: Vec::new(),
            transfer_allowed: true,
            restored: false,
            push: Push::default(),
            link: String::new(),
            transfer: None,
            used: None,
            links: 0,
            url: url.to_owned(),
            signing: venue.signing.clone(),
            event: venue.event.clone(),
        };
        server.link = server.new_link();
        server
    }

    fn new_link(&mut self) -> String {
        self.links += 1;
        let id = HEXLOWER.encode(self.ticket.ticket_id.as_bytes());
        format!("{}/t/lxt_{id}_{}", self.url, BASE64URL_NOPAD.encode(&[self.links; 32]))
    }

    /// The link that the organiser sent.
    pub(crate) fn link(&self) -> String {
        self.link.clone()
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.wall_ms()
    }

    /// The ticket gets new codes; all links and claims end.
    pub(crate) fn reissue(&mut self) {
        self.ticket.code_issued_at = self.now().div_euclid(1_000) * 1_000;
        self.ticket.live_activated = false;
        self.holders.clear();
        self.transfer = None;
        self.link = self.new_link();
    }

    fn view(&self) -> WalletTicket {
        let claims = Claims {
            event_id: self.event.event_id,
            ticket_id: self.ticket.ticket_id,
            issued_at: self.ticket.code_issued_at,
            expires_at: None,
        };
        let policy = &self.event.policy;
        WalletTicket {
            ticket_id: self.ticket.ticket_id,
            event: WalletEvent {
                event_id: self.event.event_id,
                name: self.event.name.clone(),
                starts_at: self.event.starts_at,
                ends_at: self.event.ends_at,
                time_zone: self.event.time_zone.clone(),
            },
            type_name: "Day ticket".to_owned(),
            attendee_name: self.ticket.attendee_name.clone(),
            status: self.ticket.status,
            admits: 1,
            valid_from: None,
            valid_until: None,
            code: self.signing.printed(&claims).text(),
            manual_code: "0000-0000-0000".to_owned(),
            code_expires_at: None,
            live: WalletLive {
                activated: self.ticket.live_activated,
                ttl_seconds: policy.live_ttl_seconds,
                ttl_effect: policy.live_ttl_effect,
                printed: policy.printed,
                base: self.ticket.live_activated.then(|| self.signing.live_base(&claims)),
            },
            transfer: TransferPolicy::Allowed,
            transfer_pending_until: self.transfer.as_ref().map(|(_, until)| *until),
        }
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Response {
        if request.path == "/v1/time" {
            return json(&ServerTime { server_ms: self.now() });
        }
        let Some(token) = request.bearer.as_ref().map(|token| token.expose_secret().to_owned()) else {
            return problem(401, "unauthenticated");
        };
        assert!(token.starts_with("lxw_"), "{token}");
        let ticket = format!("/v1/wallet/tickets/{}", self.ticket.ticket_id);
        match (request.method, request.path.as_str()) {
            (Method::Post, "/v1/wallet/claim") => self.claim(request, token),
            (Method::Get, "/v1/wallet/tickets") => self.list(&token),
            (_, path) if path.starts_with(PUSH) => {
                if !self.known.contains(&token) {
                    return problem(401, "unauthenticated");
                }
                self.push.answer(request, &path[PUSH.len()..], &token)
            }
            (method, path) if path.starts_with(&ticket) => {
                self.about_ticket(method, &path[ticket.len()..], &token)
            }
            _ => problem(404, "ticket_not_found"),
        }
    }

    fn list(&self, token: &str) -> Response {
        if self.restored {
            return problem(401, "unauthenticated");
        }
        let holds = self.holders.iter().any(|holder| holder == token);
        let tickets = if holds { vec![self.view()] } else { Vec::new() };
        json(&WalletTickets { tickets, server_ms: self.now() })
    }

    fn claim(&mut self, request: &Request, token: String) -> Response {
        self.known.insert(token.clone());
        let body: ClaimRequest = serde_json::from_slice(request.body.as_deref().unwrap()).unwrap();
        let opens = |link: &str| link.ends_with(&body.token);
        if let Some((link, wallet)) = &self.used
            && opens(link)
        {
            let again = *wallet == token && self.holders.contains(&token);
            return if again { json(&self.view()) } else { problem(410, "link_used") };
        }
        if matches!(self.ticket.status, TicketStatus::Cancelled | TicketStatus::Revoked) {
            return problem(409, "ticket_not_valid");
        }
        if let Some((link, _)) = self.transfer.clone().filter(|(link, _)| opens(link)) {
            self.done.push("transferred");
            self.reissue();
            self.holders = vec![token.clone()];
            self.used = Some((link, token));
            return json(&self.view());
        }
        if !opens(&self.link) {
            return problem(404, "link_unknown");
        }
        if self.holders.iter().any(|holder| *holder != token) {
            return problem(409, "already_claimed");
        }
        if self.holders.is_empty() {
            self.done.push("claimed");
            self.holders.push(token);
        }
        json(&self.view())
    }

    fn about_ticket(&mut self, method: Method, action: &str, token: &str) -> Response {
        let holds = self.holders.iter().any(|holder| holder == token);
        match (method, action) {
            (Method::Delete, "") => {
                if holds {
                    self.done.push("released");
                    self.holders.clear();
                }
                Response { status: 204, ..Response::default() }
            }
            _ if !holds => problem(404, "ticket_not_found"),
            (Method::Post, "/activate") => {
                if !self.ticket.live_activated {
                    self.done.push("activated");
                }
                self.ticket.live_activated = true;
                json(&self.view())
            }
            (Method::Post, "/transfer") if !self.transfer_allowed => problem(403, "transfer_refused"),
            (Method::Post, "/transfer") => {
                if self.transfer.is_none() {
                    self.done.push("offered");
                    let expires_at = self.now() + 7 * 86_400_000;
                    self.transfer = Some((self.new_link(), expires_at));
                }
                let (url, expires_at) = self.transfer.clone().unwrap();
                json(&TransferOffer { url, expires_at })
            }
            (Method::Delete, "/transfer") => {
                if self.transfer.take().is_some() {
                    self.done.push("taken back");
                }
                json(&self.view())
            }
            _ => problem(404, "not_found"),
        }
    }
}

pub(crate) fn json(value: &impl Serialize) -> Response {
    Response { status: 200, is_json: true, retry_after: None, body: serde_json::to_vec(value).unwrap() }
}

pub(crate) fn problem(status: u16, code: &str) -> Response {
    let problem = Problem {
        kind: format!("https://liventix.example/problems/{code}"),
        title: code.to_owned(),
        status,
        code: code.to_owned(),
        detail: "for a test".to_owned(),
        request_id: None,
    };
    Response { status, ..json(&problem) }
}
