//! The decision over one authentic code.

use serde::{Deserialize, Serialize};

use super::doubts::Doubts;
use super::history::{Allowance, Passage, Standing, standing_passages};
use super::outcome::{Confidence, Decision, Direction, Evidence, Flag, Outcome, Reason};
use super::policy::{EventInfo, LegacyStage, PrintedPolicy, TicketType, TtlEffect, UnlistedPolicy};
use crate::clock::TimeReading;
use crate::ids::{DeviceId, GateId};

/// Codes hold whole seconds, and each is issued later than the one it replaces: one that is reissued within
/// its own second carries the next, and must be good at once.
const ISSUE_GRAIN_MS: i64 = 1_000;

/// Where a ticket stands with the organiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TicketStatus {
    /// Good for entry.
    #[default]
    Valid,
    /// Ordered, not paid.
    Unpaid,
    /// Cancelled or refunded.
    Cancelled,
    /// Blocked by the organiser.
    Revoked,
}

/// What the manifest (or the server's database) knows of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketFacts<'a> {
    /// Where it stands.
    pub status: TicketStatus,
    /// Its type.
    pub ticket_type: &'a TicketType,
    /// When its current code was issued (UTC milliseconds); an older code was replaced.
    pub code_issued_at: i64,
    /// Whether the attendee's phone has activated live codes.
    pub live_activated: bool,
    /// Overrides the type's window start (UTC milliseconds).
    pub valid_from: Option<i64>,
    /// Overrides the type's window end (UTC milliseconds).
    pub valid_until: Option<i64>,
    /// Overrides how many people the type admits.
    pub admits: Option<u16>,
}

impl TicketFacts<'_> {
    /// How many entries it holds.
    #[must_use]
    pub fn allowance(&self) -> Allowance {
        Allowance { people: self.admits.unwrap_or(self.ticket_type.admits), entry: self.ticket_type.entry }
    }
}

/// The code as it was presented, already authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// A signed printed code.
    Printed {
        /// Inside the signature (UTC milliseconds).
        issued_at: i64,
        /// Inside the signature (UTC milliseconds); none if it never expires.
        expires_at: Option<i64>,
    },
    /// A signed live code.
    Live {
        /// Inside the signature (UTC milliseconds).
        issued_at: i64,
        /// Inside the signature (UTC milliseconds); none if it never expires.
        expires_at: Option<i64>,
        /// When the attendee's phone made it (UTC milliseconds).
        minted_at: i64,
    },
    /// An unsigned code of an older system, found in the manifest.
    Legacy,
    /// A manual code, found in the manifest; or the ticket itself, picked from the list.
    Manual,
}

impl Presented {
    /// When a signed code was issued (UTC milliseconds).
    const fn issued_at(&self) -> Option<i64> {
        match self {
            Self::Printed { issued_at, .. } | Self::Live { issued_at, .. } => Some(*issued_at),
            Self::Legacy | Self::Manual => None,
        }
    }
}

/// Everything the decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The event whose door this is.
    pub event: &'a EventInfo,
    /// Where.
    pub gate_id: GateId,
    /// By which device.
    pub device_id: DeviceId,
    /// In or out.
    pub direction: Direction,
    /// How many people want to pass (at least 1).
    pub people: u16,
    /// When.
    pub time: TimeReading,
    /// The age of the manifest (milliseconds); none if it was never complete.
    pub list_age_ms: Option<i64>,
    /// The code.
    pub presented: Presented,
    /// The ticket, if it is known here.
    pub ticket: Option<TicketFacts<'a>>,
    /// Every passage of the ticket known here, in any order.
    pub passages: &'a [Passage],
}

