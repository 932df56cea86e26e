//! Small translations that every part needs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// UTC milliseconds as the time type that becomes `Date` and `Instant`. A moment the system cannot name
/// becomes the epoch.
pub(crate) fn time(ms: i64) -> SystemTime {
    let distance = Duration::from_millis(ms.unsigned_abs());
    let moment = if ms < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    moment.unwrap_or(UNIX_EPOCH)
}

/// Milliseconds as a duration; less than none is none.
pub(crate) fn duration(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// A text that is not an id of the kind that is needed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadId {
    /// The argument or field.
    pub(crate) field: &'static str,
}

impl BadId {
    /// Code and words.
    pub(crate) fn words(self) -> (String, String) {
        let detail = format!("{} is not an id: pass one that this library gave out", self.field);
        ("id_invalid".to_owned(), detail)
    }
}

/// Reads an id that the host handed in.
pub(crate) fn id<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, BadId> {
    text.parse().map_err(|_| BadId { field })
}
