//! What a sync tells while it runs and when it is done.

use serde::Serialize;

use super::wire::ForeignPassage;
use crate::ids::EventId;

/// How far a sync is. Told often; showing it must be cheap and never block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
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
        event_id: EventId,
    },
    /// Downloading an event's list.
    Pulling {
        /// The event.
        event_id: EventId,
        /// Rows (tickets and passages) applied so far.
        done: u64,
        /// Rows in all, as the server counted them with the first page.
        total: u64,
    },
    /// Passages at other doors have become part of the ledger.
    Merged {
        /// The event.
        event_id: EventId,
        /// Those that were not known here, as the server ordered them: at most a page of them.
        passages: Vec<ForeignPassage>,
    },
}

/// What one sync did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SyncReport {
    /// Scans the server stored and merged now.
    pub pushed: u64,
    /// Scans it already had: an earlier upload whose answer was lost.
    pub duplicates: u64,
    /// Scans it set aside; the organiser sees them, and so does `quarantined` of the ledger.
    pub quarantined: u64,
    /// Manifest pages applied.
    pub pages: u64,
    /// Tickets in them.
    pub tickets: u64,
    /// Passages at other doors in them.
    pub passages: u64,
    /// Key rings fetched.
    pub key_rings: u64,
    /// Bytes of answers received, after decompression.
    pub bytes: u64,
    /// Server time minus wall clock (milliseconds), once known.
    pub offset_ms: i64,
    /// How far that may be off (milliseconds); none if no time probe came back.
    pub error_ms: Option<i64>,
    /// How long it took (milliseconds, monotonic clock).
    pub duration_ms: i64,
}
