//! Reading the trail, newest first.

use std::fmt::Write as _;

use liventix_core::ids::{EventId, LedgerId, OrganiserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::deeds::Deed;
use crate::app::AppState;
use crate::platform::authorize::{self, Who};
use crate::platform::db::{Conn, DbError, Row, Value};
use crate::platform::ids::AuditId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};

/// Which entries.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only this action, e.g. `ticket.cancelled`.
    pub action: Option<String>,
    /// Only what was done to the thing with this id.
    pub target: Option<String>,
    /// Only what the person, key or device with this id did.
    pub actor: Option<String>,
    /// Where the last page ended: its `next_cursor`. Left out for the first page.
    pub cursor: Option<String>,
    /// Rows in the page (1 to 200; 50 unless told).
    pub limit: Option<u32>,
}

/// Who did it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditActor {
    /// `user`, `api_key`, `device`, `wallet`, `operator`, `provider` (of payments), or `nobody` for whoever was not known.
    pub kind: String,
    /// Its id, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name at that time.
    pub name: String,
}

/// What it was done to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditTarget {
    /// What it is, e.g. `ticket`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// One entry of the audit trail.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditView {
    /// Its id.
    pub audit_id: AuditId,
    /// When (UTC milliseconds).
    pub at: i64,
    /// What was done: a stable code.
    pub action: String,
    /// Who did it.
    pub actor: AuditActor,
    /// At which event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// What it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<AuditTarget>,
    /// How it was before, where that tells something.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub before: Option<serde_json::Value>,
    /// How it was afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub after: Option<serde_json::Value>,
    /// The id of the request that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The network the request came from: three bytes of an IPv4 address, 48 bits of an IPv6 one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}

/// What the query asks for, checked.
struct Filter {
    action: Option<Deed>,
    target: Option<[u8; 16]>,
    actor: Option<[u8; 16]>,
    /// None: from the newest on.
    before: Option<Key>,
    limit: u32,
}

impl Filter {
    fn new(query: &AuditQuery) -> ApiResult<Self> {
        let page = PageQuery { cursor: query.cursor.clone(), limit: query.limit };
        let before = if query.cursor.is_some() { Some(page.after()?) } else { None };
        let action = query.action.as_deref().map(|code| {
            Deed::named(code)
                .ok_or_else(|| ApiError::new(Code::InvalidQuery, "action is none of the trail's codes"))
        });
        Ok(Self {
            action: action.transpose()?,
            target: id("target", query.target.as_deref())?,
            actor: id("actor", query.actor.as_deref())?,
            before,
            limit: page.limit()?,
        })
    }
}

fn id(name: &str, text: Option<&str>) -> ApiResult<Option<[u8; 16]>> {
    let wrong = |_| ApiError::new(Code::InvalidQuery, format!("{name} must be a UUID"));
    text.map(|text| text.parse().map(|id: LedgerId| *id.as_bytes()).map_err(wrong)).transpose()
}

/// The entries of the caller's organiser.
///
/// # Errors
/// `invalid_query`, `unknown_cursor`, and what [`authorize::organiser`] refuses.
pub(crate) async fn list(app: &AppState, who: Who, query: &AuditQuery) -> ApiResult<Page<AuditView>> {
    let filter = Filter::new(query)?;
    let limit = filter.limit;
    let rows = app
        .db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let granted = authorize::organiser(conn, &who).await?;
                Ok::<_, ApiError>(rows(conn, granted.organiser_id, &filter).await?)
            })
        })
        .await?;
    Ok(Page::of(rows, limit, |entry| Key { at: entry.at, id: *entry.audit_id.as_bytes() }))
}

async fn rows(conn: &mut Conn, organiser: OrganiserId, filter: &Filter) -> Result<Vec<AuditView>, DbError> {
    let mut sql = "SELECT audit_id, at, action, actor_kind, actor_id, actor_name, event_id, target_kind, \
                   target_id, target_name, before_state, after_state, request_id, network \
                   FROM audit WHERE organiser_id = $1"
        .to_owned();
    let mut values: Vec<Value> = vec![organiser.into()];
    let equal = [
        ("action", filter.action.map(|deed| Value::from(deed.code()))),
        ("target_id", filter.target.map(Value::from)),
        ("actor_id", filter.actor.map(Value::from)),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            values.push(value);
            let _ = write!(sql, " AND {column} = ${}", values.len());
        }
    }
    if let Some(Key { at, id }) = filter.before {
        let place = values.len() + 1;
        values.extend([at.into(), id.into()]);
        let _ = write!(sql, " AND (at < ${place} OR (at = ${place} AND audit_id < ${}))", place + 1);
    }
    values.push((filter.limit + 1).into());
    let _ = write!(sql, " ORDER BY at DESC, audit_id DESC LIMIT ${}", values.len());
    conn.query(&sql, &values).await?.iter().map(view).collect()
}

fn view(row: &Row) -> Result<AuditView, DbError> {
    let text = |id: [u8; 16]| LedgerId::from_bytes(id).to_string();
    let state = |column: usize| -> Result<Option<serde_json::Value>, DbError> {
        Ok(row.get::<Option<String>>(column)?.and_then(|json| serde_json::from_str(&json).ok()))
    };
    let target = match (row.get::<Option<String>>(7)?, row.get::<Option<[u8; 16]>>(8)?) {
        (Some(kind), Some(id)) => Some(AuditTarget { kind, id: text(id), name: row.get(9)? }),
        _ => None,
    };
    Ok(AuditView {
        audit_id: row.get(0)?,
        at: row.get(1)?,
        action: row.get(2)?,
        actor: AuditActor {
            kind: row.get(3)?,
            id: row.get::<Option<[u8; 16]>>(4)?.map(text),
            name: row.get(5)?,
        },
        event_id: row.get(6)?,
        target,
        before: state(10)?,
        after: state(11)?,
        request_id: row.get(12)?,
        network: row.get(13)?,
    })
}
