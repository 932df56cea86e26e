//! Rows of events.

use crate::params;
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::ids::OrderId;

/// An event as it came.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) event_id: String,
    pub(super) kind: String,
    pub(super) is_live: bool,
    pub(super) api_version: Option<String>,
    pub(super) made_at: i64,
    pub(super) body: String,
}

/// Why an event changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ignored {
    /// We have no use for events of this kind.
    NotUsed,
    /// It is about something that is none of ours.
    UnknownObject,
    /// It is of Stripe's test mode, and we take real money; or the other way round.
    WrongMode,
    /// It is of an account that is connected to ours.
    OtherAccount,
}

impl Ignored {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::NotUsed => "not_used",
            Self::UnknownObject => "unknown_object",
            Self::WrongMode => "wrong_mode",
            Self::OtherAccount => "other_account",
        }
    }
}

/// Stores an event, once. Says whether it is new.
pub(super) async fn insert(tx: &mut Tx, event: &Event, now: i64) -> Result<bool, DbError> {
    let sql = "INSERT INTO provider_events (provider, event_id, kind, is_live, api_version, made_at, received_at, \
               deliveries, body, state) VALUES ('stripe', $1, $2, $3, $4, $5, $6, 1, $7, 'received') \
               ON CONFLICT (provider, event_id) DO NOTHING";
    let values = params![
        &event.event_id,
        &event.kind,
        event.is_live,
        event.api_version.clone(),
        event.made_at,
        now,
        &event.body,
    ];
    if tx.execute(sql, values).await? == 1 {
        return Ok(true);
    }
    let sql =
        "UPDATE provider_events SET deliveries = deliveries + 1 WHERE provider = 'stripe' AND event_id = $1";
    tx.execute(sql, params![&event.event_id]).await?;
    Ok(false)
}

/// The event, if it was not dealt with yet.
pub(super) async fn waiting(conn: &mut Conn, id: &str) -> Result<Option<Event>, DbError> {
    let sql = "SELECT event_id, kind, is_live, api_version, made_at, body FROM provider_events \
               WHERE provider = 'stripe' AND event_id = $1 AND state = 'received'";
    let row = conn.first(sql, params![id]).await?;
    let read = |row: crate::platform::db::Row| {
        Ok(Event {
            event_id: row.get(0)?,
            kind: row.get(1)?,
            is_live: row.get(2)?,
            api_version: row.get(3)?,
            made_at: row.get(4)?,
            body: row.get(5)?,
        })
    };
    row.map(read).transpose()
}

/// Empties the bodies of events that came before `before` and are dealt with: they name people. That the events came,
/// and what became of them, stays.
pub(super) async fn forget(tx: &mut Tx, before: i64) -> Result<u64, DbError> {
    let sql =
        "UPDATE provider_events SET body = '' WHERE received_at < $1 AND body <> '' AND state <> 'received'";
    tx.execute(sql, params![before]).await
}

/// The event is dealt with.
pub(super) async fn done(
    tx: &mut Tx,
    id: &str,
    (ignored, order): (Option<Ignored>, Option<OrderId>),
    now: i64,
) -> Result<(), DbError> {
    let state = if ignored.is_some() { "ignored" } else { "applied" };
    let sql = "UPDATE provider_events SET state = $2, why = $3, order_id = $4, applied_at = $5 \
               WHERE provider = 'stripe' AND event_id = $1 AND state = 'received'";
    tx.execute(sql, params![id, state, ignored.map(Ignored::code), order, now]).await.map(drop)
}
