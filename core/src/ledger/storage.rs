//! Is the storage fit for an evening?

use rusqlite::Connection;

use super::device::write_meta;
use super::{Ledger, LedgerError};

/// Looks for damage in the file's structure.
pub(super) fn quick_check(connection: &Connection) -> Result<(), LedgerError> {
    let first: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if first == "ok" { Ok(()) } else { Err(LedgerError::corrupt(first)) }
}

impl Ledger {
    /// Writes durably to the file and looks for damage in it: for the check before doors open.
    ///
    /// # Errors
    /// What is wrong with the storage.
    pub fn check_storage(&mut self) -> Result<(), LedgerError> {
        let now = self.time.now().now();
        self.write(|transaction| write_meta(transaction, "storage_check", &now))?;
        quick_check(&self.connection)
    }

    /// Moves the write-ahead log into the database and empties it, as far as other processes allow.
    pub(super) fn empty_log(&self) -> Result<(), LedgerError> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}
