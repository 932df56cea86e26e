//! Sums of facts, by the quarter of an hour in which they happened.

use std::collections::BTreeMap;

use liventix_core::ids::OrganiserId;

use crate::facts::Measure;
use crate::params;
use crate::platform::db::{DbError, Tx, Value, values_rows};

/// The width of a bucket (milliseconds). Every time zone's days begin with one: since 1972 all of them have been whole
/// quarters of an hour away from UTC. <https://data.iana.org/time-zones/tz-link.html>
pub(super) const BUCKET_MS: i64 = 15 * 60_000;
const MINUTE_MS: i64 = 60_000;
/// People who went in by the minute, for the busiest ones.
pub(super) const BY_MINUTE: &str = "people_in.minute";
const COLUMNS: usize = 8;
/// Rows of one statement.
const TOGETHER: usize = 128;
/// What stands for none in keys: NULL is different from itself.
pub(super) const NONE: [u8; 0] = [];

/// A fact as it is counted. Its measure may be one that only a newer version knows: that is counted all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) organiser: OrganiserId,
    /// Empty: none.
    pub(super) event: Vec<u8>,
    pub(super) measure: String,
    /// Empty: none.
    pub(super) subject: Vec<u8>,
    /// Empty: none.
    pub(super) currency: String,
    pub(super) at: i64,
    pub(super) value: i64,
}

/// Which sum a fact is part of, in the order in which everybody takes them, so that nobody waits in a circle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    organiser: OrganiserId,
    measure: String,
    bucket: i64,
    event: Vec<u8>,
    subject: Vec<u8>,
    currency: String,
}

/// Sums to be added to those that there are.
#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<Place, i64>);

impl Sums {
    pub(super) fn add(&mut self, fact: &Counted) {
        self.count(fact, &fact.measure, BUCKET_MS);
        if fact.measure == Measure::PeopleIn.code() {
            self.count(fact, BY_MINUTE, MINUTE_MS);
        }
    }

    fn count(&mut self, fact: &Counted, measure: &str, width: i64) {
        let place = Place {
            organiser: fact.organiser,
            measure: measure.to_owned(),
            bucket: fact.at - fact.at.rem_euclid(width),
            event: fact.event.clone(),
            subject: fact.subject.clone(),
            currency: fact.currency.clone(),
        };
        *self.0.entry(place).or_default() += fact.value;
    }

    /// Adds them to a generation.
    pub(super) async fn write(self, tx: &mut Tx, generation: i64) -> Result<(), DbError> {
        let rows: Vec<(Place, i64)> = self.0.into_iter().filter(|(_, value)| *value != 0).collect();
        let mut rest = rows.as_slice();
        while !rest.is_empty() {
            // Powers of two: few different texts, which the engines keep prepared.
            let (chunk, later) = rest.split_at(1 << rest.len().min(TOGETHER).ilog2());
            rest = later;
            let sql = format!(
                "INSERT INTO rollups (generation, organiser_id, measure, bucket, event_id, subject, currency, value) \
                 VALUES {} ON CONFLICT (generation, organiser_id, measure, bucket, event_id, subject, currency) \
                 DO UPDATE SET value = rollups.value + excluded.value",
                values_rows(COLUMNS, chunk.len())
            );
            let values: Vec<Value> = chunk
                .iter()
                .flat_map(|(place, value)| {
                    params![
                        generation,
                        place.organiser,
                        &place.measure,
                        place.bucket,
                        place.event.as_slice(),
                        place.subject.as_slice(),
                        &place.currency,
                        *value,
                    ]
                    .to_vec()
                })
                .collect();
            tx.execute(&sql, &values).await?;
        }
        Ok(())
    }
}

/// Throws away some sums of generations before this one. Says whether there were any.
pub(super) async fn forget_before(tx: &mut Tx, generation: i64) -> Result<bool, DbError> {
    let sql = "SELECT generation, organiser_id, measure FROM rollups WHERE generation < $1 LIMIT 1";
    let Some(row) = tx.first(sql, params![generation]).await? else { return Ok(false) };
    let (old, organiser, measure): (i64, OrganiserId, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let sql = "DELETE FROM rollups WHERE generation = $1 AND organiser_id = $2 AND measure = $3";
    tx.execute(sql, params![old, organiser, measure]).await.map(|_| true)
}
