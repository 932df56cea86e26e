//! Authorization: whether somebody may do something, decided in SQL by what they belong to.
//!
//! The extractor [`Caller`](crate::platform::auth::Caller) asks once, before a body is read; a service asks
//! again inside the transaction that acts, so that a member removed or a key revoked can do nothing from the
//! moment that is committed. Nothing the caller sends is trusted: which event is whose, and who belongs to
//! whom, is read here.
//!
//! **Invariant:** whoever does not belong to a tenant learns nothing of it: the answer is the same 404 as for
//! a thing that is not there.

mod actions;
mod who;

use liventix_core::ids::{DeviceId, EventId, OrganiserId};

pub use actions::{Action, Acts, Reach, Role, may};
pub use who::{Actor, By, Origin, Who, network};

use super::auth::{ApiKeyId, Scope, ScopeSet};
use super::db::{Conn, DbError, Row, Value, in_list};
use super::ids::{SessionId, UserId};
use super::problem::{ApiError, ApiResult, Code};
use crate::params;

/// Which events somebody may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Events {
    /// All of the organiser's.
    All,
    /// These.
    Only(Vec<EventId>),
}

impl Events {
    /// Whether `event` is among them.
    #[must_use]
    pub fn contain(&self, event: EventId) -> bool {
        match self {
            Self::All => true,
            Self::Only(events) => events.contains(&event),
        }
    }

    /// ` AND column IN (…)`, its values added to a statement's; nothing where all are meant.
    pub(crate) fn condition(&self, column: &str, values: &mut Vec<Value>) -> String {
        match self {
            Self::All => String::new(),
            Self::Only(events) if events.is_empty() => " AND 1 = 0".to_owned(),
            Self::Only(events) => {
                let places = in_list(values.len() + 1, events.len());
                values.extend(events.iter().copied().map(Value::from));
                format!(" AND {column} IN ({places})")
            }
        }
    }
}

/// Leave to do something of an organiser.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The tenant.
    pub organiser_id: OrganiserId,
    /// Which events of theirs.
    pub events: Events,
}

/// Leave to do something of one event.
#[derive(Debug, Clone, Copy)]
pub struct GrantedEvent {
    /// The tenant.
    pub organiser_id: OrganiserId,
    /// The event.
    pub event_id: EventId,
    /// The number of the latest change of its settings, read together with the leave.
    pub config_seq: i64,
}

/// What a caller learns of an event that is not theirs or not at all.
pub(crate) fn event_not_found() -> ApiError {
    ApiError::new(Code::EventNotFound, "You have no event with this id. List yours at /v1/events.")
}

/// What a caller learns of an organiser that they do not belong to.
pub(crate) fn organiser_not_found() -> ApiError {
    ApiError::new(Code::OrganiserNotFound, "You belong to no organiser with this id. See /v1/session.")
}

fn role_missing(role: Role, action: Action) -> ApiError {
    let detail =
        format!("As {} you may not do this ({}). Ask an owner of the organiser.", role.name(), action.code());
    ApiError::new(Code::RoleMissing, detail)
}

fn limited(action: Action) -> ApiError {
    let detail =
        format!("You are limited to some events, and this concerns the whole organiser ({}).", action.code());
    ApiError::new(Code::RoleMissing, detail)
}

fn check_role(role: Role, action: Action) -> ApiResult<()> {
    if action.roles().contains(&role) { Ok(()) } else { Err(role_missing(role, action)) }
}

/// Requires that an API key with these scopes may do `action`.
///
/// # Errors
/// `scope_missing`.
pub(crate) fn check_scopes(scopes: &ScopeSet, action: Action) -> ApiResult<()> {
    match action.scope() {
        Some(scope) if scopes.allow(scope) => Ok(()),
        Some(scope) => Err(scope_missing(scope)),
        None => {
            let detail = "No API key may do this: a person has to. Sign in at /console.";
            Err(ApiError::new(Code::ScopeMissing, detail))
        }
    }
}

fn scope_missing(scope: Scope) -> ApiError {
    let detail = format!("This API key lacks the scope `{}`. Use a key that has it.", scope.name());
    ApiError::new(Code::ScopeMissing, detail)
}

fn role(row: &Row, column: usize) -> Result<Role, DbError> {
    let name: String = row.get(column)?;
    Role::named(&name).ok_or(DbError::Column { column, expected: "a role" })
}

