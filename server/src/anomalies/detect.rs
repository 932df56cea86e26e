//! From new scans to anomalies, in the transaction that stores them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use liventix_core::ids::{DeviceId, EventId, LedgerId, ScanId, TicketId};
use liventix_core::rules::{Allowance, Conflict, EventInfo};

use super::finding::{BreakKind, Facts, Finding};
use super::kinds::{Kind, SubjectKind};
use super::rules::{clock, forged, travel};
use super::settings::AnomalySettings;
pub(crate) use super::store::Context;
use super::store::{self, Subject};
use crate::events;
use crate::platform::db::{Conn, DbError, Tx};
use crate::scanning::ScanRow;
use crate::scanning::merge;
use crate::scanning::seen::{self, Seen};

/// What the merge found about tickets of one event.
#[derive(Debug)]
pub(crate) struct Merged<'a> {
    pub(crate) event_id: EventId,
    pub(crate) tickets: &'a [TicketId],
    pub(crate) allowances: &'a HashMap<TicketId, Allowance>,
    pub(crate) conflicts: &'a HashMap<TicketId, Vec<Conflict>>,
}

/// Settles conflicting admissions and impossible travel of tickets that were just merged.
pub(crate) async fn merged(tx: &mut Tx, now: i64, merged: &Merged<'_>) -> Result<(), DbError> {
    let moved = seen::at_several_gates(tx, merged.event_id, merged.tickets).await?;
    let ids: Vec<[u8; 16]> = merged.tickets.iter().map(|ticket| *ticket.as_bytes()).collect();
    let kinds = [Kind::ConflictingAdmissions, Kind::ImpossibleTravel];
    let alive = store::by_subject(store::alive(tx, &kinds, &ids).await?);
    let conflicting = merged.conflicts.values().any(|conflicts| !conflicts.is_empty());
    if moved.is_empty() && alive.is_empty() && !conflicting {
        return Ok(());
    }
    let (organiser_id, settings) = events::anomaly_settings(tx, merged.event_id).await?;
    let context = Context { organiser_id, now };
    let mut found = excess_admissions(tx, merged.conflicts).await?;
    found.extend(too_fast(tx, merged.event_id, &moved, merged.allowances, &settings).await?);
    for kind in kinds {
        for ticket in merged.tickets {
            let subject = of_ticket(merged.event_id, kind, *ticket);
            let findings = found.remove(&(kind, *ticket)).unwrap_or_default();
            let alive = alive.get(&subject);
            if alive.is_some() || !findings.is_empty() {
                store::settle(tx, context, subject, alive, findings).await?;
            }
        }
    }
    Ok(())
}

const fn of_ticket(event_id: EventId, kind: Kind, ticket: TicketId) -> Subject {
    Subject { event_id, kind, subject_kind: SubjectKind::Ticket, id: *ticket.as_bytes() }
}

type Found = HashMap<(Kind, TicketId), Vec<Finding>>;

async fn excess_admissions(
    conn: &mut Conn,
    conflicts: &HashMap<TicketId, Vec<Conflict>>,
) -> Result<Found, DbError> {
    let mut ids = BTreeSet::new();
    for conflict in conflicts.values().flatten() {
        ids.extend([conflict.standing.scan_id, conflict.excess.scan_id]);
    }
    let ids: Vec<ScanId> = ids.into_iter().collect();
    let scans = seen::by_id(conn, &ids).await?;
    let scans: HashMap<ScanId, Seen> = scans.into_iter().map(|scan| (scan.scan_id, scan)).collect();
    let mut found = Found::new();
    for (ticket, conflicts) in conflicts {
        let findings = conflicts.iter().map(|conflict| Finding {
            at: conflict.excess.at,
            facts: Facts::ExcessAdmission { people: conflict.people },
            scans: [conflict.standing.scan_id, conflict.excess.scan_id]
                .iter()
                .filter_map(|id| scans.get(id).cloned())
                .collect(),
        });
        found.insert((Kind::ConflictingAdmissions, *ticket), findings.collect());
    }
    Ok(found)
}

