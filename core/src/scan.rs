//! One scan, end to end: from the scanned text to a durable verdict.
//!
//! Read and authenticate the code, then look up, decide and record it in one transaction of the
//! ledger. Whatever was scanned is recorded, forgeries and shopping receipts too; only a door that
//! is set up wrongly is an error instead of a verdict.

mod line;
mod undo;

pub use undo::{UndoError, Undone, undo};

use crate::clock::TimeReading;
use crate::ids::{DeviceId, EventId, GateId, ScanId, TicketId};
use crate::ledger::record::{Fingerprint, Medium};
use crate::ledger::{Attempt, Ledger, LedgerError, Note, NoteError, Recorded, Subject};
use crate::rules::{Decision, Direction, Reason};
use crate::ticket::code::{Kind, SignedCode};
use crate::ticket::legacy;
use crate::ticket::{CodeError, KeyRing, ManualCode, Scanned, clean, read};

/// The most people one scan may admit.
pub const MAX_PEOPLE: u16 = 1_000;

/// The door at which a scan happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorContext {
    /// The event.
    pub event_id: EventId,
    /// The gate: one of the event's that the device is assigned to.
    pub gate_id: GateId,
    /// The device.
    pub device_id: DeviceId,
    /// In or out.
    pub direction: Direction,
    /// How many people want to pass with one ticket (1 to [`MAX_PEOPLE`]).
    pub people: u16,
}

/// What came of a scan. It is durable by the time anyone sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The scan.
    pub scan_id: ScanId,
    /// Its place in the ledger.
    pub seq: i64,
    /// When, corrected to server time (UTC milliseconds).
    pub at: i64,
    /// What was decided, and why.
    pub decision: Decision,
    /// All that in one line for the door, e.g. `Welcome, Ada Lovelace · Weekend pass`.
    pub line: String,
    /// The ticket, if this device knows it.
    pub ticket: Option<TicketView>,
    /// For a duplicate: what people call the gate of `decision.first_admission`.
    pub first_gate: Option<String>,
}

/// What a door shows of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketView {
    /// The ticket.
    pub ticket_id: TicketId,
    /// What people call its type.
    pub type_name: String,
    /// Who holds it.
    pub attendee_name: Option<String>,
}

/// A scan that could not be made. Nobody was admitted and nothing was recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No device is enrolled.
    #[error("this scanner is not enrolled: enrol it with a code from the organiser")]
    NotEnrolled,
    /// The context names another device than the one enrolled.
    #[error("the scan names another device than the enrolled one: restart this scanner")]
    WrongDevice,
    /// The organiser revoked the device.
    #[error(
        "the organiser revoked this scanner: ask for a new enrolment code; its unsent scans can still be sent"
    )]
    Revoked,
    /// The event has no such gate.
    #[error("the event has no such gate: choose a gate again, or sync")]
    UnknownGate,
    /// The device may not scan there.
    #[error("this scanner is not assigned to this gate: choose another gate, or ask the organiser")]
    NotAssigned,
    /// The number of people is out of range.
    #[error("{people} people cannot pass with one scan: choose between 1 and {MAX_PEOPLE}")]
    People {
        /// The number that was asked for.
        people: u16,
    },
    /// The device may not overrule a refusal.
    #[error("this scanner may not let people in against a refusal: fetch a supervisor with their scanner")]
    NotSupervisor,
    /// The reason given for overruling cannot be recorded.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl ScanError {
    /// The stable code programs branch on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ledger(error) => error.code(),
            Self::NotEnrolled => "not_enrolled",
            Self::WrongDevice => "wrong_device",
            Self::Revoked => "device_revoked",
            Self::UnknownGate => "gate_unknown",
            Self::NotAssigned => "not_assigned",
            Self::People { .. } => "people_out_of_range",
            Self::NotSupervisor => "not_supervisor",
            Self::Note(error) => error.code(),
        }
    }
}

/// Scans one text at a door.
///
/// # Errors
/// [`ScanError`], if the door is set up wrongly or the ledger cannot record the scan. A bad code is
/// no error: it is refused, and the refusal recorded.
pub fn scan(
    ledger: &mut Ledger,
    keys: &KeyRing,
    door: &DoorContext,
    text: &str,
) -> Result<Verdict, ScanError> {
    check_door(ledger, door)?;
    pass(ledger, door, None, |time| recognise(keys, door, time, text))
}

