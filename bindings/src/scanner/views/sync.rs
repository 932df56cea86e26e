//! How a scanner stands with the server.

use std::time::Duration;

use liventix_core::ledger;
use liventix_core::sync::{self, Progress};

use crate::convert::duration;

/// What waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Unsent {
    /// How many scans.
    pub count: u64,
    /// How long the oldest has waited; none if nothing waits.
    pub oldest_age: Option<Duration>,
}

impl From<ledger::Unsent> for Unsent {
    fn from(unsent: ledger::Unsent) -> Self {
        Self { count: unsent.count, oldest_age: unsent.oldest_age_ms.map(duration) }
    }
}

/// What one sync did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct SyncReport {
    /// Scans the server stored and merged now.
    pub pushed: u64,
    /// Scans it already had: an earlier upload whose answer was lost.
    pub duplicates: u64,
    /// Scans it set aside: see [`crate::Scanner::quarantined`].
    pub quarantined: u64,
    /// Tickets that came or changed.
    pub tickets: u64,
    /// Passages at other doors that came.
    pub passages: u64,
    /// Bytes received, after decompression.
    pub bytes: u64,
    /// Server time minus this machine's wall clock (milliseconds).
    pub clock_offset_ms: i64,
    /// How far that may be off; none if nobody knows.
    pub clock_error: Option<Duration>,
    /// How long it took.
    pub took: Duration,
}

impl From<sync::SyncReport> for SyncReport {
    fn from(report: sync::SyncReport) -> Self {
        Self {
            pushed: report.pushed,
            duplicates: report.duplicates,
            quarantined: report.quarantined,
            tickets: report.tickets,
            passages: report.passages,
            bytes: report.bytes,
            clock_offset_ms: report.offset_ms,
            clock_error: report.error_ms.map(duration),
            took: duration(report.duration_ms),
        }
    }
}

/// How far a sync is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum SyncProgress {
    /// Comparing clocks.
    Clock,
    /// Uploading scans.
    Pushing {
        /// Scans with a receipt so far.
        sent: u64,
        /// Scans without one.
        remaining: u64,
    },
    /// Fetching the keys of an event.
    Keys {
        /// The event.
        event_id: String,
    },
    /// Downloading an event's list.
    Pulling {
        /// The event.
        event_id: String,
        /// Rows (tickets and passages) applied so far.
        done: u64,
        /// Rows in all.
        total: u64,
    },
}

impl SyncProgress {
    /// None for what is told elsewhere.
    pub(in crate::scanner) fn of(progress: &Progress) -> Option<Self> {
        Some(match *progress {
            Progress::Clock => Self::Clock,
            Progress::Pushing { sent, remaining } => Self::Pushing { sent, remaining },
            Progress::Keys { event_id } => Self::Keys { event_id: event_id.to_string() },
            Progress::Pulling { event_id, done, total } => {
                Self::Pulling { event_id: event_id.to_string(), done, total }
            }
            Progress::Merged { .. } => return None,
        })
    }
}

/// Whether the server is in touch.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum LinkState {
    /// It is.
    Online,
    /// It is not; it is tried again by itself. Scanning goes on.
    Offline {
        /// The stable code of the cause, e.g. `offline`, `intercepted`.
        code: String,
        /// For people.
        detail: String,
        /// How long until the next try.
        retry_in: Duration,
    },
    /// Watching ended: a person has to do something.
    Stopped {
        /// The stable code of the cause, e.g. `device_revoked`.
        code: String,
        /// For people.
        detail: String,
    },
}

impl LinkState {
    /// Whether telling it after `other` tells nothing new: another try that failed alike is no news.
    pub(in crate::scanner) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Online, Self::Online) => true,
            (Self::Offline { code: a, .. }, Self::Offline { code: b, .. }) => a == b,
            _ => self == other,
        }
    }
}