/// Whether `who` may do what they ask for at the organiser, and at which events.
///
/// # Errors
/// `organiser_not_found` for whoever does not belong to it; `role_missing`, `scope_missing`.
pub async fn organiser(conn: &mut Conn, who: &Who) -> ApiResult<Granted> {
    let events = match who.by.actor {
        Actor::User { user_id, session_id } => member(conn, who, user_id, session_id).await?,
        Actor::ApiKey(id) => api_key(conn, who, id).await?,
        Actor::Operator => any_organiser(conn, who.organiser_id).await?,
        Actor::Device(_) | Actor::Wallet(_) | Actor::Provider | Actor::Nobody => {
            return Err(organiser_not_found());
        }
    };
    Ok(Granted { organiser_id: who.organiser_id, events })
}

async fn any_organiser(conn: &mut Conn, organiser: OrganiserId) -> ApiResult<Events> {
    let sql = "SELECT 1 FROM organisers WHERE organiser_id = $1";
    conn.first(sql, params![organiser]).await?.map(|_| Events::All).ok_or_else(organiser_not_found)
}

async fn member(conn: &mut Conn, who: &Who, user_id: UserId, session_id: SessionId) -> ApiResult<Events> {
    let sql = "SELECT m.role, m.limited FROM members m \
               JOIN sessions s ON s.user_id = m.user_id AND s.session_id = $3 AND s.ended_at IS NULL \
               WHERE m.organiser_id = $1 AND m.user_id = $2";
    let row = conn.first(sql, params![who.organiser_id, user_id, session_id]).await?;
    let row = row.ok_or_else(organiser_not_found)?;
    check_role(role(&row, 0)?, who.action)?;
    if !row.get::<bool>(1)? {
        return Ok(Events::All);
    }
    let sql = "SELECT event_id FROM member_events WHERE organiser_id = $1 AND user_id = $2 ORDER BY event_id";
    let rows = conn.query(sql, params![who.organiser_id, user_id]).await?;
    only(who.action, &rows)
}

async fn api_key(conn: &mut Conn, who: &Who, id: ApiKeyId) -> ApiResult<Events> {
    let sql = "SELECT scopes, limited FROM api_keys \
               WHERE organiser_id = $1 AND api_key_id = $2 AND revoked_at IS NULL";
    let row = conn.first(sql, params![who.organiser_id, id.0]).await?.ok_or_else(organiser_not_found)?;
    check_scopes(&ScopeSet::from_stored(&row.get::<String>(0)?), who.action)?;
    if !row.get::<bool>(1)? {
        return Ok(Events::All);
    }
    let sql = "SELECT event_id FROM api_key_events WHERE api_key_id = $1 ORDER BY event_id";
    let rows = conn.query(sql, params![id.0]).await?;
    only(who.action, &rows)
}

fn only(action: Action, rows: &[Row]) -> ApiResult<Events> {
    if action.reach() == Reach::Organiser {
        return Err(limited(action));
    }
    let events: Result<Vec<EventId>, DbError> = rows.iter().map(|row| row.get(0)).collect();
    Ok(Events::Only(events?))
}

/// Whether `who` may do what they ask for at one event.
///
/// # Errors
/// `event_not_found` for whoever does not reach it, whether it is there or not; `role_missing`,
/// `scope_missing`; of a device `device_revoked`, `event_not_assigned`.
pub async fn event(conn: &mut Conn, who: &Who, event: EventId) -> ApiResult<GrantedEvent> {
    let config_seq = match who.by.actor {
        Actor::User { user_id, session_id } => member_at(conn, who, event, user_id, session_id).await?,
        Actor::ApiKey(id) => api_key_at(conn, who, event, id).await?,
        Actor::Device(id) => device_at(conn, who, event, id).await?,
        Actor::Operator => operator_at(conn, who, event).await?,
        Actor::Wallet(_) | Actor::Provider | Actor::Nobody => return Err(event_not_found()),
    };
    Ok(GrantedEvent { organiser_id: who.organiser_id, event_id: event, config_seq })
}

