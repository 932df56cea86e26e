//! Taking in who saw what: each once, nobody twice in a minute, and no programs.

use std::collections::{BTreeMap, HashSet};

use liventix_core::ids::{EventId, OrganiserId};
use sha2::{Digest as _, Sha256};

use super::bots::is_bot;
use super::store;
use super::types::{AdEvent, AdEventKind, AdEvents, AdEventsTaken};
use crate::app::AppState;
use crate::facts::{self, Fact, Measure};
use crate::params;
use crate::platform::authorize::{self, Who};
use crate::platform::db::{DbError, Tx, Value, batches, in_list, padded, values_rows};
use crate::platform::ids::CreativeId;
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::rate_limit::Key;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// In one call at most.
const MOST: usize = 500;
/// What is older is not taken: it may have been told before, and that is not kept for ever.
const TAKEN_MS: i64 = 7 * DAY_MS;
/// How far clocks elsewhere may run ahead.
const AHEAD_MS: i64 = 5 * MINUTE_MS;
/// How long it is kept what was told: for longer than it is taken.
const KEEP_MS: i64 = 8 * DAY_MS;
const MAX_VISITOR: usize = 200;
/// Ids in one statement.
const TOGETHER: usize = 256;

/// Takes in what happened to creatives of the caller's organiser.
pub(super) async fn take(app: &AppState, who: Who, batch: AdEvents) -> ApiResult<AdEventsTaken> {
    let events = batch.events;
    if events.is_empty() || events.len() > MOST {
        return Err(ApiError::field("events", format!("must hold 1 to {MOST} of them")));
    }
    if events.iter().any(|it| it.visitor.as_ref().is_some_and(|name| name.len() > MAX_VISITOR)) {
        return Err(ApiError::field("visitor", format!("may have {MAX_VISITOR} bytes at most")));
    }
    let key = Key::new("ad_events", who.organiser_id.as_bytes());
    app.limiter().require(key, app.config().limits.ad_events).await?;
    let (app_in, now, db) = (app.clone(), app.now(), app.db_of(who.organiser_id));
    let taken = db.write(move |tx| {
        Box::pin(async move {
            let organiser = authorize::organiser(tx, &who).await?.organiser_id;
            // Two who tell the same at once tell it one after the other.
            tx.lock("ad_events", organiser.as_bytes()).await?;
            let ids: HashSet<CreativeId> = events.iter().map(|it| it.creative_id).collect();
            let ids: Vec<CreativeId> = ids.into_iter().collect();
            let known = store::events_of(tx, organiser, &ids).await?;
            let mut batch = Batch { now, seen: seen(tx, organiser, &events).await?, ..Batch::default() };
            for event in &events {
                batch.sort(event, known.get(&event.creative_id).copied());
            }
            remember(tx, organiser, &batch.new, now).await?;
            facts::append(tx, &app_in, organiser, batch.facts()).await?;
            Ok::<_, ApiError>(batch.taken)
        })
    });
    taken.await
}

/// What it is known by that it was told: its own id, and who did what in which minute.
fn ids_of(event: &AdEvent) -> (Vec<u8>, Option<Vec<u8>>) {
    let visitor = event.visitor.as_ref().map(|visitor| {
        let mut hash = Sha256::new();
        hash.update(b"liventix ad visitor v1");
        hash.update(event.creative_id.as_bytes());
        hash.update(event.kind.code());
        hash.update(event.at.div_euclid(MINUTE_MS).to_be_bytes());
        hash.update(visitor.as_bytes());
        hash.finalize().to_vec()
    });
    (event.id.as_bytes().to_vec(), visitor)
}

/// One call's events, sorted into what counts and what does not.
#[derive(Debug, Default)]
struct Batch {
    now: i64,
    seen: HashSet<Vec<u8>>,
    new: Vec<Vec<u8>>,
    counts: BTreeMap<(EventId, CreativeId, AdEventKind, i64), i64>,
    taken: AdEventsTaken,
}

