//! One desk per event: redeems that come while others are being written are decided together, in one
//! transaction, in the order in which they came. So the event's lock and the disk are waited for once for up
//! to 64 people, and a busy event does not become slower than a quiet one.
//!
//! A desk has one clerk. A second one would begin its transaction early and wait for the event's lock with half of
//! those who wait: more and smaller transactions for the same people.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use liventix_core::ids::{EventId, OrganiserId};
use tokio::sync::oneshot;

use super::known::Known;
use super::limits;
use super::redeem::{self, Asked};
use super::types::RedeemResponse;
use crate::app::AppState;
use crate::events::snapshot::{self, Snapshot};
use crate::platform::db::{DbError, Tx};
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::rate_limit::{Checked, Counters};

/// Redeems in one transaction at most: enough to hide the disk, few enough to answer soon.
const TOGETHER: usize = 64;

type Key = (OrganiserId, EventId);

struct Waiting {
    asked: Asked,
    answer: Answer,
}

/// What came of one: what its limits found, and the answer. None if a limit had no room.
type Served = (Checked, Option<ApiResult<RedeemResponse>>);
type Answer = oneshot::Sender<ApiResult<Served>>;

/// The desks at which somebody waits or is being served.
#[derive(Default)]
pub struct Desks(Mutex<HashMap<Key, Desk>>);

/// Those who wait at a desk; it is there for as long as its clerk is.
type Desk = VecDeque<Waiting>;

impl std::fmt::Debug for Desks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desks")
    }
}

impl Desks {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Desk>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the queue. Says whether the desk wants a clerk.
    fn join(&self, key: Key, waiting: Waiting) -> bool {
        let mut desks = self.lock();
        let is_new = !desks.contains_key(&key);
        desks.entry(key).or_default().push_back(waiting);
        is_new
    }

    /// The next ones for the clerk, who goes home if there are none.
    fn next(&self, key: Key) -> Vec<Waiting> {
        let mut desks = self.lock();
        let Some(desk) = desks.get_mut(&key) else { return Vec::new() };
        let next: Vec<Waiting> = desk.drain(..desk.len().min(TOGETHER)).collect();
        if next.is_empty() {
            desks.remove(&key);
        }
        next
    }
}

/// Decides and stores one redeem, with whoever else waits.
pub(super) async fn serve(app: &AppState, asked: Asked, event: EventId) -> ApiResult<RedeemResponse> {
    app.limiter().precheck(&asked.checks)?;
    let key = (asked.scanner.organiser_id, event);
    let (answer, wait) = oneshot::channel();
    if app.desks().join(key, Waiting { asked, answer }) {
        // A task of its own: the first in the queue may hang up, and the others still want their answers.
        tokio::spawn(work(app.clone(), key));
    }
    let (checked, result) = wait.await.map_err(|_| ApiError::from(DbError::Panicked))??;
    app.limiter().settle(&checked, result)
}

async fn work(app: AppState, key: Key) {
    let mut clerk = Clerk { desks: app.desks(), key, at_work: true };
    loop {
        let waiting = clerk.desks.next(key);
        if waiting.is_empty() {
            clerk.at_work = false;
            return;
        }
        together(&app, key, waiting).await;
    }
}

/// Leaves the desk however its task ends: nobody waits at one that nobody serves.
struct Clerk<'a> {
    desks: &'a Desks,
    key: Key,
    at_work: bool,
}

impl Drop for Clerk<'_> {
    fn drop(&mut self) {
        if self.at_work {
            // Dropped answers tell those who still wait.
            self.desks.lock().remove(&self.key);
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
        Ok(results) => answer(answers.into_iter().zip(results.into_iter().map(Ok))),
        Err(error) if asked.len() == 1 => {
            answer(answers.into_iter().zip([Err(error)]));
        }
        Err(_) => {
            for (asked, waits) in asked.iter().zip(answers) {
                let alone = decide(app, key, Arc::new(vec![asked.clone()])).await;
                answer([(waits, alone.map(|mut results| results.remove(0)))]);
            }
        }
    }
}

fn answer(results: impl IntoIterator<Item = (Answer, ApiResult<Served>)>) {
    for (answer, result) in results {
        // Nobody may be waiting any more: the client hung up. What was committed stays.
        let _ = answer.send(result);
    }
}

async fn decide(app: &AppState, (organiser, event): Key, asked: Arc<Vec<Asked>>) -> ApiResult<Vec<Served>> {
    let app_in = app.clone();
    let (snapshot, results, passed) = app
        .db_of(organiser)
        .write(move |tx| {
            Box::pin(async move {
                // Limits before locks; see there.
                let checks = asked.iter().flat_map(|asked| &asked.checks);
                let mut counters = app_in.limiter().open(tx, checks).await?;
                let snapshot = match snapshot::hold(&app_in, tx, organiser, event).await {
                    Ok(snapshot) => snapshot,
                    // It counts, like anything that fails by the fault of those who ask.
                    Err(error) if error.is_the_callers() => {
                        let no_event = |asked: &Asked| {
                            let checked = counters.check(&asked.checks);
                            let result = checked.allowed().then(|| Err(snapshot::not_found()));
                            (checked, result)
                        };
                        let results = asked.iter().map(no_event).collect();
                        counters.save(tx).await?;
                        return Ok((None, results, false));
                    }
                    Err(error) => return Err(error),
                };
                let mut known = Known::load(tx, event, &asked).await?;
                let mut results = Vec::with_capacity(asked.len());
                for asked in asked.iter() {
                    results.push(one(tx, &app_in, &snapshot, (&mut counters, &mut known), asked).await);
                }
                counters.save(tx).await?;
                let passed = known.write(tx, &snapshot, app_in.now()).await?;
                Ok::<_, ApiError>((Some(snapshot), results, passed))
            })
        })
        .await?;
    if let Some(snapshot) = snapshot {
        app.snapshots().keep(&snapshot);
    }
    if passed {
        app.ring(event);
    }
    Ok(results)
}

async fn one(
    tx: &mut Tx,
    app: &AppState,
    snapshot: &Snapshot,
    (counters, known): (&mut Counters, &mut Known),
    asked: &Asked,
) -> Served {
    let mut checked = counters.check(&asked.checks);
    if !checked.allowed() {
        return (checked, None);
    }
    let decided = redeem::decide_once(tx, app, snapshot, known, asked).await;
    let result = decided.map(|(response, refused)| {
        if refused.is_some_and(|reason| limits::counts(app, reason)) {
            counters.count(&mut checked, limits::REFUSED);
        }
        response
    });
    (checked, Some(result))
}
