//! The scan ledger: the manifest and every scan in one SQLite file.
//!
//! Invariant: scans are only ever added. Each has the next `seq` of its ledger and the hash of the
//! scan before it; SQL triggers refuse to change or delete one.
//!
//! Invariant: a ticket's state is never stored. It is folded by [`crate::rules::Standing`] from the
//! scans made here and the passages merged from elsewhere, so it cannot drift from them and cannot
//! depend on the order in which they came.
//!
//! Invariant: a verdict is shown only after its scan is durable: reading the history, deciding and
//! appending are one IMMEDIATE transaction, committed with `synchronous=FULL`.
//!
//! Several processes may use one ledger file; see `lock.rs`. This module is the only user of
//! rusqlite. It offers no encryption and keeps nothing secret: keys and tokens live in the secret
//! store of the phone.

mod append;
mod apply;
mod cache;
mod carve;
mod chain;
mod device;
mod error;
mod files;
mod harvest;
mod history;
mod lock;
mod manifest;
mod names;
mod note;
mod open;
mod outbox;
pub mod record;
mod rescue;
mod rows;
mod schema;
mod search;
mod storage;
mod tally;
mod time;
mod undo;
mod views;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub(crate) use append::{Attempt, Recorded, Subject};
pub use chain::{Break, BreakKind, ChainReport};
pub use device::DeviceState;
pub use error::{Cause, LedgerError};
pub use manifest::Applied;
pub use note::{MAX_NOTE_CHARS, Note, NoteError};
pub use open::OpenReport;
pub use outbox::Unsent;
pub use rescue::Rescue;
pub use search::{FoundTicket, MAX_FOUND};
pub use time::ClockEvent;
pub(crate) use undo::{Taken, UndoAttempt, UndoFailure};
pub use views::{Counts, TicketConflict};

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ids::LedgerId;
use cache::Cache;
use files::FileIdentity;
use lock::LedgerLock;
use time::LedgerTime;

/// One open ledger file. `Send`; share it behind a mutex.
pub struct Ledger {
    // Closed before the lock below is released: fields are dropped in this order.
    connection: Connection,
    cache: RefCell<Cache>,
    time: LedgerTime,
    path: PathBuf,
    identity: FileIdentity,
    own: Own,
    entropy: Arc<dyn Entropy>,
    _lock: LedgerLock,
}

/// The ledger that new scans go to.
#[derive(Debug, Clone, Copy)]
struct Own {
    number: i64,
    ledger_id: LedgerId,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("path", &self.path)
            .field("ledger_id", &self.own.ledger_id)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens the ledger at `path`, and creates it if there is none. A damaged ledger is set aside,
    /// with what can be read of it rescued into a new one: the report says so.
    ///
    /// Beside the file lie `<name>-wal`, `<name>-shm` (SQLite's) and `<name>.lock`.
    ///
    /// # Errors
    /// Any [`LedgerError`] except `UnknownEvent` and `BadPage`; the file is then as it was.
    pub fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<(Self, OpenReport), LedgerError> {
        open::open(path, clock, entropy)
    }

    /// Which ledger this is: a new file is a new ledger.
    #[must_use]
    pub const fn ledger_id(&self) -> LedgerId {
        self.own.ledger_id
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The source of randomness it was opened with.
    pub(crate) fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.entropy)
    }

    /// Runs `work` in one IMMEDIATE transaction: it alone writes, and sees everything written before.
    /// (A deferred transaction that turns from reading to writing fails under contention.)
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        // In WAL mode SQLite itself would go on writing into a deleted file without a word.
        if FileIdentity::of(&self.path).ok() != Some(self.identity) {
            return Err(LedgerError::Moved);
        }
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}