async fn too_fast(
    conn: &mut Conn,
    event: EventId,
    moved: &[TicketId],
    allowances: &HashMap<TicketId, Allowance>,
    settings: &AnomalySettings,
) -> Result<Found, DbError> {
    let mut scans: HashMap<TicketId, Vec<Seen>> = HashMap::new();
    for scan in seen::of_tickets(conn, event, moved).await? {
        if let Some(ticket) = scan.ticket_id {
            scans.entry(ticket).or_default().push(scan);
        }
    }
    let mut found = Found::new();
    for (ticket, scans) in scans {
        let Some(allowance) = allowances.get(&ticket) else { continue };
        let findings = travel::too_fast(&scans, allowance.people, &settings.travel);
        found.insert((Kind::ImpossibleTravel, ticket), findings);
    }
    Ok(found)
}

/// Looks at scans that were just stored, of one event.
pub(crate) async fn scanned(
    tx: &mut Tx,
    context: Context,
    info: &EventInfo,
    rows: &[ScanRow],
) -> Result<(), DbError> {
    let new: Vec<Seen> = rows.iter().map(|row| Seen::of(info.event_id, row)).collect();
    used_again(tx, context, info, &new).await?;
    forged_codes(tx, context, info.event_id, &new).await?;
    clocks(tx, context, &new).await?;
    misdated(tx, context, info, &new).await
}

/// Refusals of used tickets: somebody stood there with one that was elsewhere a moment ago.
async fn used_again(tx: &mut Tx, context: Context, info: &EventInfo, new: &[Seen]) -> Result<(), DbError> {
    let shown = new.iter().filter(|scan| scan.is_used_again());
    let tickets: BTreeSet<TicketId> = shown.filter_map(|scan| scan.ticket_id).collect();
    if tickets.is_empty() {
        return Ok(());
    }
    let tickets: Vec<TicketId> = tickets.into_iter().collect();
    let moved = seen::at_several_gates(tx, info.event_id, &tickets).await?;
    if moved.is_empty() {
        return Ok(());
    }
    let (_, settings) = events::anomaly_settings(tx, info.event_id).await?;
    let allowances = merge::allowances(tx, info, &moved).await?;
    let found = too_fast(tx, info.event_id, &moved, &allowances, &settings).await?;
    let ids: Vec<[u8; 16]> = moved.iter().map(|ticket| *ticket.as_bytes()).collect();
    let alive = store::by_subject(store::alive(tx, &[Kind::ImpossibleTravel], &ids).await?);
    for ((kind, ticket), findings) in found.into_iter().collect::<BTreeMap<_, _>>() {
        let subject = of_ticket(info.event_id, kind, ticket);
        store::settle(tx, context, subject, alive.get(&subject), findings).await?;
    }
    Ok(())
}

async fn forged_codes(tx: &mut Tx, context: Context, event: EventId, new: &[Seen]) -> Result<(), DbError> {
    let forged: Vec<&Seen> = new.iter().filter(|scan| scan.is_forged()).collect();
    let times = forged.iter().map(|scan| scan.at);
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Ok(()) };
    let settings = events::anomaly_settings(tx, event).await?.1.forged;
    let window_ms = i64::from(settings.window_seconds) * 1_000;
    let around = (first.saturating_sub(window_ms), last.saturating_add(window_ms));
    let all = seen::forged(tx, event, around).await?;
    let is_new: HashSet<ScanId> = forged.iter().map(|scan| scan.scan_id).collect();
    for burst in forged::bursts(&all, &settings) {
        let subject = Subject {
            event_id: event,
            kind: Kind::ForgedCodeBurst,
            subject_kind: burst.subject_kind,
            id: burst.subject,
        };
        if burst.scans.iter().any(|scan| is_new.contains(&scan.scan_id)) {
            grow_burst(tx, context, subject, (&all, &settings), &is_new).await?;
        }
    }
    Ok(())
}

