//! The audit trail: who did what to what, written in the transaction that did it.
//!
//! **It refuses** to change: rows are only ever added, and SQL triggers on both engines see to it. It holds
//! no secret, and of an address only the network it is in ([`network`](crate::platform::authorize::network)).
//!
//! **Invariant:** a service that changes something for somebody calls [`record`] with the same `tx`, so that
//! there is no change without its entry and no entry without its change.

mod deeds;
mod list;
pub mod routes;

use std::sync::Arc;

use liventix_core::entropy::Entropy;
use liventix_core::ids::{EventId, OrganiserId};
use serde::Serialize;

pub use deeds::{Deed, Target};
pub(crate) use list::list;
pub use list::{AuditActor, AuditQuery, AuditTarget, AuditView};

use crate::app::AppState;
use crate::params;
use crate::platform::authorize::{By, Who};
use crate::platform::db::{DbError, Tx};
use crate::platform::ids::{AuditId, UserId};
use crate::platform::problem::ApiResult;

/// One thing done, as it goes on record.
#[derive(Debug, Clone)]
pub struct Entry {
    deed: Deed,
    event: Option<EventId>,
    target: Option<(Target, [u8; 16])>,
    name: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

impl Entry {
    /// That this was done.
    #[must_use]
    pub const fn of(deed: Deed) -> Self {
        Self { deed, event: None, target: None, name: None, before: None, after: None }
    }

    /// At this event.
    #[must_use]
    pub const fn at(mut self, event: EventId) -> Self {
        self.event = Some(event);
        self
    }

    /// To this.
    #[must_use]
    pub const fn to(mut self, target: Target, id: &[u8; 16]) -> Self {
        self.target = Some((target, *id));
        self
    }

    /// Which people know by this name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How it was; nothing, if that is nothing. Never with a secret in it.
    #[must_use]
    pub fn before(mut self, state: impl Serialize) -> Self {
        self.before = written(state);
        self
    }

    /// How it is now. Never with a secret in it.
    #[must_use]
    pub fn after(mut self, state: impl Serialize) -> Self {
        self.after = written(state);
        self
    }
}

fn written(state: impl Serialize) -> Option<String> {
    serde_json::to_string(&state).ok().filter(|json| json != "null")
}

/// Where entries get their time and ids from.
#[derive(Clone)]
pub struct Pen {
    /// UTC milliseconds.
    pub now: i64,
    /// For ids.
    pub entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Pen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pen")
    }
}

impl Pen {
    /// Puts an entry on record; without a tenant, only whoever runs the installation finds it.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn write(
        &self,
        tx: &mut Tx,
        organiser: Option<OrganiserId>,
        by: &By,
        entry: Entry,
    ) -> Result<(), DbError> {
        let sql = "INSERT INTO audit (audit_id, organiser_id, event_id, at, actor_kind, actor_id, actor_name, \
                   action, target_kind, target_id, target_name, before_state, after_state, request_id, network) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        let values = params![
            AuditId::generate(self.now, self.entropy.as_ref()),
            organiser,
            entry.event,
            self.now,
            by.actor.kind(),
            by.actor.id(),
            &by.name,
            entry.deed.code(),
            entry.target.map(|(target, _)| target.name()),
            entry.target.map(|(_, id)| id),
            entry.name,
            entry.before,
            entry.after,
            by.origin.request_id.clone(),
            by.origin.network.clone(),
        ];
        tx.execute(sql, values).await.map(drop)
    }

    /// Puts what concerns a person on record with each organiser they belong to.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn write_of_person(
        &self,
        tx: &mut Tx,
        user: UserId,
        by: &By,
        entry: Entry,
    ) -> Result<(), DbError> {
        let sql = "SELECT organiser_id FROM members WHERE user_id = $1 ORDER BY organiser_id";
        let rows = tx.query(sql, params![user]).await?;
        if rows.is_empty() {
            return self.write(tx, None, by, entry).await;
        }
        for row in rows {
            self.write(tx, Some(row.get(0)?), by, entry.clone()).await?;
        }
        Ok(())
    }
}

/// What writes entries of the running server.
#[must_use]
pub fn pen(app: &AppState) -> Pen {
    Pen { now: app.now(), entropy: Arc::clone(app.entropy()) }
}

/// Puts on record what somebody did of their organiser's.
///
/// # Errors
/// When the engine fails.
pub async fn record(tx: &mut Tx, app: &AppState, who: &Who, entry: Entry) -> ApiResult<()> {
    Ok(pen(app).write(tx, Some(who.organiser_id), &who.by, entry).await?)
}
