//! Whether a passage may be taken back.

use super::history::Passage;
use super::policy::EventPolicy;

/// Why a passage stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoRefusal {
    /// It takes back another one: nobody passed with it.
    NotAPassage,
    /// The event switched it off.
    Off,
    /// It was taken back before.
    Already,
    /// It is longer ago than the event allows.
    TooLate {
        /// How long a passage may be taken back (seconds).
        window_seconds: u32,
    },
}

/// Checks whether the device that made `target` may take it back at `now` (corrected to server time,
/// UTC milliseconds). `passages` are those of the same ticket.
///
/// # Errors
/// [`UndoRefusal`]: why not.
pub fn may_undo(
    target: &Passage,
    passages: &[Passage],
    policy: &EventPolicy,
    now: i64,
) -> Result<(), UndoRefusal> {
    let window_seconds = policy.undo_seconds;
    if target.undoes.is_some() {
        return Err(UndoRefusal::NotAPassage);
    }
    if window_seconds == 0 {
        return Err(UndoRefusal::Off);
    }
    if target.is_undone(passages) {
        return Err(UndoRefusal::Already);
    }
    if now.saturating_sub(target.at) > i64::from(window_seconds) * 1_000 {
        return Err(UndoRefusal::TooLate { window_seconds });
    }
    Ok(())
}
