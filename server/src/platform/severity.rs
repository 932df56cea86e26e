//! How much something matters that people should know of.

use super::coded::coded;

coded! {
    /// How much it matters.
    Severity {
        /// Good to know; it may end by itself.
        Notice = "notice",
        /// Somebody should look today.
        Warning = "warning",
        /// Somebody should look now.
        Critical = "critical",
    }
}