/// The burst lasts, or begins. What was told before it was resolved, or is counted already, counts no more.
async fn grow_burst(
    tx: &mut Tx,
    context: Context,
    subject: Subject,
    (all, settings): (&[Seen], &super::settings::ForgedSettings),
    is_new: &HashSet<ScanId>,
) -> Result<(), DbError> {
    let alive = store::alive(tx, &[subject.kind], &[subject.id]).await?;
    let alive = alive.into_iter().find(|alive| alive.subject == subject);
    let resolved_at = match &alive {
        Some(_) => None,
        None => store::past(tx, &subject).await?.resolved_at,
    };
    let since: Vec<Seen> = all
        .iter()
        .filter(|scan| resolved_at.is_none_or(|resolved_at| scan.received_at > resolved_at))
        .cloned()
        .collect();
    let burst = forged::bursts(&since, settings)
        .into_iter()
        .find(|burst| burst.subject_kind == subject.subject_kind && burst.subject == subject.id);
    let counted = |scan: &Seen| {
        alive.as_ref().is_some_and(|alive| scan.at <= alive.last_seen) && !is_new.contains(&scan.scan_id)
    };
    let scans = burst.into_iter().flat_map(|burst| burst.scans).filter(|scan| !counted(scan));
    let findings =
        scans.map(|scan| Finding { at: scan.at, facts: Facts::ForgedCode, scans: vec![scan] }).collect();
    store::grow(tx, context, subject, findings, None).await
}

/// Compares each new scan of a ledger with those before and after it. Only neighbours are compared, so that
/// each pair is looked at once: when the later of the two to arrive does.
async fn clocks(tx: &mut Tx, context: Context, new: &[Seen]) -> Result<(), DbError> {
    let mut ledgers: BTreeMap<LedgerId, BTreeSet<i64>> = BTreeMap::new();
    for scan in new {
        if let (Some(ledger), Some(seq)) = (scan.ledger_id, scan.seq) {
            ledgers.entry(ledger).or_default().insert(seq);
        }
    }
    let is_new: HashSet<ScanId> = new.iter().map(|scan| scan.scan_id).collect();
    let mut bounds: HashMap<EventId, i64> = HashMap::new();
    let mut found: BTreeMap<(EventId, LedgerId), Vec<Finding>> = BTreeMap::new();
    for (ledger, places) in ledgers {
        let mut scans = seen::of_ledger(tx, ledger, &with_neighbours(&places)).await?;
        scans.sort_unstable_by_key(|scan| (scan.seq, scan.scan_id));
        for (before, after) in neighbours(&scans) {
            if !is_new.contains(&before.scan_id) && !is_new.contains(&after.scan_id) {
                continue;
            }
            let bound = match bounds.get(&after.event_id) {
                Some(bound) => *bound,
                None => {
                    let settings = events::anomaly_settings(tx, after.event_id).await?.1;
                    let bound = i64::from(settings.clock_jump_seconds) * 1_000;
                    bounds.insert(after.event_id, bound);
                    bound
                }
            };
            if let Some(jump) = clock::jump(before, after, bound) {
                found.entry((after.event_id, ledger)).or_default().push(jump);
            }
        }
    }
    for ((event_id, ledger), findings) in found {
        let (kind, id) = (Kind::DeviceClockJump, *ledger.as_bytes());
        let subject = Subject { event_id, kind, subject_kind: SubjectKind::Ledger, id };
        store::grow(tx, context, subject, findings, None).await?;
    }
    Ok(())
}

/// The ranges that hold these places and the ones beside them.
fn with_neighbours(places: &BTreeSet<i64>) -> Vec<(i64, i64)> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for place in places {
        let (from, to) = (place.saturating_sub(1), place.saturating_add(1));
        match ranges.last_mut() {
            Some(last) if from <= last.1 => last.1 = to,
            _ => ranges.push((from, to)),
        }
    }
    ranges
}

/// Pairs of scans of which one follows the other, out of scans in their order. At a fork, each with each.
fn neighbours(scans: &[Seen]) -> impl Iterator<Item = (&Seen, &Seen)> {
    scans.iter().enumerate().flat_map(move |(place, before)| {
        let next = before.seq.and_then(|seq| seq.checked_add(1));
        let later = scans.get(place + 1..).unwrap_or_default().iter();
        later
            .skip_while(move |scan| scan.seq == before.seq)
            .take_while(move |scan| scan.seq == next)
            .map(move |after| (before, after))
    })
}

async fn misdated(tx: &mut Tx, context: Context, info: &EventInfo, new: &[Seen]) -> Result<(), DbError> {
    let mut found: BTreeMap<DeviceId, Vec<Finding>> = BTreeMap::new();
    for scan in new {
        if let Some(finding) = clock::misdated(scan, info.starts_at) {
            found.entry(scan.device_id).or_default().push(finding);
        }
    }
    for (device, findings) in found {
        let subject = of_device(info.event_id, Kind::ScanTimeImplausible, device);
        store::grow(tx, context, subject, findings, None).await?;
    }
    Ok(())
}

