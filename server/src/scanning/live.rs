//! How the doors of an event do right now.
//!
//! However many people watch an event, a process looks once for all of them: [`LiveBoards`] runs one task per
//! event watched, which looks when the event's bell rings, a second apart at least, and now and then by itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use liventix_core::ids::{EventId, GateId, OrganiserId};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::types::CountsView;
use super::views;
use crate::app::AppState;
use crate::doors::presence::{self, DoorPresence};
use crate::events::snapshot;
use crate::params;
use crate::platform::authorize::Who;
use crate::platform::db::{Conn, DbError};
use crate::platform::problem::{ApiError, ApiResult};

/// How many minutes a gate's figures go back.
pub(crate) const MINUTES: usize = 30;
const MINUTE_MS: i64 = 60_000;
/// Between two looks at an event that changes all the time.
const BREATH: Duration = Duration::from_secs(1);
/// Between two looks at one that does not: minutes pass, doors fall silent.
const TICK: Duration = Duration::from_secs(5);

/// How the doors of an event do right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct LiveView {
    /// When this was so (UTC milliseconds).
    pub server_ms: i64,
    /// The event in numbers.
    pub counts: CountsView,
    /// Anomalies that nobody has resolved.
    pub anomalies_open: i64,
    /// The event's gates, by name.
    pub gates: Vec<GateLive>,
    /// The devices that may scan it, by name; not those that are revoked.
    pub doors: Vec<DoorPresence>,
}

/// A gate in the last minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct GateLive {
    /// The gate.
    pub gate_id: GateId,
    /// Its name.
    pub name: String,
    /// Scans in each of the last 30 minutes, by when they happened; the last one ends now.
    pub scans_per_minute: Vec<i64>,
    /// Those of them that let nobody pass.
    pub refused: i64,
}

/// How the doors do, for somebody who may see scans.
pub(crate) async fn get(app: &AppState, who: Who, event: EventId) -> ApiResult<LiveView> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                snapshot::of(&app_in, conn, &who, event).await?;
                Ok::<_, ApiError>(look(conn, app_in.now(), who.organiser_id, event).await?)
            })
        })
        .await
}

async fn look(
    conn: &mut Conn,
    now: i64,
    organiser: OrganiserId,
    event: EventId,
) -> Result<LiveView, DbError> {
    let open = "SELECT COUNT(*) FROM anomalies WHERE event_id = $1 AND state <> 'resolved'";
    Ok(LiveView {
        server_ms: now,
        counts: views::count(conn, organiser, event).await?,
        anomalies_open: views::number(conn, open, params![event]).await?,
        gates: gates(conn, event, now).await?,
        doors: presence::at(conn, event).await?,
    })
}

async fn gates(conn: &mut Conn, event: EventId, now: i64) -> Result<Vec<GateLive>, DbError> {
    let mut gates = Vec::new();
    let sql = "SELECT gate_id, name FROM gates WHERE event_id = $1 ORDER BY name, gate_id";
    for row in conn.query(sql, params![event]).await? {
        let scans_per_minute = vec![0; MINUTES];
        gates.push(GateLive { gate_id: row.get(0)?, name: row.get(1)?, scans_per_minute, refused: 0 });
    }
    // Minutes are counted back from now, so that the last one is whole.
    let sql = "SELECT gate_id, ($2 - at) / 60000, COUNT(*), \
               CAST(SUM(CASE WHEN outcome = 'admit' THEN 0 ELSE 1 END) AS BIGINT) FROM scans \
               WHERE event_id = $1 AND at > $3 AND at <= $2 AND undoes IS NULL GROUP BY 1, 2";
    let since = now.saturating_sub(MINUTE_MS.saturating_mul(i64::try_from(MINUTES).unwrap_or(0)));
    for row in conn.query(sql, params![event, now, since]).await? {
        let (id, ago, scans): (GateId, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let minute = usize::try_from(ago).ok().and_then(|ago| MINUTES.checked_sub(ago + 1));
        // Of a gate that is gone by now, nothing is shown.
        let Some(gate) = gates.iter_mut().find(|gate| gate.gate_id == id) else { continue };
        if let Some(place) = minute.and_then(|minute| gate.scans_per_minute.get_mut(minute)) {
            *place = scans;
            gate.refused += row.get::<i64>(3)?;
        }
    }
    Ok(gates)
}

type Board = watch::Sender<Option<Arc<LiveView>>>;

/// What is shown of the events that somebody watches.
#[derive(Debug, Default)]
pub struct LiveBoards(Mutex<HashMap<EventId, Arc<Board>>>);

impl LiveBoards {
    /// Follows an event. Whether the caller may, they make sure of themselves, and again with each view.
    pub(crate) fn follow(
        &self,
        app: &AppState,
        organiser: OrganiserId,
        event: EventId,
    ) -> watch::Receiver<Option<Arc<LiveView>>> {
        let mut boards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(board) = boards.get(&event) {
            return board.subscribe();
        }
        let (board, receiver) = watch::channel(None);
        let board = Arc::new(board);
        boards.insert(event, Arc::clone(&board));
        tokio::spawn(keep(app.clone(), board, organiser, event));
        receiver
    }

    /// Takes the board down if nobody watches it any more. Says whether it did.
    fn take_down(&self, event: EventId, board: &Board) -> bool {
        let mut boards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let unwatched = board.receiver_count() == 0;
        if unwatched {
            boards.remove(&event);
        }
        unwatched
    }
}

/// Keeps a board up to date for as long as somebody watches.
async fn keep(app: AppState, board: Arc<Board>, organiser: OrganiserId, event: EventId) {
    while !app.boards().take_down(event, &board) {
        let mut listener = app.bell().listen(event);
        let now = app.now();
        let db = app.db_of(organiser);
        let looked = db.read(move |conn| Box::pin(async move { look(conn, now, organiser, event).await }));
        match looked.await {
            Ok(view) => {
                board.send_replace(Some(Arc::new(view)));
            }
            Err(error) => tracing::warn!(%event, %error, "the live view could not be read"),
        }
        let next = async {
            let _ = tokio::time::timeout(TICK, listener.heard()).await;
            tokio::time::sleep(BREATH).await;
        };
        tokio::select! {
            () = next => {}
            () = board.closed() => {}
            () = app.closing() => return,
        }
    }
}
