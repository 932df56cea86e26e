//! The vocabulary of verdicts, mirrored from the core. Each mirror must match it to the letter: if one
//! drifts, this does not compile.

use liventix_core::rules::{Confidence, Direction, Flag, Outcome, Reason, TicketStatus};

/// In or out.
#[uniffi::remote(Enum)]
pub enum Direction {
    /// In.
    Entry,
    /// Out.
    Exit,
}

/// Whether people may pass.
#[uniffi::remote(Enum)]
pub enum Outcome {
    /// They may pass.
    Admit,
    /// They may not.
    Refuse,
    /// A supervisor decides; nothing was admitted.
    Ask,
}

/// How sure the door is.
#[uniffi::remote(Enum)]
pub enum Confidence {
    /// Known ticket, fresh list, trusted clock.
    Green,
    /// Passes or needs a decision, but something could not be checked: see the flags.
    Amber,
    /// Refused.
    Red,
}

/// What a verdict could not be sure of. Any flag turns green to amber.
#[uniffi::remote(Enum)]
pub enum Flag {
    /// Good signature, but the ticket is not on this device's list.
    Unlisted,
    /// The list is older than the event allows.
    ListStale,
    /// The clock was never compared with the server's, may be off by more than the event allows, was set
    /// by hand, or the answer depends on its error.
    ClockUncertain,
    /// An unsigned code of an older system.
    LegacyCode,
    /// A live code past its time to live, on an event with soft effect.
    LiveStale,
    /// Someone left whose entry this device has not seen.
    ExitWithoutEntry,
    /// A supervisor let them pass though the rules did not.
    Forced,
}

/// Where a ticket stands with the organiser.
#[uniffi::remote(Enum)]
pub enum TicketStatus {
    /// Good for entry.
    Valid,
    /// Ordered, not paid.
    Unpaid,
    /// Cancelled or refunded.
    Cancelled,
    /// Blocked by the organiser.
    Revoked,
}

/// Why a scan came out as it did.
#[uniffi::remote(Enum)]
pub enum Reason {
    /// First entry.
    Entered,
    /// Came back after an exit.
    Reentered,
    /// Went out.
    Exited,
    /// A supervisor let them pass though the rules did not.
    Forced,
    /// Not an attempt: it took an earlier passage back.
    Undone,
    /// The same ticket a moment ago at this very device: most likely the same guest, scanned twice.
    RapidRescan,
    /// All its entries are used.
    AlreadyUsed,
    /// Fewer people are left on the ticket than want to enter.
    GroupExceeded,
    /// An exit was asked of a ticket whose people have all left.
    AlreadyOut,
    /// The ticket is not paid.
    Unpaid,
    /// The ticket was cancelled or refunded.
    Cancelled,
    /// The organiser blocked the ticket.
    Revoked,
    /// The code was reissued: a newer one exists.
    Replaced,
    /// The ticket type may not use this gate.
    WrongGate,
    /// The ticket is for another event.
    OtherEvent,
    /// Too early.
    NotYetValid,
    /// Too late, by the code or by the ticket's validity.
    Expired,
    /// A live code past its time to live: a screenshot, most likely.
    Stale,
    /// A printed code where only live codes enter.
    PrintedRefused,
    /// An unsigned code, which the event no longer takes.
    LegacyRefused,
    /// Good signature, not on the list.
    Unlisted,
    /// Not a Liventix code, nor an old one.
    NotATicket,
    /// A format version newer than this software.
    UnknownVersion,
    /// Signed with a key this device does not hold.
    UnknownKey,
    /// Signed with a key that was withdrawn.
    RetiredKey,
    /// The signature does not fit: altered or forged.
    BadSignature,
    /// A manual code with a typing mistake.
    ManualTypo,
    /// A well-formed manual code that belongs to no ticket on the list.
    ManualUnknown,
}