async fn member_at(
    conn: &mut Conn,
    who: &Who,
    event: EventId,
    user_id: UserId,
    session_id: SessionId,
) -> ApiResult<i64> {
    let sql = "SELECT e.config_seq, m.role FROM events e \
               JOIN members m ON m.organiser_id = e.organiser_id AND m.user_id = $3 \
               JOIN sessions s ON s.user_id = m.user_id AND s.session_id = $4 AND s.ended_at IS NULL \
               WHERE e.event_id = $1 AND e.organiser_id = $2 AND (m.limited = 0 OR EXISTS \
               (SELECT 1 FROM member_events x WHERE x.organiser_id = m.organiser_id \
               AND x.user_id = m.user_id AND x.event_id = e.event_id))";
    let row = conn.first(sql, params![event, who.organiser_id, user_id, session_id]).await?;
    let row = row.ok_or_else(event_not_found)?;
    check_role(role(&row, 1)?, who.action)?;
    Ok(row.get(0)?)
}

async fn api_key_at(conn: &mut Conn, who: &Who, event: EventId, id: ApiKeyId) -> ApiResult<i64> {
    let sql = "SELECT e.config_seq, k.scopes FROM events e \
               JOIN api_keys k ON k.organiser_id = e.organiser_id \
               AND k.api_key_id = $3 AND k.revoked_at IS NULL \
               WHERE e.event_id = $1 AND e.organiser_id = $2 AND (k.limited = 0 OR EXISTS \
               (SELECT 1 FROM api_key_events x WHERE x.api_key_id = k.api_key_id AND x.event_id = e.event_id))";
    let row = conn.first(sql, params![event, who.organiser_id, id.0]).await?.ok_or_else(event_not_found)?;
    check_scopes(&ScopeSet::from_stored(&row.get::<String>(1)?), who.action)?;
    Ok(row.get(0)?)
}

async fn device_at(conn: &mut Conn, who: &Who, event: EventId, id: DeviceId) -> ApiResult<i64> {
    let sql = "SELECT e.config_seq, d.revoked_at, x.event_id FROM events e \
               JOIN devices d ON d.organiser_id = e.organiser_id AND d.device_id = $3 \
               LEFT JOIN device_events x ON x.device_id = d.device_id AND x.event_id = e.event_id \
               WHERE e.event_id = $1 AND e.organiser_id = $2";
    let row = conn.first(sql, params![event, who.organiser_id, id]).await?.ok_or_else(event_not_found)?;
    if row.get::<Option<i64>>(1)?.is_some() {
        return Err(ApiError::new(Code::DeviceRevoked, "The organiser revoked this device."));
    }
    if row.get::<Option<EventId>>(2)?.is_none() {
        let detail =
            "This device is not enrolled for this event. Enrol it again with the event in its scope.";
        return Err(ApiError::new(Code::EventNotAssigned, detail));
    }
    Ok(row.get(0)?)
}

async fn operator_at(conn: &mut Conn, who: &Who, event: EventId) -> ApiResult<i64> {
    let sql = "SELECT config_seq FROM events WHERE event_id = $1 AND organiser_id = $2";
    let row = conn.first(sql, params![event, who.organiser_id]).await?.ok_or_else(event_not_found)?;
    Ok(row.get(0)?)
}

/// Some events a person or a key is to be limited to (200 at most).
#[derive(Debug, Clone, Default)]
pub struct EventList(Vec<EventId>);

impl EventList {
    /// The most there may be.
    pub const MAX: usize = 200;

    /// These, each once.
    ///
    /// # Errors
    /// `invalid_field` for too many.
    pub fn new(mut events: Vec<EventId>) -> ApiResult<Self> {
        events.sort_unstable();
        events.dedup();
        if events.len() > Self::MAX {
            return Err(ApiError::field("event_ids", format!("must name at most {} events", Self::MAX)));
        }
        Ok(Self(events))
    }

    /// The events.
    #[must_use]
    pub fn as_slice(&self) -> &[EventId] {
        &self.0
    }

    /// Requires that each is the organiser's.
    ///
    /// # Errors
    /// `event_not_found`.
    pub async fn check(&self, conn: &mut Conn, organiser: OrganiserId) -> ApiResult<()> {
        for event in &self.0 {
            let sql = "SELECT 1 FROM events WHERE event_id = $1 AND organiser_id = $2";
            conn.first(sql, params![*event, organiser]).await?.ok_or_else(event_not_found)?;
        }
        Ok(())
    }
}
