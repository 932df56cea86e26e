//! What scans tell beyond their verdicts: looked at, acknowledged, resolved.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use liventix_core::ids::{EventId, OrganiserId};
use serde::{Deserialize, Serialize};

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong, capital};
use super::super::hall::Hall;
use super::super::layout::{self, Frame, Moment};
use super::Done;
use super::remark::{Said, note};
use crate::anomalies::types::{AnomalyDetail, AnomalyQuery, AnomalyView};
use crate::anomalies::{Finding, State as Stage, views};
use crate::app::AppState;
use crate::platform::authorize::{Action, Acts, may};
use crate::platform::body::{Path, Query};
use crate::platform::ids::AnomalyId;
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::severity::Severity;

pub(super) fn routes() -> Router<AppState> {
    let one = "/console/organisers/{organiser_id}/events/{event_id}/anomalies/{anomaly_id}";
    Router::new()
        .route("/console/organisers/{organiser_id}/events/{event_id}/anomalies", get(list))
        .route(one, get(show))
        .route(&format!("{one}/acknowledge"), post(acknowledge))
        .route(&format!("{one}/resolve"), post(resolve))
}

/// Which of them, from where on.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    state: Option<Stage>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct Anomaly {
    path: String,
    sentence: String,
    next_step: &'static str,
    severity: Severity,
    state: Stage,
    first: Moment,
    last: Moment,
    acknowledged: Option<Said>,
    resolved: Option<Said>,
}

#[derive(Debug, Serialize)]
struct List {
    hall: String,
    anomalies: Vec<Anomaly>,
    state: &'static str,
    next: Option<String>,
}

/// A scan that shows what was found.
#[derive(Debug, Serialize)]
struct Scan {
    at: Moment,
    gate: String,
    device: String,
    outcome: &'static str,
}

#[derive(Debug, Serialize)]
struct Evidence {
    at: Moment,
    text: String,
    scans: Vec<Scan>,
}

#[derive(Debug, Serialize)]
struct Detail {
    hall: String,
    anomaly: Anomaly,
    evidence: Vec<Evidence>,
    may_settle: bool,
    typed: String,
    wrong: Wrong,
}

fn anomaly(view: AnomalyView, hall: &str, zone: &str) -> Anomaly {
    Anomaly {
        path: format!("{hall}/anomalies/{}", view.anomaly_id),
        sentence: capital(&view.sentence),
        next_step: view.next_step,
        severity: view.severity,
        state: view.state,
        first: Moment::local(view.first_seen, zone),
        last: Moment::local(view.last_seen, zone),
        acknowledged: view.acknowledged.map(|remark| Said::new(remark, zone)),
        resolved: view.resolved.map(|remark| Said::new(remark, zone)),
    }
}

fn evidence(finding: Finding, detail: &AnomalyDetail, zone: &str) -> Evidence {
    let name = |id: String| detail.names.get(&id).cloned().unwrap_or(id);
    let text = finding.facts.sentence(|id| name(id.to_string()));
    let scans = finding.scans.into_iter().map(|scan| Scan {
        at: Moment::exact(scan.at, zone),
        gate: name(scan.gate_id.to_string()),
        device: name(scan.device_id.to_string()),
        outcome: scan.reason.line(),
    });
    Evidence { at: Moment::exact(finding.at, zone), text, scans: scans.collect() }
}

async fn list(
    hall: Hall<may::SeeScans>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let event = &hall.event.summary;
    let stage = asked.state.unwrap_or(Stage::Open);
    let query = AnomalyQuery { cursor: asked.cursor, limit: Some(50), kind: None, state: Some(stage) };
    let page = views::list(&app, hall.who.clone(), event.event_id, query).await?;
    let home = hall.path(&app, "");
    let content = List {
        anomalies: page.items.into_iter().map(|view| anomaly(view, &home, &event.time_zone)).collect(),
        hall: home,
        state: stage.code(),
        next: page.next_cursor,
    };
    let frame = Frame::within(&hall, "Anomalies", "anomalies");
    Ok(layout::render(&app, "anomalies.html", &frame, &content)?)
}

async fn detail<A: Acts>(app: &AppState, hall: &Hall<A>, id: AnomalyId) -> ApiResult<Detail> {
    let event = &hall.event.summary;
    let mut detail = views::get(app, hall.who.asking(Action::SeeScans), (event.event_id, id)).await?;
    let findings = std::mem::take(&mut detail.evidence);
    let found = findings.into_iter().map(|finding| evidence(finding, &detail, &event.time_zone)).collect();
    let home = hall.path(app, "");
    Ok(Detail {
        evidence: found,
        anomaly: anomaly(detail.view, &home, &event.time_zone),
        hall: home,
        may_settle: hall.may(Action::Settle),
        typed: String::new(),
        wrong: Wrong::default(),
    })
}

fn page<A: Acts>(
    app: &AppState,
    hall: &Hall<A>,
    done: Option<&str>,
    content: &Detail,
) -> ApiResult<Response> {
    let frame = Frame::within(hall, "Anomaly", "anomalies").after(done);
    layout::render(app, "anomaly.html", &frame, content)
}

type Ids = Path<(OrganiserId, EventId, AnomalyId)>;

async fn show(
    hall: Hall<may::SeeScans>,
    State(app): State<AppState>,
    Path((_organiser, _event, id)): Ids,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    let content = detail(&app, &hall, id).await?;
    Ok(page(&app, &hall, done.done.as_deref(), &content)?)
}

async fn acknowledge(
    hall: Hall<may::Settle>,
    State(app): State<AppState>,
    Path((_organiser, event, id)): Ids,
    form: Form,
) -> Result<Response, Failure> {
    let said = views::acknowledge(&app, hall.who.clone(), (event, id), &note(&form)).await;
    answer(&app, &hall, id, &form, said, Flash::AnomalyAcknowledged).await
}

async fn resolve(
    hall: Hall<may::Settle>,
    State(app): State<AppState>,
    Path((_organiser, event, id)): Ids,
    form: Form,
) -> Result<Response, Failure> {
    let said = views::resolve(&app, hall.who.clone(), (event, id), &note(&form)).await;
    answer(&app, &hall, id, &form, said, Flash::AnomalyResolved).await
}

async fn answer(
    app: &AppState,
    hall: &Hall<may::Settle>,
    id: AnomalyId,
    form: &Form,
    said: Result<AnomalyDetail, ApiError>,
    flash: Flash,
) -> Result<Response, Failure> {
    match said {
        Ok(_) => Ok(layout::done(&hall.path(app, &format!("/anomalies/{id}")), flash)),
        Err(error) => {
            let (wrong, error) = Wrong::of(error)?;
            let typed = form.text("note").to_owned();
            let content = Detail { typed, wrong, ..detail(app, hall, id).await? };
            Ok(layout::refused(page(app, hall, None, &content)?, error))
        }
    }
}
