//! May doors open with this device?

use std::sync::Arc;

use liventix_core::readiness::{self, Check, CheckState};

use super::Scanner;
use super::door::Door;
use crate::cancel::Cancellation;
use crate::error::ScannerError;

/// What was looked at.
#[uniffi::remote(Enum)]
pub enum Check {
    /// The ledger can be written and is undamaged.
    Storage,
    /// Every scan is as it was written.
    Chain,
    /// The device is enrolled.
    Device,
    /// The keys of an event are here.
    Keys,
    /// The list of an event is here and fresh.
    List,
    /// The time is known well enough for an event.
    Clock,
    /// Scans do not wait for their upload for long.
    Unsent,
    /// Codes are drawn, read and verified as they should be.
    SampleCode,
    /// The server answers.
    Server,
}

/// How one item came out.
#[uniffi::remote(Enum)]
pub enum CheckState {
    /// Fine.
    Ready,
    /// Works, but someone should know.
    Warning,
    /// Doors must not open like this.
    NotReady,
}

/// One item of a [`Readiness`].
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CheckItem {
    /// What was looked at.
    pub check: Check,
    /// How it came out.
    pub state: CheckState,
    /// The event it is about, where it is about one.
    pub event_id: Option<String>,
    /// What was found, in words.
    pub detail: String,
    /// What to do about it.
    pub next: Option<String>,
}

/// Whether doors may open.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Readiness {
    /// Nothing is `NotReady`.
    pub ready: bool,
    /// Everything a door depends on, in a fixed order.
    pub items: Vec<CheckItem>,
}

#[uniffi::export]
impl Scanner {
    /// Looks at everything a door depends on: storage, scans, enrolment, keys, lists, clock, uploads, a
    /// sample code; and, with `ask_server`, whether the server answers, which a door can do without. Reads
    /// the whole ledger: before doors open, not between scans.
    ///
    /// # Errors
    /// `Cancelled`, `Closed`. What is wrong with the door is in the answer.
    #[uniffi::method(default(cancellation = None))]
    pub async fn readiness(
        &self,
        ask_server: bool,
        cancellation: Option<Arc<Cancellation>>,
    ) -> Result<Readiness, ScannerError> {
        let door = self.door()?;
        self.run(cancellation, async move { Ok(door.readiness(ask_server).await) }).await
    }
}

impl Door {
    async fn readiness(&self, ask_server: bool) -> Readiness {
        let keys = self.keys();
        let mut items = readiness::check(&mut self.ledger(), self.secrets(), &keys);
        if ask_server && let Ok(engine) = self.engine() {
            let answer = engine.probe().await;
            if let Err(error) = &answer {
                self.learn(Err(error));
            }
            items.push(readiness::server_item(&answer));
        }
        Readiness {
            ready: readiness::is_ready(&items),
            items: items.into_iter().map(CheckItem::from).collect(),
        }
    }
}

impl From<readiness::CheckItem> for CheckItem {
    fn from(item: readiness::CheckItem) -> Self {
        Self {
            check: item.check,
            state: item.state,
            event_id: item.event_id.map(|id| id.to_string()),
            detail: item.detail,
            next: item.next,
        }
    }
}
