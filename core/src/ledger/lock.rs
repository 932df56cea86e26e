//! Who else has the ledger open.
//!
//! Several processes may write one ledger: each append reads the last scan inside its own IMMEDIATE
//! transaction, so the chain cannot fork. What must never happen beside another process is replacing
//! the file (creation, migration, rescue): the other would go on writing into the one set aside. So
//! every open ledger holds a shared lock on `<name>.lock`, and replacing needs the exclusive one.
//! The operating system releases the lock when a process dies.
//!
//! The file also holds the ledger's id: a witness that this path was a ledger, if its own header
//! can no longer be read.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::error::LedgerError;
use super::files::beside;
use crate::ids::LedgerId;

/// A lock file holds one id; anything longer is not ours.
const MAX_BYTES: u64 = 64;

/// The lock on one ledger path, held while it lives.
#[derive(Debug)]
pub(super) struct LedgerLock {
    file: File,
    alone: bool,
}

impl LedgerLock {
    /// Locks exclusively if nobody else has the ledger open, else shared.
    pub(super) fn acquire(ledger: &Path) -> Result<Self, LedgerError> {
        let path = beside(ledger, ".lock");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let alone = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                // Waits only while the other process is opening or rescuing.
                file.lock_shared()?;
                false
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        };
        Ok(Self { file, alone })
    }

    /// Whether nobody else has the ledger open.
    pub(super) const fn is_alone(&self) -> bool {
        self.alone
    }

    /// Lets other processes in.
    pub(super) fn share(&mut self) -> Result<(), LedgerError> {
        if self.alone {
            self.file.lock_shared()?;
            self.alone = false;
        }
        Ok(())
    }

    /// The ledger that was last opened at this path, if any.
    pub(super) fn witness(&mut self) -> Option<LedgerId> {
        let mut text = String::new();
        self.file.seek(SeekFrom::Start(0)).ok()?;
        (&self.file).take(MAX_BYTES).read_to_string(&mut text).ok()?;
        text.trim().parse().ok()
    }

    /// Writes down which ledger lives at this path.
    pub(super) fn set_witness(&mut self, ledger_id: LedgerId) -> Result<(), LedgerError> {
        if self.witness() == Some(ledger_id) {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.file.set_len(0)?;
        writeln!(self.file, "{ledger_id}")?;
        self.file.sync_all()?;
        Ok(())
    }
}