/// Decides one scan of an authentic code.
///
/// A time check refuses only if it would at every moment the clock's error allows; if it would only
/// at some, the guest gets the benefit of the doubt and the verdict turns amber. People going out
/// are never held back by a status, a gate or a date.
#[must_use]
pub fn decide(request: &Request<'_>) -> Decision {
    let passages = standing_passages(request.passages);
    let request = Request { passages: &passages, ..*request };
    match decide_by_rules(&request) {
        (Ok(decision), doubts) => doubts.colour(decision),
        (Err(reason), _) => Decision::refuse(reason),
    }
}

/// Decides one scan with a supervisor at the door, who overrules what
/// [`Reason::can_be_overruled`] says. Everything else comes out as by [`decide`].
#[must_use]
pub fn force(request: &Request<'_>) -> Decision {
    let passages = standing_passages(request.passages);
    let request = Request { passages: &passages, ..*request };
    let (decided, mut doubts) = decide_by_rules(&request);
    let refused = match decided {
        Ok(decision) if decision.outcome == Outcome::Admit => return doubts.colour(decision),
        Ok(decision) => decision,
        Err(reason) => Decision::refuse(reason),
    };
    let final_reason = taken_back(&request).or_else(|| is_final(refused.reason).then_some(refused.reason));
    if let Some(reason) = final_reason {
        return Decision::refuse(reason);
    }
    doubts.add(Flag::Forced);
    doubts.colour(Decision {
        outcome: Outcome::Admit,
        reason: Reason::Forced,
        people: request.people,
        remaining: left_after(&request),
        overruled: Some(refused.reason),
        ..refused
    })
}

fn decide_by_rules(request: &Request<'_>) -> (Result<Decision, Reason>, Doubts) {
    let mut doubts = Doubts::of(request);
    let decided = match request.direction {
        Direction::Entry => entry(request, &mut doubts),
        Direction::Exit => Ok(exit(request, &mut doubts)),
    };
    (decided, doubts)
}

const fn is_final(reason: Reason) -> bool {
    !reason.can_be_overruled()
}

/// The organiser took the ticket or its code back. The rules may have found another reason before they
/// came to this one, which nobody may overrule.
fn taken_back(request: &Request<'_>) -> Option<Reason> {
    let ticket = request.ticket.filter(|_| request.direction == Direction::Entry)?;
    let status = status_allows(ticket.status).err().filter(|reason| is_final(*reason));
    status.or_else(|| is_replaced(request, &ticket).then_some(Reason::Replaced))
}

/// What a listed ticket has left once a supervisor let so many people in.
fn left_after(request: &Request<'_>) -> Option<u32> {
    let allowance = request.ticket.filter(|_| request.direction == Direction::Entry)?.allowance();
    let left = Standing::fold(allowance, request.passages).remaining(allowance)?;
    Some(left.saturating_sub(u32::from(request.people)))
}

fn entry(request: &Request<'_>, doubts: &mut Doubts) -> Result<Decision, Reason> {
    code_is_current(request, doubts)?;
    let Some(ticket) = request.ticket else { return unlisted(request, doubts) };
    status_allows(ticket.status)?;
    code_is_latest(request, &ticket, doubts)?;
    medium_allowed(request, ticket.live_activated, doubts)?;
    gate_allowed(request.gate_id, ticket.ticket_type)?;
    window_open(&ticket, doubts)?;
    Ok(admit_within(request, ticket.allowance()))
}

