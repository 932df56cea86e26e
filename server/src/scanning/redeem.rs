//! Redeeming online: the same verification and the same rules as at a door, in one write transaction.
//!
//! All redeems of an event pass one after the other, whichever process they reach, so that of any number of
//! simultaneous redeems of one ticket exactly as many are admitted as it holds entries.

use liventix_core::clock::TimeReading;
use liventix_core::ids::EventId;
use liventix_core::ledger::Note;
use liventix_core::ledger::record::{Fingerprint, WireCode as _};
use liventix_core::rules::{self, Decision, Outcome, Passage, Presented, Reason, TicketFacts};
use liventix_core::ticket::MAX_TEXT_BYTES;
use sha2::{Digest as _, Sha256};

use super::desk;
use super::known::Known;
use super::limits;
use super::present::{self, Found, Shown};
use super::store::{self, ScanRow, Stored};
use super::types::{RedeemRequest, RedeemResponse, RedeemedTicket, ScanView};
use crate::anomalies;
use crate::app::AppState;
use crate::events::snapshot::Snapshot;
use crate::platform::auth::Scanner;
use crate::platform::authorize::{self, Action};
use crate::platform::db::{DbError, Tx};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::rate_limit::Check;
use crate::tickets::TicketRow;

pub(super) async fn redeem(
    app: &AppState,
    scanner: Scanner,
    event: EventId,
    request: RedeemRequest,
) -> ApiResult<RedeemResponse> {
    let force = check(&request)?;
    let checks = limits::of_redeem(app, scanner, &request.code);
    let gate = request.gate_id;
    let served = desk::serve(app, Asked { scanner, request, force, checks }, event).await;
    match &served {
        Ok(response) => app.metrics().redeemed(response.decision.outcome.wire_code()),
        Err(error) if !error.is_the_callers() => app.metrics().redeemed("error"),
        Err(_) => {}
    }
    if served.as_ref().is_err_and(|error| error.code() == Code::RateLimited) {
        anomalies::over_limit(app, scanner, event, gate).await;
    }
    served
}

/// Who asks for what.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) scanner: Scanner,
    pub(super) request: RedeemRequest,
    /// Why a refusal is to be overruled.
    pub(super) force: Option<Note>,
    /// The limits it comes under.
    pub(super) checks: Vec<Check>,
}

fn check(request: &RedeemRequest) -> ApiResult<Option<Note>> {
    if request.code.len() > MAX_TEXT_BYTES {
        return Err(ApiError::field("code", format!("must have at most {MAX_TEXT_BYTES} bytes")));
    }
    if !(1..=1_000).contains(&request.people) {
        return Err(ApiError::field("people", "must be between 1 and 1 000"));
    }
    let force = request.force.as_deref().map(Note::new).transpose();
    force.map_err(|error| ApiError::field("force", error.to_string()))
}

/// Requires that the scanner may overrule.
async fn require_supervisor(tx: &mut Tx, scanner: Scanner, event: EventId) -> ApiResult<()> {
    if !scanner.is_device {
        return authorize::event(tx, &scanner.asking(Action::Supervise), event).await.map(drop);
    }
    if crate::doors::scope::is_supervisor(tx, scanner.scanner_id, event).await? {
        return Ok(());
    }
    let detail = "This device is not a supervisor's. Enrol it as one, or fetch a supervisor.";
    Err(ApiError::new(Code::NotSupervisor, detail))
}

/// What makes two requests the same: everything but the id.
fn request_hash(event: EventId, asked: &Asked) -> [u8; 32] {
    let Asked { scanner, request, force, .. } = asked;
    let mut hasher = Sha256::new();
    match force {
        None => hasher.update(b"liventix redeem v1"),
        Some(note) => {
            hasher.update(b"liventix forced redeem v1");
            hasher.update((note.as_str().len() as u64).to_be_bytes());
            hasher.update(note.as_str().as_bytes());
        }
    }
    hasher.update(scanner.scanner_id.as_bytes());
    hasher.update(event.as_bytes());
    hasher.update(request.gate_id.as_bytes());
    hasher.update(request.direction.wire_code().as_bytes());
    hasher.update(request.people.to_be_bytes());
    hasher.update(request.code.as_bytes());
    hasher.finalize().into()
}

