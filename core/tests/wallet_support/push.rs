//! What a server in memory knows of push: the token of each wallet, and receipts.

use std::collections::{BTreeMap, BTreeSet};

use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::{PushDeviceId, PushMessageId};
use liventix_core::push::wire::{PushDevice, PushPreferences, ReceiptKind, Receipts, RegisterPush, TestSent};
use liventix_core::sync::{Method, Request, Response};

use super::server::{json, problem};
use crate::harness::NOW;

/// One phone.
pub(crate) struct Known {
    pub(crate) told: RegisterPush,
    pub(crate) is_active: bool,
    pub(crate) preferences: PushPreferences,
}

/// By wallet.
#[derive(Default)]
pub(crate) struct Push {
    pub(crate) phones: BTreeMap<String, Known>,
    pub(crate) receipts: BTreeSet<(PushMessageId, ReceiptKind)>,
    pub(crate) ages: Vec<u64>,
    /// Whether it calls every token a bad one.
    pub(crate) refuses: bool,
}

impl Push {
    /// The only token that it has.
    pub(crate) fn token(&self) -> Option<String> {
        assert!(self.phones.len() <= 1);
        self.phones.values().next().map(|known| known.told.token.clone())
    }

    pub(crate) fn answer(&mut self, request: &Request, action: &str, wallet: &str) -> Response {
        let body = request.body.as_deref().unwrap_or_default();
        let nothing = Response { status: 204, ..Response::default() };
        match (request.method, action) {
            (Method::Put, "") if self.refuses => return problem(422, "push_token_shape"),
            (Method::Put, "") => {
                let told = serde_json::from_slice(body).unwrap();
                let preferences = self.phones.get(wallet).map(|known| known.preferences).unwrap_or_default();
                self.phones.insert(wallet.to_owned(), Known { told, is_active: true, preferences });
            }
            (Method::Delete, "") => {
                self.phones.remove(wallet);
                return nothing;
            }
            (Method::Post, "/receipts") => {
                let receipts: Receipts = serde_json::from_slice(body).unwrap();
                self.ages.extend(receipts.receipts.iter().map(|receipt| receipt.age_ms));
                self.receipts.extend(receipts.receipts.iter().map(|it| (it.message_id, it.kind)));
                return nothing;
            }
            _ => {}
        }
        let Some(known) = self.phones.get_mut(wallet) else { return problem(404, "push_device_not_found") };
        match (request.method, action) {
            (Method::Post, "/test") => json(&TestSent { message_id: message(9) }),
            (Method::Put, "/preferences") => {
                known.preferences = serde_json::from_slice(body).unwrap();
                json(&device(known))
            }
            _ => json(&device(known)),
        }
    }
}

pub(crate) fn message(number: u64) -> PushMessageId {
    PushMessageId::generate(NOW, &FixedEntropy::new(number))
}

fn device(known: &Known) -> PushDevice {
    PushDevice {
        device_id: PushDeviceId::from_bytes([7; 16]),
        service: known.told.service,
        is_active: known.is_active,
        preferences: known.preferences,
    }
}
