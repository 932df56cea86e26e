//! Scans up: batches, oldest first, until every scan has its receipt.

use std::collections::HashMap;

use super::call::Call;
use super::engine::SyncEngine;
use super::error::SyncError;
use super::progress::{Progress, SyncReport};
use super::transport::Transport;
use super::wire::{MAX_UPLOAD_SCANS, Receipt, ReceiptStatus, UploadRequest, UploadResponse};
use crate::resilience::AsyncSleeper;

impl<T: Transport, S: AsyncSleeper> SyncEngine<T, S> {
    /// Uploads every unsent scan, of this ledger and of rescued ones.
    ///
    /// # Errors
    /// Any [`SyncError`]; scans with a receipt before it stay uploaded.
    pub async fn push_all(&self, progress: impl Fn(Progress) + Send + Sync) -> Result<SyncReport, SyncError> {
        let mut report = SyncReport::default();
        let done = self.push_into(&mut report, &progress).await;
        self.notice_revocation(done)?;
        Ok(report)
    }

    pub(super) async fn push_into(
        &self,
        report: &mut SyncReport,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<(), SyncError> {
        let token = self.token()?;
        let mut limit = MAX_UPLOAD_SCANS;
        let mut sent = 0;
        loop {
            let (batch, remaining) = {
                let mut ledger = self.ledger();
                (ledger.unsent(limit)?, ledger.unsent_summary()?.count)
            };
            let Some(batch) = batch else { return Ok(()) };
            progress(Progress::Pushing { sent, remaining });
            let call = Call::post("scans", "/v1/door/scans".to_owned(), Some(token.clone()), &batch)?;
            let answer: UploadResponse = match self.counted(&call, report).await {
                Err(SyncError::Refused { status: 413, .. }) if limit > 1 => {
                    // Some proxies allow less than the server does.
                    limit = (batch.scans.len() / 2).max(1);
                    continue;
                }
                answer => answer?,
            };
            let receipts = leading_receipts(&batch, answer.receipts);
            if receipts.is_empty() {
                return Err(call.protocol("no receipt for the first scan of the batch").into());
            }
            self.ledger().acknowledge(batch.ledger_id, &receipts)?;
            sent += receipts.len() as u64;
            count(&receipts, report);
            progress(Progress::Pushing { sent, remaining: remaining.saturating_sub(receipts.len() as u64) });
        }
    }
}

/// The receipts of the batch's scans in the batch's order, up to the first scan without one. What
/// comes after it is sent again, and comes back as a duplicate; receipts for scans nobody sent are
/// ignored, and of two for one scan the first counts.
fn leading_receipts(batch: &UploadRequest, receipts: Vec<Receipt>) -> Vec<Receipt> {
    let mut by_scan = HashMap::with_capacity(receipts.len());
    for receipt in receipts {
        by_scan.entry(receipt.scan_id).or_insert(receipt);
    }
    batch.scans.iter().map_while(|scan| by_scan.remove(&scan.scan_id)).collect()
}

fn count(receipts: &[Receipt], report: &mut SyncReport) {
    for receipt in receipts {
        match receipt.status {
            ReceiptStatus::Accepted => report.pushed += 1,
            ReceiptStatus::Duplicate => report.duplicates += 1,
            ReceiptStatus::Quarantined => report.quarantined += 1,
        }
    }
}
