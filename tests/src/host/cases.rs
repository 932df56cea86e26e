//! Scan cases over the sync protocol: each is a server of its own under `/cases/{file}/{case}`, whose list
//! and clock go on by one `sync` step at every sync.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use liventix_core::ledger::record::ScanRecord;
use liventix_core::sync::wire::{
    Assignment, Assignments, EnrolRequest, EnrolResponse, ForeignPassage, ManifestPage, Receipt,
    ReceiptStatus, ServerTime, UploadRequest, UploadResponse,
};
use liventix_core::ticket::EventKeys;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::Failure;
use crate::conformance::format::{Action, Case, Expect, News};
use crate::conformance::load_all;

/// The cases and how far each has been played.
#[derive(Clone)]
struct Shelf(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    cases: Vec<(String, Case)>,
    runs: Mutex<HashMap<String, Run>>,
}

/// How far one case has been played since its scanner was enrolled.
#[derive(Default)]
struct Run {
    /// Manifest pages given out.
    syncs: usize,
    /// What the scanner uploaded.
    scans: Vec<ScanRecord>,
}

/// The routes of all cases.
pub(super) fn routes(address: SocketAddr) -> Router {
    let files = load_all().into_iter();
    let cases = files.flat_map(|file| file.cases.into_iter().map(move |case| (file.name.clone(), case)));
    let shelf = Shelf(Arc::new(Inner { address, cases: cases.collect(), runs: Mutex::default() }));
    let door = Router::new()
        .route("/", get(describe))
        .route("/v1/time", get(time))
        .route("/v1/door/enrol", post(enrol))
        .route("/v1/door/assignments", get(assignments))
        .route("/v1/door/scans", post(scans))
        .route("/v1/door/events/{event_id}/keys", get(keys))
        .route("/v1/door/events/{event_id}/manifest", get(manifest));
    Router::new().route("/cases", get(list)).nest("/cases/{file}/{case}", door).with_state(shelf)
}

type CasePath = Path<HashMap<String, String>>;

