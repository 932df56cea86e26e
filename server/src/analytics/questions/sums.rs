//! Reading sums: of one organiser's events, in a time, of one generation; the widest that say it.

use std::collections::BTreeMap;

use liventix_core::ids::{EventId, OrganiserId};

use crate::analytics::calendar::Slot;
use crate::analytics::rollups::{Width, measure_of};
use crate::facts::Measure;
use crate::params;
use crate::platform::authorize::Events;
use crate::platform::db::{Conn, DbError, Value};
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

/// From and before any moment that there is a date for, both at the beginning of a day.
pub(super) const EVER: (i64, i64) = (-8_640_000_000_000_000, 8_640_000_000_000_000);

impl Scope {
    /// Whether it is all that is the organiser's, which there are sums of.
    fn is_all(&self) -> bool {
        self.event.is_none() && self.events == Events::All
    }

    /// A query for sums from a time until another, by what they are called, and its values.
    fn query(
        &self,
        (columns, groups): (&str, &str),
        names: &[String],
        (from, until): (i64, i64),
    ) -> (String, Vec<Value>) {
        let mut values = params![self.generation, from, until].to_vec();
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
        let first = values.len() + 1;
        values.extend(names.iter().map(Value::from));
        // One by one: of several in a list, PostgreSQL reads those of every measure while the table is young, and takes
        // the list for a filter.
        let of_one = |place: usize| {
            format!(
                "SELECT {columns} FROM rollups WHERE generation = $1 AND {whose} AND measure = ${place} \
                 AND bucket >= $2 AND bucket < $3 GROUP BY {groups}"
            )
        };
        let queries: Vec<String> = (first..first + names.len()).map(of_one).collect();
        (queries.join(" UNION ALL "), values)
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

fn names(measures: &[Measure], width: Width, is_of_all: bool) -> Vec<String> {
    measures.iter().map(|measure| width.name(measure.code(), is_of_all)).collect()
}

/// A time in parts, each of which is made of whole widths: of the first one as far as there are any.
fn parts((from, until): (i64, i64), widths: &[Width]) -> Vec<(Width, (i64, i64))> {
    let Some((width, narrower)) = widths.split_first() else { return Vec::new() };
    let first = from + (-from).rem_euclid(width.ms());
    let last = until - until.rem_euclid(width.ms());
    if first >= last {
        return parts((from, until), narrower);
    }
    let mut found = vec![(*width, (first, last))];
    found.extend(parts((from, first), narrower));
    found.extend(parts((last, until), narrower));
    found
}

/// A subject or a currency, which keys have as an empty one where there is none.
fn subject(bytes: &[u8]) -> Option<SubjectId> {
    <[u8; 16]>::try_from(bytes).ok().map(SubjectId::from_bytes)
}

/// What there is in all, whatever the subject.
pub(super) async fn totals(conn: &mut Conn, scope: &Scope, measures: &[Measure]) -> Result<Totals, DbError> {
    sum_up(conn, scope, measures, scope.is_all()).await
}

/// What there is of each subject.
pub(super) async fn totals_by_subject(
    conn: &mut Conn,
    scope: &Scope,
    measures: &[Measure],
) -> Result<Totals, DbError> {
    sum_up(conn, scope, measures, false).await
}

async fn sum_up(
    conn: &mut Conn,
    scope: &Scope,
    measures: &[Measure],
    is_of_all: bool,
) -> Result<Totals, DbError> {
    let mut totals = Totals::default();
    for (width, time) in parts((scope.from, scope.until), &Width::ALL) {
        let columns = ("measure, subject, currency, CAST(SUM(value) AS BIGINT)", "1, 2, 3");
        let (sql, values) = scope.query(columns, &names(measures, width, is_of_all), time);
        for row in conn.query(&sql, &values).await? {
            let measure = measure_of(&row.get::<String>(0)?).to_owned();
            let currency = Currency::from_code(&row.get::<String>(2)?);
            let place = (measure, subject(&row.get::<Vec<u8>>(1)?), currency);
            *totals.0.entry(place).or_default() += row.get::<i64>(3)?;
        }
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

/// What there is in each bucket, of all subjects. Buckets are as wide as they can be, so that each is in one slot.
pub(super) async fn by_bucket(
    conn: &mut Conn,
    scope: &Scope,
    measures: &[Measure],
    slots: &[Slot],
) -> Result<Vec<OfBucket>, DbError> {
    let is_whole = |at: i64, width: Width| at.rem_euclid(width.ms()) == 0;
    let fits =
        |width: &Width| slots.iter().all(|it| is_whole(it.starts_at, *width) && is_whole(it.ends_at, *width));
    let width = Width::ALL.into_iter().find(fits).unwrap_or(Width::Quarter);
    let columns = ("measure, currency, bucket, CAST(SUM(value) AS BIGINT)", "1, 2, 3");
    let (sql, values) =
        scope.query(columns, &names(measures, width, scope.is_all()), (scope.from, scope.until));
    let mut sums = Vec::new();
    for row in conn.query(&sql, &values).await? {
        sums.push(OfBucket {
            measure: measure_of(&row.get::<String>(0)?).to_owned(),
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
    let columns = ("subject, bucket, CAST(SUM(value) AS BIGINT)", "1, 2 ORDER BY 1, 2");
    let (sql, values) = scope.query(columns, &[measure.to_owned()], (scope.from, scope.until));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Parts are of whole widths, and between them every moment is in one.
        #[test]
        fn parts_cover_each_moment_once(from in -2_000_i64..2_000, length in 0_i64..10_000) {
            let quarter = Width::Quarter.ms();
            let (from, until) = (from * quarter, (from + length) * quarter);
            let mut found = parts((from, until), &Width::ALL);
            prop_assert!(found.len() <= 5);
            found.sort_by_key(|(_, (from, _))| *from);
            let mut at = from;
            for (width, (first, last)) in found {
                prop_assert!(first == at && last > first);
                prop_assert_eq!((first.rem_euclid(width.ms()), last.rem_euclid(width.ms())), (0, 0));
                at = last;
            }
            prop_assert_eq!(at, until);
        }
    }

    #[test]
    fn whole_days_are_one_part() {
        assert_eq!(parts(EVER, &Width::ALL), [(Width::Day, EVER)]);
    }
}
