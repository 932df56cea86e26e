//! Anomalies as people see them, and what people say about them.

use std::collections::{BTreeMap, BTreeSet};

use liventix_core::ids::{EventId, ScanId};

use super::finding::{Facts, Finding};
use super::kinds::{Kind, State, SubjectKind};
use super::store;
use super::types::{AnomalyDetail, AnomalyQuery, AnomalyView, SubjectView};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::events::snapshot;
use crate::params;
use crate::platform::authorize::Who;
use crate::platform::db::{Conn, DbError, Row, Tx, Value, in_list};
use crate::platform::ids::AnomalyId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::remark::{Note, Remark};
use crate::platform::severity::Severity;

/// An anomaly with the name of what it is about.
const VIEW: &str = "SELECT a.anomaly_id, a.kind, a.severity, a.state, a.subject_kind, a.subject, \
    COALESCE(g.name, d.name, k.name, u.name, o.name, t.attendee_name, e.name), a.occurrences, a.first_seen, a.last_seen, \
    a.opened_at, a.acknowledged, a.resolved FROM anomalies a \
    LEFT JOIN gates g ON g.gate_id = a.subject \
    LEFT JOIN devices d ON d.device_id = a.subject \
    LEFT JOIN api_keys k ON k.api_key_id = a.subject \
    LEFT JOIN users u ON u.user_id = a.subject \
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
        anomaly_id: row.get(0)?,
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

pub(crate) async fn list(
    app: &AppState,
    who: Who,
    event: EventId,
    query: AnomalyQuery,
) -> ApiResult<Page<AnomalyView>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (after, limit) = (page.after()?, page.limit()?);
    let (kind, state) = (query.kind, query.state);
    let app_in = app.clone();
    let rows = app
        .db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                snapshot::of(&app_in, conn, &who, event).await?;
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

pub(crate) async fn get(
    app: &AppState,
    who: Who,
    (event, anomaly): (EventId, AnomalyId),
) -> ApiResult<AnomalyDetail> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                snapshot::of(&app_in, conn, &who, event).await?;
                detail(conn, event, anomaly).await
            })
        })
        .await
}

async fn one(conn: &mut Conn, event: EventId, anomaly: AnomalyId) -> ApiResult<AnomalyView> {
    let sql = format!("{VIEW} WHERE a.event_id = $1 AND a.anomaly_id = $2");
    let row = conn.first(&sql, params![event, anomaly]).await?;
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
         UNION ALL SELECT api_key_id, name FROM api_keys WHERE api_key_id IN ({list}) \
         UNION ALL SELECT user_id, name FROM users WHERE user_id IN ({list})"
    );
    for row in conn.query(&sql, &values).await? {
        names.insert(row.get::<ScanId>(0)?.to_string(), row.get(1)?);
    }
    Ok(names)
}

pub(crate) async fn acknowledge(
    app: &AppState,
    who: Who,
    ids: (EventId, AnomalyId),
    note: &Note,
) -> ApiResult<AnomalyDetail> {
    change(app, who, ids, note, Deed::AnomalyAcknowledged).await
}

pub(crate) async fn resolve(
    app: &AppState,
    who: Who,
    ids: (EventId, AnomalyId),
    note: &Note,
) -> ApiResult<AnomalyDetail> {
    change(app, who, ids, note, Deed::AnomalyResolved).await
}

async fn change(
    app: &AppState,
    who: Who,
    (event, anomaly): (EventId, AnomalyId),
    note: &Note,
    deed: Deed,
) -> ApiResult<AnomalyDetail> {
    let note = note.checked()?;
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                snapshot::hold_for(&app_in, tx, &who, event).await?;
                let view = one(tx, event, anomaly).await?;
                let remark = Remark::of(&who.by, app_in.now(), note);
                let entry = Entry::of(deed).at(event).to(Target::Anomaly, anomaly.as_bytes());
                let entry = entry.named(view.kind.code()).before(view.state).after(&remark.note);
                said(tx, anomaly, &remark, deed).await?;
                audit::record(tx, &app_in, &who, entry).await?;
                detail(tx, event, anomaly).await
            })
        })
        .await
}

async fn said(tx: &mut Tx, anomaly: AnomalyId, remark: &Remark, deed: Deed) -> ApiResult<()> {
    let changed = match deed {
        Deed::AnomalyResolved => store::resolve(tx, *anomaly.as_bytes(), remark).await?,
        _ => store::acknowledge(tx, *anomaly.as_bytes(), remark).await?,
    };
    if changed {
        return Ok(());
    }
    let detail = "Nothing is left to do about it. If it happens again, it opens again.";
    Err(ApiError::new(Code::AlreadyResolved, detail))
}