/// Expiry, live age and issue time: what the signature itself vouches for.
fn code_is_current(request: &Request<'_>, doubts: &mut Doubts) -> Result<(), Reason> {
    let (issued_at, expires_at) = match request.presented {
        Presented::Printed { issued_at, expires_at } | Presented::Live { issued_at, expires_at, .. } => {
            (issued_at, expires_at)
        }
        Presented::Legacy | Presented::Manual => return Ok(()),
    };
    doubts.not_before(issued_at.saturating_sub(ISSUE_GRAIN_MS), Reason::NotYetValid)?;
    if let Some(expires_at) = expires_at {
        doubts.before(expires_at, Reason::Expired)?;
    }
    let Presented::Live { minted_at, .. } = request.presented else { return Ok(()) };
    let policy = &request.event.policy;
    let ttl_ms = i64::from(policy.live_ttl_seconds) * 1_000;
    // The attendee's phone has a clock of its own, which may run ahead: as far as a code lives.
    let minted_already = doubts.not_before(minted_at.saturating_sub(ttl_ms), Reason::NotYetValid);
    let still_lives = doubts.before(minted_at.saturating_add(ttl_ms), Reason::Stale);
    match (minted_already.and(still_lives), policy.live_ttl_effect) {
        (Err(_), TtlEffect::Soft) => doubts.add(Flag::LiveStale),
        (Err(reason), TtlEffect::Hard) => return Err(reason),
        (Ok(()), _) => {}
    }
    Ok(())
}

fn unlisted(request: &Request<'_>, doubts: &mut Doubts) -> Result<Decision, Reason> {
    doubts.add(Flag::Unlisted);
    // Whether its phone has activated live codes is not known here: the flag says enough.
    medium_allowed(request, false, doubts)?;
    let decision = admit_within(request, Allowance::unlisted(request.passages, request.people));
    if decision.outcome != Outcome::Admit {
        return Ok(decision);
    }
    match request.event.policy.unlisted {
        UnlistedPolicy::AdmitAndFlag => Ok(Decision { remaining: None, ..decision }),
        UnlistedPolicy::AskSupervisor => Ok(Decision {
            outcome: Outcome::Ask,
            reason: Reason::Unlisted,
            people: 0,
            remaining: None,
            ..decision
        }),
        UnlistedPolicy::Refuse => Err(Reason::Unlisted),
    }
}

const fn status_allows(status: TicketStatus) -> Result<(), Reason> {
    match status {
        TicketStatus::Valid => Ok(()),
        TicketStatus::Unpaid => Err(Reason::Unpaid),
        TicketStatus::Cancelled => Err(Reason::Cancelled),
        TicketStatus::Revoked => Err(Reason::Revoked),
    }
}

fn code_is_latest(
    request: &Request<'_>,
    ticket: &TicketFacts<'_>,
    doubts: &mut Doubts,
) -> Result<(), Reason> {
    if is_replaced(request, ticket) {
        return Err(Reason::Replaced);
    }
    if request.presented.issued_at().is_some_and(|issued_at| issued_at > ticket.code_issued_at) {
        // Reissued since the last sync: the code is right and the list is behind.
        doubts.add(Flag::ListStale);
    }
    Ok(())
}

fn is_replaced(request: &Request<'_>, ticket: &TicketFacts<'_>) -> bool {
    request.presented.issued_at().is_some_and(|issued_at| issued_at < ticket.code_issued_at)
}

fn medium_allowed(request: &Request<'_>, live_activated: bool, doubts: &mut Doubts) -> Result<(), Reason> {
    let policy = &request.event.policy;
    if request.presented == Presented::Legacy {
        match policy.legacy {
            LegacyStage::Accept => {}
            LegacyStage::Flag => doubts.add(Flag::LegacyCode),
            LegacyStage::Refuse => return Err(Reason::LegacyRefused),
        }
    }
    let live_only = match policy.printed {
        PrintedPolicy::Allowed => false,
        PrintedPolicy::UntilLiveActivated => live_activated,
        PrintedPolicy::Refused => true,
    };
    match request.presented {
        Presented::Live { .. } => Ok(()),
        _ if live_only => Err(Reason::PrintedRefused),
        _ => Ok(()),
    }
}

fn gate_allowed(gate_id: GateId, ticket_type: &TicketType) -> Result<(), Reason> {
    if ticket_type.gate_ids.is_empty() || ticket_type.gate_ids.contains(&gate_id) {
        Ok(())
    } else {
        Err(Reason::WrongGate)
    }
}

