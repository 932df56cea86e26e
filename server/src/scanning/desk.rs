//! One desk per event: redeems that come while another is being written are decided together, in one
//! transaction, in the order in which they came. So the event's lock and the disk are waited for once for up
//! to 64 people, and a busy event does not become slower than a quiet one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use liventix_core::ids::{EventId, OrganiserId};
use tokio::sync::oneshot;

use super::known::Known;
use super::redeem::{self, Asked};
use super::types::RedeemResponse;
use crate::app::AppState;
use crate::events::snapshot;
use crate::platform::db::DbError;
use crate::platform::problem::{ApiError, ApiResult};

/// Redeems in one transaction at most: enough to hide the disk, few enough to answer soon.
const TOGETHER: usize = 64;

type Key = (OrganiserId, EventId);

struct Waiting {
    asked: Asked,
    answer: oneshot::Sender<ApiResult<RedeemResponse>>,
}

/// The desks at which somebody waits or is being served.
#[derive(Default)]
pub struct Desks(Mutex<HashMap<Key, VecDeque<Waiting>>>);

impl std::fmt::Debug for Desks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desks")
    }
}

impl Desks {
    /// Joins the queue. Says whether the desk was closed: then the caller has to open it.
    fn join(&self, key: Key, waiting: Waiting) -> bool {
        let mut desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let opens = !desks.contains_key(&key);
        desks.entry(key).or_default().push_back(waiting);
        opens
    }

    /// The next ones; closes the desk when there are none.
    fn next(&self, key: Key) -> Vec<Waiting> {
        let mut desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = desks.get_mut(&key) else { return Vec::new() };
        let next: Vec<Waiting> = queue.drain(..queue.len().min(TOGETHER)).collect();
        if next.is_empty() {
            desks.remove(&key);
        }
        next
    }
}

/// Decides and stores one redeem, with whoever else waits.
pub(super) async fn serve(app: &AppState, asked: Asked, event: EventId) -> ApiResult<RedeemResponse> {
    let key = (asked.scanner.organiser_id, event);
    let (answer, wait) = oneshot::channel();
    if app.desks().join(key, Waiting { asked, answer }) {
        // A task of its own: the first in the queue may hang up, and the others still want their answers.
        tokio::spawn(open(app.clone(), key));
    }
    wait.await.map_err(|_| ApiError::from(DbError::Panicked))?
}

async fn open(app: AppState, key: Key) {
    let mut desk = OpenDesk { desks: app.desks(), key, closed: false };
    loop {
        let waiting = desk.desks.next(key);
        if waiting.is_empty() {
            desk.closed = true;
            return;
        }
        together(&app, key, waiting).await;
    }
}

/// Closes the desk however its task ends: nobody waits at one that nobody serves.
struct OpenDesk<'a> {
    desks: &'a Desks,
    key: Key,
    /// In good order; another one may have been opened since.
    closed: bool,
}

impl Drop for OpenDesk<'_> {
    fn drop(&mut self) {
        if !self.closed {
            // The task was cut short. Answers that are dropped tell those who wait.
            self.desks.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        }
    }
}

/// One transaction for all of them. If it fails as a whole, each gets one of its own: whoever broke it is
/// told so, and nobody else notices.
async fn together(app: &AppState, key: Key, waiting: Vec<Waiting>) {
    let (asked, answers): (Vec<Asked>, Vec<_>) =
        waiting.into_iter().map(|waiting| (waiting.asked, waiting.answer)).unzip();
    let asked = Arc::new(asked);
    match decide(app, key, Arc::clone(&asked)).await {
        Ok(results) => answer(answers.into_iter().zip(results)),
        Err(error) if asked.len() == 1 => {
            answer(answers.into_iter().zip([Err(error)]));
        }
        Err(_) => {
            for (asked, waits) in asked.iter().zip(answers) {
                let alone = decide(app, key, Arc::new(vec![asked.clone()])).await;
                answer([(waits, alone.and_then(|mut results| results.remove(0)))]);
            }
        }
    }
}

type Answer = oneshot::Sender<ApiResult<RedeemResponse>>;

fn answer(results: impl IntoIterator<Item = (Answer, ApiResult<RedeemResponse>)>) {
    for (answer, result) in results {
        // Nobody may be waiting any more: the client hung up. What was committed stays.
        let _ = answer.send(result);
    }
}

async fn decide(
    app: &AppState,
    (organiser, event): Key,
    asked: Arc<Vec<Asked>>,
) -> ApiResult<Vec<ApiResult<RedeemResponse>>> {
    let app_in = app.clone();
    let (snapshot, results, passed) = app
        .db_of(organiser)
        .write(move |tx| {
            Box::pin(async move {
                let snapshot = snapshot::hold(&app_in, tx, organiser, event).await?;
                let mut known = Known::load(tx, event, &asked).await?;
                let mut results = Vec::with_capacity(asked.len());
                for asked in asked.iter() {
                    results.push(redeem::decide_once(tx, &app_in, &snapshot, &mut known, asked).await);
                }
                let passed = known.write(tx, &snapshot, app_in.now()).await?;
                Ok::<_, ApiError>((snapshot, results, passed))
            })
        })
        .await?;
    app.snapshots().keep(&snapshot);
    if passed {
        app.ring(event);
    }
    Ok(results)
}
