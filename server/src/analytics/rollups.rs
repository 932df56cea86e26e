//! Sums of facts, by the quarter of an hour, the hour and the day (UTC) in which they happened; of each event, and of all
//! of an organiser's together. So a question reads a few rows, however many facts there are.

use std::collections::BTreeMap;

use liventix_core::ids::OrganiserId;

use crate::facts::Measure;
use crate::params;
use crate::platform::db::{DbError, Tx, Value, batches, values_rows};

/// The width of a bucket (milliseconds). Every time zone's days begin with one: since 1972 all of them have been whole
/// quarters of an hour away from UTC. <https://data.iana.org/time-zones/tz-link.html>
pub(super) const BUCKET_MS: i64 = 15 * 60_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// People who went in by the minute, for the busiest ones.
pub(super) const BY_MINUTE: &str = "people_in.minute";
const COLUMNS: usize = 8;
/// Rows of one statement.
const TOGETHER: usize = 128;
/// Rows that are thrown away in one transaction, and a few more.
const FORGOTTEN: i64 = 2_000;
/// What stands for none in keys: NULL is different from itself.
pub(super) const NONE: [u8; 0] = [];

/// How much time a sum is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// A day of UTC.
    Day,
    /// An hour of UTC.
    Hour,
    /// A quarter of one.
    Quarter,
}

impl Width {
    /// The widest first.
    pub(super) const ALL: [Self; 3] = [Self::Day, Self::Hour, Self::Quarter];

    /// In milliseconds.
    pub(super) const fn ms(self) -> i64 {
        match self {
            Self::Day => DAY_MS,
            Self::Hour => HOUR_MS,
            Self::Quarter => BUCKET_MS,
        }
    }

    /// What a measure's sums of this width are called: of one event and subject each, or of all that are the organiser's.
    pub(super) fn name(self, measure: &str, is_of_all: bool) -> String {
        let width = match self {
            Self::Day => ".day",
            Self::Hour => ".hour",
            Self::Quarter => "",
        };
        format!("{measure}{width}{}", if is_of_all { ".all" } else { "" })
    }
}

/// Of which measure sums are that are called so.
pub(super) fn measure_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(measure, _)| measure)
}

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

    /// With the wider ones that they are part of.
    fn with_wider(self) -> BTreeMap<Place, i64> {
        let mut sums = BTreeMap::new();
        for (place, value) in self.0 {
            if place.measure == BY_MINUTE {
                *sums.entry(place).or_default() += value;
                continue;
            }
            for width in Width::ALL {
                let bucket = place.bucket - place.bucket.rem_euclid(width.ms());
                let measure = width.name(&place.measure, true);
                let currency = place.currency.clone();
                let (organiser, event, subject) = (place.organiser, NONE.to_vec(), NONE.to_vec());
                let of_all = Place { organiser, measure, bucket, event, subject, currency };
                let own = Place { measure: width.name(&place.measure, false), bucket, ..place.clone() };
                *sums.entry(of_all).or_default() += value;
                *sums.entry(own).or_default() += value;
            }
        }
        sums
    }

    /// Adds them to a generation.
    pub(super) async fn write(self, tx: &mut Tx, generation: i64) -> Result<(), DbError> {
        let rows: Vec<(Place, i64)> =
            self.with_wider().into_iter().filter(|(_, value)| *value != 0).collect();
        for chunk in batches(&rows, TOGETHER) {
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

/// Throws away some sums of generations before this one: few, since on SQLite nobody else writes meanwhile. Says whether
/// there were any.
pub(super) async fn forget_before(tx: &mut Tx, generation: i64) -> Result<bool, DbError> {
    // In the order of the key, or PostgreSQL walks through all that are gone already.
    let sql = "SELECT generation, organiser_id, measure FROM rollups WHERE generation < $1 \
               ORDER BY generation, organiser_id, measure LIMIT 1";
    let Some(row) = tx.first(sql, params![generation]).await? else { return Ok(false) };
    let (old, organiser, measure): (i64, OrganiserId, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let sql = "DELETE FROM rollups WHERE generation = $1 AND organiser_id = $2 AND measure = $3 AND bucket <= \
               (SELECT MAX(bucket) FROM (SELECT bucket FROM rollups WHERE generation = $1 AND organiser_id = $2 \
               AND measure = $3 ORDER BY bucket LIMIT $4) AS few)";
    tx.execute(sql, params![old, organiser, measure, FORGOTTEN]).await.map(|_| true)
}
