//! What the account holds.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::faults::{Fault, Operation};
use super::idempotency::Kept;

/// A call that came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What it was for, if that is known.
    pub operation: Option<Operation>,
    /// `POST /v1/payment_intents`.
    pub line: String,
    /// Its key.
    pub idempotency_key: Option<String>,
    /// The version it asked for.
    pub version: Option<String>,
    /// Its form.
    pub form: Vec<(String, String)>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) now_ms: Option<i64>,
    /// By id. Ids grow, so that this is also their order.
    pub(super) objects: BTreeMap<String, Value>,
    pub(super) events: Vec<Value>,
    pub(super) kept: HashMap<String, Kept>,
    pub(super) faults: VecDeque<(Operation, Fault)>,
    pub(super) chance: Option<(u64, u32)>,
    pub(super) seen: Vec<Seen>,
    pub(super) search_lags: bool,
    /// What searches have found by now.
    pub(super) indexed: usize,
    pub(super) refunds_wait: bool,
    pub(super) funds_wait: bool,
    counter: u64,
}

impl State {
    /// UTC seconds.
    pub(super) fn now(&self) -> i64 {
        let system = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_secs()).unwrap_or_default()
        };
        self.now_ms.map_or_else(system, |ms| ms / 1_000)
    }

    /// A new id: `pi_…`.
    pub(super) fn id(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}_{:024}", self.counter)
    }

    pub(super) fn put(&mut self, object: &Value) {
        let id = object["id"].as_str().unwrap_or_default().to_owned();
        self.objects.insert(id, object.clone());
    }

    pub(super) fn of_kind(&self, id: &str, object: &str) -> Option<Value> {
        self.objects.get(id).filter(|it| it["object"] == object).cloned()
    }
}
