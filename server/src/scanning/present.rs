//! From scanned text to a ticket of the event, or the reason why there is none.

use liventix_core::clock::TimeReading;
use liventix_core::ids::EventId;
use liventix_core::ledger::record::Medium;
use liventix_core::rules::{LegacyStage, Presented, Reason};
use liventix_core::ticket::{CodeError, Kind, Scanned, SignedCode, legacy, read};

use crate::events::snapshot::Snapshot;
use crate::platform::db::{Conn, DbError};
use crate::tickets::{self, TicketRow};

/// What a text came to.
pub(super) enum Found {
    /// An authentic code of a ticket of this event.
    Ticket { medium: Medium, presented: Presented, ticket: Box<TicketRow> },
    /// Nothing that may enter.
    Nothing { medium: Medium, reason: Reason },
}

/// Whether a text is, or tries to be, a manual code: those are guessable, and so limited.
pub(super) fn is_typed(text: &str) -> bool {
    matches!(read(text), Ok(Scanned::Manual(_)) | Err(CodeError::ManualTypo))
}

pub(super) async fn find(
    conn: &mut Conn,
    snapshot: &Snapshot,
    text: &str,
    time: TimeReading,
) -> Result<Found, DbError> {
    match read(text) {
        Ok(Scanned::Signed(code)) => signed(conn, snapshot, &code, time).await,
        Ok(Scanned::Manual(code)) => {
            let tag = snapshot.lookup_key().manual_tag(&code);
            match tickets::by_manual_tag(conn, snapshot.info.event_id, tag).await? {
                Some(ticket) => Ok(ticket_found(Medium::Manual, Presented::Manual, ticket)),
                None => by_old_code(conn, snapshot, text, (Medium::Manual, Reason::ManualUnknown)).await,
            }
        }
        Ok(Scanned::Other(text)) => {
            by_old_code(conn, snapshot, &text, (Medium::Unreadable, Reason::NotATicket)).await
        }
        Err(CodeError::ManualTypo) => {
            by_old_code(conn, snapshot, text, (Medium::Manual, Reason::ManualTypo)).await
        }
        Err(error) => Ok(Found::Nothing { medium: Medium::Unreadable, reason: error.reason() }),
    }
}

fn ticket_found(medium: Medium, presented: Presented, ticket: TicketRow) -> Found {
    Found::Ticket { medium, presented, ticket: Box::new(ticket) }
}

async fn signed(
    conn: &mut Conn,
    snapshot: &Snapshot,
    code: &SignedCode,
    time: TimeReading,
) -> Result<Found, DbError> {
    let event = snapshot.info.event_id;
    let medium = match code.kind() {
        Kind::Printed => Medium::Printed,
        Kind::Live => Medium::Live,
    };
    let verified = match snapshot.ring.verify(event, code, time.bounds()) {
        Ok(verified) => verified,
        Err(error) => return Ok(Found::Nothing { medium, reason: error.reason() }),
    };
    // The server knows every ticket: a good signature for one it does not know lets nobody in, whatever
    // the event allows its doors.
    Ok(match tickets::get(conn, event, verified.ticket_id).await? {
        Some(ticket) => ticket_found(medium, verified.presented, ticket),
        None => Found::Nothing { medium, reason: Reason::Unlisted },
    })
}

/// A code of the system Liventix replaces, if the event still takes them.
async fn by_old_code(
    conn: &mut Conn,
    snapshot: &Snapshot,
    text: &str,
    otherwise: (Medium, Reason),
) -> Result<Found, DbError> {
    let (medium, reason) = otherwise;
    let event: EventId = snapshot.info.event_id;
    let code = legacy::parse(text);
    if code.event_id.is_some_and(|named| named != event) {
        return Ok(Found::Nothing { medium: Medium::Legacy, reason: Reason::OtherEvent });
    }
    let tag = snapshot.lookup_key().legacy_tag(&code.text);
    let mut ticket = tickets::by_legacy_tag(conn, event, tag).await?;
    if let (None, Some(id)) = (&ticket, code.ticket_id) {
        ticket = tickets::get(conn, event, id).await?;
    }
    Ok(match ticket {
        Some(_) if snapshot.info.policy.legacy == LegacyStage::Refuse && medium == Medium::Manual => {
            Found::Nothing { medium, reason }
        }
        Some(ticket) => ticket_found(Medium::Legacy, Presented::Legacy, ticket),
        None => Found::Nothing { medium, reason },
    })
}
