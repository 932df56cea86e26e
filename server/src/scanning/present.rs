//! From scanned text to a ticket of the event, or the reason why there is none.

use liventix_core::clock::TimeReading;
use liventix_core::ids::TicketId;
use liventix_core::ledger::record::Medium;
use liventix_core::rules::{Direction, Presented, Reason};
use liventix_core::ticket::{CodeError, Kind, Scanned, SignedCode, clean, legacy, read};

use super::known::Known;
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

/// The ticket that a text names, before anything is checked: for reading many tickets at once.
pub(super) fn named_ticket(text: &str) -> Option<TicketId> {
    match read(text) {
        Ok(Scanned::Signed(code)) => Some(code.ticket_id()),
        Ok(Scanned::Other(text)) => legacy::parse(&text).ticket_id,
        _ => None,
    }
}

/// What was presented where.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) text: &'a str,
    pub(super) direction: Direction,
    pub(super) time: TimeReading,
}

pub(super) async fn find(
    conn: &mut Conn,
    known: &mut Known,
    snapshot: &Snapshot,
    shown: Shown<'_>,
) -> Result<Found, DbError> {
    let text = clean(shown.text);
    match read(shown.text) {
        Ok(Scanned::Signed(code)) => signed(conn, known, snapshot, &code, shown).await,
        Ok(Scanned::Manual(code)) => {
            let tag = snapshot.lookup_key().manual_tag(&code);
            match tickets::by_manual_tag(conn, snapshot.info.event_id, tag).await? {
                Some(ticket) => Ok(ticket_found(Medium::Manual, Presented::Manual, ticket)),
                None => by_legacy_tag(conn, snapshot, text, (Medium::Manual, Reason::ManualUnknown)).await,
            }
        }
        Ok(Scanned::Other(text)) => unsigned(conn, known, snapshot, &text).await,
        // A mistyped manual code looks like some codes of older systems.
        Err(CodeError::ManualTypo) => {
            by_legacy_tag(conn, snapshot, text, (Medium::Manual, Reason::ManualTypo)).await
        }
        // So does a text of the length and letters of a code in a link.
        Err(error @ CodeError::NotCanonical) => {
            by_legacy_tag(conn, snapshot, text, (Medium::Unreadable, error.reason())).await
        }
        Err(error) => Ok(Found::Nothing { medium: Medium::Unreadable, reason: error.reason() }),
    }
}

fn ticket_found(medium: Medium, presented: Presented, ticket: TicketRow) -> Found {
    Found::Ticket { medium, presented, ticket: Box::new(ticket) }
}

async fn signed(
    conn: &mut Conn,
    known: &mut Known,
    snapshot: &Snapshot,
    code: &SignedCode,
    shown: Shown<'_>,
) -> Result<Found, DbError> {
    let event = snapshot.info.event_id;
    let medium = match code.kind() {
        Kind::Printed => Medium::Printed,
        Kind::Live => Medium::Live,
    };
    let verified = match shown.direction {
        Direction::Entry => snapshot.ring.verify(event, code, shown.time.bounds()),
        // Nobody is kept inside because a key was withdrawn.
        Direction::Exit => snapshot.ring.verify_exit(event, code),
    };
    let verified = match verified {
        Ok(verified) => verified,
        Err(error) => {
            return not_authentic(conn, snapshot, clean(shown.text), (medium, error.reason())).await;
        }
    };
    // The server knows every ticket: a good signature for one it does not know lets nobody in, whatever
    // the event allows its doors.
    Ok(match known.ticket(conn, event, verified.ticket_id).await? {
        Some(ticket) => ticket_found(medium, verified.presented, ticket),
        None => Found::Nothing { medium, reason: Reason::Unlisted },
    })
}

/// The link form of a code has no prefix: some codes of older systems are laid out like one. So it is
/// looked up before it is refused.
async fn not_authentic(
    conn: &mut Conn,
    snapshot: &Snapshot,
    text: &str,
    otherwise: (Medium, Reason),
) -> Result<Found, DbError> {
    if text.contains(':') {
        let (medium, reason) = otherwise;
        return Ok(Found::Nothing { medium, reason });
    }
    by_legacy_tag(conn, snapshot, text, otherwise).await
}

/// A text that is no code of ours: it may name its ticket, or be the code of an older system.
async fn unsigned(
    conn: &mut Conn,
    known: &mut Known,
    snapshot: &Snapshot,
    text: &str,
) -> Result<Found, DbError> {
    let event = snapshot.info.event_id;
    let code = legacy::parse(text);
    if code.event_id.is_some_and(|named| named != event) {
        return Ok(Found::Nothing { medium: Medium::Legacy, reason: Reason::OtherEvent });
    }
    let Some(id) = code.ticket_id else {
        return by_legacy_tag(conn, snapshot, &code.text, (Medium::Unreadable, Reason::NotATicket)).await;
    };
    match known.ticket(conn, event, id).await? {
        Some(ticket) => Ok(ticket_found(Medium::Legacy, Presented::Legacy, ticket)),
        None => by_legacy_tag(conn, snapshot, &code.text, (Medium::Legacy, Reason::Unlisted)).await,
    }
}

/// A text that may be the code of an older system; what it is `otherwise`.
async fn by_legacy_tag(
    conn: &mut Conn,
    snapshot: &Snapshot,
    text: &str,
    otherwise: (Medium, Reason),
) -> Result<Found, DbError> {
    let (medium, reason) = otherwise;
    let tag = snapshot.lookup_key().legacy_tag(text);
    Ok(match tickets::by_legacy_tag(conn, snapshot.info.event_id, tag).await? {
        Some(ticket) => ticket_found(Medium::Legacy, Presented::Legacy, ticket),
        None => Found::Nothing { medium, reason },
    })
}