/// Scans one text at a door with a supervisor, who lets people pass in spite of a refusal or a question
/// that [`Reason::can_be_overruled`]. `note` says why, in one line of 1 to 200 characters.
///
/// If the rules admit by themselves, nothing is overruled and the verdict is that of [`scan`]; if the
/// ticket is not known or the reason is final, the refusal stands and is recorded.
///
/// # Errors
/// As [`scan`]; and [`ScanError::NotSupervisor`] or [`ScanError::Note`].
pub fn force(
    ledger: &mut Ledger,
    keys: &KeyRing,
    door: &DoorContext,
    text: &str,
    note: &str,
) -> Result<Verdict, ScanError> {
    let note = check_supervisor(ledger, door, note)?;
    pass(ledger, door, Some(note), |time| recognise(keys, door, time, text))
}

/// Admits a ticket that was picked from the list (see [`Ledger::search`]), by the same rules as a manual
/// code. One that is no longer on the list is refused.
///
/// # Errors
/// As [`scan`].
pub fn admit_listed(
    ledger: &mut Ledger,
    door: &DoorContext,
    ticket_id: TicketId,
) -> Result<Verdict, ScanError> {
    check_door(ledger, door)?;
    pass(ledger, door, None, |_| Recognised::listed(ticket_id))
}

/// [`force`] for a ticket that was picked from the list.
///
/// # Errors
/// As [`force`].
pub fn force_listed(
    ledger: &mut Ledger,
    door: &DoorContext,
    ticket_id: TicketId,
    note: &str,
) -> Result<Verdict, ScanError> {
    let note = check_supervisor(ledger, door, note)?;
    pass(ledger, door, Some(note), |_| Recognised::listed(ticket_id))
}

fn pass(
    ledger: &mut Ledger,
    door: &DoorContext,
    force: Option<Note>,
    recognise: impl FnOnce(&TimeReading) -> Recognised,
) -> Result<Verdict, ScanError> {
    let time = ledger.now();
    let Recognised { medium, fingerprint, subject } = recognise(&time);
    let recorded = ledger.record_scan(&Attempt {
        event_id: door.event_id,
        gate_id: door.gate_id,
        device_id: door.device_id,
        direction: door.direction,
        people: door.people,
        medium,
        fingerprint,
        time,
        subject,
        force,
    })?;
    Ok(verdict(recorded))
}

fn check_supervisor(ledger: &Ledger, door: &DoorContext, note: &str) -> Result<Note, ScanError> {
    check_door(ledger, door)?;
    let device = ledger.enrolled()?.ok_or(ScanError::NotEnrolled)?;
    if !device.may_force(door.event_id) {
        return Err(ScanError::NotSupervisor);
    }
    Ok(Note::new(note)?)
}

fn check_door(ledger: &Ledger, door: &DoorContext) -> Result<(), ScanError> {
    if !(1..=MAX_PEOPLE).contains(&door.people) {
        return Err(ScanError::People { people: door.people });
    }
    let device = ledger.enrolled()?.ok_or(ScanError::NotEnrolled)?;
    if device.device_id != door.device_id {
        return Err(ScanError::WrongDevice);
    }
    if device.revoked {
        return Err(ScanError::Revoked);
    }
    if !ledger.has_gate(door.event_id, door.gate_id)? {
        return Err(ScanError::UnknownGate);
    }
    if !device.may_scan(door.event_id, door.gate_id) {
        return Err(ScanError::NotAssigned);
    }
    Ok(())
}

/// A scanned text, authenticated as far as that goes.
struct Recognised {
    medium: Medium,
    fingerprint: Fingerprint,
    subject: Subject,
}

impl Recognised {
    fn refused(medium: Medium, text: &str, reason: Reason) -> Self {
        Self { medium, fingerprint: Fingerprint::of(text), subject: Subject::Refused(reason) }
    }

    /// No text at all: the ticket itself.
    fn listed(ticket_id: TicketId) -> Self {
        let fingerprint = Fingerprint::of(&ticket_id.to_string());
        Self { medium: Medium::Listed, fingerprint, subject: Subject::Listed { ticket_id } }
    }

    /// An unsigned code that names its ticket by id.
    fn naming(mut self, named: Option<TicketId>) -> Self {
        if let Subject::Legacy { ticket_id, .. } = &mut self.subject {
            *ticket_id = named;
        }
        self
    }
}

