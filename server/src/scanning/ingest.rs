//! Taking in the scans of a device that were found good.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use liventix_core::ids::{EventId, ScanId, TicketId};
use liventix_core::rules::EventInfo;
use liventix_core::sync::wire::ForeignPassage;

use super::store::{self, ScanRow};
use super::{counted, merge};
use crate::anomalies::{self, Context};
use crate::events::take_seqs;
use crate::platform::db::{Conn, DbError, Tx};

/// Stores the scans of each event, numbers their passages, and merges the tickets they touch.
pub(crate) async fn store_scans(
    tx: &mut Tx,
    context: Context,
    events: &HashMap<EventId, EventInfo>,
    scans: BTreeMap<EventId, Vec<ScanRow>>,
) -> Result<(), DbError> {
    for (event, mut rows) in scans {
        let passages = rows.iter().filter(|row| row.is_passage()).count();
        if passages > 0 {
            let count = i64::try_from(passages).unwrap_or(i64::MAX);
            let mut seq = take_seqs(tx, event, count).await?;
            for row in rows.iter_mut().filter(|row| row.is_passage()) {
                row.change_seq = Some(seq);
                seq += 1;
            }
        }
        store::insert(tx, context.organiser_id, event, &rows).await?;
        let passed = rows.iter().filter(|row| row.is_passage());
        let touched: BTreeSet<TicketId> = passed.filter_map(|row| row.view.ticket_id).collect();
        let Some(info) = events.get(&event) else { continue };
        if !touched.is_empty() {
            let touched: Vec<TicketId> = touched.into_iter().collect();
            merge::refresh(tx, info, &touched, context.now).await?;
        }
        anomalies::scanned(tx, context, info, &rows).await?;
        counted::read_and_count(tx, context, event, &rows).await?;
    }
    Ok(())
}

/// Those of `ids` that are stored passages, with their tickets.
pub(crate) async fn known_passages(
    conn: &mut Conn,
    ids: &[ScanId],
) -> Result<HashMap<ScanId, ForeignPassage>, DbError> {
    store::passages_by_scan(conn, ids).await
}

/// The hashes of those of `ids` that are stored already.
pub(crate) async fn known_hashes(
    conn: &mut Conn,
    ids: &[ScanId],
) -> Result<HashMap<ScanId, [u8; 32]>, DbError> {
    store::hashes(conn, ids).await
}