impl Shelf {
    fn case(&self, path: &HashMap<String, String>) -> Result<&Case, Failure> {
        let part = |name| path.get(name).map(String::as_str).unwrap_or_default();
        let (file, name) = (part("file"), part("case"));
        let found = self.0.cases.iter().find(|(of, case)| of == file && case.name == name);
        let unknown =
            || Failure::not_found("case_unknown", format!("there is no case {name} in {file}.json"));
        found.map(|(_, case)| case).ok_or_else(unknown)
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<String, Run>> {
        self.0.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many syncs the case has had.
    fn syncs(&self, case: &Case) -> usize {
        self.runs().get(&case.name).map_or(0, |run| run.syncs)
    }
}

/// The news of a case, sync by sync after the first, with their times.
fn news(case: &Case) -> impl DoubleEndedIterator<Item = (i64, &News)> {
    case.steps.iter().filter_map(|step| match &step.action {
        Action::Sync(news) => Some((step.at, news.as_ref())),
        _ => None,
    })
}

/// What holds after so many syncs: the latest news that tell, or the facts.
fn latest<'a, T>(case: &'a Case, syncs: usize, tell: impl Fn(&'a News) -> Option<T>, facts: T) -> T {
    // The first sync brings the facts.
    let heard: Vec<&News> = news(case).take(syncs.saturating_sub(1)).map(|(_, news)| news).collect();
    heard.into_iter().rev().find_map(tell).unwrap_or(facts)
}

async fn list(State(shelf): State<Shelf>) -> Json<Vec<Value>> {
    let address = shelf.0.address;
    let entry = |(file, case): &(String, Case)| {
        let base = format!("http://{address}/cases/{file}/{}", case.name);
        json!({ "file": file, "case": case.name, "base": base, "only": case.only })
    };
    Json(shelf.0.cases.iter().map(entry).collect())
}

async fn describe(State(shelf): State<Shelf>, Path(path): CasePath) -> Result<Json<Case>, Failure> {
    Ok(Json(shelf.case(&path)?.clone()))
}

/// The server's time at the sync that is beginning.
async fn time(State(shelf): State<Shelf>, Path(path): CasePath) -> Result<Json<ServerTime>, Failure> {
    let case = shelf.case(&path)?;
    let starts_at = case.facts.clock.starts_at;
    let after_first = news(case).take(shelf.syncs(case)).map(|(at, _)| at);
    Ok(Json(ServerTime { server_ms: after_first.last().unwrap_or(starts_at) }))
}

async fn enrol(
    State(shelf): State<Shelf>,
    Path(path): CasePath,
    Json(_): Json<EnrolRequest>,
) -> Result<Json<EnrolResponse>, Failure> {
    let case = shelf.case(&path)?;
    shelf.runs().insert(case.name.clone(), Run::default());
    let device = &case.facts.device;
    Ok(Json(EnrolResponse {
        device_id: device.device_id,
        token: "a-token-for-the-stand-in".to_owned(),
        organiser_name: device.organiser_name.clone(),
        assignments: device.assignments.clone(),
    }))
}

/// What the scanner may scan once this sync is done: it asks before it asks for the list.
async fn assignments(State(shelf): State<Shelf>, Path(path): CasePath) -> Result<Json<Assignments>, Failure> {
    let case = shelf.case(&path)?;
    let facts: &Vec<Assignment> = &case.facts.device.assignments;
    let now = latest(case, shelf.syncs(case) + 1, |news| news.assignments.as_ref(), facts);
    Ok(Json(Assignments { assignments: now.clone() }))
}

/// The keys of the list as it is.
async fn keys(State(shelf): State<Shelf>, Path(path): CasePath) -> Result<Json<EventKeys>, Failure> {
    let case = shelf.case(&path)?;
    let now = latest(case, shelf.syncs(case), |news| news.keys.as_ref(), &case.facts.keys);
    Ok(Json(now.clone()))
}

#[derive(Deserialize)]
struct ManifestQuery {
    cursor: usize,
    #[serde(default)]
    wait: u64,
}

/// The page after `cursor`: 0 is the facts, and each `sync` step is one more.
async fn manifest(
    State(shelf): State<Shelf>,
    Path(path): CasePath,
    Query(query): Query<ManifestQuery>,
) -> Result<Json<ManifestPage>, Failure> {
    let case = shelf.case(&path)?;
    let page = {
        let mut runs = shelf.runs();
        let run = runs.entry(case.name.clone()).or_default();
        let page = page(case, query.cursor, &run.scans);
        if page.is_some() {
            run.syncs = query.cursor + 1;
        }
        page
    };
    match page {
        Some(page) => Ok(Json(page)),
        None => {
            tokio::time::sleep(Duration::from_secs(query.wait)).await;
            Ok(Json(nothing_new(case, query.cursor)))
        }
    }
}

fn page(case: &Case, cursor: usize, uploaded: &[ScanRecord]) -> Option<ManifestPage> {
    let facts = &case.facts;
    let Some(before) = cursor.checked_sub(1) else {
        return Some(ManifestPage {
            event: Some(facts.event.clone()),
            tickets: facts.tickets.clone(),
            passages: facts.passages.clone(),
            next_cursor: 1,
            server_ms: facts.clock.starts_at,
            ..nothing_new(case, 0)
        });
    };
    let (at, news) = news(case).nth(before)?;
    let mut passages = news.passages.clone();
    passages.extend(own_passages(case, &news.own_passages, uploaded));
    Some(ManifestPage {
        event: news.event.clone(),
        tickets: news.tickets.clone(),
        passages,
        next_cursor: i64::try_from(cursor).unwrap_or(i64::MAX).saturating_add(1),
        server_ms: at,
        ..nothing_new(case, cursor)
    })
}

fn nothing_new(case: &Case, cursor: usize) -> ManifestPage {
    let last = news(case).next_back().map_or(case.facts.clock.starts_at, |(at, _)| at);
    ManifestPage {
        event_id: case.facts.event.event_id,
        event: None,
        tickets: Vec::new(),
        passages: Vec::new(),
        next_cursor: i64::try_from(cursor).unwrap_or(i64::MAX),
        has_more: false,
        pending_rows: 0,
        server_ms: last,
    }
}

/// What these steps made, as it was uploaded: every step but an error makes one scan.
fn own_passages(case: &Case, steps: &[usize], uploaded: &[ScanRecord]) -> Vec<ForeignPassage> {
    let makes_a_scan = |number: &usize| {
        let expect = case.steps.get(*number).and_then(|step| step.expect.as_ref());
        expect.is_some_and(|expect| !matches!(expect, Expect::Error(_)))
    };
    let place = |step: usize| (0..step).filter(makes_a_scan).count();
    let passages = steps.iter().filter_map(|step| uploaded.get(place(*step)));
    passages
        .filter_map(|scan| Some(ForeignPassage { ticket_id: scan.ticket_id?, passage: scan.passage()? }))
        .collect()
}

async fn scans(
    State(shelf): State<Shelf>,
    Path(path): CasePath,
    Json(upload): Json<UploadRequest>,
) -> Result<Json<UploadResponse>, Failure> {
    let case = shelf.case(&path)?;
    let accepted =
        |scan: &ScanRecord| Receipt { scan_id: scan.scan_id, status: ReceiptStatus::Accepted, code: None };
    let receipts = upload.scans.iter().map(accepted).collect();
    let mut runs = shelf.runs();
    let known = &mut runs.entry(case.name.clone()).or_default().scans;
    for scan in upload.scans {
        if known.iter().all(|other| other.scan_id != scan.scan_id) {
            known.push(scan);
        }
    }
    Ok(Json(UploadResponse { receipts }))
}
