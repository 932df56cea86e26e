//! Reading sums: of one organiser's events, in a time, of one generation.

use std::collections::BTreeMap;

use liventix_core::ids::{EventId, OrganiserId};

use crate::facts::Measure;
use crate::params;
use crate::platform::authorize::Events;
use crate::platform::db::{Conn, DbError, Value, in_list};
use crate::platform::ids::SubjectId;
use crate::pricing::Currency;

/// What is asked about.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) generation: i64,
    pub(super) organiser: OrganiserId,
    /// One event, or all that the caller may see.
    pub(super) event: Option<EventId>,
    pub(super) events: Events,
    /// From (UTC milliseconds).
    pub(super) from: i64,
    /// Before (UTC milliseconds).
    pub(super) until: i64,
}

impl Scope {
    /// The conditions of a query for sums, and their values.
    fn conditions(&self, measures: &[&str]) -> (String, Vec<Value>) {
        let mut values = params![self.generation, self.from, self.until].to_vec();
        // By the event there is an index of its own, for which its organiser is one condition too many.
        let whose = match self.event {
            Some(event) => {
                values.push(event.into());
                "event_id = $4".to_owned()
            }
            None => {
                values.push(self.organiser.into());
                format!("organiser_id = $4{}", self.events.condition("event_id", &mut values))
            }
        };
        let places = in_list(values.len() + 1, measures.len());
        values.extend(measures.iter().map(|measure| Value::from(*measure)));
        let sql =
            format!("generation = $1 AND {whose} AND measure IN ({places}) AND bucket >= $2 AND bucket < $3");
        (sql, values)
    }
}

/// Sums by what they count, of what, and in which currency.
#[derive(Debug, Default)]
pub(super) struct Totals(BTreeMap<(String, Option<SubjectId>, Option<Currency>), i64>);

impl Totals {
    /// Of everything.
    pub(super) fn count(&self, measure: Measure) -> i64 {
        self.sum(|(code, _, _)| code == measure.code())
    }

    /// Of one subject.
    pub(super) fn count_of(&self, measure: Measure, subject: SubjectId) -> i64 {
        self.sum(|(code, of, _)| code == measure.code() && *of == Some(subject))
    }

    /// Money of everything.
    pub(super) fn money(&self, measure: Measure, currency: Currency) -> i64 {
        self.sum(|(code, _, of)| code == measure.code() && *of == Some(currency))
    }

    /// Money of one subject.
    pub(super) fn money_of(&self, measure: Measure, subject: SubjectId, currency: Currency) -> i64 {
        self.sum(|(code, whose, of)| {
            code == measure.code() && *whose == Some(subject) && *of == Some(currency)
        })
    }

    fn sum(&self, is_meant: impl Fn(&(String, Option<SubjectId>, Option<Currency>)) -> bool) -> i64 {
        self.0.iter().filter(|(place, _)| is_meant(place)).map(|(_, value)| value).sum()
    }

    /// Every currency there is something in.
    pub(super) fn currencies(&self) -> Vec<Currency> {
        let mut currencies: Vec<Currency> =
            self.0.iter().filter(|(_, value)| **value != 0).filter_map(|((_, _, of), _)| *of).collect();
        currencies.sort_by_key(|currency| currency.code());
        currencies.dedup();
        currencies
    }

    /// Every subject.
    pub(super) fn subjects(&self) -> Vec<SubjectId> {
        let mut subjects: Vec<SubjectId> = self.0.keys().filter_map(|(_, of, _)| *of).collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }
}

fn codes(measures: &[Measure]) -> Vec<&'static str> {
    measures.iter().map(|measure| measure.code()).collect()
}

/// A subject or a currency, which keys have as an empty one where there is none.
fn subject(bytes: &[u8]) -> Option<SubjectId> {
    <[u8; 16]>::try_from(bytes).ok().map(SubjectId::from_bytes)
}

/// What there is in all.
pub(super) async fn totals(conn: &mut Conn, scope: &Scope, measures: &[Measure]) -> Result<Totals, DbError> {
    let (conditions, values) = scope.conditions(&codes(measures));
    let sql = format!(
        "SELECT measure, subject, currency, CAST(SUM(value) AS BIGINT) FROM rollups WHERE {conditions} GROUP BY 1, 2, 3"
    );
    let mut totals = Totals::default();
    for row in conn.query(&sql, &values).await? {
        let currency = Currency::from_code(&row.get::<String>(2)?);
        let place = (row.get(0)?, subject(&row.get::<Vec<u8>>(1)?), currency);
        *totals.0.entry(place).or_default() += row.get::<i64>(3)?;
    }
    Ok(totals)
}

/// One sum of a bucket.
#[derive(Debug, Clone)]
pub(super) struct OfBucket {
    pub(super) measure: String,
    pub(super) currency: Option<Currency>,
    pub(super) bucket: i64,
    pub(super) value: i64,
}

/// What there is in each bucket, of all subjects.
pub(super) async fn by_bucket(
    conn: &mut Conn,
    scope: &Scope,
    measures: &[Measure],
) -> Result<Vec<OfBucket>, DbError> {
    let (conditions, values) = scope.conditions(&codes(measures));
    let sql = format!(
        "SELECT measure, currency, bucket, CAST(SUM(value) AS BIGINT) FROM rollups WHERE {conditions} GROUP BY 1, 2, 3"
    );
    let mut sums = Vec::new();
    for row in conn.query(&sql, &values).await? {
        sums.push(OfBucket {
            measure: row.get(0)?,
            currency: Currency::from_code(&row.get::<String>(1)?),
            bucket: row.get(2)?,
            value: row.get(3)?,
        });
    }
    Ok(sums)
}

/// The fullest bucket of each subject: when it begins, and what is in it.
pub(super) async fn fullest(
    conn: &mut Conn,
    scope: &Scope,
    measure: &'static str,
) -> Result<BTreeMap<SubjectId, (i64, i64)>, DbError> {
    let (conditions, values) = scope.conditions(&[measure]);
    let sql = format!(
        "SELECT subject, bucket, CAST(SUM(value) AS BIGINT) FROM rollups WHERE {conditions} GROUP BY 1, 2 ORDER BY 1, 2"
    );
    let mut fullest: BTreeMap<SubjectId, (i64, i64)> = BTreeMap::new();
    for row in conn.query(&sql, &values).await? {
        let Some(subject) = subject(&row.get::<Vec<u8>>(0)?) else { continue };
        let (bucket, value): (i64, i64) = (row.get(1)?, row.get(2)?);
        let so_far = fullest.entry(subject).or_insert((bucket, value));
        if value > so_far.1 {
            *so_far = (bucket, value);
        }
    }
    fullest.retain(|_, (_, value)| *value > 0);
    Ok(fullest)
}
