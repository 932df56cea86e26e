//! Taking a passage back online: by the scanner that made it, within the event's window, once.

use std::sync::Arc;

use liventix_core::clock::TimeReading;
use liventix_core::ids::{EventId, ScanId, TicketId};
use liventix_core::ledger::Note;
use liventix_core::rules::{
    Allowance, Confidence, EventInfo, Outcome, Passage, Reason, Standing, UndoRefusal, may_undo,
};
use sha2::{Digest as _, Sha256};

use super::store::{self, ScanRow, Stored};
use super::types::{ScanView, UndoRequest, UndoResponse};
use super::{counted, limits, merge};
use crate::anomalies::Context;
use crate::app::AppState;
use crate::events::snapshot::{self, Snapshot};
use crate::events::take_seqs;
use crate::platform::auth::Scanner;
use crate::platform::authorize::Action;
use crate::platform::db::{DbError, Tx};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::tickets;

/// Who wants to take what back, and why.
#[derive(Clone)]
struct Asked {
    scanner: Scanner,
    event: EventId,
    undoes: ScanId,
    scan_id: ScanId,
    note: Note,
}

pub(super) async fn undo(
    app: &AppState,
    scanner: Scanner,
    (event, undoes): (EventId, ScanId),
    request: UndoRequest,
) -> ApiResult<UndoResponse> {
    let note = Note::new(&request.note).map_err(|error| ApiError::field("note", error.to_string()))?;
    let asked = Asked { scanner, event, undoes, scan_id: request.scan_id, note };
    let (app_in, checks) = (app.clone(), vec![limits::of_scanner(app, scanner)]);
    let (snapshot, response) = app
        .limiter()
        .write(&app.db_of(scanner.organiser_id), checks, move |tx| {
            Box::pin(async move {
                let snapshot =
                    snapshot::hold_for(&app_in, tx, &scanner.asking(Action::Redeem), event).await?;
                let response = undo_once(tx, &app_in, &snapshot, &asked).await?;
                Ok((snapshot, response))
            })
        })
        .await?;
    app.snapshots().keep(&snapshot);
    app.ring(event);
    Ok(response)
}

/// What makes two requests the same: everything but the id.
fn request_hash(asked: &Asked) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"liventix undo v1");
    hasher.update(asked.scanner.scanner_id.as_bytes());
    hasher.update(asked.event.as_bytes());
    hasher.update(asked.undoes.as_bytes());
    hasher.update(asked.note.as_str().as_bytes());
    hasher.finalize().into()
}

/// Where it fails by the request's fault, nothing is written yet.
async fn undo_once(
    tx: &mut Tx,
    app: &AppState,
    snapshot: &Arc<Snapshot>,
    asked: &Asked,
) -> ApiResult<UndoResponse> {
    let hash = request_hash(asked);
    let is_ours =
        |stored: &Stored| stored.organiser_id == asked.scanner.organiser_id && stored.event_id == asked.event;
    if let Some(before) = store::find_one(tx, asked.scan_id).await? {
        if !is_ours(&before) || before.hash != hash {
            return Err(store::id_taken());
        }
        return Ok(response(&before.view, asked.undoes, before.remaining));
    }
    let target = store::find_one(tx, asked.undoes).await?;
    let target = target.filter(|target| is_ours(target) && target.view.device_id == asked.scanner.scanner_id);
    let target = target.ok_or_else(|| {
        ApiError::new(Code::UndoUnknown, "Take a scan back with the scanner or the key that made it.")
    })?;
    if asked.scanner.is_device {
        let gate = Some(target.view.gate_id);
        crate::doors::scope::require(tx, asked.scanner.scanner_id, asked.event, gate).await?;
    }
    let ticket_id = target.view.ticket_id.ok_or_else(|| refused(UndoRefusal::NotAPassage))?;
    let mut passages = store::passages(tx, &[ticket_id]).await?.remove(&ticket_id).unwrap_or_default();
    let passage = passages.iter().find(|passage| passage.scan_id == asked.undoes);
    let passage = passage.ok_or_else(|| refused(UndoRefusal::NotAPassage))?;
    let time = TimeReading::exact(app.now());
    may_undo(passage, &passages, &snapshot.info.policy, time.now()).map_err(refused)?;
    passages.push(taking_back(passage, asked.scan_id, time.now()));
    let remaining = remaining(tx, &snapshot.info, ticket_id, &passages).await?;
    let mut row = row(asked, target, time, hash);
    row.remaining = remaining;
    row.change_seq = Some(take_seqs(tx, asked.event, 1).await?);
    store::insert_new(tx, asked.scanner.organiser_id, asked.event, std::slice::from_ref(&row)).await?;
    merge::refresh(tx, &snapshot.info, &[ticket_id], time.now()).await?;
    let context = Context { organiser_id: asked.scanner.organiser_id, now: time.now() };
    counted::read_and_count(tx, context, asked.event, std::slice::from_ref(&row)).await?;
    Ok(response(&row.view, asked.undoes, remaining))
}

fn taking_back(passage: &Passage, scan_id: ScanId, at: i64) -> Passage {
    Passage { scan_id, at, undoes: Some(passage.scan_id), forced: false, ..*passage }
}

fn refused(refusal: UndoRefusal) -> ApiError {
    match refusal {
        UndoRefusal::NotAPassage => {
            ApiError::new(Code::UndoNotAPassage, "Only a scan that let people pass can be taken back.")
        }
        UndoRefusal::Off => {
            ApiError::new(Code::UndoOff, "The event's policy has undo_seconds 0. Tell the organiser.")
        }
        UndoRefusal::Already => {
            ApiError::new(Code::UndoAlready, "There is nothing left to do: the people may be scanned again.")
        }
        UndoRefusal::TooLate { window_seconds } => ApiError::new(
            Code::UndoTooLate,
            format!("A scan can be taken back for {window_seconds} seconds. Tell the organiser."),
        ),
    }
}

async fn remaining(
    tx: &mut Tx,
    info: &EventInfo,
    ticket_id: TicketId,
    passages: &[Passage],
) -> Result<Option<u32>, DbError> {
    let Some(ticket) = tickets::get(tx, info.event_id, ticket_id).await? else { return Ok(None) };
    let Some(kind) = info.ticket_type(ticket.view.ticket_type_id) else { return Ok(None) };
    let people = ticket.view.admits.unwrap_or(kind.admits);
    let allowance = Allowance { people, entry: kind.entry };
    Ok(Standing::fold(allowance, passages).remaining(allowance))
}

fn row(asked: &Asked, target: Stored, time: TimeReading, hash: [u8; 32]) -> ScanRow {
    ScanRow {
        view: ScanView {
            scan_id: asked.scan_id,
            ledger_id: None,
            seq: None,
            outcome: Outcome::Admit,
            reason: Reason::Undone,
            confidence: Confidence::Green,
            flags: Vec::new(),
            first_admission: None,
            at: time.now(),
            error_ms: Some(0),
            received_at: time.now(),
            overruled: None,
            undoes: Some(asked.undoes),
            note: Some(asked.note.as_str().to_owned()),
            ..target.view
        },
        fingerprint: target.fingerprint,
        remaining: None,
        wall_ms: time.wall_ms,
        mono_ms: 0,
        offset_ms: 0,
        prev_hash: None,
        hash,
        change_seq: None,
    }
}

fn response(view: &ScanView, undoes: ScanId, remaining: Option<u32>) -> UndoResponse {
    UndoResponse {
        scan_id: view.scan_id,
        undoes,
        at: view.at,
        people: view.people,
        direction: view.direction,
        ticket_id: view.ticket_id,
        remaining,
    }
}
