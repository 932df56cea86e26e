//! Checks the hash chain, scan by scan.

use super::outbox::{Names, ledgers};
use super::record::{Hash, ScanRecord, genesis};
use super::rows::{scan_columns, scan_key};
use super::{Ledger, LedgerError};
use crate::ids::LedgerId;

/// Whether every scan is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainReport {
    /// Scans checked, those rescued from older ledgers included.
    pub scans: u64,
    /// Every place where the chain does not hold, oldest first.
    pub breaks: Vec<Break>,
}

impl ChainReport {
    /// Whether the chain holds everywhere.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.breaks.is_empty()
    }

    /// Where it first does not.
    #[must_use]
    pub fn first_break(&self) -> Option<&Break> {
        self.breaks.first()
    }
}

/// One place where the chain does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// The ledger. A rescued one has gaps where its file could not be read.
    pub ledger_id: LedgerId,
    /// The scan at which it shows.
    pub seq: i64,
    /// What is wrong.
    pub kind: BreakKind,
}

/// What is wrong with a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakKind {
    /// Scans are missing before this one.
    Gap {
        /// How many.
        missing: i64,
    },
    /// Its fields do not fit its hash: it was changed.
    Altered,
    /// It does not follow the scan before it: one of the two was replaced.
    Unlinked,
}

/// Follows one ledger's chain.
struct Walk {
    ledger_id: LedgerId,
    seq: i64,
    hash: Hash,
}

impl Walk {
    fn step(&mut self, scan: &ScanRecord, breaks: &mut Vec<Break>) {
        let mut note = |kind| breaks.push(Break { ledger_id: self.ledger_id, seq: scan.seq, kind });
        let missing = scan.seq - self.seq - 1;
        if missing != 0 {
            note(BreakKind::Gap { missing });
        } else if scan.prev_hash != self.hash {
            note(BreakKind::Unlinked);
        }
        if !scan.is_intact() {
            note(BreakKind::Altered);
        }
        self.seq = scan.seq;
        self.hash = scan.hash;
    }
}

impl Ledger {
    /// Reads every scan and checks that it is unchanged and follows the one before it.
    ///
    /// # Errors
    /// If the ledger cannot be read. A broken chain is not an error: it is in the report.
    pub fn verify_chain(&self) -> Result<ChainReport, LedgerError> {
        let names = Names::load(&self.connection)?;
        let mut report = ChainReport { scans: 0, breaks: Vec::new() };
        let mut select = self.connection.prepare_cached(concat!(
            "SELECT ",
            scan_columns!(),
            " FROM scans WHERE id > ?1 AND id < ?2 ORDER BY id"
        ))?;
        for ledger in ledgers(&self.connection)? {
            let ledger_id = ledger.ledger_id;
            let mut walk = Walk { ledger_id, seq: 0, hash: genesis(ledger_id) };
            let mut rows = select.query((scan_key(ledger.number, 0), scan_key(ledger.number + 1, 0)))?;
            while let Some(row) = rows.next()? {
                walk.step(&names.record(row)?, &mut report.breaks);
                report.scans += 1;
            }
        }
        Ok(report)
    }
}
