//! The kinds of anomalies, with their stable codes and their words.

use crate::platform::coded::coded;
use crate::platform::severity::Severity;

coded! {
    /// What kind of anomaly it is.
    Kind {
        /// Many codes with a bad signature or an unknown key at one device, gate or event.
        ForgedCodeBurst = "forged_code_burst",
        /// More people entered with a ticket than it holds: doors admitted it without knowing of each other.
        ConflictingAdmissions = "conflicting_admissions",
        /// One ticket at two gates in less time than the way between them takes.
        ImpossibleTravel = "impossible_travel",
        /// A device's wall clock was set.
        DeviceClockJump = "device_clock_jump",
        /// A ledger has a gap, a fork or a scan that follows another one than it should.
        ChainBroken = "chain_broken",
        /// A scanner sent more than it may.
        ScannerOverLimit = "scanner_over_limit",
        /// A revoked device goes on scanning.
        RevokedDeviceScans = "revoked_device_scans",
        /// Scans dated where they cannot have happened.
        ScanTimeImplausible = "scan_time_implausible",
    }
}

coded! {
    /// What became of it.
    State {
        /// Nobody has looked yet.
        Open = "open",
        /// Somebody looks after it.
        Acknowledged = "acknowledged",
        /// It is over, or somebody says so.
        Resolved = "resolved",
    }
}

coded! {
    /// What an anomaly is about.
    SubjectKind {
        /// A device; for an online scanner, its API key.
        Device = "device",
        /// A gate.
        Gate = "gate",
        /// The event as a whole.
        Event = "event",
        /// A ticket.
        Ticket = "ticket",
        /// A device's ledger.
        Ledger = "ledger",
    }
}

impl Kind {
    /// How much it matters, unless what was found says otherwise.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::ImpossibleTravel | Self::ForgedCodeBurst | Self::RevokedDeviceScans => Severity::Critical,
            Self::ConflictingAdmissions | Self::DeviceClockJump | Self::ScanTimeImplausible => {
                Severity::Warning
            }
            // Of a chain, the break says: a gap may be filled yet.
            Self::ChainBroken | Self::ScannerOverLimit => Severity::Notice,
        }
    }

    /// What to do next, in one sentence.
    #[must_use]
    pub const fn next_step(self) -> &'static str {
        match self {
            Self::ForgedCodeBurst => {
                "Look at who comes to that gate with these codes; if the key is unknown, let the scanner sync first."
            }
            Self::ConflictingAdmissions => {
                "Compare both admissions in the conflicts list, ask the gates, and block or reissue the ticket if its code was copied."
            }
            Self::ImpossibleTravel => {
                "The code was most likely copied: reissue the ticket, and ask its holder for an ID at the gate."
            }
            Self::DeviceClockJump => {
                "Set the phone's date and time to automatic and let it sync; validity checks made in between deserve a look."
            }
            Self::ChainBroken => {
                "Let the device upload everything it has; if the break stays, take the device out of use and keep it as evidence."
            }
            Self::ScannerOverLimit => {
                "Check whether this scanner's token is used by somebody else or its program repeats requests in a loop."
            }
            Self::RevokedDeviceScans => {
                "Find the device: its scans are set aside and nobody it let in was recorded. Enrol it again if it is in good hands."
            }
            Self::ScanTimeImplausible => {
                "Let the device sync its clock; its scans are merged by these times, so check their tickets by hand."
            }
        }
    }

    /// What an anomaly of this kind is about, where no name is told.
    #[must_use]
    pub const fn somebody(self) -> &'static str {
        match self {
            Self::ForgedCodeBurst => "one place",
            Self::ConflictingAdmissions => "one ticket",
            Self::ImpossibleTravel => "One ticket",
            Self::DeviceClockJump | Self::ChainBroken => "a device",
            Self::ScannerOverLimit => "A scanner",
            Self::RevokedDeviceScans | Self::ScanTimeImplausible => "A device",
        }
    }

    /// What happened `times` times, in one sentence. `about` names the subject.
    #[must_use]
    pub fn sentence(self, times: i64, about: &str) -> String {
        let one = times == 1;
        let many = |singular: &str, plural: &str| format!("{times} {}", if one { singular } else { plural });
        match self {
            Self::ForgedCodeBurst => {
                format!("{} that are not authentic were shown at {about}.", many("code", "codes"))
            }
            Self::ConflictingAdmissions => {
                format!(
                    "{} too many with {about}: doors did not know of each other.",
                    many("admission", "admissions")
                )
            }
            Self::ImpossibleTravel => {
                format!("{about} was at two gates faster than anybody walks, {}.", many("time", "times"))
            }
            Self::DeviceClockJump => format!("The clock of {about} was set, {}.", many("time", "times")),
            Self::ChainBroken => {
                format!("The scans of {about} do not follow each other in {}.", many("place", "places"))
            }
            Self::ScannerOverLimit => {
                format!("{about} sent more than it may: {} refused.", many("request was", "requests were"))
            }
            Self::RevokedDeviceScans => {
                format!(
                    "{about} is revoked and went on: {}.",
                    many("scan was set aside", "scans were set aside")
                )
            }
            Self::ScanTimeImplausible => {
                format!("{about} dated {} where it cannot have happened.", many("scan", "scans"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_what_json_says() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.code());
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
            assert!(kind.sentence(1, "North gate").contains("North gate"));
            assert!(kind.next_step().len() < 160);
        }
        assert!(Severity::Notice < Severity::Warning && Severity::Warning < Severity::Critical);
    }
}
