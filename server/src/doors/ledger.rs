//! What the server has seen of each ledger's hash chain. A break is noted, never a reason to refuse: the
//! scans are evidence, and so is the break.

use liventix_core::ids::{DeviceId, LedgerId};
use liventix_core::ledger::record::{ScanRecord, genesis};

use crate::params;
use crate::platform::db::{Conn, DbError, Tx};

/// One ledger's chain as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) last_seq: i64,
    pub(super) last_hash: [u8; 32],
    pub(super) first_break_seq: Option<i64>,
}

impl Chain {
    fn new(ledger: LedgerId) -> Self {
        Self { last_seq: 0, last_hash: genesis(ledger).0, first_break_seq: None }
    }

    /// Follows the chain through new scans. A scan at a place already taken is a fork, one further on
    /// leaves a gap, one that names another predecessor was changed or follows something that was.
    pub(super) fn follow(&mut self, mut scans: Vec<&ScanRecord>) {
        scans.sort_unstable_by_key(|scan| scan.seq);
        for scan in scans {
            let follows = scan.seq == self.last_seq.saturating_add(1) && scan.prev_hash.0 == self.last_hash;
            if !follows {
                self.first_break_seq = Some(self.first_break_seq.map_or(scan.seq, |seq| seq.min(scan.seq)));
            }
            if scan.seq > self.last_seq {
                self.last_seq = scan.seq;
                self.last_hash = scan.hash.0;
            }
        }
    }
}

/// The chain of a ledger, and whose it is; a new one for a ledger never seen.
pub(super) async fn find(conn: &mut Conn, ledger: LedgerId) -> Result<(Option<DeviceId>, Chain), DbError> {
    let sql = "SELECT device_id, last_seq, last_hash, first_break_seq FROM ledgers WHERE ledger_id = $1";
    match conn.first(sql, params![ledger]).await? {
        None => Ok((None, Chain::new(ledger))),
        Some(row) => {
            let chain = Chain { last_seq: row.get(1)?, last_hash: row.get(2)?, first_break_seq: row.get(3)? };
            Ok((Some(row.get(0)?), chain))
        }
    }
}

pub(super) async fn save(
    tx: &mut Tx,
    ledger: LedgerId,
    device: DeviceId,
    chain: &Chain,
) -> Result<(), DbError> {
    let sql = "INSERT INTO ledgers (ledger_id, device_id, last_seq, last_hash, chain_ok, first_break_seq) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (ledger_id) DO UPDATE SET \
               last_seq = excluded.last_seq, last_hash = excluded.last_hash, chain_ok = excluded.chain_ok, \
               first_break_seq = excluded.first_break_seq";
    let values = params![
        ledger,
        device,
        chain.last_seq,
        chain.last_hash,
        chain.first_break_seq.is_none(),
        chain.first_break_seq
    ];
    tx.execute(sql, values).await.map(drop)
}