fn recognise(keys: &KeyRing, door: &DoorContext, time: &TimeReading, text: &str) -> Recognised {
    let event_id = door.event_id;
    match read(text) {
        Ok(Scanned::Signed(code)) => signed(keys, door, time, &code, clean(text)),
        Ok(Scanned::Manual(code)) => manual(keys, event_id, &code, clean(text)),
        Ok(Scanned::Other(text)) => unsigned(keys, event_id, &text),
        // A mistyped manual code looks like some codes of older systems.
        Err(CodeError::ManualTypo) => {
            by_legacy_tag(keys, event_id, clean(text), Medium::Manual, Reason::ManualTypo)
        }
        // So does a text of the length and letters of a code in a link.
        Err(error @ CodeError::NotCanonical) => {
            by_legacy_tag(keys, event_id, clean(text), Medium::Unreadable, error.reason())
        }
        Err(error) => Recognised::refused(Medium::Unreadable, clean(text), error.reason()),
    }
}

fn manual(keys: &KeyRing, event_id: EventId, code: &ManualCode, text: &str) -> Recognised {
    let Some(key) = keys.lookup_key(event_id) else {
        return Recognised::refused(Medium::Manual, "", Reason::UnknownKey);
    };
    let (tag, legacy_tag) = (key.manual_tag(code), key.legacy_tag(text));
    // Of the keyed tag: a plain hash of so short a code could be searched for.
    let fingerprint = Fingerprint::of(&data_encoding::BASE64URL_NOPAD.encode(&tag.0));
    Recognised { medium: Medium::Manual, fingerprint, subject: Subject::Manual { tag, legacy_tag } }
}

fn signed(
    keys: &KeyRing,
    door: &DoorContext,
    time: &TimeReading,
    code: &SignedCode,
    text: &str,
) -> Recognised {
    let medium = match code.kind() {
        Kind::Printed => Medium::Printed,
        Kind::Live => Medium::Live,
    };
    let verified = match door.direction {
        Direction::Entry => keys.verify(door.event_id, code, time.bounds()),
        // Nobody is kept inside because a key was withdrawn.
        Direction::Exit => keys.verify_exit(door.event_id, code),
    };
    let subject = match verified {
        Ok(verified) => Subject::Signed { ticket_id: verified.ticket_id, presented: verified.presented },
        Err(error) => not_authentic(keys, door.event_id, text, error.reason()),
    };
    Recognised { medium, fingerprint: Fingerprint::of(&code.text()), subject }
}

/// The link form of a code has no prefix: of codes of older systems with 64 hex digits, one in forty
/// is laid out like one. So it is looked up before it is refused.
fn not_authentic(keys: &KeyRing, event_id: EventId, text: &str, reason: Reason) -> Subject {
    match keys.lookup_key(event_id) {
        Some(key) if !text.contains(':') => {
            Subject::Legacy { ticket_id: None, tag: key.legacy_tag(text), unknown: reason }
        }
        _ => Subject::Refused(reason),
    }
}

fn unsigned(keys: &KeyRing, event_id: EventId, text: &str) -> Recognised {
    let code = legacy::parse(text);
    if code.event_id.is_some_and(|named| named != event_id) {
        return Recognised::refused(Medium::Legacy, &code.text, Reason::OtherEvent);
    }
    match code.ticket_id {
        None => by_legacy_tag(keys, event_id, &code.text, Medium::Unreadable, Reason::NotATicket),
        ticket_id => {
            let by_tag = by_legacy_tag(keys, event_id, &code.text, Medium::Legacy, Reason::Unlisted);
            by_tag.naming(ticket_id)
        }
    }
}

/// A text that may be the code of an older system; if not, it is refused for `unknown`.
fn by_legacy_tag(
    keys: &KeyRing,
    event_id: EventId,
    text: &str,
    medium: Medium,
    unknown: Reason,
) -> Recognised {
    match keys.lookup_key(event_id) {
        Some(key) => Recognised {
            medium,
            fingerprint: Fingerprint::of(text),
            subject: Subject::Legacy { ticket_id: None, tag: key.legacy_tag(text), unknown },
        },
        None => Recognised::refused(medium, text, Reason::UnknownKey),
    }
}

fn verdict(recorded: Recorded) -> Verdict {
    let line = line::line(&recorded);
    let Recorded { scan, decision, ticket, first_gate } = recorded;
    Verdict {
        scan_id: scan.scan_id,
        seq: scan.seq,
        at: scan.at(),
        decision,
        line,
        ticket: ticket.map(|ticket| TicketView {
            ticket_id: ticket.ticket_id,
            type_name: ticket.type_name,
            attendee_name: ticket.attendee_name,
        }),
        first_gate,
    }
}
