//! The limits that scanners come under.

use liventix_core::rules::Reason;

use super::present;
use crate::app::AppState;
use crate::platform::auth::Scanner;
use crate::platform::config::RefusedScans;
use crate::platform::rate_limit::{Check, Key};

/// The place of the refused scans in [`of_redeem`].
pub(super) const REFUSED: usize = 1;

/// How often this scanner may redeem or take back, in all.
pub(super) fn of_scanner(app: &AppState, scanner: Scanner) -> Check {
    Check::count(Key::new("redeem", scanner.scanner_id.as_bytes()), app.config().limits.redeem)
}

/// What a redeem of this text comes under: the scanner's total, its refused scans (known only once it is
/// decided), and for a code that was typed, and so may be guessed, the typed ones.
pub(super) fn of_redeem(app: &AppState, scanner: Scanner, text: &str) -> Vec<Check> {
    let id = scanner.scanner_id.as_bytes();
    let limits = &app.config().limits;
    let refused = Check::look(Key::new("refused_scans", id), limits.refused_scans)
        .saying("This scanner read too many codes that are not tickets.");
    let mut checks = vec![of_scanner(app, scanner), refused];
    if present::is_typed(text) {
        checks.push(Check::count(Key::new("manual_code", id), limits.manual_code));
    }
    checks
}

/// Whether a scan refused for this reason counts as one.
pub(super) fn counts(app: &AppState, reason: Reason) -> bool {
    match app.config().limits.refused_scans_counted {
        RefusedScans::Every => true,
        RefusedScans::NotAuthentic => is_not_authentic(reason),
    }
}

/// Whether nothing about the code shows that it was ever a ticket for this event. What honest guests bring to
/// the wrong door, too early or twice is not among these, nor a slip of the keys, which its check symbol gives
/// away before anything is looked up.
const fn is_not_authentic(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NotATicket
            | Reason::UnknownVersion
            | Reason::UnknownKey
            | Reason::BadSignature
            | Reason::ManualUnknown
            | Reason::Unlisted
    )
}
