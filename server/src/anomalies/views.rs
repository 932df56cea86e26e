//! Anomalies as people see them, and what people say about them.

use std::collections::{BTreeMap, BTreeSet};

use liventix_core::ids::{EventId, OrganiserId, ScanId};

use super::finding::{Facts, Finding};
use super::kinds::{Kind, Severity, State, SubjectKind};
use super::people::{Author, Remark};
use super::store;
use super::types::{AnomalyDetail, AnomalyId, AnomalyQuery, AnomalyView, Note, SubjectView};
use crate::app::AppState;
use crate::events::snapshot;
use crate::params;
use crate::platform::auth::ApiKeyId;
use crate::platform::db::{Conn, DbError, Row, Tx, Value, in_list};
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::text;

/// The longest note.
const MAX_NOTE: usize = 500;

/// An anomaly with the name of what it is about.
const VIEW: &str = "SELECT a.anomaly_id, a.kind, a.severity, a.state, a.subject_kind, a.subject, \
    COALESCE(g.name, d.name, k.name, o.name, t.attendee_name, e.name), a.occurrences, a.first_seen, a.last_seen, \
    a.opened_at, a.acknowledged, a.resolved FROM anomalies a \
    LEFT JOIN gates g ON g.gate_id = a.subject \
    LEFT JOIN devices d ON d.device_id = a.subject \
    LEFT JOIN api_keys k ON k.api_key_id = a.subject \
    LEFT JOIN ledgers l ON l.ledger_id = a.subject LEFT JOIN devices o ON o.device_id = l.device_id \
    LEFT JOIN tickets t ON t.ticket_id = a.subject \
    LEFT JOIN events e ON e.event_id = a.subject";

fn not_found() -> ApiError {
    let detail = "The event has no anomaly with this id. List them at /v1/events/{event_id}/anomalies.";
    ApiError::new(Code::AnomalyNotFound, detail)
}

fn read(row: &Row) -> Result<AnomalyView, DbError> {
    let column = |column, expected| DbError::Column { column, expected };
    let text = |place: usize| row.get::<String>(place);
    let remark =
        |place: usize| row.get::<Option<String>>(place)?.map(|_| row.json::<Remark>(place)).transpose();
    let kind = Kind::from_code(&text(1)?).ok_or_else(|| column(1, "a kind"))?;
    let subject = SubjectView {
        kind: SubjectKind::from_code(&text(4)?).ok_or_else(|| column(4, "a kind of subject"))?,
        id: row.get(5)?,
        name: row.get(6)?,
    };
    let occurrences = row.get(7)?;
    Ok(AnomalyView {
        anomaly_id: AnomalyId(row.get::<ScanId>(0)?),
        kind,
        severity: Severity::from_code(&text(2)?).ok_or_else(|| column(2, "a severity"))?,
        state: State::from_code(&text(3)?).ok_or_else(|| column(3, "a state"))?,
        sentence: kind.sentence(occurrences, &about(&subject)),
        subject,
        next_step: kind.next_step(),
        occurrences,
        first_seen: row.get(8)?,
        last_seen: row.get(9)?,
        opened_at: row.get(10)?,
        acknowledged: remark(11)?,
        resolved: remark(12)?,
    })
}

/// What people call it, or its id.
fn about(subject: &SubjectView) -> String {
    let what = match subject.kind {
        SubjectKind::Device => "device",
        SubjectKind::Gate => "gate",
        SubjectKind::Event => "event",
        SubjectKind::Ticket => "ticket",
        SubjectKind::Ledger => "ledger",
    };
    match (&subject.name, subject.kind) {
        (Some(name), SubjectKind::Ticket) => format!("the ticket of {name}"),
        (Some(name), _) => name.clone(),
        (None, _) => format!("{what} {}", subject.id),
    }
}

pub(super) async fn list(
    app: &AppState,
    organiser: OrganiserId,
    event: EventId,
    query: AnomalyQuery,
) -> ApiResult<Page<AnomalyView>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (after, limit) = (page.after()?, page.limit()?);
    let (kind, state) = (query.kind, query.state);
    let app_in = app.clone();
    let rows = app
        .db_of(organiser)
        .read(move |conn| {
            Box::pin(async move {
                snapshot::load(&app_in, conn, organiser, event).await?;
                Ok::<_, ApiError>(rows(conn, event, (kind, state), after, limit + 1).await?)
            })
        })
        .await?;
    Ok(Page::of(rows, limit, |row| Key { at: row.opened_at, id: *row.anomaly_id.as_bytes() }))
}

async fn rows(
    conn: &mut Conn,
    event: EventId,
    (kind, state): (Option<Kind>, Option<State>),
    after: Key,
    limit: u32,
) -> Result<Vec<AnomalyView>, DbError> {
    let mut values = params![event, after.at, after.id, limit].to_vec();
    let mut conditions = String::new();
    for (column, code) in [("kind", kind.map(Kind::code)), ("state", state.map(State::code))] {
        if let Some(code) = code {
            values.push(code.into());
            conditions.push_str(&format!(" AND a.{column} = ${}", values.len()));
        }
    }
    let sql = format!(
        "{VIEW} WHERE a.event_id = $1 \
         AND (a.opened_at > $2 OR (a.opened_at = $2 AND a.anomaly_id > $3)){conditions} \
         ORDER BY a.opened_at, a.anomaly_id LIMIT $4"
    );
    conn.query(&sql, &values).await?.iter().map(read).collect()
}

