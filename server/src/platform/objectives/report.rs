//! How well the objectives are met, from what was counted.

use serde::Serialize;
use utoipa::ToSchema;

use super::store::{DAY_MS, OfDay, OfPeriod};
use super::targets::{BOUNDS_MS, Sli};

/// How long the window is over which an objective counts, in days.
pub const WINDOW_DAYS: i64 = 28;

/// One indicator against its objectives, over the last 28 days.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Objective {
    /// Which indicator.
    pub sli: Sli,
    /// For people.
    pub name: &'static str,
    /// What counts as one event, and when it has gone well.
    pub meaning: &'static str,
    /// How many went well.
    pub success: Success,
    /// How long they took; none where there is no objective for it.
    pub latency: Option<Latency>,
    /// How fast the budget is used up right now.
    pub burn: Burn,
    /// The last 28 days (UTC), the oldest first.
    pub days: Vec<Day>,
}

/// How many events went well.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Success {
    /// The share that should go well: more than this.
    pub target: f64,
    /// Events in the window.
    pub events: i64,
    /// Those that failed through us.
    pub failed: i64,
    /// The share that went well; none without events.
    pub share: Option<f64>,
    /// How many failures the target allows for that many events.
    pub budget: f64,
    /// The share of the error budget that is left; below 0: overspent. None without events.
    pub budget_left: Option<f64>,
    /// Whether the target is met; none without events.
    pub is_met: Option<bool>,
}

/// How long they took.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Latency {
    /// Nine of ten should take less than this, in milliseconds.
    pub target_p90_ms: u64,
    /// Events that were timed.
    pub events: i64,
    /// The share within the target, exact; none without events.
    pub share_within: Option<f64>,
    /// What nine of ten stayed within, in milliseconds: estimated between the bounds of what is kept. 60 000 stands
    /// for that and more.
    pub p90_ms: Option<f64>,
    /// Whether the target is met; none without events.
    pub is_met: Option<bool>,
}

/// How fast the error budget is used up: 1 uses exactly all of it in 28 days. None without events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct Burn {
    /// Over the last 5 to 10 minutes.
    pub minutes_5: Option<f64>,
    /// Over the last half an hour.
    pub minutes_30: Option<f64>,
    /// Over the last hour.
    pub hour_1: Option<f64>,
    /// Over the last six hours.
    pub hours_6: Option<f64>,
    /// Failures in the last hour.
    pub failed_in_1_hour: i64,
    /// Failures in the last six hours.
    pub failed_in_6_hours: i64,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Day {
    /// Its beginning (UTC milliseconds).
    pub starts_at: i64,
    /// Events.
    pub events: i64,
    /// Those that failed through us.
    pub failed: i64,
}

#[expect(clippy::cast_precision_loss, reason = "counts of events are far below 2^53")]
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The share of events that may fail.
fn allowed(sli: Sli) -> f64 {
    f64::from(10_000 - sli.target_per_10_000()) / 10_000.0
}

/// Puts the counts of one indicator together.
pub(super) fn of(sli: Sli, days: &[OfDay], periods: &[OfPeriod], now: i64) -> Objective {
    let mine: Vec<OfDay> = days.iter().filter(|day| day.sli == sli).copied().collect();
    let recent: Vec<OfPeriod> = periods.iter().filter(|period| period.sli == sli).copied().collect();
    Objective {
        sli,
        name: sli.words(),
        meaning: sli.meaning(),
        success: success(sli, &mine),
        latency: sli.target_p90_ms().map(|target| latency(target, &mine)),
        burn: burn(sli, &recent, now),
        days: by_day(&mine, now),
    }
}

fn success(sli: Sli, days: &[OfDay]) -> Success {
    let events: i64 = days.iter().map(|day| day.events).sum();
    let failed: i64 = days.iter().filter(|day| day.failed).map(|day| day.events).sum();
    let failed_share = share(failed, events);
    // In whole numbers, so that a target that is met exactly is not missed by rounding.
    let good = i128::from(events - failed) * 10_000;
    let is_met = good > i128::from(events) * i128::from(sli.target_per_10_000());
    Success {
        target: 1.0 - allowed(sli),
        events,
        failed,
        share: share(events - failed, events),
        budget: share(events, 1).unwrap_or(0.0) * allowed(sli),
        budget_left: failed_share.map(|failed| 1.0 - failed / allowed(sli)),
        is_met: (events > 0).then_some(is_met),
    }
}

fn latency(target: u64, days: &[OfDay]) -> Latency {
    let mut cells = [0_i64; BOUNDS_MS.len() + 1];
    for day in days {
        if let Some(cell) = day.place.and_then(|place| cells.get_mut(place)) {
            *cell += day.events;
        }
    }
    let events: i64 = cells.iter().sum();
    let within: i64 =
        BOUNDS_MS.iter().zip(&cells).filter(|(bound, _)| **bound <= target).map(|(_, events)| events).sum();
    Latency {
        target_p90_ms: target,
        events,
        share_within: share(within, events),
        p90_ms: p90(&cells, events),
        is_met: (events > 0).then_some(i128::from(within) * 10 >= i128::from(events) * 9),
    }
}

