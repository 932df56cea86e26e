//! The devices that scan an event: how they do, enrolling one, revoking one.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use liventix_core::ids::{DeviceId, EventId, GateId, OrganiserId};
use liventix_core::rules::EventInfo;
use serde::Serialize;

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::hall::Hall;
use super::super::layout::{self, Frame, Moment};
use super::Done;
use crate::app::AppState;
use crate::doors::types::{DeviceView, EnrolmentView, NewEnrolment, ScopeEvent};
use crate::doors::{devices, enrolment};
use crate::events;
use crate::platform::authorize::{Action, Acts, may};
use crate::platform::body::{Path, Query};
use crate::platform::idempotency::Attempt;
use crate::platform::problem::{ApiError, ApiResult};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/organisers/{organiser_id}/events/{event_id}/devices", get(show))
        .route("/console/organisers/{organiser_id}/events/{event_id}/devices/enrol", post(enrol))
        .route(
            "/console/organisers/{organiser_id}/events/{event_id}/devices/{device_id}/revoke",
            post(revoke),
        )
}

#[derive(Debug, Serialize)]
struct Device {
    device_id: DeviceId,
    name: String,
    /// Where it may scan, as people say it.
    gates: String,
    supervisor: bool,
    enrolled: Moment,
    seen: Option<Moment>,
    /// Scans it had yet to hand in, as it said when it was last heard of.
    unsent: i64,
    /// Whether scans of it are missing or were changed.
    broken: bool,
    revoked: Option<Moment>,
    /// How many other events it scans: revoking it ends those too.
    elsewhere: usize,
}

#[derive(Debug, Serialize)]
struct Gate {
    gate_id: GateId,
    name: String,
}

#[derive(Debug, Serialize)]
struct Content {
    hall: String,
    devices: Vec<Device>,
    more: bool,
    gates: Vec<Gate>,
    may_manage: bool,
    /// The gates that were ticked.
    chosen: Vec<String>,
    supervisor: bool,
    wrong: Wrong,
}

fn device(view: DeviceView, info: &EventInfo) -> Device {
    let here = view.events.iter().find(|scope| scope.event_id == info.event_id);
    Device {
        device_id: view.device_id,
        gates: gates(here, info),
        supervisor: here.is_some_and(|scope| scope.supervisor),
        enrolled: Moment::local(view.created_at, &info.time_zone),
        seen: view.last_seen_at.max(view.last_upload_at).map(|at| Moment::exact(at, &info.time_zone)),
        unsent: view.unsent,
        broken: view.ledgers.iter().any(|ledger| !ledger.chain_ok),
        revoked: view.revoked_at.map(|at| Moment::local(at, &info.time_zone)),
        elsewhere: view.events.len().saturating_sub(1),
        name: view.name,
    }
}

fn gates(scope: Option<&ScopeEvent>, info: &EventInfo) -> String {
    let ids = scope.map_or(&[][..], |scope| scope.gate_ids.as_slice());
    if ids.is_empty() {
        return "Every gate".to_owned();
    }
    let name = |id: &GateId| info.gate(*id).map_or_else(|| id.to_string(), |gate| gate.name.clone());
    ids.iter().map(name).collect::<Vec<_>>().join(", ")
}

async fn content<A: Acts>(app: &AppState, hall: &Hall<A>) -> ApiResult<Content> {
    let event_id = hall.event.summary.event_id;
    let event = events::service::get(app, hall.who.asking(Action::SeeEvents), event_id).await?;
    let (devices, more) = devices::list_at(app, hall.who.asking(Action::SeeDevices), event_id).await?;
    let mut devices: Vec<Device> = devices.into_iter().map(|view| device(view, &event.info)).collect();
    // Those that still scan come first.
    devices.sort_by_key(|device| (device.revoked.is_some(), device.name.to_lowercase()));
    let gate = |gate: &liventix_core::rules::Gate| Gate { gate_id: gate.gate_id, name: gate.name.clone() };
    Ok(Content {
        hall: hall.path(app, ""),
        devices,
        more,
        gates: event.info.gates.iter().map(gate).collect(),
        may_manage: hall.may(Action::ManageDevices),
        chosen: Vec::new(),
        supervisor: false,
        wrong: Wrong::default(),
    })
}

fn page<A: Acts>(
    app: &AppState,
    hall: &Hall<A>,
    done: Option<&str>,
    content: &Content,
) -> ApiResult<Response> {
    let frame = Frame::within(hall, "Devices", "devices").after(done);
    layout::render(app, "devices.html", &frame, content)
}

async fn show(
    hall: Hall<may::SeeDevices>,
    State(app): State<AppState>,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    let content = content(&app, &hall).await?;
    Ok(page(&app, &hall, done.done.as_deref(), &content)?)
}

#[derive(Serialize)]
struct Enrolled {
    hall: String,
    code: String,
    uri: String,
    qr_png: String,
    until: Moment,
    gates: String,
    supervisor: bool,
}

async fn enrol(
    hall: Hall<may::ManageDevices>,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    match code(&app, &hall, &form).await {
        Ok((view, gates)) => {
            let content = Enrolled {
                hall: hall.path(&app, ""),
                code: view.code,
                uri: view.uri,
                qr_png: view.qr_png_base64,
                until: Moment::exact(view.expires_at, &hall.event.summary.time_zone),
                gates,
                supervisor: form.ticked("supervisor"),
            };
            let frame = Frame::within(&hall, "Enrol a device", "devices");
            // Shown in the answer itself: the code is kept nowhere that it could be read from again.
            Ok(layout::render(&app, "enrolment.html", &frame, content)?)
        }
        Err(error) => {
            let (wrong, error) = Wrong::of(error)?;
            let chosen = form.all("gates").map(str::to_owned).collect();
            let supervisor = form.ticked("supervisor");
            let content = Content { wrong, chosen, supervisor, ..content(&app, &hall).await? };
            Ok(layout::refused(page(&app, &hall, None, &content)?, error))
        }
    }
}

/// A code for what the form names, and its gates as people say them.
async fn code(
    app: &AppState,
    hall: &Hall<may::ManageDevices>,
    form: &Form,
) -> ApiResult<(EnrolmentView, String)> {
    let event_id = hall.event.summary.event_id;
    let event = events::service::get(app, hall.who.asking(Action::SeeEvents), event_id).await?;
    let ids: Result<Vec<GateId>, _> = form.all("gates").map(str::parse).collect();
    let gate_ids = ids.ok().filter(|ids| ids.iter().all(|id| event.info.gate(*id).is_some()));
    let gate_ids = gate_ids.ok_or_else(|| ApiError::field("gates", "choose from these gates"))?;
    let scope = ScopeEvent { event_id, gate_ids, supervisor: form.ticked("supervisor") };
    let gates = gates(Some(&scope), &event.info);
    let request = NewEnrolment { events: vec![scope] };
    let view = enrolment::create(app, hall.who.clone(), request, Attempt::without_key()).await?;
    Ok((view, gates))
}

async fn revoke(
    hall: Hall<may::ManageDevices>,
    State(app): State<AppState>,
    Path((_organiser, _event, device)): Path<(OrganiserId, EventId, DeviceId)>,
    _form: Form,
) -> Result<Response, Failure> {
    devices::revoke(&app, hall.who.clone(), device).await?;
    Ok(layout::done(&hall.path(&app, "/devices"), Flash::DeviceRevoked))
}
