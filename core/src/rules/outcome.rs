//! What a scan comes to: outcome, reason, confidence, and the words the door shows.

use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, GateId, ScanId};

/// Which way people go through the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// In.
    #[default]
    Entry,
    /// Out.
    Exit,
}

/// Whether people may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// They may pass.
    Admit,
    /// They may not.
    Refuse,
    /// A supervisor decides; nothing was admitted.
    Ask,
}

/// How sure the door is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Known ticket, fresh list, trusted clock.
    Green,
    /// Passes or needs a decision, but something could not be checked: see the flags.
    Amber,
    /// Refused.
    Red,
}

/// What a verdict could not be sure of. Any flag turns green to amber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Good signature, but the ticket is not in this device's manifest.
    Unlisted,
    /// The manifest is older than the event allows.
    ListStale,
    /// The clock was never compared with the server's, may be off by more than the event allows,
    /// was set by hand, or the answer depends on its error.
    ClockUncertain,
    /// An unsigned code of an older system.
    LegacyCode,
    /// A live code past its time to live, on an event with soft effect.
    LiveStale,
    /// Someone left whose entry this device has not seen.
    ExitWithoutEntry,
    /// A supervisor let them pass although the rules said otherwise.
    Forced,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $line:literal;)*) => {
        /// Why a scan came out as it did. Each has a stable code (its JSON form) and a line for the door.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable code, e.g. `already_used`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// What the door says, in one short line.
            #[must_use]
            pub const fn line(self) -> &'static str {
                match self { $(Self::$name => $line),* }
            }
        }
    };
}

reasons! {
    /// First entry.
    Entered = "entered", "Welcome";
    /// Came back after an exit.
    Reentered = "reentered", "Welcome back";
    /// Went out.
    Exited = "exited", "Goodbye";
    /// A supervisor overruled a refusal or a question.
    Forced = "forced", "Let in by supervisor";
    /// A passage was taken back: nobody passed after all.
    Undone = "undone", "Taken back";

    /// The same ticket a moment ago at this very device: most likely the same guest, scanned twice.
    RapidRescan = "rapid_rescan", "Just scanned here";
    /// All its entries are used.
    AlreadyUsed = "already_used", "Already used";
    /// Fewer people are left on the ticket than want to enter.
    GroupExceeded = "group_exceeded", "Fewer people left on this ticket";
    /// An exit was asked of a ticket whose people have all left.
    AlreadyOut = "already_out", "Already outside";

    /// The ticket is not paid.
    Unpaid = "unpaid", "Not paid";
    /// The ticket was cancelled or refunded.
    Cancelled = "cancelled", "Cancelled";
    /// The organiser blocked the ticket.
    Revoked = "revoked", "Blocked by the organiser";
    /// The code was reissued: a newer one exists.
    Replaced = "replaced", "Old code: a newer one was issued";
    /// The ticket type may not use this gate.
    WrongGate = "wrong_gate", "Wrong gate for this ticket";
    /// The ticket is for another event.
    OtherEvent = "other_event", "Ticket for another event";
    /// Too early.
    NotYetValid = "not_yet_valid", "Not valid yet";
    /// Too late, by the code or by the ticket's validity.
    Expired = "expired", "Expired";
    /// A live code past its time to live: a screenshot, most likely.
    Stale = "stale", "Code too old: open the live ticket";
    /// A printed code where only live codes enter.
    PrintedRefused = "printed_refused", "Show the live ticket on the phone";
    /// An unsigned code, which the event no longer takes.
    LegacyRefused = "legacy_refused", "Old code type: no longer accepted";
    /// Good signature, not in the manifest.
    Unlisted = "unlisted", "Not on the list";

    /// Not a Liventix code, nor an old one.
    NotATicket = "not_a_ticket", "Not a ticket";
    /// A format version newer than this software.
    UnknownVersion = "unknown_version", "Update this scanner";
    /// Signed with a key this device does not hold.
    UnknownKey = "unknown_key", "Unknown key: sync this scanner";
    /// Signed with a key that was withdrawn.
    RetiredKey = "retired_key", "Old code: its key was withdrawn";
    /// The signature does not fit: altered or forged.
    BadSignature = "bad_signature", "Forged or damaged code";
    /// A manual code with a typing mistake.
    ManualTypo = "manual_typo", "Typing mistake: check the code";
    /// A well-formed manual code that belongs to no ticket on the list.
    ManualUnknown = "manual_unknown", "No ticket with this code";
}

impl Reason {
    /// Whether a supervisor may let people pass in spite of it, once the ticket is known: never where
    /// the organiser took the ticket or its code back, and never where the code is not authentic.
    #[must_use]
    pub const fn can_be_overruled(self) -> bool {
        matches!(
            self,
            Self::RapidRescan
                | Self::AlreadyUsed
                | Self::GroupExceeded
                | Self::AlreadyOut
                | Self::Unpaid
                | Self::WrongGate
                | Self::NotYetValid
                | Self::Expired
                | Self::Stale
                | Self::PrintedRefused
                | Self::LegacyRefused
                | Self::Unlisted
        )
    }
}

/// The admission that a duplicate ran into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// The scan that admitted.
    pub scan_id: ScanId,
    /// When, corrected to server time (UTC milliseconds).
    pub at: i64,
    /// At which gate.
    pub gate_id: GateId,
    /// By which device.
    pub device_id: DeviceId,
}

/// What the rules decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// May they pass?
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// How sure is it?
    pub confidence: Confidence,
    /// What could not be checked, in a fixed order, each at most once.
    pub flags: Vec<Flag>,
    /// How many people passed: 0 unless admitted.
    pub people: u16,
    /// How many people may still enter on this ticket afterwards; none where unlimited or unknown.
    pub remaining: Option<u32>,
    /// For a duplicate: the admission it ran into.
    pub first_admission: Option<Evidence>,
    /// What a supervisor overruled, where the reason is [`Reason::Forced`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overruled: Option<Reason>,
}

impl Decision {
    /// A refusal for `reason`, red, with nothing else to say.
    #[must_use]
    pub const fn refuse(reason: Reason) -> Self {
        Self {
            outcome: Outcome::Refuse,
            reason,
            confidence: Confidence::Red,
            flags: Vec::new(),
            people: 0,
            remaining: None,
            first_admission: None,
            overruled: None,
        }
    }
}
