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

    /// Lets the file grow by so many pages of 4 KiB at most, until it is opened again; beyond that,
    /// writes fail with `DiskFull`, exactly as on a full disk.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn limit_growth(&mut self, pages: u32) -> Result<(), LedgerError> {
        let now: i64 = self.connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        let limit = now.saturating_add(i64::from(pages));
        self.connection.query_row(&format!("PRAGMA max_page_count = {limit}"), [], |_| Ok(()))?;
        Ok(())
    }

    /// Moves the write-ahead log into the database and empties it, as far as other processes allow.
    pub(super) fn empty_log(&self) -> Result<(), LedgerError> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}