impl Batch {
    fn sort(&mut self, it: &AdEvent, event: Option<EventId>) {
        let (id, visitor) = ids_of(it);
        let Some(event) = event else {
            self.taken.unknown += 1;
            return;
        };
        if !(self.now - TAKEN_MS..=self.now + AHEAD_MS).contains(&it.at) {
            self.taken.out_of_time += 1;
        } else if self.seen.contains(&id) {
            self.taken.duplicates += 1;
        } else if it.user_agent.as_deref().is_some_and(is_bot) {
            self.keep(id);
            self.taken.bots += 1;
        } else if visitor.as_ref().is_some_and(|visitor| self.seen.contains(visitor)) {
            self.keep(id);
            self.taken.repeated += 1;
        } else {
            self.keep(id);
            visitor.into_iter().for_each(|visitor| self.keep(visitor));
            self.taken.counted += 1;
            let minute = it.at - it.at.rem_euclid(MINUTE_MS);
            *self.counts.entry((event, it.creative_id, it.kind, minute)).or_default() += 1;
        }
    }

    fn keep(&mut self, id: Vec<u8>) {
        self.seen.insert(id.clone());
        self.new.push(id);
    }

    fn facts(&self) -> Vec<Fact> {
        let fact =
            |(&(event, creative, kind, at), &count): (&(EventId, CreativeId, AdEventKind, i64), &i64)| {
                let measure = match kind {
                    AdEventKind::Impression => Measure::Impressions,
                    AdEventKind::Click => Measure::Clicks,
                };
                Fact::new(measure, at, count).of(event).by(creative)
            };
        self.counts.iter().map(fact).collect()
    }
}

/// What of it was told before.
async fn seen(tx: &mut Tx, organiser: OrganiserId, events: &[AdEvent]) -> Result<HashSet<Vec<u8>>, DbError> {
    let ids: Vec<Vec<u8>> =
        events.iter().map(ids_of).flat_map(|(id, visitor)| std::iter::once(id).chain(visitor)).collect();
    let mut seen = HashSet::new();
    for chunk in ids.chunks(TOGETHER) {
        let mut values = params![organiser].to_vec();
        values.extend(padded(chunk.iter().map(|id| Value::from(id.as_slice())).collect()));
        let sql = format!(
            "SELECT seen_id FROM ad_events_seen WHERE organiser_id = $1 AND seen_id IN ({})",
            in_list(2, values.len() - 1)
        );
        for row in tx.query(&sql, &values).await? {
            seen.insert(row.get(0)?);
        }
    }
    Ok(seen)
}

async fn remember(tx: &mut Tx, organiser: OrganiserId, new: &[Vec<u8>], now: i64) -> Result<(), DbError> {
    for chunk in batches(new, TOGETHER) {
        let sql = format!(
            "INSERT INTO ad_events_seen (organiser_id, seen_id, seen_at) VALUES {}",
            values_rows(3, chunk.len())
        );
        let values: Vec<Value> =
            chunk.iter().flat_map(|id| params![organiser, id.as_slice(), now].to_vec()).collect();
        tx.execute(&sql, &values).await?;
    }
    Ok(())
}

/// Forgets what was told long ago.
///
/// # Errors
/// When the database fails.
pub(crate) async fn forget(app: &AppState) -> Result<(), DbError> {
    let before = app.now() - KEEP_MS;
    for _ in 0..20 {
        let forget = app.db().write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM ad_events_seen WHERE (organiser_id, seen_id) IN (SELECT organiser_id, seen_id \
                           FROM ad_events_seen WHERE seen_at < $1 ORDER BY seen_at LIMIT 5000)";
                tx.execute(sql, params![before]).await
            })
        });
        let forgotten: Result<u64, DbError> = forget.await;
        if forgotten? == 0 {
            break;
        }
    }
    Ok(())
}