/// Where nine of ten are, taking those of one cell to be spread evenly over it.
#[expect(clippy::cast_precision_loss, reason = "counts of events are far below 2^53")]
fn p90(cells: &[i64], events: i64) -> Option<f64> {
    let wanted = events as f64 * 0.9;
    let (mut before, mut lower) = (0.0, 0.0);
    for (place, &cell) in cells.iter().enumerate() {
        let Some(&bound) = BOUNDS_MS.get(place) else { break };
        let (upper, cell) = (bound as f64, cell as f64);
        if cell > 0.0 && before + cell >= wanted {
            return Some(lower + (upper - lower) * (wanted - before) / cell);
        }
        (before, lower) = (before + cell, upper);
    }
    (events > 0).then_some(lower)
}

fn burn(sli: Sli, periods: &[OfPeriod], now: i64) -> Burn {
    const MINUTE_MS: i64 = 60_000;
    // A period that began within the window counts whole, and the one that is running has only begun.
    let over = |minutes: i64| {
        let since = now - minutes * MINUTE_MS - super::store::PERIOD_MS;
        let within = periods.iter().filter(|period| period.started_at > since);
        within.fold((0, 0), |(failed, events), period| (failed + period.failed, events + period.events))
    };
    let rate = |minutes| {
        let (failed, events) = over(minutes);
        share(failed, events).map(|failed| failed / allowed(sli))
    };
    Burn {
        minutes_5: rate(5),
        minutes_30: rate(30),
        hour_1: rate(60),
        hours_6: rate(360),
        failed_in_1_hour: over(60).0,
        failed_in_6_hours: over(360).0,
    }
}

fn by_day(days: &[OfDay], now: i64) -> Vec<Day> {
    let today = now.div_euclid(DAY_MS);
    let of = |number: i64| {
        let of_it = || days.iter().filter(move |day| day.day == number);
        Day {
            starts_at: number * DAY_MS,
            events: of_it().map(|day| day.events).sum(),
            failed: of_it().filter(|day| day.failed).map(|day| day.events).sum(),
        }
    };
    (today - WINDOW_DAYS + 1..=today).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(place: Option<usize>, failed: bool, events: i64) -> OfDay {
        OfDay { sli: Sli::Scan, day: 0, place, failed, events }
    }

    #[test]
    fn without_events_nothing_is_claimed() {
        let nothing = of(Sli::Scan, &[], &[], 0);
        assert_eq!(
            (nothing.success.share, nothing.success.is_met, nothing.success.budget_left),
            (None, None, None)
        );
        let latency = nothing.latency.unwrap();
        assert_eq!((latency.p90_ms, latency.share_within, latency.is_met), (None, None, None));
        assert_eq!(nothing.burn, Burn::default());
        assert_eq!(nothing.days.len(), 28);
    }

    #[test]
    fn the_target_itself_is_not_enough() {
        let exactly = success(Sli::Scan, &[day(Some(0), false, 999), day(None, true, 1)]);
        assert_eq!(exactly.is_met, Some(false), "more than 99.9 %");
        assert!(exactly.budget_left.unwrap().abs() < 1e-9);
        let better = success(Sli::Scan, &[day(Some(0), false, 1_999), day(None, true, 1)]);
        assert_eq!(better.is_met, Some(true));
        assert!((better.budget_left.unwrap() - 0.5).abs() < 1e-9);
        assert!((better.budget - 2.0).abs() < 1e-9);
    }

    #[test]
    fn times_are_exact_at_the_bound_and_estimated_between() {
        // 80 within 250 ms, 10 up to 500 ms, 10 longer than a minute.
        let days = [
            day(Some(5), false, 80),
            day(Some(6), false, 10),
            day(Some(14), false, 10),
            day(None, false, 50),
        ];
        let found = latency(500, &days);
        assert_eq!((found.events, found.share_within, found.is_met), (100, Some(0.9), Some(true)));
        assert_eq!(found.p90_ms, Some(500.0));
        assert_eq!(latency(500, &days[2..]).p90_ms, Some(60_000.0));
        assert_eq!(latency(500, &days[..1]).p90_ms, Some(100.0 + 150.0 * 72.0 / 80.0));
    }

    #[test]
    fn burning_is_failing_faster_than_allowed() {
        let minute = 60_000;
        let period = |started_at, failed| OfPeriod { sli: Sli::Scan, started_at, events: 1_000, failed };
        let now = 400 * minute;
        let burn = burn(
            Sli::Scan,
            &[period(395 * minute, 2), period(345 * minute, 0), period(100 * minute, 7)],
            now,
        );
        let close =
            |rate: Option<f64>, expected: f64| assert!((rate.unwrap() - expected).abs() < 1e-9, "{rate:?}");
        close(burn.minutes_5, 2.0);
        close(burn.hour_1, 1.0);
        close(burn.hours_6, 3.0);
        assert_eq!((burn.failed_in_1_hour, burn.failed_in_6_hours), (2, 9));
    }
}
