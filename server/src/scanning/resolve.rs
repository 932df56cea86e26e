//! An organiser settles a conflict. The conflict itself is what the merge says, and is rewritten with it; what
//! the organiser says is kept beside it, and holds whenever the merge finds it again.

use liventix_core::ids::{EventId, OrganiserId, ScanId, TicketId};

use super::types::ConflictView;
use super::views;
use crate::anomalies;
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::events::snapshot;
use crate::params;
use crate::platform::authorize::Who;
use crate::platform::db::{DbError, Tx};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::remark::{Note, Remark};

pub(crate) async fn resolve(
    app: &AppState,
    who: Who,
    (event, scan): (EventId, ScanId),
    note: &Note,
) -> ApiResult<ConflictView> {
    let note = note.checked()?;
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                snapshot::hold_for(&app_in, tx, &who, event).await?;
                let ticket = ticket_of(tx, event, scan).await?;
                let remark = Remark::of(&who.by, app_in.now(), note);
                if !insert(tx, who.organiser_id, event, scan, &remark).await? {
                    let detail = "Its `resolution` says who settled it, and why.";
                    return Err(ApiError::new(Code::AlreadyResolved, detail));
                }
                anomalies::resolve_conflicts(tx, ticket, &remark).await?;
                let entry = Entry::of(Deed::ConflictResolved).at(event).to(Target::Scan, scan.as_bytes());
                audit::record(tx, &app_in, &who, entry.after(&remark.note)).await?;
                views::conflict(tx, event, scan).await?.ok_or_else(not_found)
            })
        })
        .await
}

fn not_found() -> ApiError {
    let detail = "The event has no conflict whose excess scan has this id, or the merge no longer finds it. \
                  List them at /v1/events/{event_id}/conflicts.";
    ApiError::new(Code::ConflictNotFound, detail)
}

async fn ticket_of(tx: &mut Tx, event: EventId, scan: ScanId) -> ApiResult<TicketId> {
    let sql = "SELECT ticket_id FROM conflicts WHERE event_id = $1 AND excess_scan_id = $2";
    let row = tx.first(sql, params![event, scan]).await?.ok_or_else(not_found)?;
    Ok(row.get(0)?)
}

async fn insert(
    tx: &mut Tx,
    organiser: OrganiserId,
    event: EventId,
    scan: ScanId,
    remark: &Remark,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO conflict_resolutions (excess_scan_id, organiser_id, event_id, resolution) \
               VALUES ($1, $2, $3, $4) ON CONFLICT (excess_scan_id) DO NOTHING";
    Ok(tx.execute(sql, params![scan, organiser, event, anomalies::json(remark)?]).await? > 0)
}