fn window_open(ticket: &TicketFacts<'_>, doubts: &mut Doubts) -> Result<(), Reason> {
    if let Some(from) = ticket.valid_from.or(ticket.ticket_type.valid_from) {
        doubts.not_before(from, Reason::NotYetValid)?;
    }
    if let Some(until) = ticket.valid_until.or(ticket.ticket_type.valid_until) {
        doubts.before(until, Reason::Expired)?;
    }
    Ok(())
}

/// The entry itself, against what the ticket has left.
fn admit_within(request: &Request<'_>, allowance: Allowance) -> Decision {
    let standing = Standing::fold(allowance, request.passages);
    let wanted = u32::from(request.people);
    let remaining = standing.remaining(allowance);
    // A group's members are scanned one after the other; only a ticket for one person is "just
    // scanned" while it has entries left.
    if (allowance.people == 1 || remaining == Some(0))
        && let Some(recent) = rapid(request)
    {
        return repeat(recent, remaining);
    }
    if let Some(left) = remaining
        && wanted > left
    {
        let reason = if left == 0 { Reason::AlreadyUsed } else { Reason::GroupExceeded };
        return Decision {
            remaining: Some(left),
            first_admission: standing.first_evidence(),
            ..Decision::refuse(reason)
        };
    }
    let returning = standing.outside > 0 && allowance.entry.reentry == super::Reentry::AfterExit;
    Decision {
        outcome: Outcome::Admit,
        reason: if returning { Reason::Reentered } else { Reason::Entered },
        confidence: Confidence::Green,
        flags: Vec::new(),
        people: request.people,
        remaining: remaining.map(|left| left - wanted),
        first_admission: None,
        overruled: None,
    }
}

fn exit(request: &Request<'_>, doubts: &mut Doubts) -> Decision {
    let allowance = request
        .ticket
        .map_or_else(|| Allowance::unlisted(request.passages, request.people), |ticket| ticket.allowance());
    let standing = Standing::fold(allowance, request.passages);
    if allowance.people == 1
        && let Some(recent) = rapid(request)
    {
        return repeat(recent, standing.remaining(allowance));
    }
    // All of them: a group whose entry was not seen here leaves one by one.
    if standing.inside == 0 && standing.outside >= u32::from(allowance.people) {
        return Decision {
            first_admission: standing.last_evidence(),
            ..Decision::refuse(Reason::AlreadyOut)
        };
    }
    if u32::from(request.people) > standing.inside {
        doubts.add(Flag::ExitWithoutEntry);
    }
    if request.ticket.is_none() {
        doubts.add(Flag::Unlisted);
    }
    Decision {
        outcome: Outcome::Admit,
        reason: Reason::Exited,
        confidence: Confidence::Green,
        flags: Vec::new(),
        people: request.people,
        remaining: None,
        first_admission: None,
        overruled: None,
    }
}

/// This device's own passage of the ticket, the same way, within the repeat window, if nothing
/// happened to the ticket since. What a wrong clock dated into the future does not count.
fn rapid(request: &Request<'_>) -> Option<Evidence> {
    let window_ms = i64::from(request.event.policy.rapid_rescan_seconds) * 1_000;
    let now = request.time.now();
    let last = request
        .passages
        .iter()
        .filter(|passage| passage.at <= now)
        .max_by_key(|passage| (passage.at, passage.scan_id))?;
    let is_repeat = last.device_id == request.device_id && last.direction == request.direction;
    (is_repeat && now.saturating_sub(last.at) < window_ms).then_some(Evidence {
        scan_id: last.scan_id,
        at: last.at,
        gate_id: last.gate_id,
        device_id: last.device_id,
    })
}

/// Nobody new passes, but nobody is accused either: amber.
fn repeat(recent: Evidence, remaining: Option<u32>) -> Decision {
    Decision {
        confidence: Confidence::Amber,
        remaining,
        first_admission: Some(recent),
        ..Decision::refuse(Reason::RapidRescan)
    }
}
