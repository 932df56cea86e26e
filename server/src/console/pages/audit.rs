//! The audit trail.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::super::failure::Failure;
use super::super::layout::{self, Choice, Frame, Moment};
use super::super::visitor::Office;
use crate::app::AppState;
use crate::audit::{self, AuditQuery, AuditView, Deed, Target};
use crate::platform::authorize::may;
use crate::platform::body::Query;

/// Entries on one page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/console/organisers/{organiser_id}/audit", get(show))
}

/// What is asked for. An empty field is none.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    action: Option<String>,
    target: Option<String>,
    actor: Option<String>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct Entry {
    at: Moment,
    what: String,
    who: String,
    actor_id: Option<String>,
    target: Option<String>,
    target_id: Option<String>,
    before: Option<String>,
    after: Option<String>,
    request_id: Option<String>,
    network: Option<String>,
}

/// A state, a line for each thing in it.
fn lines(state: Option<&serde_json::Value>) -> Option<String> {
    state.and_then(|state| serde_json::to_string_pretty(state).ok())
}

impl Entry {
    fn new(view: AuditView) -> Self {
        let what = Deed::named(&view.action).map_or(view.action.clone(), |deed| deed.words().to_owned());
        let who = match (view.actor.kind.as_str(), view.actor.name.as_str()) {
            ("user", name) => name.to_owned(),
            ("api_key", name) => format!("API key “{name}”"),
            ("device", name) => format!("Device “{name}”"),
            ("wallet", _) => "An attendee’s phone".to_owned(),
            ("operator", name) => format!("The operator ({name})"),
            (_, "") => "Somebody not signed in".to_owned(),
            (_, name) => name.to_owned(),
        };
        let target = view.target.as_ref().map(|target| {
            let kind = Target::named(&target.kind).map_or(target.kind.as_str(), |kind| kind.words());
            target.name.clone().unwrap_or_else(|| kind.to_owned())
        });
        Self {
            at: Moment::new(view.at),
            what,
            who,
            actor_id: view.actor.id,
            target,
            target_id: view.target.map(|target| target.id),
            before: lines(view.before.as_ref()),
            after: lines(view.after.as_ref()),
            request_id: view.request_id,
            network: view.network,
        }
    }
}

#[derive(Debug, Serialize)]
struct Content {
    entries: Vec<Entry>,
    actions: Vec<Choice>,
    action: String,
    target: String,
    actor: String,
    next: Option<String>,
    is_first: bool,
}

async fn show(
    office: Office<may::SeeAudit>,
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let query = AuditQuery {
        action: some(asked.action),
        target: some(asked.target),
        actor: some(asked.actor),
        cursor: some(asked.cursor),
        limit: Some(ROWS),
    };
    let page = audit::list(&app, office.who.clone(), &query).await?;
    let content = Content {
        entries: page.items.into_iter().map(Entry::new).collect(),
        actions: Deed::ALL.iter().map(|deed| Choice { code: deed.code(), words: deed.words() }).collect(),
        next: page.next_cursor,
        is_first: query.cursor.is_none(),
        action: query.action.unwrap_or_default(),
        target: query.target.unwrap_or_default(),
        actor: query.actor.unwrap_or_default(),
    };
    let frame = Frame {
        title: "Audit trail",
        visitor: Some(&office.visitor),
        place: Some(&office.place),
        here: "audit",
        ..Frame::default()
    };
    Ok(layout::render(&app, "audit.html", &frame, &content)?)
}
