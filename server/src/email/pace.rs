//! How fast mails go: evenly, and never more than so many in any minute, for all processes together.
//!
//! The generic cell rate algorithm (<https://www.itu.int/rec/T-REC-I.371>): each mail pushes the time on by which it is
//! due, and one may go when that time is not further ahead than a second. Over a minute and that second, as many are
//! due as the limit allows; so no minute has more.

use std::time::Duration;

use super::QUEUE;
use crate::app::AppState;
use crate::params;
use crate::platform::db::{DbError, Tx};
use crate::platform::queue::{Pace, Room};

const WINDOW_US: i64 = 60_000_000;
/// How far ahead of time a mail may go: what catches up with a worker that came late.
const AHEAD_US: i64 = 1_000_000;

/// How long each mail takes (microseconds): rounded up, so that the limit holds.
fn each_us(per_minute: u32) -> i64 {
    let count = i64::from(per_minute.max(1));
    (WINDOW_US + AHEAD_US + count - 1) / count
}

/// A time that is further ahead than any can be is from before a clock was set back.
fn in_bounds(due_at: i64, now: i64, each: i64) -> i64 {
    if due_at > now + AHEAD_US + each { now } else { due_at.max(now) }
}

/// How many may go at `now`, and otherwise how long one has to wait (microseconds).
fn room(due_at: i64, now: i64, each: i64) -> Result<usize, i64> {
    let ahead = now + AHEAD_US - in_bounds(due_at, now, each);
    if ahead < 0 {
        return Err(-ahead);
    }
    Ok(usize::try_from(ahead / each).unwrap_or(usize::MAX).saturating_add(1))
}

/// The pace of all mails.
#[derive(Debug, Clone)]
pub(super) struct Mails(pub(super) AppState);

impl Mails {
    fn each(app: &AppState) -> i64 {
        each_us(app.config().limits.email.count)
    }
}

impl Pace for Mails {
    fn room(&self, free: usize) -> Room<'_> {
        Box::pin(async move {
            let (now, each) = (self.0.now() * 1_000, Self::each(&self.0));
            let row =
                self.0.db().first("SELECT due_at FROM email_pace WHERE name = 'all'", params![]).await?;
            let due_at = row.map_or(Ok(0), |row| row.get(0))?;
            Ok(match room(due_at, now, each) {
                Ok(room) => (room.min(free), None),
                Err(wait) => (0, Some(Duration::from_micros(u64::try_from(wait).unwrap_or_default()))),
            })
        })
    }
}

/// The pace of mails to many: they have what others leave.
#[derive(Debug, Clone)]
pub(super) struct Bulk(pub(super) AppState);

/// How soon those to many ask again, while somebody waits for a mail.
const ASIDE: Duration = Duration::from_millis(500);

impl Pace for Bulk {
    fn room(&self, free: usize) -> Room<'_> {
        Box::pin(async move {
            // One that runs has perhaps not taken its turn yet.
            if self.0.queue().is_busy(QUEUE.name).await? {
                return Ok((0, Some(ASIDE)));
            }
            let (room, wait) = Mails(self.0.clone()).room(free).await?;
            // One at a time, so that whoever comes next is the next.
            Ok((room.min(1), wait))
        })
    }
}

/// Takes a mail's turn. If it is not: when one is (UTC milliseconds).
///
/// # Errors
/// When the database fails.
pub(super) async fn take(tx: &mut Tx, app: &AppState) -> Result<Result<(), i64>, DbError> {
    tx.lock("email_pace", b"all").await?;
    let (now, each) = (app.now() * 1_000, Mails::each(app));
    let row = tx.first("SELECT due_at FROM email_pace WHERE name = 'all'", params![]).await?;
    let due_at = row.map_or(Ok(0), |row| row.get(0))?;
    if let Err(wait) = room(due_at, now, each) {
        // Not before it surely is: in whole milliseconds.
        return Ok(Err((now + wait + 999) / 1_000));
    }
    let next = in_bounds(due_at, now, each) + each;
    tx.execute("UPDATE email_pace SET due_at = $1 WHERE name = 'all'", params![next]).await?;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// When mails go that are asked for at these times, by everybody who asks then.
    fn go(per_minute: u32, asked: &[i64]) -> Vec<i64> {
        let (each, mut due_at, mut gone) = (each_us(per_minute), 0, Vec::new());
        for now in asked.iter().map(|ms| ms * 1_000) {
            while room(due_at, now, each).is_ok() {
                due_at = in_bounds(due_at, now, each) + each;
                gone.push(now);
            }
        }
        gone
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_the_limit(per_minute in 1_u32..5_000, waits in prop::collection::vec(0_i64..3_000, 1..200)) {
            let mut now = 1_000_000;
            let asked: Vec<i64> = waits.iter().map(|wait| { now += wait; now }).collect();
            let gone = go(per_minute, &asked);
            for (place, first) in gone.iter().enumerate() {
                let within = gone[place..].iter().take_while(|at| **at < first + WINDOW_US).count();
                prop_assert!(within <= usize::try_from(per_minute).unwrap(), "{within} of {per_minute}");
            }
        }
    }

    #[test]
    fn they_go_evenly_and_at_nearly_the_limit() {
        let asked: Vec<i64> = (0..600_000).step_by(10).map(|ms| ms + 1_000_000).collect();
        let gone = go(100, &asked);
        assert!((980..=1_000).contains(&gone.len()), "{}", gone.len());
        let gaps = gone[3..].windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.clone().all(|gap| (590_000..=630_000).contains(&gap)), "{:?}", gaps.collect::<Vec<_>>());
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing() {
        assert!(room(2_000_000_000_000, 1_000_000, 600_000).is_ok());
    }
}