/// Decides one of a batch; what it decides is in `known` afterwards, and written with the batch. The answer, and
/// why it was refused just now, if it was: an answer given before counts no more.
pub(super) async fn decide_once(
    tx: &mut Tx,
    app: &AppState,
    snapshot: &Snapshot,
    known: &mut Known,
    asked: &Asked,
) -> ApiResult<(RedeemResponse, Option<Reason>)> {
    let event = snapshot.info.event_id;
    let Asked { scanner, request, .. } = asked;
    let hash = request_hash(event, asked);
    if !scanner.is_device {
        known.require_leave(tx, event, *scanner).await?;
    }
    if let Some(stored) = known.scan(request.scan_id).cloned() {
        return Ok((repeat(tx, known, snapshot, stored, &hash).await?, None));
    }
    if snapshot.info.gate(request.gate_id).is_none() {
        return Err(ApiError::new(Code::GateNotFound, "The event has no gate with this id."));
    }
    if scanner.is_device {
        known.require_device(tx, (event, scanner.scanner_id, request.gate_id)).await?;
    }
    if asked.force.is_some() {
        require_supervisor(tx, *scanner, event).await?;
    }
    let time = TimeReading::exact(app.now());
    let shown = Shown { text: &request.code, direction: request.direction, time };
    let (medium, decision, ticket) = match present::find(tx, known, snapshot, shown).await? {
        Found::Nothing { medium, reason } => (medium, Decision::refuse(reason), None),
        Found::Ticket { medium, presented, ticket } => {
            let passages = known.passages(tx, ticket.view.ticket_id).await?;
            let decision = decide(snapshot, asked, time, presented, &ticket, passages)?;
            (medium, decision, Some(ticket))
        }
    };
    let mut row = row(asked, time, hash, &decision);
    row.view.medium = medium;
    row.view.ticket_id = ticket.as_ref().map(|ticket| ticket.view.ticket_id);
    let refused = (decision.outcome == Outcome::Refuse).then_some(decision.reason);
    let response = response(snapshot, &row.view, decision, ticket.as_deref());
    known.add(snapshot, row);
    Ok((response, refused))
}

fn decide(
    snapshot: &Snapshot,
    asked: &Asked,
    time: TimeReading,
    presented: Presented,
    ticket: &TicketRow,
    passages: &[Passage],
) -> Result<Decision, DbError> {
    let Asked { scanner, request, force, .. } = asked;
    let view = &ticket.view;
    let ticket_type = snapshot
        .info
        .ticket_type(view.ticket_type_id)
        .ok_or_else(|| DbError::Constraint("a ticket without a type".into()))?;
    let facts = rules::Request {
        event: &snapshot.info,
        gate_id: request.gate_id,
        device_id: scanner.scanner_id,
        direction: request.direction,
        people: request.people,
        time,
        list_age_ms: Some(0),
        presented,
        ticket: Some(TicketFacts {
            status: view.status,
            ticket_type,
            code_issued_at: view.code_issued_at,
            live_activated: view.live_activated,
            valid_from: view.valid_from,
            valid_until: view.valid_until,
            admits: view.admits,
        }),
        passages,
    };
    Ok(if force.is_some() { rules::force(&facts) } else { rules::decide(&facts) })
}

fn row(asked: &Asked, time: TimeReading, hash: [u8; 32], decision: &Decision) -> ScanRow {
    let Asked { scanner, request, force, .. } = asked;
    ScanRow {
        view: ScanView {
            scan_id: request.scan_id,
            gate_id: request.gate_id,
            device_id: scanner.scanner_id,
            ledger_id: None,
            seq: None,
            ticket_id: None,
            direction: request.direction,
            people: decision.people,
            medium: liventix_core::ledger::record::Medium::Unreadable,
            outcome: decision.outcome,
            reason: decision.reason,
            confidence: decision.confidence,
            flags: decision.flags.clone(),
            first_admission: decision.first_admission.clone(),
            at: time.now(),
            error_ms: Some(0),
            received_at: time.now(),
            overruled: decision.overruled,
            undoes: None,
            note: decision.overruled.and(force.as_ref()).map(|note| note.as_str().to_owned()),
        },
        fingerprint: Fingerprint::of(&request.code).0,
        remaining: decision.remaining,
        wall_ms: time.wall_ms,
        mono_ms: 0,
        offset_ms: 0,
        prev_hash: None,
        hash,
        change_seq: None,
    }
}

/// The answer given before, to the very same request.
async fn repeat(
    tx: &mut Tx,
    known: &mut Known,
    snapshot: &Snapshot,
    stored: Stored,
    hash: &[u8; 32],
) -> ApiResult<RedeemResponse> {
    let event = snapshot.info.event_id;
    if stored.organiser_id != snapshot.organiser_id || stored.event_id != event || stored.hash != *hash {
        return Err(store::id_taken());
    }
    let view = stored.view;
    let decision = Decision {
        outcome: view.outcome,
        reason: view.reason,
        confidence: view.confidence,
        flags: view.flags.clone(),
        people: view.people,
        remaining: stored.remaining,
        first_admission: view.first_admission.clone(),
        overruled: view.overruled,
    };
    let ticket = match view.ticket_id {
        Some(id) => known.ticket(tx, event, id).await?,
        None => None,
    };
    Ok(response(snapshot, &view, decision, ticket.as_ref()))
}

fn response(
    snapshot: &Snapshot,
    view: &ScanView,
    decision: Decision,
    ticket: Option<&TicketRow>,
) -> RedeemResponse {
    let ticket = ticket.map(|ticket| RedeemedTicket {
        ticket_id: ticket.view.ticket_id,
        type_name: snapshot
            .info
            .ticket_type(ticket.view.ticket_type_id)
            .map(|kind| kind.name.clone())
            .unwrap_or_default(),
        attendee_name: ticket.view.attendee_name.clone(),
    });
    RedeemResponse { scan_id: view.scan_id, at: view.at, line: decision.reason.line(), decision, ticket }
}