pub(super) const fn of_device(event_id: EventId, kind: Kind, device: DeviceId) -> Subject {
    Subject { event_id, kind, subject_kind: SubjectKind::Device, id: *device.as_bytes() }
}

/// Scans that were set aside just now because a device made them after it was revoked, by event.
pub(crate) async fn revoked(
    tx: &mut Tx,
    context: Context,
    device: DeviceId,
    revoked_at: i64,
    scans: BTreeMap<EventId, Vec<ScanRow>>,
) -> Result<(), DbError> {
    for (event_id, rows) in scans {
        let finding = |row: &ScanRow| Finding {
            at: row.view.at,
            facts: Facts::AfterRevocation { revoked_at },
            scans: vec![Seen::of(event_id, row)],
        };
        let findings = rows.iter().map(finding).collect();
        let subject = of_device(event_id, Kind::RevokedDeviceScans, device);
        store::grow(tx, context, subject, findings, None).await?;
    }
    Ok(())
}

/// A place where a ledger's chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Break {
    /// When the scan after it was made (corrected to server time, UTC milliseconds).
    pub(crate) at: i64,
    /// The first place after it.
    pub(crate) seq: i64,
    pub(crate) broken: BreakKind,
    /// Of a gap: the first place that is missing.
    pub(crate) missing_from: Option<i64>,
    /// The event of the scan after it.
    pub(crate) event_id: EventId,
}

/// Settles what is broken in a ledger's chain now.
pub(crate) async fn chain(
    tx: &mut Tx,
    context: Context,
    ledger: LedgerId,
    breaks: &[Break],
) -> Result<(), DbError> {
    let alive = store::alive(tx, &[Kind::ChainBroken], &[*ledger.as_bytes()]).await?;
    let mut by_event: BTreeMap<EventId, Vec<Finding>> =
        alive.iter().map(|alive| (alive.subject.event_id, Vec::new())).collect();
    for (event, finding) in evidence_of(tx, ledger, breaks).await? {
        by_event.entry(event).or_default().push(finding);
    }
    let alive = store::by_subject(alive);
    // Of a chain that an earlier version followed, the event of its beginning is not known.
    by_event.remove(&EventId::from_bytes([0; 16]));
    for (event_id, findings) in by_event {
        let (kind, id) = (Kind::ChainBroken, *ledger.as_bytes());
        let subject = Subject { event_id, kind, subject_kind: SubjectKind::Ledger, id };
        store::settle(tx, context, subject, alive.get(&subject), findings).await?;
    }
    Ok(())
}

/// Each break with the scans on both sides, as far as they are stored, and the event it belongs to.
async fn evidence_of(
    conn: &mut Conn,
    ledger: LedgerId,
    breaks: &[Break],
) -> Result<Vec<(EventId, Finding)>, DbError> {
    let before = |found: &Break| found.missing_from.unwrap_or(found.seq).saturating_sub(1);
    let places: BTreeSet<i64> = breaks.iter().flat_map(|found| [before(found), found.seq]).collect();
    let ranges: Vec<(i64, i64)> = places.into_iter().map(|place| (place, place)).collect();
    let mut scans = seen::of_ledger(conn, ledger, &ranges).await?;
    scans.sort_unstable_by_key(|scan| (scan.seq, scan.scan_id));
    let finding = |found: &Break| {
        let beside = |scan: &&Seen| scan.seq == Some(before(found)) || scan.seq == Some(found.seq);
        let scans: Vec<Seen> = scans.iter().filter(beside).cloned().collect();
        // Of a fork's sides, which came first must not matter.
        let after = scans.iter().filter(|scan| scan.seq == Some(found.seq)).max_by_key(|scan| scan.scan_id);
        let (at, event_id) = after.map_or((found.at, found.event_id), |scan| (scan.at, scan.event_id));
        let Break { broken, seq, missing_from, .. } = *found;
        (event_id, Finding { at, facts: Facts::Break { broken, seq, missing_from }, scans })
    };
    Ok(breaks.iter().map(finding).collect())
}
