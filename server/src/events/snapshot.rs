//! An event as the rules need it, with its keys ready for verifying, kept between requests.
//!
//! `config_seq` grows with every change of the event, its gates, types or keys. It is read inside the
//! caller's transaction, so that a kept snapshot is never used after what it shows has changed, however
//! many processes write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use liventix_core::ids::{EventId, OrganiserId};
use liventix_core::rules::EventInfo;
use liventix_core::ticket::keys::{EventKeys, KeyBytes, KeyState, LookupKey, MasterKey, SigningKey};
use liventix_core::ticket::verify::KeyRing;
use secrecy::ExposeSecret as _;

use super::store;
use crate::app::AppState;
use crate::organisers::service::master_key_context;
use crate::platform::authorize::{self, Who};
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::problem::{ApiError, ApiResult};

/// Snapshots kept; beyond that, all are dropped and read again as needed.
const KEEP: usize = 1_000;

/// One event at one `config_seq`.
#[derive(Debug)]
pub struct Snapshot {
    /// The tenant.
    pub organiser_id: OrganiserId,
    /// The number of its latest change of settings.
    pub config_seq: i64,
    /// What doors know of it.
    pub info: EventInfo,
    /// Its keys, ready for verifying.
    pub ring: KeyRing,
    /// Its keys as a device gets them.
    pub keys: EventKeys,
    states: Vec<KeyState>,
    master: MasterKey,
}

impl Snapshot {
    /// The key that signs new codes: the newest.
    ///
    /// # Errors
    /// Never for an event this server made: it has a key from the start.
    pub fn current_key(&self) -> ApiResult<KeyState> {
        let newest = self.states.iter().max_by_key(|state| state.key_id);
        newest.copied().ok_or_else(|| ApiError::internal("an event without keys"))
    }

    /// The signing key for a state.
    #[must_use]
    pub fn signing_key(&self, state: &KeyState) -> SigningKey {
        self.master.signing_key(self.info.event_id, state.key_id, state.algorithm)
    }

    /// The state of the key with this id.
    #[must_use]
    pub fn key(&self, key_id: u8) -> Option<&KeyState> {
        self.states.iter().find(|state| state.key_id.0 == key_id)
    }

    /// Finds tickets by manual and legacy codes.
    #[must_use]
    pub fn lookup_key(&self) -> LookupKey {
        self.master.lookup_key(self.info.event_id)
    }
}

/// The snapshots kept.
#[derive(Debug, Default)]
pub struct Snapshots(Mutex<HashMap<EventId, Arc<Snapshot>>>);

impl Snapshots {
    fn kept(&self, event: EventId, config_seq: i64) -> Option<Arc<Snapshot>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&event).filter(|snapshot| snapshot.config_seq == config_seq).cloned()
    }

    /// Keeps a snapshot for later. Only after the transaction it was read in has been committed: kept
    /// before, a failed commit would leave a state that never was under a number that comes again.
    pub fn keep(&self, snapshot: &Arc<Snapshot>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let event = snapshot.info.event_id;
        if kept.get(&event).is_some_and(|other| other.config_seq >= snapshot.config_seq) {
            return;
        }
        if kept.len() >= KEEP {
            kept.clear();
        }
        kept.insert(event, Arc::clone(snapshot));
    }
}

/// The event, if it is `organiser`'s: for devices and wallets, whose leave is decided elsewhere. Busy callers
/// [`keep`](Snapshots::keep) it afterwards.
///
/// # Errors
/// `event_not_found`, also for another organiser's event: nobody learns that it exists.
pub async fn load(
    app: &AppState,
    conn: &mut Conn,
    organiser: OrganiserId,
    event: EventId,
) -> ApiResult<Arc<Snapshot>> {
    let found = store::owner_and_seq(conn, event).await?;
    let Some((_, config_seq)) = found.filter(|(owner, _)| *owner == organiser) else {
        return Err(not_found());
    };
    if let Some(snapshot) = app.snapshots().kept(event, config_seq) {
        return Ok(snapshot);
    }
    read(app, conn, organiser, event, config_seq).await.map(Arc::new)
}

/// The event, if `who` may do there what they ask for. Busy callers [`keep`](Snapshots::keep) it afterwards.
///
/// # Errors
/// What [`authorize::event`] refuses.
pub async fn of(app: &AppState, conn: &mut Conn, who: &Who, event: EventId) -> ApiResult<Arc<Snapshot>> {
    let granted = authorize::event(conn, who, event).await?;
    if let Some(snapshot) = app.snapshots().kept(event, granted.config_seq) {
        return Ok(snapshot);
    }
    read(app, conn, granted.organiser_id, event, granted.config_seq).await.map(Arc::new)
}

/// The event, and nobody else changes it, its tickets or its scans until the transaction ends. Every write
/// that decides by what it reads of an event begins with this.
///
/// # Errors
/// As [`load`].
pub async fn hold(
    app: &AppState,
    tx: &mut Tx,
    organiser: OrganiserId,
    event: EventId,
) -> ApiResult<Arc<Snapshot>> {
    lock(tx, event).await?;
    load(app, tx, organiser, event).await
}

/// The same for what somebody asks for.
///
/// # Errors
/// As [`of`].
pub async fn hold_for(app: &AppState, tx: &mut Tx, who: &Who, event: EventId) -> ApiResult<Arc<Snapshot>> {
    lock(tx, event).await?;
    of(app, tx, who, event).await
}

/// The event's lock alone. Whoever takes it for several events takes them in the order of their ids.
pub(crate) async fn lock(tx: &mut Tx, event: EventId) -> Result<(), DbError> {
    tx.lock("event", event.as_bytes()).await
}

pub(crate) use authorize::event_not_found as not_found;

async fn read(
    app: &AppState,
    conn: &mut Conn,
    organiser: OrganiserId,
    event: EventId,
    config_seq: i64,
) -> ApiResult<Snapshot> {
    let info = store::info(conn, event).await?.ok_or_else(not_found)?;
    let states = store::keys(conn, event).await?;
    let sealed = store::sealed_master_key(conn, organiser).await?.ok_or_else(not_found)?;
    let opened = app.vault().unseal(&master_key_context(organiser), &sealed).map_err(ApiError::internal)?;
    let bytes: [u8; 32] = opened
        .expose_secret()
        .as_slice()
        .try_into()
        .map_err(|_| ApiError::internal("a master key of another length"))?;
    let master = MasterKey::new(KeyBytes::new(bytes));
    let keys = master.event_keys(event, info.key_version, &states);
    let mut ring = KeyRing::new();
    ring.insert(&keys).map_err(ApiError::internal)?;
    Ok(Snapshot { organiser_id: organiser, config_seq, info, ring, keys, states, master })
}
