//! What the phones of an event's attendees are told: campaigns, how far they are, and the last messages.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use liventix_core::ids::{EventId, OrganiserId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::hall::Hall;
use super::super::layout::{self, Choice, Frame, Moment, count};
use super::orders::Standing;
use super::push_row::{self, Message};
use crate::app::AppState;
use crate::events::service as events;
use crate::platform::authorize::{Action, Acts, may};
use crate::platform::body::{Json, Path, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::ids::{CallId, CampaignId};
use crate::platform::page::PageQuery;
use crate::platform::problem::{ApiError, ApiResult};
use crate::push::campaigns::routes::StartCampaign;
use crate::push::campaigns::{self, CampaignStatus, CampaignView, NewCampaign, Wish};
use crate::push::desk::{self, Which};
use crate::push::recipients::Presence;

/// Campaigns, and messages, on one page.
const ROWS: u32 = 20;

pub(super) fn routes() -> Router<AppState> {
    let at = |rest: &str| format!("/console/organisers/{{organiser_id}}/events/{{event_id}}/push{rest}");
    Router::new()
        .route(&at(""), get(show).post(tell))
        .route(&at("/{campaign_id}/pause"), post(pause))
        .route(&at("/{campaign_id}/resume"), post(resume))
        .route(&at("/{campaign_id}/cancel"), post(cancel))
}

type Address = Path<(OrganiserId, EventId, CampaignId)>;

#[derive(Debug, Default, Deserialize)]
struct Asked {
    cursor: Option<String>,
    done: Option<String>,
}

const PAUSE: Choice = Choice { code: "pause", words: "Pause" };
const RESUME: Choice = Choice { code: "resume", words: "Go on" };
const CANCEL: Choice = Choice { code: "cancel", words: "Call off" };

const PRESENCES: [Choice; 3] = [
    Choice { code: Presence::Everybody.code(), words: "Everybody" },
    Choice { code: Presence::Entered.code(), words: "Those who have entered" },
    Choice { code: Presence::NotEntered.code(), words: "Those who have not entered" },
];

#[derive(Debug, Serialize)]
struct Campaign {
    id: String,
    title: String,
    body: String,
    standing: Standing,
    whom: String,
    recipients: String,
    /// How many of these have an outcome.
    reached: String,
    meter: i64,
    meter_max: i64,
    sent: String,
    delivered: String,
    opened: String,
    waiting: String,
    grouped: String,
    failed: String,
    withheld: String,
    per_hour: String,
    goes_on: Option<Moment>,
    by: String,
    at: Moment,
    acts: Vec<Choice>,
}

/// What is typed.
#[derive(Debug, Default, Serialize)]
struct Typed {
    title: String,
    body: String,
    presence: String,
    #[serde(skip)]
    types: Vec<String>,
}

#[derive(Debug, Serialize)]
struct TicketKind {
    id: String,
    name: String,
    is_chosen: bool,
}

#[derive(Debug, Serialize)]
struct Content {
    hall: String,
    is_on: bool,
    campaigns: Vec<Campaign>,
    messages: Vec<Message>,
    next: Option<String>,
    may_write: bool,
    per_hour: String,
    types: Vec<TicketKind>,
    presences: [Choice; 3],
    /// Makes pressing the button twice one campaign.
    key: String,
    typed: Typed,
    wrong: Wrong,
}

fn standing(view: &CampaignView) -> (Standing, Vec<Choice>) {
    let is_waiting = view.progress.waiting > 0;
    let (words, class, acts) = match view.status {
        CampaignStatus::Running => ("Under way", "warn", vec![PAUSE, CANCEL]),
        CampaignStatus::Paused => ("Paused", "warn", vec![RESUME, CANCEL]),
        CampaignStatus::Cancelled => ("Called off", "bad", Vec::new()),
        CampaignStatus::Done if is_waiting => ("Some wait", "warn", vec![CANCEL]),
        CampaignStatus::Done => ("Done", "good", Vec::new()),
    };
    (Standing { words, class }, acts)
}

fn campaign(view: CampaignView, zone: &str, types: &[TicketKind]) -> Campaign {
    let (standing, acts) = standing(&view);
    let it = view.progress;
    let reached = it.sent + it.failed + it.withheld + it.grouped;
    let chosen = |kind: &&TicketKind| view.segment.ticket_type_ids.iter().any(|id| id.to_string() == kind.id);
    let mut whom: Vec<&str> = types.iter().filter(chosen).map(|kind| kind.name.as_str()).collect();
    let presence = PRESENCES.iter().find(|choice| choice.code == view.segment.presence.code());
    whom.insert(0, presence.map_or("Everybody", |choice| choice.words));
    Campaign {
        id: view.campaign_id.to_string(),
        whom: whom.join(", "),
        title: view.title,
        body: view.body,
        standing,
        recipients: count(view.recipients),
        reached: count(reached),
        meter: reached.min(view.recipients),
        meter_max: view.recipients.max(1),
        sent: count(it.sent),
        delivered: count(it.delivered),
        opened: count(it.opened),
        waiting: count(it.waiting),
        grouped: count(it.grouped),
        failed: count(it.failed),
        withheld: count(it.withheld),
        per_hour: count(i64::from(view.per_hour)),
        goes_on: view.waits_until.map(|at| Moment::local(at, zone)),
        by: view.written_by,
        at: Moment::local(view.created_at, zone),
        acts,
    }
}

async fn content<A: Acts>(
    app: &AppState,
    hall: &Hall<A>,
    cursor: Option<String>,
    (typed, wrong): (Typed, Wrong),
) -> ApiResult<Content> {
    let (event, who) = (&hall.event.summary, hall.who.asking(Action::SeeOrders));
    let info = events::get(app, hall.who.asking(Action::SeeEvents), event.event_id).await?.info;
    let types = info.ticket_types.into_iter().map(|kind| {
        let id = kind.ticket_type_id.to_string();
        TicketKind { is_chosen: typed.types.contains(&id), id, name: kind.name }
    });
    let types: Vec<TicketKind> = types.collect();
    let page = PageQuery { cursor, limit: Some(ROWS) };
    let told = campaigns::list(app, who.clone(), event.event_id, &page).await?;
    let first = PageQuery { cursor: None, limit: Some(ROWS) };
    let messages = desk::of_event(app, who, event.event_id, (Which::default(), &first)).await?;
    let (zone, key) = (&event.time_zone, CallId::generate(app.now(), app.entropy().as_ref()));
    Ok(Content {
        hall: hall.path(app, ""),
        is_on: app.push().is_on(),
        campaigns: told.items.into_iter().map(|it| campaign(it, zone, &types)).collect(),
        messages: messages.items.into_iter().map(|it| push_row::row(it, Some(zone))).collect(),
        next: told.next_cursor,
        may_write: hall.may(Action::EditEvent),
        per_hour: count(i64::from(app.config().limits.push_campaign.count)),
        types,
        presences: PRESENCES,
        key: format!("{}:console:{key}", StartCampaign::NAME),
        typed,
        wrong,
    })
}

async fn show(
    hall: Hall<may::SeeOrders>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let content = content(&app, &hall, asked.cursor, (Typed::default(), Wrong::default())).await?;
    let frame = Frame::within(&hall, "Push messages", "push").after(asked.done.as_deref());
    Ok(layout::render(&app, "campaigns.html", &frame, &content)?)
}

/// To the page again, with what was done or what is wrong.
async fn answer(
    app: &AppState,
    hall: &Hall<may::EditEvent>,
    typed: Typed,
    (done, flash): (ApiResult<()>, Flash),
) -> Result<Response, Failure> {
    let error = match done {
        Ok(()) => return Ok(layout::done(&hall.path(app, "/push"), flash)),
        Err(error) => error,
    };
    let (wrong, error) = Wrong::of(error)?;
    let content = content(app, hall, None, (typed, wrong)).await?;
    let frame = Frame::within(hall, "Push messages", "push");
    Ok(layout::refused(layout::render(app, "campaigns.html", &frame, &content)?, error))
}

async fn tell(
    hall: Hall<may::EditEvent>,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    let typed = Typed {
        title: form.text("title").to_owned(),
        body: form.text("body").to_owned(),
        presence: form.text("presence").to_owned(),
        types: form.all("types").map(str::to_owned).collect(),
    };
    let done = start(&app, &hall, &typed, form.text("key")).await;
    answer(&app, &hall, typed, (done, Flash::PhonesTold)).await
}

async fn start(app: &AppState, hall: &Hall<may::EditEvent>, typed: &Typed, key: &str) -> ApiResult<()> {
    let event = hall.event.summary.event_id;
    let body = json!({
        "title": typed.title, "body": typed.body,
        "segment": { "presence": typed.presence, "ticket_type_ids": typed.types },
    });
    let path = format!("/v1/events/{event}/campaigns");
    let call = Idempotent::<StartCampaign, Json<NewCampaign>>::of_form(key, &path, &body)?;
    let who = hall.who.clone();
    let done = call.run(app, who.organiser_id, async |Json(new), attempt| {
        Ok(axum::Json(campaigns::start(app, who, event, new, attempt).await?))
    });
    ApiError::of_answer(done.await?).await.map(drop)
}

async fn act(
    app: &AppState,
    hall: &Hall<may::EditEvent>,
    (id, wish, flash): (CampaignId, Wish, Flash),
) -> Result<Response, Failure> {
    let event = hall.event.summary.event_id;
    let done = campaigns::act(app, hall.who.clone(), event, (id, wish)).await.map(drop);
    answer(app, hall, Typed::default(), (done, flash)).await
}

async fn pause(
    hall: Hall<may::EditEvent>,
    State(app): State<AppState>,
    Path((_, _, id)): Address,
    _form: Form,
) -> Result<Response, Failure> {
    act(&app, &hall, (id, Wish::Pause, Flash::CampaignPaused)).await
}

async fn resume(
    hall: Hall<may::EditEvent>,
    State(app): State<AppState>,
    Path((_, _, id)): Address,
    _form: Form,
) -> Result<Response, Failure> {
    act(&app, &hall, (id, Wish::Resume, Flash::CampaignResumed)).await
}

async fn cancel(
    hall: Hall<may::EditEvent>,
    State(app): State<AppState>,
    Path((_, _, id)): Address,
    _form: Form,
) -> Result<Response, Failure> {
    act(&app, &hall, (id, Wish::Cancel, Flash::CampaignCancelled)).await
}
