//! Taking a passage back: the guest went away again, or the wrong ticket was scanned.

use crate::ids::{ScanId, TicketId};
use crate::ledger::{Ledger, LedgerError, Note, NoteError, Taken, UndoAttempt, UndoFailure};
use crate::rules::{Direction, UndoRefusal};

/// A passage that was taken back. That is durable by the time anyone sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undone {
    /// The scan that says so.
    pub scan_id: ScanId,
    /// Its place in the ledger.
    pub seq: i64,
    /// The scan that was taken back.
    pub undoes: ScanId,
    /// When it was taken back, corrected to server time (UTC milliseconds).
    pub at: i64,
    /// How many people had passed.
    pub people: u16,
    /// Which way.
    pub direction: Direction,
    /// The ticket.
    pub ticket_id: TicketId,
    /// How many people may enter on the ticket now; none where unlimited or unknown.
    pub remaining: Option<u32>,
}

/// A passage could not be taken back. It stands, and nothing was recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UndoError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No device is enrolled.
    #[error("this scanner is not enrolled: enrol it with a code from the organiser")]
    NotEnrolled,
    /// The organiser revoked the device.
    #[error("the organiser revoked this scanner: ask for a new enrolment code")]
    Revoked,
    /// The device may no longer scan where the passage was.
    #[error("this scanner is no longer assigned to that gate: ask the organiser")]
    NotAssigned,
    /// This device made no such scan.
    #[error("this scanner made no such scan: take it back at the scanner that made it")]
    Unknown,
    /// Nobody passed with that scan.
    #[error("nobody passed with that scan: there is nothing to take back")]
    NotAPassage,
    /// It was taken back before.
    #[error("that scan was taken back before: there is nothing left to do")]
    Already,
    /// It is longer ago than the event allows.
    #[error(
        "that scan is more than {window_seconds} seconds ago, too long to take it back: tell the organiser"
    )]
    TooLate {
        /// How long a passage may be taken back (seconds).
        window_seconds: u32,
    },
    /// The event switched it off.
    #[error("the organiser does not allow scans to be taken back at this event: tell a supervisor")]
    Off,
    /// The reason given cannot be recorded.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl UndoError {
    /// The stable code programs branch on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ledger(error) => error.code(),
            Self::NotEnrolled => "not_enrolled",
            Self::Revoked => "device_revoked",
            Self::NotAssigned => "not_assigned",
            Self::Unknown => "undo_unknown",
            Self::NotAPassage => "undo_not_a_passage",
            Self::Already => "undo_already",
            Self::TooLate { .. } => "undo_too_late",
            Self::Off => "undo_off",
            Self::Note(error) => error.code(),
        }
    }
}

impl From<UndoRefusal> for UndoError {
    fn from(refusal: UndoRefusal) -> Self {
        match refusal {
            UndoRefusal::NotAPassage => Self::NotAPassage,
            UndoRefusal::Off => Self::Off,
            UndoRefusal::Already => Self::Already,
            UndoRefusal::TooLate { window_seconds } => Self::TooLate { window_seconds },
        }
    }
}

/// Takes back the passage of the scan `scan_id`, which this device made within the event's
/// `undo_seconds`. `note` says why, in one line of 1 to 200 characters.
///
/// # Errors
/// [`UndoError`]: why the passage stands.
pub fn undo(ledger: &mut Ledger, scan_id: ScanId, note: &str) -> Result<Undone, UndoError> {
    let note = Note::new(note)?;
    let device = ledger.enrolled()?.ok_or(UndoError::NotEnrolled)?;
    if device.revoked {
        return Err(UndoError::Revoked);
    }
    let time = ledger.now();
    match ledger.record_undo(&UndoAttempt { device: &device, scan_id, note, time })? {
        Ok(Taken { scan, ticket_id, remaining }) => Ok(Undone {
            scan_id: scan.scan_id,
            seq: scan.seq,
            undoes: scan_id,
            at: scan.at(),
            people: scan.people,
            direction: scan.direction,
            ticket_id,
            remaining,
        }),
        Err(UndoFailure::Unknown) => Err(UndoError::Unknown),
        Err(UndoFailure::NotAssigned) => Err(UndoError::NotAssigned),
        Err(UndoFailure::Refused(refusal)) => Err(refusal.into()),
    }
}