pub(super) async fn get(
    app: &AppState,
    organiser: OrganiserId,
    (event, anomaly): (EventId, AnomalyId),
) -> ApiResult<AnomalyDetail> {
    let app_in = app.clone();
    app.db_of(organiser)
        .read(move |conn| {
            Box::pin(async move {
                snapshot::load(&app_in, conn, organiser, event).await?;
                detail(conn, event, anomaly).await
            })
        })
        .await
}

async fn one(conn: &mut Conn, event: EventId, anomaly: AnomalyId) -> ApiResult<AnomalyView> {
    let sql = format!("{VIEW} WHERE a.event_id = $1 AND a.anomaly_id = $2");
    let row = conn.first(&sql, params![event, *anomaly.as_bytes()]).await?;
    Ok(read(&row.ok_or_else(not_found)?)?)
}

async fn detail(conn: &mut Conn, event: EventId, anomaly: AnomalyId) -> ApiResult<AnomalyDetail> {
    let view = one(conn, event, anomaly).await?;
    let evidence = store::evidence(conn, *anomaly.as_bytes()).await?;
    let names = names(conn, &evidence).await?;
    Ok(AnomalyDetail { view, evidence, names })
}

/// The names of what the evidence names by id.
async fn names(conn: &mut Conn, evidence: &[Finding]) -> Result<BTreeMap<String, String>, DbError> {
    let mut ids = BTreeSet::new();
    for finding in evidence {
        if let Facts::OverLimit { gate_id, .. } = &finding.facts {
            ids.insert(*gate_id.as_bytes());
        }
        for scan in &finding.scans {
            ids.extend([*scan.gate_id.as_bytes(), *scan.device_id.as_bytes()]);
        }
    }
    let mut names = BTreeMap::new();
    if ids.is_empty() {
        return Ok(names);
    }
    let values: Vec<Value> = ids.into_iter().map(Value::from).collect();
    let list = in_list(1, values.len());
    let sql = format!(
        "SELECT gate_id, name FROM gates WHERE gate_id IN ({list}) \
         UNION ALL SELECT device_id, name FROM devices WHERE device_id IN ({list}) \
         UNION ALL SELECT api_key_id, name FROM api_keys WHERE api_key_id IN ({list})"
    );
    for row in conn.query(&sql, &values).await? {
        names.insert(row.get::<ScanId>(0)?.to_string(), row.get(1)?);
    }
    Ok(names)
}

/// What somebody says now.
pub(crate) async fn remark(
    conn: &mut Conn,
    now: i64,
    key: ApiKeyId,
    note: String,
) -> Result<Remark, DbError> {
    Ok(Remark { by: Author::api_key(conn, key).await?, at: now, note })
}

/// Checks what somebody says.
pub(crate) fn checked(note: &Note) -> ApiResult<String> {
    text::line("note", &note.note, MAX_NOTE)
}

pub(super) async fn acknowledge(
    app: &AppState,
    by: (OrganiserId, ApiKeyId),
    ids: (EventId, AnomalyId),
    note: &Note,
) -> ApiResult<AnomalyDetail> {
    change(app, by, ids, note, State::Acknowledged).await
}

pub(super) async fn resolve(
    app: &AppState,
    by: (OrganiserId, ApiKeyId),
    ids: (EventId, AnomalyId),
    note: &Note,
) -> ApiResult<AnomalyDetail> {
    change(app, by, ids, note, State::Resolved).await
}

async fn change(
    app: &AppState,
    (organiser, key): (OrganiserId, ApiKeyId),
    (event, anomaly): (EventId, AnomalyId),
    note: &Note,
    to: State,
) -> ApiResult<AnomalyDetail> {
    let note = checked(note)?;
    let app_in = app.clone();
    app.db_of(organiser)
        .write(move |tx| {
            Box::pin(async move {
                snapshot::hold(&app_in, tx, organiser, event).await?;
                let view = one(tx, event, anomaly).await?;
                let remark = remark(tx, app_in.now(), key, note).await?;
                said(tx, &view, &remark, to).await?;
                detail(tx, event, anomaly).await
            })
        })
        .await
}

async fn said(tx: &mut Tx, view: &AnomalyView, remark: &Remark, to: State) -> ApiResult<()> {
    let id = *view.anomaly_id.as_bytes();
    if view.state == State::Resolved {
        let detail = "Nothing is left to do about it. If it happens again, it opens again.";
        return Err(ApiError::new(Code::AlreadyResolved, detail));
    }
    let changed = match to {
        State::Resolved => store::resolve(tx, id, remark).await?,
        State::Open | State::Acknowledged => store::acknowledge(tx, id, remark).await?,
    };
    if changed {
        return Ok(());
    }
    let detail = "Its `acknowledged` says who looks after it. Resolve it when you are done.";
    Err(ApiError::new(Code::AlreadyAcknowledged, detail))
}
