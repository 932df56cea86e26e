//! Who holds a ticket: claimed, let go, ended.

use liventix_core::ids::TicketId;

use super::store::{self, LinkKind};
use crate::platform::db::{DbError, Tx};

/// Ends every claim and every link of a ticket: its codes are new, and so is its holder.
pub(crate) async fn end(tx: &mut Tx, ticket: TicketId, now: i64) -> Result<(), DbError> {
    store::delete_claims(tx, ticket).await?;
    store::end_links(tx, ticket, LinkKind::Ticket, now).await?;
    store::end_links(tx, ticket, LinkKind::Transfer, now).await
}
