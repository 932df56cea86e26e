//! What the server knows of each ledger. A break in its hash chain is noted, never a reason to refuse: the
//! scans are evidence, and so is the break.

use liventix_core::ids::{DeviceId, EventId, LedgerId};
use liventix_core::ledger::record::{Hash, ScanRecord, genesis};

use super::chain::Chain;
use crate::anomalies::{self, Break, Context};
use crate::params;
use crate::platform::db::{Conn, DbError, Tx};

/// A ledger as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ledger {
    ledger_id: LedgerId,
    /// Whose it is; `None`: never seen.
    pub(super) device_id: Option<DeviceId>,
    last_seq: i64,
    last_hash: Hash,
    first_break_seq: Option<i64>,
    /// `None`: it was broken before its runs were kept, and stays as it was noted.
    chain: Option<Chain>,
}

impl Ledger {
    /// The ledger, a new one if it was never seen.
    pub(super) async fn load(conn: &mut Conn, ledger_id: LedgerId) -> Result<Self, DbError> {
        let sql =
            "SELECT device_id, last_seq, last_hash, first_break_seq, runs FROM ledgers WHERE ledger_id = $1";
        let Some(row) = conn.first(sql, params![ledger_id]).await? else {
            return Ok(Self {
                ledger_id,
                device_id: None,
                last_seq: 0,
                last_hash: genesis(ledger_id),
                first_break_seq: None,
                chain: Some(Chain::default()),
            });
        };
        let first_break_seq = row.get(3)?;
        let (last_seq, last_hash) = (row.get(1)?, Hash(row.get(2)?));
        let chain = match (row.get::<String>(4)?.as_str(), first_break_seq) {
            ("", Some(_)) => None,
            // Seen whole by an earlier version; the event tells nothing, for its beginning is not broken.
            ("", None) => Some(Chain::unbroken(ledger_id, last_seq, last_hash, EventId::from_bytes([0; 16]))),
            _ => Some(row.json(4)?),
        };
        Ok(Self { ledger_id, device_id: Some(row.get(0)?), last_seq, last_hash, first_break_seq, chain })
    }

    /// Follows the chain through new scans, in any order, and keeps what is known afterwards. `event_of` names
    /// the event that a scan belongs to.
    pub(super) async fn follow(
        mut self,
        tx: &mut Tx,
        context: Context,
        device: DeviceId,
        scans: &[&ScanRecord],
        event_of: impl Fn(&ScanRecord) -> EventId,
    ) -> Result<(), DbError> {
        let mut breaks: Option<Vec<Break>> = None;
        if let Some(chain) = &mut self.chain {
            for scan in scans {
                chain.add(scan, event_of(scan));
            }
            if let Some((seq, hash)) = chain.last() {
                (self.last_seq, self.last_hash) = (seq, hash);
            }
            let found = chain.breaks(self.ledger_id);
            if self.first_break_seq.is_some() || !found.is_empty() {
                self.first_break_seq = found.iter().map(|found| found.seq).min();
                breaks = Some(found);
            }
        }
        self.save(tx, device).await?;
        match breaks {
            Some(breaks) => anomalies::chain(tx, context, self.ledger_id, &breaks).await,
            None => Ok(()),
        }
    }

    async fn save(&self, tx: &mut Tx, device: DeviceId) -> Result<(), DbError> {
        let sql = "INSERT INTO ledgers (ledger_id, device_id, last_seq, last_hash, chain_ok, first_break_seq, runs) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (ledger_id) DO UPDATE SET \
                   last_seq = excluded.last_seq, last_hash = excluded.last_hash, chain_ok = excluded.chain_ok, \
                   first_break_seq = excluded.first_break_seq, runs = excluded.runs";
        let runs = self.chain.as_ref().map(serde_json::to_string).transpose();
        let runs = runs.map_err(|error| DbError::Statement(error.to_string()))?.unwrap_or_default();
        let values = params![
            self.ledger_id,
            device,
            self.last_seq,
            self.last_hash.0,
            self.first_break_seq.is_none(),
            self.first_break_seq,
            runs
        ];
        tx.execute(sql, values).await.map(drop)
    }
}
