//! Days as people count them, in their time zone: the ones on which clocks are set have 23 or 25 hours. Pure.

use chrono::{DateTime, Days as Offset, NaiveDate, NaiveTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

use crate::platform::coded::coded;

use super::rollups::BUCKET_MS;

/// So many days in one question at most.
pub(super) const MAX_DAYS: i64 = 90;
const HOUR_MS: i64 = 3_600_000;

coded! {
    /// How long the parts of a time series are.
    Step {
        /// A quarter of an hour.
        Quarter = "quarter",
        /// An hour, from its beginning on the clocks there.
        Hour = "hour",
        /// A day there.
        Day = "day",
    }
}

/// Why there are no such days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum RangeError {
    /// It ends before it begins.
    #[error("must not be before the first day")]
    Backwards,
    /// There are too many.
    #[error("may be {MAX_DAYS} days at most, the first and the last one included: ask for less at a time")]
    TooLong,
    /// The calendar does not go so far.
    #[error("is too far from today")]
    TooFar,
}

/// Days in a time zone, the first and the last one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days {
    zone: Tz,
    first: NaiveDate,
    last: NaiveDate,
}

/// A part of a time series: from `starts_at`, before `ends_at` (UTC milliseconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) starts_at: i64,
    pub(super) ends_at: i64,
}

impl Days {
    pub(super) fn new(zone: Tz, first: NaiveDate, last: NaiveDate) -> Result<Self, RangeError> {
        let days = last.signed_duration_since(first).num_days() + 1;
        // Far from either end of the calendar, so that there is always a day after.
        let year = |date: NaiveDate| chrono::Datelike::year(&date);
        if ![first, last].into_iter().all(|date| (1980..=9000).contains(&year(date))) {
            return Err(RangeError::TooFar);
        }
        match days {
            ..=0 => Err(RangeError::Backwards),
            1..=MAX_DAYS => Ok(Self { zone, first, last }),
            _ => Err(RangeError::TooLong),
        }
    }

    /// So many days, of which this is the last.
    pub(super) fn ending(zone: Tz, last: NaiveDate, days: i64) -> Result<Self, RangeError> {
        let first = last.checked_sub_signed(TimeDelta::days(days - 1)).ok_or(RangeError::TooFar)?;
        Self::new(zone, first, last)
    }

    pub(super) const fn zone(&self) -> Tz {
        self.zone
    }

    pub(super) const fn first(&self) -> NaiveDate {
        self.first
    }

    pub(super) const fn last(&self) -> NaiveDate {
        self.last
    }

    /// When they begin, and when they are over (UTC milliseconds).
    pub(super) fn bounds(&self) -> (i64, i64) {
        (start_of(self.zone, self.first), start_of(self.zone, next(self.last)))
    }

    /// The days, or what they are made of, one after the other without a gap.
    pub(super) fn slots(&self, step: Step) -> Vec<Slot> {
        let mut slots = Vec::new();
        let mut day = self.first;
        while day <= self.last {
            let (starts_at, ends_at) = (start_of(self.zone, day), start_of(self.zone, next(day)));
            let width = match step {
                Step::Day => ends_at - starts_at,
                Step::Hour => HOUR_MS,
                Step::Quarter => BUCKET_MS,
            };
            let mut at = starts_at;
            while at < ends_at {
                // Where clocks are set by half an hour, that day's last hour is one.
                let end = (at + width).min(ends_at);
                slots.push(Slot { starts_at: at, ends_at: end });
                at = end;
            }
            day = next(day);
        }
        slots
    }
}

fn next(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Offset::new(1)).unwrap_or(day)
}

/// Which day it is there at `at` (UTC milliseconds).
pub(super) fn date_at(zone: Tz, at: i64) -> NaiveDate {
    let utc = DateTime::from_timestamp_millis(at).unwrap_or_default();
    utc.with_timezone(&zone).date_naive()
}

/// When a day begins there (UTC milliseconds): mostly at midnight, and where clocks are set forward at midnight, after that.
pub(crate) fn start_of(zone: Tz, day: NaiveDate) -> i64 {
    let midnight = day.and_time(NaiveTime::MIN);
    let mut at = midnight;
    // Clocks are never set forward by as much as a day but where the date line moves, which skips whole days.
    for _ in 0..=96 {
        if let Some(start) = zone.from_local_datetime(&at).earliest() {
            return start.timestamp_millis();
        }
        at += TimeDelta::milliseconds(BUCKET_MS);
    }
    midnight.and_utc().timestamp_millis()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(zone: Tz, first: &str, last: &str) -> Days {
        Days::new(zone, date(first), date(last)).unwrap()
    }

    #[test]
    fn days_on_which_clocks_are_set_are_shorter_or_longer() {
        for (zone, day, hours) in [
            (Tz::Europe__Berlin, "2026-03-28", 24),
            (Tz::Europe__Berlin, "2026-03-29", 23),
            (Tz::Europe__Berlin, "2026-10-25", 25),
            (Tz::America__New_York, "2026-03-08", 23),
            // Clocks there are set at midnight, so that this day has no midnight.
            (Tz::Africa__Cairo, "2026-04-24", 23),
            (Tz::UTC, "2026-03-29", 24),
        ] {
            let slots = days(zone, day, day).slots(Step::Hour);
            assert_eq!(slots.len(), hours, "{zone} {day}");
            assert_eq!(days(zone, day, day).slots(Step::Day).len(), 1);
        }
        // By half an hour, at Lord Howe Island.
        let slots = days(Tz::Australia__Lord_Howe, "2026-04-05", "2026-04-05").slots(Step::Quarter);
        assert_eq!(slots.len(), 98);
    }

    #[test]
    fn no_more_than_ninety_days() {
        let of = |first, last| Days::new(Tz::UTC, date(first), date(last));
        assert_eq!(of("2026-01-02", "2026-01-01"), Err(RangeError::Backwards));
        assert!(of("2026-01-01", "2026-03-31").is_ok());
        assert_eq!(of("2026-01-01", "2026-04-01"), Err(RangeError::TooLong));
        assert_eq!(of("0001-01-01", "0001-01-02"), Err(RangeError::TooFar));
    }

    proptest! {
        /// Whatever the zone and the day: slots follow each other without a gap, begin with a bucket, and are of the day
        /// that they are counted in.
        #[test]
        fn slots_cover_each_moment_once(zone in 0..chrono_tz::TZ_VARIANTS.len(), first in 0_u64..20_000, length in 0_u64..5) {
            let zone = chrono_tz::TZ_VARIANTS[zone];
            let first = date("1990-01-01").checked_add_days(Offset::new(first)).unwrap();
            let days = Days::new(zone, first, first.checked_add_days(Offset::new(length)).unwrap()).unwrap();
            for step in [Step::Day, Step::Hour, Step::Quarter] {
                let slots = days.slots(step);
                let (mut at, until) = days.bounds();
                for slot in slots {
                    prop_assert_eq!(slot.starts_at, at);
                    prop_assert!(slot.ends_at > slot.starts_at);
                    prop_assert_eq!(slot.starts_at.rem_euclid(BUCKET_MS), 0);
                    let of = (date_at(zone, slot.starts_at), date_at(zone, slot.ends_at - 1));
                    prop_assert_eq!(of.0, of.1);
                    at = slot.ends_at;
                }
                prop_assert_eq!(at, until);
            }
        }
    }
}
