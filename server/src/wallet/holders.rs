//! Who holds a ticket: claimed, let go, ended.

use liventix_core::ids::TicketId;

use super::present::Found;
use super::store::{self, LinkKind};
use crate::platform::db::{DbError, Tx};
use crate::platform::problem::ApiResult;
use crate::tickets;

/// Ends every claim and every link of a ticket: its codes are new, and so is its holder.
pub(crate) async fn end(tx: &mut Tx, ticket: TicketId, now: i64) -> Result<(), DbError> {
    store::delete_claims(tx, ticket).await?;
    store::end_links(tx, ticket, LinkKind::Ticket, now).await?;
    store::end_links(tx, ticket, LinkKind::Transfer, now).await
}

/// A ticket that no phone holds any more can mint no live codes: its printed code counts again.
pub(super) async fn abandoned(tx: &mut Tx, found: &mut Found) -> ApiResult<()> {
    let view = &mut found.row.view;
    if view.live_activated && store::holders(tx, view.ticket_id).await?.is_empty() {
        view.live_activated = false;
        tickets::update(tx, found.snapshot.info.event_id, &found.row).await?;
    }
    Ok(())
}
